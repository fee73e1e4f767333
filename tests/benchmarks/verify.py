"""
Measure how fast a catalog is verified, beside a stat of each file and beside reading its bytes.

    python tests/benchmarks/verify.py
    python tests/benchmarks/verify.py --files 100000

README.md beside this file says what is measured, and what of it is not equal work.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from environment import environment
from files import copy_runs
from measure import alternate, measure, say
from register import DATA
from report import Figure, Part, median, print_part

from catalog.catalog import Catalog


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and leave nothing behind."""
    options = _parse(arguments)
    about = environment()
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    print(f"Python {about['python']}, {versions}; {about['cores']} cores, {about['system']}")
    with TemporaryDirectory(prefix="bench-verify-", dir=options.work) as work:
        part = verified(options, Path(work))
    print_part(part)
    if options.json:
        found = {"environment": about, "parts": [part.as_dict()]}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def verified(options: argparse.Namespace, work: Path) -> Part:
    """Verify a catalog in which nothing is wrong."""
    runs, catalog, count = work / "runs", work / "catalog.duckdb", options.files
    say(f"register {count:,} files")
    copy_runs(options.data / "old_traces", runs, count)
    Catalog(catalog).register(runs, sweeps=sorted((options.data / "sweeps").glob("*.yaml")))

    def side(name: str, **more: object) -> object:
        return lambda: measure(f"verify_sides:{name}", expect=count, catalog=str(catalog), **more)

    sides = alternate(
        options.repetitions,
        {
            "os.stat": side("stat_each"),
            "verify --fast": side("verify", fast=True),
            "os.open, os.read": side("read_each"),
            "open().read()": side("read_buffered"),
            "verify": side("verify", fast=False),
        },
    )
    stat, fast, read, buffered, full = sides.values()
    figures = [
        Figure("verify --fast / os.stat", median(fast) / median(stat), most=3),
        Figure("the same in CPU", _cpu(fast, stat)),
        Figure("verify / os.open, os.read", median(full) / median(read), most=3),
        Figure("the same in CPU", _cpu(full, read)),
        Figure("verify / open().read()", median(full) / median(buffered)),
    ]
    return Part("verify", f"{count:,} registered files, nothing wrong", sides, figures)


def _cpu(one: list, other: list) -> float:
    return median(one, "cpu_seconds") / median(other, "cpu_seconds")


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, default=DATA, help="the folder that has old_traces/ and sweeps/")
    add("--work", type=Path, help="where the temporary directory is made")
    add("--json", type=Path, help="write every single run there")
    add("--repetitions", type=int, default=5, help="of every side")
    add("--files", type=int, default=20_000, help="registered files")
    options = parser.parse_args(arguments)
    if not (options.data / "old_traces").is_dir():
        parser.error(f"there are no real traces in {options.data}: name them with --data")
    return options


if __name__ == "__main__":
    main()
