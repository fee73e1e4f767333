"""
Measure one thing in a process of its own; register.py starts it anew for every repetition.

    python child.py MODULE:FUNCTION '{"argument": …}'

The function prepares and returns a callable. Only the call is timed: starting Python,
importing and preparing are not. The call returns how many files it dealt with.
"""

from __future__ import annotations

import json
import resource
import sys
from importlib import import_module
from time import perf_counter, process_time


def main(name: str, arguments: str) -> None:
    """Print what one call took, as JSON."""
    module, _, function = name.partition(":")
    call = getattr(import_module(module), function)(**json.loads(arguments))
    before, cpu_before = perf_counter(), process_time()
    files = call()
    seconds, cpu_seconds = perf_counter() - before, process_time() - cpu_before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform != "darwin":
        peak *= 1024  # Linux counts in kilobytes
    print(
        json.dumps(
            {"files": files, "seconds": seconds, "cpu_seconds": cpu_seconds, "peak_bytes": peak}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
