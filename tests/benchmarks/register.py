"""
Measure how fast trace files are registered, beside bare loops and two table formats.

    python tests/benchmarks/register.py                     # everything, about half an hour
    python tests/benchmarks/register.py --only cold --files 2000

README.md beside this file says what is measured, and what of it is not equal work.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from files import copy_runs, link_flat, of_one_schema
from report import Figure, Part, Run, median, print_part

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[2] / "shared" / "data"
NEW_FILES = 1_000
PACKAGES = ("strategy-trace-catalog", "duckdb", "pyarrow", "pyiceberg", "deltalake")


def cold(options: argparse.Namespace, work: Path) -> Part:
    """Register files that no catalog knows yet, beside reading their footers only."""
    runs = work / "runs"
    copy_runs(options.traces, runs, options.files)
    sides = alternate(
        options.repetitions,
        {
            "register": lambda: register(options, work, runs, expect=options.files),
            "register an empty folder": lambda: register_nothing(options, work),
            "floor: footers with pyarrow": lambda: floor(runs, expect=options.files),
        },
    )
    whole, fixed, least = (median(runs_of_side) for runs_of_side in sides.values())
    return Part(
        "cold",
        f"{options.files:,} new files",
        sides,
        [
            Figure("(register - empty folder) / floor", (whole - fixed) / least, most=2),
            Figure("register / floor", whole / least),
        ],
    )


def peers(options: argparse.Namespace, work: Path) -> Part:
    """Register files that no catalog knows yet, beside Iceberg and Delta tables."""
    runs, flat, count = work / "runs", work / "flat", options.peer_files
    copy_runs(options.traces, runs, count, only=of_one_schema(options.traces))
    link_flat(runs, flat)
    sides = alternate(
        options.repetitions,
        {
            "register": lambda: register(options, work, runs, expect=count),
            "register an empty folder": lambda: register_nothing(options, work),
            "floor: footers with pyarrow": lambda: floor(runs, expect=count),
            "pyiceberg add_files": lambda: iceberg(work, runs, expect=count),
            "deltalake convert_to_deltalake": lambda: measure(
                "peers:delta", expect=count, folder=flat
            ),
        },
    )
    whole, fixed, least, ice, delta = (median(runs_of_side) for runs_of_side in sides.values())
    return Part(
        "peers",
        f"{count:,} new files of one schema",
        sides,
        [
            Figure("pyiceberg / (register - empty folder)", ice / (whole - fixed), least=10),
            Figure("pyiceberg / floor", ice / least),
            Figure("deltalake / (register - empty folder)", delta / (whole - fixed)),
        ],
    )


def again(options: argparse.Namespace, work: Path) -> Part:
    """Register files once more that have not changed, beside looking at each of them."""
    runs, count = work / "runs", options.again_files
    copy_runs(options.traces, runs, count)
    catalog = work / "catalog.duckdb"
    measure("sides:register", expect=count, catalog=catalog, folder=runs, sweeps=options.sweeps)

    def once_more(sweeps: list[Path]) -> Run:
        return measure(
            "sides:register_again", expect=count, catalog=catalog, folder=runs, sweeps=sweeps
        )

    sides = alternate(
        options.repetitions,
        {
            "register again": lambda: once_more([]),
            "register again, with --sweep": lambda: once_more(options.sweeps),
            "scandir, stat, open the catalog": lambda: measure(
                "sides:look", expect=count, catalog=catalog, folder=runs
            ),
        },
    )
    plain, with_sweeps, look = (median(runs_of_side) for runs_of_side in sides.values())
    return Part(
        "again",
        f"{count:,} unchanged files",
        sides,
        [
            Figure("register again / look", plain / look, most=3),
            Figure("register again, with --sweep / look", with_sweeps / look),
        ],
    )


def onto(options: argparse.Namespace, work: Path) -> Part:
    """Register some new files in a catalog that has very many, beside one that has none."""
    old, few, new, empty = work / "old", work / "few", work / "new", work / "empty"
    copy_runs(options.traces, old, options.registered, linked=True)
    copy_runs(options.traces, few, 2 * NEW_FILES, first=1_000)
    copy_runs(options.traces, new, NEW_FILES, first=2_000)
    empty.mkdir()
    bases = {"empty": (empty, 0), "few": (few, 2 * NEW_FILES), "old": (old, options.registered)}
    for name, (folder, count) in bases.items():
        say(f"registering {count:,} files to begin with")
        base = work / f"base_{name}" / "catalog.duckdb"
        base.parent.mkdir()
        measure("sides:register", expect=count, catalog=base, folder=folder, sweeps=options.sweeps)

    def onto_base(name: str) -> Run:
        with copied(work / f"base_{name}") as catalog:
            return measure(
                "sides:register",
                expect=NEW_FILES,
                catalog=catalog,
                folder=new,
                sweeps=options.sweeps,
            )

    sides = alternate(
        options.repetitions,
        {
            f"onto {options.registered:,} files": lambda: onto_base("old"),
            "onto no files": lambda: onto_base("empty"),
            f"onto {2 * NEW_FILES:,} files": lambda: onto_base("few"),
        },
    )
    many, none, some = (median(runs_of_side) for runs_of_side in sides.values())
    return Part(
        "onto",
        f"{NEW_FILES:,} new files onto {options.registered:,}",
        sides,
        [
            Figure("onto many / onto no files", many / none, most=1.3),
            Figure("onto many / onto few files", many / some),
        ],
    )


def memory(options: argparse.Namespace, work: Path) -> Part:
    """Register very many files at once, and see how much memory that takes at most."""
    runs, count = work / "runs", options.memory_files
    copy_runs(options.traces, runs, count, linked=True)
    sides = {"register": [register(options, work, runs, expect=count)]}
    peak = sides["register"][0]["peak_bytes"] / 1e6
    return Part("memory", f"{count:,} new files", sides, [Figure("peak, MB", peak, most=500)])


PARTS = {part.__name__: part for part in (cold, peers, again, onto, memory)}


def register(options: argparse.Namespace, work: Path, folder: Path, *, expect: int) -> Run:
    """Register a folder in a catalog that is not there yet."""
    with scratch(work) as place:
        return measure(
            "sides:register",
            expect=expect,
            catalog=place / "catalog.duckdb",
            folder=folder,
            sweeps=options.sweeps,
        )


def register_nothing(options: argparse.Namespace, work: Path) -> Run:
    """Register an empty folder in a catalog that is not there yet: what every first time costs."""
    with scratch(work) as folder:
        return register(options, work, folder, expect=0)


def floor(folder: Path, *, expect: int) -> Run:
    """Read the footers of the files in a folder."""
    return measure("sides:floor", expect=expect, folder=folder)


def iceberg(work: Path, folder: Path, *, expect: int) -> Run:
    """Add the files in a folder to a new Iceberg table."""
    with scratch(work) as warehouse:
        return measure("peers:iceberg", expect=expect, folder=folder, warehouse=warehouse)


def measure(side: str, *, expect: int, **arguments: Any) -> Run:
    """Run one side in a fresh process, and return what child.py measured in it."""
    command = [sys.executable, str(HERE / "child.py"), side, json.dumps(arguments, default=str)]
    before = perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    run: Run = json.loads(done.stdout)
    run["process_seconds"] = perf_counter() - before
    if run["files"] != expect:
        raise SystemExit(f"{side} dealt with {run['files']:,} files instead of {expect:,}")
    return run


def alternate(repetitions: int, sides: dict[str, Callable[[], Run]]) -> dict[str, list[Run]]:
    """Measure all sides in turn, every other time in reverse, and return the runs of each."""
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for repetition in range(repetitions):
        order = list(sides) if repetition % 2 == 0 else list(reversed(sides))
        for name in order:
            runs[name].append(sides[name]())
            say(f"{repetition + 1} of {repetitions}: {name}, {runs[name][-1]['seconds']:.2f} s")
    return runs


@contextmanager
def scratch(work: Path) -> Iterator[Path]:
    """Give a new folder for as long as a block lasts."""
    with TemporaryDirectory(dir=work) as folder:
        yield Path(folder)


@contextmanager
def copied(base: Path) -> Iterator[Path]:
    """Give a copy of a catalog and of what lies beside it, for as long as a block lasts."""
    with scratch(base.parent) as place:
        shutil.copytree(base, place, dirs_exist_ok=True)
        os.sync()
        yield place / "catalog.duckdb"


def environment() -> dict[str, Any]:
    """Return what the absolute seconds depend on."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "versions": versions,
    }


