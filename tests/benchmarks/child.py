"""
Measure one thing in a process of its own; the benchmark starts it anew for every repetition.

    python child.py MODULE:FUNCTION '{"argument": …}'

The function prepares and returns a callable. Only the call is timed: starting Python,
importing and preparing are not. The call returns how many files (or events) it dealt with, or a
dict that says more.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import perf_counter

# Linux counts in kilobytes.
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


def main(name: str, arguments: str) -> None:
    """Print what one call took, as JSON."""
    module, _, function = name.partition(":")
    call = getattr(import_module(module), function)(**json.loads(arguments))
    before, cpu_before = perf_counter(), _cpu_seconds()
    answer = call()
    seconds = perf_counter() - before
    more = {}
    if isinstance(answer, tuple):  # It timed itself, for it has to make as it goes what it takes.
        answer, seconds = answer
    if isinstance(answer, dict):
        answer, more = answer.pop("files"), answer
    took = {
        "files": answer,
        "seconds": seconds,
        **more,
        "cpu_seconds": _cpu_seconds() - cpu_before,
        "peak_bytes": getrusage(RUSAGE_SELF).ru_maxrss * PEAK_UNIT,
    }
    print(json.dumps(took))


def _cpu_seconds() -> float:
    """Return the CPU time of this process, and of those that it started and that have ended."""
    used = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main(*sys.argv[1:])
