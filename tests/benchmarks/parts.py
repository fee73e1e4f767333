"""The parts of the benchmark: what is measured beside what, and the figures made from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from files import copy_runs, link_flat, of_one_schema
from measure import alternate, measure, restored, say, scratch
from report import Figure, Part, Run, median

NEW_FILES = 1_000
FEW_FILES = 2_000


@dataclass(frozen=True)
class Settings:
    """What the command line asks for; the counts are of trace files."""

    traces: Path
    sweeps: list[Path]
    repetitions: int
    files: int
    peer_files: int
    again_files: int
    registered: int
    memory_files: int


def cold(settings: Settings, work: Path) -> Part:
    """Register files that no catalog knows yet, beside reading their footers only."""
    runs, count = work / "runs", settings.files
    copy_runs(settings.traces, runs, count)
    sides = alternate(
        settings.repetitions,
        {
            "register": lambda: _register(settings, work, runs, expect=count),
            "register an empty folder": lambda: _register_nothing(settings, work),
            "floor: footers with pyarrow": lambda: _floor(runs, expect=count),
        },
    )
    register, nothing, floor = sides.values()
    return Part(
        "cold",
        f"{count:,} new files",
        sides,
        [
            Figure("(register - empty folder) / floor", _beyond(register, nothing, floor), most=2),
            Figure("the same in CPU", _beyond(register, nothing, floor, key="cpu_seconds")),
            Figure("register / floor", median(register) / median(floor)),
        ],
    )


def peers(settings: Settings, work: Path) -> Part:
    """Register files that no catalog knows yet, beside an Iceberg and a Delta table."""
    runs, flat, count = work / "runs", work / "flat", settings.peer_files
    copy_runs(settings.traces, runs, count, only=of_one_schema(settings.traces))
    link_flat(runs, flat)
    sides = alternate(
        settings.repetitions,
        {
            "register": lambda: _register(settings, work, runs, expect=count),
            "register an empty folder": lambda: _register_nothing(settings, work),
            "floor: footers with pyarrow": lambda: _floor(runs, expect=count),
            "pyiceberg add_files": lambda: _iceberg(work, runs, expect=count),
            "deltalake convert_to_deltalake": lambda: _delta(flat, expect=count),
        },
    )
    register, nothing, floor, iceberg, delta = sides.values()
    beyond = median(register) - median(nothing)
    return Part(
        "peers",
        f"{count:,} new files of one schema",
        sides,
        [
            Figure("pyiceberg / (register - empty folder)", median(iceberg) / beyond, least=10),
            Figure("pyiceberg / floor", median(iceberg) / median(floor)),
            Figure("deltalake / (register - empty folder)", median(delta) / beyond),
        ],
    )


def again(settings: Settings, work: Path) -> Part:
    """Register files once more that have not changed, beside looking at each of them."""
    runs, catalog, count = work / "runs", work / "catalog.duckdb", settings.again_files
    copy_runs(settings.traces, runs, count)
    paths = {"catalog": catalog, "folder": runs}
    say(f"registering {count:,} files to begin with")
    measure("sides:register", expect=count, **paths, sweeps=settings.sweeps)

    def once_more(sweeps: list[Path]) -> Run:
        return measure("sides:register_again", expect=count, **paths, sweeps=sweeps)

    sides = alternate(
        settings.repetitions,
        {
            "register again": lambda: once_more([]),
            "register again, with --sweep": lambda: once_more(settings.sweeps),
            "scandir, stat, open the catalog": lambda: measure("sides:look", expect=count, **paths),
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


def onto(settings: Settings, work: Path) -> Part:
    """Register some new files in a catalog that holds very many, beside one that holds none."""
    new, counts = work / "new", {"many": settings.registered, "no": 0, "few": FEW_FILES}
    # Other numbers, other names: none of these runs is a copy of another.
    copy_runs(settings.traces, new, NEW_FILES, first=10_000)
    for number, (name, count) in enumerate(counts.items()):
        say(f"registering {count:,} files to begin with")
        old = work / f"{name}_runs"
        old.mkdir()
        copy_runs(settings.traces, old, count, first=number * 1_000, linked=True)
        (work / name).mkdir()
        _register_onto(settings, work / name, old, expect=count)

    def onto_catalog(name: str) -> Run:
        with restored(work / name):
            return _register_onto(settings, work / name, new, expect=NEW_FILES)

    sides = alternate(
        settings.repetitions,
        {
            f"onto {settings.registered:,} files": lambda: onto_catalog("many"),
            "onto no files": lambda: onto_catalog("no"),
            f"onto {FEW_FILES:,} files": lambda: onto_catalog("few"),
        },
    )
    many, no, few = (median(runs_of_side) for runs_of_side in sides.values())
    return Part(
        "onto",
        f"{NEW_FILES:,} new files",
        sides,
        [
            Figure("onto many / onto no files", many / no, most=1.3),
            Figure("onto many / onto few files", many / few),
        ],
    )


def memory(settings: Settings, work: Path) -> Part:
    """Register very many files at once, and see how much memory that takes at most."""
    runs, count = work / "runs", settings.memory_files
    copy_runs(settings.traces, runs, count, linked=True)
    run = _register(settings, work, runs, expect=count, resident=True)
    return Part(
        "memory",
        f"{count:,} new files",
        {"register": [run]},
        [
            Figure("peak of the process, MB", run["peak_bytes"] / 1e6, most=500),
            Figure("and its readers, shared pages once, MB", run["resident_bytes"] / 1e6, most=500),
        ],
    )


PARTS = {part.__name__: part for part in (cold, peers, again, onto, memory)}


def _register(
    settings: Settings, work: Path, folder: Path, *, expect: int, resident: bool = False
) -> Run:
    """Register a folder in a catalog that is not there yet."""
    with scratch(work) as place:
        return _register_onto(settings, place, folder, expect=expect, resident=resident)


def _register_nothing(settings: Settings, work: Path) -> Run:
    """Register an empty folder in a catalog that is not there yet: what every first time costs."""
    with scratch(work) as folder:
        return _register(settings, work, folder, expect=0)


def _register_onto(
    settings: Settings, place: Path, folder: Path, *, expect: int, resident: bool = False
) -> Run:
    """Register a folder in the catalog in `place`."""
    return measure(
        "sides:register",
        expect=expect,
        resident=resident,
        catalog=place / "catalog.duckdb",
        folder=folder,
        sweeps=settings.sweeps,
    )


def _floor(folder: Path, *, expect: int) -> Run:
    return measure("sides:floor", expect=expect, folder=folder)


def _iceberg(work: Path, folder: Path, *, expect: int) -> Run:
    with scratch(work) as warehouse:
        return measure("peers:iceberg", expect=expect, folder=folder, warehouse=warehouse)


def _delta(folder: Path, *, expect: int) -> Run:
    return measure("peers:delta", expect=expect, folder=folder)


def _beyond(whole: list[Run], fixed: list[Run], least: list[Run], key: str = "seconds") -> float:
    """Return how many times the least some runs took, beyond what is fixed."""
    return (median(whole, key) - median(fixed, key)) / median(least, key)
