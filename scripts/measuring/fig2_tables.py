"""Figure 2 of EdgeSys from the runs of a measurement: medians over repeats, and what is asked of them.

A run is a dictionary: setting, operation, members, kind (closed or open), repeat, rate (of an open one), and result,
which is what `kvreel replay --json` says. All times here are in milliseconds.
"""

import dataclasses
import math

OPERATIONS = ["put", "range"]


@dataclasses.dataclass(frozen=True)
class Setting:
    name: str
    outstanding: int
    connections: int
    operations: int
    keys: int
    # Reads ask for keys that were never written.
    missing: bool
    key_bytes: int = 8
    value_bytes: int = 256


SETTINGS = {
    each.name: each
    for each in [
        Setting("fig2-spread", outstanding=64, connections=64, operations=10_000, keys=100_000, missing=False),
        Setting("fig2-paper", outstanding=1_000, connections=100, operations=100_000, keys=1, missing=True),
    ]
}

# Medians over three repeats that the authors left beside their scripts, on tmpfs and without TLS: not the published
# figure. By members: p50 in ms and operations a second, of puts and of ranges.
STORED = {
    1: dict(put=(28.4, 33_259), range=(42.1, 21_903)),
    3: dict(put=(38.0, 23_899), range=(32.7, 28_684)),
    5: dict(put=(49.0, 18_305), range=(28.7, 29_419)),
    7: dict(put=(62.3, 14_612), range=(27.8, 28_236)),
    9: dict(put=(73.2, 11_958), range=(26.3, 26_835)),
}

# By how much a p50 that is to grow with the members may be below the one before.
GROWTH_TOLERANCE = 0.05
# By how much outstanding calls, computed from throughput and mean latency, may differ from those asked for.
OUTSTANDING_TOLERANCE = 0.15


def quantile(values, share):
    """Interpolated linearly between two values."""
    values = sorted(values)
    place = share * (len(values) - 1)
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def median(values):
    return quantile(values, 0.5)


class Repeats:
    """The closed-loop runs of one configuration."""

    def __init__(self, setting, operation, members, results):
        self.setting, self.operation, self.members, self.results = setting, operation, members, results
        times = {
            name: [result["response_time"][name + "_ns"] / 1e6 for result in results]
            for name in ("p10", "p50", "p90", "mean")}
        # Figure 2a: the median over repeats of each run's percentile.
        self.p10, self.p50, self.p90, self.mean = (median(times[name]) for name in ("p10", "p50", "p90", "mean"))
        rates = [result.get("per_second", 0) for result in results]
        # Figure 2b: over repeats.
        self.throughput, self.slow, self.fast = (quantile(rates, share) for share in (0.5, 0.1, 0.9))
        self.errors = sum(result["errors"] for result in results)
        # Little's law: calls outstanding on average.
        self.outstanding = median([rate * mean / 1e3 for rate, mean in zip(rates, times["mean"])])
        conditions = [result.get("conditions", {}) for result in results]
        self.generator = max(each.get("kvreel_percent", 0) for each in conditions)
        self.stores = max(each.get("members_percent", 0) for each in conditions)
        self.is_generator_bound = any(each.get("generator_bound", False) for each in conditions)
        self.fsync = [
            max((one.get(name, math.inf) for each in conditions for one in each.get("fsync", [])), default=None)
            for name in ("p50_at_most_ns", "p99_at_most_ns")]

    @property
    def is_outstanding_kept(self):
        asked = SETTINGS[self.setting].outstanding
        return abs(self.outstanding - asked) <= OUTSTANDING_TOLERANCE * asked

    @property
    def notes(self):
        notes = []
        if self.is_generator_bound:
            notes.append("generator-bound")
        if not self.is_outstanding_kept:
            notes.append(f"N_eff not within 15 % of {SETTINGS[self.setting].outstanding}")
        if self.errors:
            notes.append(f"{self.errors} errors")
        return ", ".join(notes)


def repeats(runs):
    """By setting, operation and members, in this order."""
    found = {}
    for run in runs:
        if run["kind"] == "closed":
            found.setdefault((run["setting"], run["operation"], run["members"]), []).append(run["result"])
    names = list(SETTINGS)
    keys = sorted(found, key=lambda key: (names.index(key[0]), OPERATIONS.index(key[1]), key[2]))
    return {key: Repeats(*key, found[key]) for key in keys}


class Check:
    """A criterion: passed or failed, None where it has none, and the numbers that say so."""

    def __init__(self, name, passed, numbers):
        self.name, self.passed, self.numbers = name, passed, numbers

    @property
    def word(self):
        return {True: "passed", False: "**failed**", None: "no criterion"}[self.passed]


def chain(points, places=1):
    return ", ".join(f"{members}: {value:.{places}f}" for members, value in points)


def checks(found, setting):
    """What must hold for the shape of figure 2, of one setting."""
    members = sorted({key[2] for key in found if key[0] == setting})

    def points(operation, figure):
        return [
            (count, getattr(found[setting, operation, count], figure))
            for count in members if (setting, operation, count) in found]

    puts, put_rates = points("put", "p50"), points("put", "throughput")
    ranges, range_rates = dict(points("range", "p50")), points("range", "throughput")
    all_checks = []
    if len(puts) > 1:
        steps = zip(puts, puts[1:])
        all_checks.append(Check(
            "put p50 does not fall with members (5 % tolerance)",
            all(after >= before * (1 - GROWTH_TOLERANCE) for (_, before), (_, after) in steps),
            chain(puts) + " ms"))
        steps = zip(put_rates, put_rates[1:])
        all_checks.append(Check(
            "put throughput does not rise with members", all(after <= before for (_, before), (_, after) in steps),
            chain(put_rates, 0) + " op/s"))
    by_members, rates = dict(puts), dict(put_rates)
    if 1 in by_members and 7 in by_members:
        ratio = by_members[7] / by_members[1]
        all_checks.append(Check("put p50 at 7 members at least 1.5 x that at 1", ratio >= 1.5, f"{ratio:.2f} x"))
        ratio = rates[7] / rates[1]
        all_checks.append(Check("put throughput at 7 members at most 0.8 x that at 1", ratio <= 0.8, f"{ratio:.2f} x"))
    for count in (5, 7):
        if count in by_members and count in ranges:
            ratio = ranges[count] / by_members[count]
            all_checks.append(Check(
                f"range p50 at {count} members at most 0.7 x put p50", ratio <= 0.7, f"{ratio:.2f} x"))
    if 1 in by_members and 1 in ranges:
        all_checks.append(Check(
            "range p50 at 1 member", None, f"range {ranges[1]:.1f} ms, put {by_members[1]:.1f} ms"))
    if len(range_rates) > 1:
        steps = [
            "rises" if after > before else "falls" for (_, before), (_, after) in zip(range_rates, range_rates[1:])]
        all_checks.append(Check(
            "range throughput, direction", None, f"{', '.join(steps)} ({chain(range_rates, 0)} op/s)"))
    for (name, operation, count), row in found.items():
        if name == setting and not row.is_outstanding_kept:
            all_checks.append(Check(
                f"N_eff of {operation} on {count} within 15 % of {SETTINGS[setting].outstanding}", False,
                f"{row.outstanding:.0f}"))
    if all(row.is_outstanding_kept for (name, _, _), row in found.items() if name == setting):
        values = [row.outstanding for (name, _, _), row in found.items() if name == setting]
        all_checks.append(Check(
            f"N_eff of every row within 15 % of {SETTINGS[setting].outstanding}", True,
            f"{min(values):.0f} to {max(values):.0f}"))
    return all_checks