def say(text: str) -> None:
    """Print progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    add = parser.add_argument
    add("--only", choices=PARTS, action="append", help="this part; may be given many times")
    add("--data", type=Path, default=DATA, help="has old_traces/ and sweeps/")
    add("--work", type=Path, help="where the temporary directory is made")
    add("--repetitions", type=int, default=5, help="of each side, but of memory")
    add("--files", type=int, default=20_000, help="of cold")
    add("--peer-files", type=int, default=5_000, help="of peers")
    add("--again-files", type=int, default=10_000, help="of again")
    add("--registered", type=int, default=200_000, help="already there in onto")
    add("--memory-files", type=int, default=100_000, help="of memory")
    add("--json", type=Path, help="write every single run there")
    options = parser.parse_args(arguments)
    options.traces = options.data / "old_traces"
    options.sweeps = sorted((options.data / "sweeps").glob("*.yaml"))
    if not options.traces.is_dir():
        parser.error(f"there are no real traces in {options.traces}: name them with --data")
    return options


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that are asked for, print them, and leave nothing behind."""
    options = parse(arguments)
    # Ended from outside, clean up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    about = environment()
    print(json.dumps(about))
    parts = []
    for name in options.only or PARTS:
        with TemporaryDirectory(prefix="bench-register-", dir=options.work) as work:
            say(f"{name}: {PARTS[name].__doc__}")
            parts.append(PARTS[name](options, Path(work)))
            print_part(parts[-1])
    if options.json:
        found = {"environment": about, "parts": [part.as_dict() for part in parts]}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
