"""Allocations that decoding makes for an operation: of a capture read twice, less of it read once."""

import pathlib
import shutil
import subprocess

import captures
from runs import Run, capture_command

SOURCE = pathlib.Path(__file__).parent / "malloc_count.c"


def counter(folder):
    """The library that counts, or None, having said why."""
    compiler = shutil.which("cc") or shutil.which("clang") or shutil.which("gcc")
    if not compiler:
        print("Allocations are not counted: no C compiler here")
        return None
    library = folder / "malloc_count.so"
    made = subprocess.run([compiler, "-O2", "-shared", "-fPIC", SOURCE, "-o", library], stderr=subprocess.PIPE)
    if made.returncode != 0:
        print(f"Allocations are not counted: {compiler} cannot make {SOURCE.name} (it is written for glibc)")
        return None
    return library


def count(library, capture, times, folder):
    """Calls of malloc and its like where the capture is read so many times, one after the other."""
    result = folder / "malloc-count"
    result.unlink(missing_ok=True)
    Run(capture_command(capture, folder / "counted.kvr", *["--read", capture] * (times - 1)),
        environment={"LD_PRELOAD": str(library), "MALLOC_COUNT": str(result)})
    return int(result.read_text()) if result.exists() else None


def measure(cases, folder, figures):
    """`cases`: name, capture, operations in it."""
    library = counter(folder)
    if library is None:
        return
    print("\nAllocations: calls of malloc and its like in the whole program")
    for name, capture, operations in cases:
        counts = [count(library, capture, times, folder) for times in (1, 2)]
        if None in counts:
            print("Allocations are not counted: the counting library was not loaded")
            return
        print(f"  {name}: {counts[0]} once, {counts[1]} twice, {operations} operations")
        figures.add(f"{name}: allocations an operation", (counts[1] - counts[0]) / operations, "", most=0.01)
