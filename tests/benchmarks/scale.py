"""
Measure what one machine holds: register, find, query, compact and measure ever more traces.

    python tests/benchmarks/scale.py --home DIR
    python tests/benchmarks/scale.py --home DIR --size 1000000 --only find

What was measured is kept in DIR/SIZE/found.json, and printed with what was before. A million
traces take 4 GB of disk and an hour. Beyond the largest size the table says what it would be if
it went on as between the two largest: those columns are marked.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from environment import environment
from measure import say
from report import Figure
from scale_parts import PARTS, Found, Home

SIZES = (10_000, 100_000, 1_000_000)
BEYOND = (10_000_000, 100_000_000)
PROMISED = {
    "catalog, bytes a trace": 500.0,
    "1,000 more, s": 2.0,
    "find, few, ms beyond imports": 100.0,
    "find, many, ms beyond imports": 100.0,
    "1 trace, planner beyond a list, ms": 20.0,
}
"""The most that is promised of a million traces."""


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that are asked for, and print all that was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    add = parser.add_argument
    add("--home", type=Path, required=True, help="where data and results are kept")
    add("--size", type=int, action="append", help="traces, in thousands; may be given many times")
    add("--only", choices=PARTS, action="append", help="this part; may be given many times")
    add("--repetitions", type=int, default=5, help="of what takes little time")
    add("--spark-python", help="one that has pyspark with its jars, to ask Apache Spark as well")
    options = parser.parse_args(arguments)
    # Ended from outside, clean up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    home = options.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    for size in options.size or SIZES:
        kept = home / str(size) / "found.json"
        found = json.loads(kept.read_text()) if kept.exists() else {"took": {}, "environments": {}}
        folder = Home(home / str(size), size, options.repetitions, options.spark_python)
        for name in options.only or PARTS:
            say(f"{size:,} traces, {name}: {PARTS[name].__doc__}")
            about = environment()
            took = PARTS[name](folder)
            found["took"].update(took)
            found["environments"][name] = {**about, "load_after": os.getloadavg()}
            kept.write_text(json.dumps(found, indent=1) + "\n")
    print_table(
        {
            int(kept.parent.name): json.loads(kept.read_text())["took"]
            for kept in home.glob("*/found.json")
        }
    )


def print_table(found: Mapping[int, Found]) -> None:
    """Print a line a measure and a column a size; what is extrapolated stands behind a ~."""
    sizes = sorted(found)
    names = list(dict.fromkeys(name for size in sizes for name in found[size]))
    beyond = [size for size in BEYOND if len(sizes) > 1 and size > sizes[-1]]
    print(f"{'traces':38}" + "".join(f"{size:>16,}" for size in [*sizes, *beyond]))
    for name in names:
        cells = [_shown(found[size].get(name)) for size in sizes]
        cells += ["~" + _shown(_extrapolated(found, name, size)) for size in beyond]
        print(f"{name:38}" + "".join(f"{cell:>16}" for cell in cells))
    for name, most in PROMISED.items():
        if name in found.get(SIZES[-1], {}):
            print(f"  {Figure(name, found[SIZES[-1]][name], most=most)}")


def _extrapolated(found: Mapping[int, Found], name: str, size: int) -> float | None:
    """Return what a measure would be, if it went on as between the two largest sizes."""
    few, many = sorted(found)[-2:]
    if name not in found[few] or name not in found[many]:
        return None
    slope = (found[many][name] - found[few][name]) / (many - few)
    if "a trace" in name or slope < 0:
        return found[many][name]
    return found[many][name] + slope * (size - many)


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


if __name__ == "__main__":
    main()
