"""
Measure how fast old traces are written anew and compared, beside registering and copying them.

    python tests/benchmarks/upgrade.py
    python tests/benchmarks/upgrade.py --files 2000 --repetitions 3

README.md beside this file says what is not equal work.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from files import copy_runs
from measure import alternate, measure, scratch
from report import Figure, Part, Run, median, print_part

from catalog.catalog import Catalog
from catalog.disk import sync
from catalog.traces.read import read_trace_file

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
Call = Callable[[], int]


def main() -> None:
    """Measure, print, and leave nothing behind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    sweeps = [str(path) for path in sorted((options.data / "sweeps").glob("*.yaml"))]
    with TemporaryDirectory(prefix="bench-upgrade-") as work:
        runs = Path(work) / "runs"
        copy_runs(options.data / "old_traces", runs, options.files)
        prices = str(options.data / "prices" / "SPY_1m.parquet")

        def side(name: str, **more: object) -> Callable[[], Run]:
            def run() -> Run:
                with scratch(Path(work)) as folder:
                    given = {"folder": runs, "work": folder, **more}
                    return measure(f"upgrade:{name}", expect=options.files, **given)

            return run

        sides = alternate(
            options.repetitions,
            {
                "upgrade": side("upgrade", sweeps=sweeps, prices=prices),
                "register": side("register", sweeps=sweeps),
                "read as register does, one thread": side("read"),
                "copy, with fsync": side("copy"),
            },
        )
    upgraded, registered, read, copied = sides.values()
    figures = [
        Figure(f"upgrade / {name}", median(upgraded) / median(other))
        for name, other in (("register", registered), ("read", read), ("copy", copied))
    ]
    figures.append(Figure("files a second", options.files / median(upgraded)))
    print_part(Part("upgrade", f"{options.files:,} old files, read, written, compared",
                    sides, figures))  # fmt: skip


def upgrade(folder: str, work: str, sweeps: list[str], prices: str) -> Call:
    """Write all traces anew, times from prices included."""
    catalog = Catalog(Path(work) / "catalog.duckdb")
    catalog.add_prices(prices, symbol="SPY", timeframe="1m", tz="America/New_York")

    def call() -> int:
        report = catalog.upgrade(folder, output=Path(work) / "new", sweeps=sweeps)
        assert not report.needs_attention, "some traces were left out, or have no parameters"
        return report.converted.total()

    return call


def register(folder: str, work: str, sweeps: list[str]) -> Call:
    """Register all traces in a new catalog."""
    return lambda: Catalog(Path(work) / "c.duckdb").register(folder, sweeps=sweeps).registered


def read(folder: str, work: str) -> Call:
    """Read each file as registering reads it, one after the other."""
    paths = _paths(folder)
    return lambda: len([read_trace_file(path) for path in paths])


def copy(folder: str, work: str) -> Call:
    """Copy each file, and bring it to the disk."""
    paths = _paths(folder)

    def call() -> int:
        for number, path in enumerate(paths):
            target = Path(work) / f"{number}.parquet"
            shutil.copyfile(path, target)
            sync(target)
        return len(paths)

    return call


def _paths(folder: str) -> list[str]:
    return sorted(
        os.path.join(place, name)
        for place, _, names in os.walk(folder)
        for name in names
        if name.endswith(".parquet")
    )


if __name__ == "__main__":
    main()
