"""
Measure how long it takes to say what of a large sweep is missing.

    python tests/benchmarks/sweep.py
    python tests/benchmarks/sweep.py --configurations 250000 --registered 100000

README.md beside this file says what is measured, and what of it is not equal work.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from environment import environment
from measure import alternate, measure, say
from report import Figure, Part, median, print_part


def main() -> None:
    """Measure, print, and leave nothing behind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    add = parser.add_argument
    add("--configurations", type=int, default=1_000_000, help="a square number of them")
    add("--registered", type=int, default=500_000, help="those that have a trace")
    add("--repetitions", type=int, default=5, help="of every side")
    add("--work", type=Path, help="where the temporary directory is made")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    count = round(options.configurations**0.5) ** 2
    about = environment()
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    print(f"Python {about['python']}, {versions}; {about['cores']} cores, {about['system']}")
    with TemporaryDirectory(prefix="bench-sweep-", dir=options.work) as work:
        say(f"making a catalog that knows {options.registered:,} of {count:,} configurations")
        known = options.registered
        measure("sweep_sides:making", expect=count, home=work, count=count, known=known)
        sweep, catalog = Path(work, "grid.yaml"), Path(work, "catalog.duckdb")
        print_part(_measure(sweep, catalog, count, known, options.repetitions))
    print(f"load after: {os.getloadavg()}")


def _measure(sweep: Path, catalog: Path, count: int, known: int, repetitions: int) -> Part:
    def side(name: str, **arguments: object):
        return lambda: measure(f"sweep_sides:{name}", expect=count, count=count, **arguments)

    files = {"sweep": sweep, "catalog": catalog}
    sides = alternate(
        repetitions,
        {
            "sweep missing --format jsonl": side("command", what="missing", **files),
            "sweep status": side("command", what="status", **files),
            "json.dumps and sha256 of each": side("hashing"),
            "config_key of each": side("generic", sweep=sweep),
            "anti join of given keys": side("anti_join", **files),
        },
    )
    missing, status, hashing, generic, join = map(median, sides.values())
    # One in ten of those that have a trace is stale.
    lines = count - known + len(range(8, known, 10))
    printed = sides["sweep missing --format jsonl"][0]["lines"]
    if printed != lines:
        raise SystemExit(f"{printed:,} lines were printed, and {lines:,} are missing or stale")
    return Part(
        "sweep",
        f"{count:,} configurations, {known:,} of them with a trace; {lines:,} lines",
        sides,
        [
            Figure("seconds of sweep missing, the whole command", missing, most=15),
            Figure("seconds of sweep status, the whole command", status),
            Figure("sweep missing ÷ (hashing each + anti join)", missing / (hashing + join)),
            Figure("sweep status ÷ (hashing each + anti join)", status / (hashing + join)),
            Figure("config_key of each ÷ sweep status", generic / status),
            Figure(
                "MB that sweep missing takes at its peak",
                max(run["peak_kilobytes"] for run in next(iter(sides.values()))) / 1e3,
            ),
        ],
    )


if __name__ == "__main__":
    main()
