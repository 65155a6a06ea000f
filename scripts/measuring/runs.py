"""Programs run to their end, and what they took."""

import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KVREEL = ROOT / ".build/release/kvreel"
PORT = 2379


class Run:
    """One finished process: what it took. A failure ends the bench."""

    def __init__(self, command, output=os.devnull, environment=None):
        words = [str(word) for word in command]
        environment = {**os.environ, **(environment or {})}
        began = time.monotonic()
        with open(output, "wb") as sink:
            process = subprocess.Popen(words, stdout=sink, stderr=subprocess.PIPE, env=environment)
            errors = process.stderr.read().decode(errors="replace")
            _, status, usage = os.wait4(process.pid, 0)
        self.seconds = time.monotonic() - began
        self.processor_seconds = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss * 1024
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"bench: {' '.join(words)}: exit status {process.returncode}\n{errors}")


def median(runs):
    """The run whose seconds are the median, with the median of the processor seconds and the largest memory."""
    run = sorted(runs, key=lambda each: each.seconds)[len(runs) // 2]
    run.processor_seconds = sorted(each.processor_seconds for each in runs)[len(runs) // 2]
    run.memory = max(each.memory for each in runs)
    return run


def capture_command(capture, trace, *options):
    return [KVREEL, "capture", "--read", capture, "-o", trace, "--force", "--quiet", *options]


HEADINGS = f"{'':<44}{'wall':>10}{'processor':>11}{'memory':>12}{'capture':>13}"


def row(name, run, size):
    """A line under `HEADINGS`; the last column is the megabytes of capture file read in a second."""
    print(f"{name:<44}{run.seconds:>8.3f} s{run.processor_seconds:>9.3f} s{run.memory / 2**20:>8.1f} MiB"
          f"{size / run.seconds / 1e6:>8.1f} MB/s", flush=True)


class Figures:
    """What was measured beside what is asked for: the table at the end."""

    def __init__(self):
        self.lines = []
        self.missed = False

    def add(self, name, value, unit, asked=None, aim=None, most=None):
        """`asked`: at least this; `most`: under this; both decide the exit status. `aim`: wanted on a fast machine."""
        verdict = ""
        if asked is not None or most is not None:
            good = value >= asked if asked is not None else value < most
            self.missed |= not good
            verdict = "yes" if good else "NO"
        wanted = f"at least {asked:g}" if asked is not None else f"under {most:g}" if most is not None else ""
        if aim is not None:
            wanted = f"aim {aim:g}" if not wanted else f"{wanted}, aim {aim:g}"
        digits = 4 if abs(value) < 0.1 else 2 if abs(value) < 1000 else 0
        self.lines.append((name, f"{value:.{digits}f} {unit}".rstrip(), wanted, verdict))

    def show(self):
        print(f"\n{'figure':<62}{'measured':>16}  {'asked':<24}{'met'}")
        for name, value, wanted, verdict in self.lines:
            print(f"{name:<62}{value:>16}  {wanted:<24}{verdict}".rstrip())
