"""
Bundle some traces for a colleague: their files, their index and a small catalog of their own.

    NAME/README.txt               what it is, and the commands to use it
    NAME/bundle.json              what register has to know of the runs: catalog.register.bundled
    NAME/catalog.duckdb, .d/      a catalog of these traces, their sweep files, maybe their prices
    NAME/strategy_index.parquet
    NAME/runs/RUN/…               the trace files, and metadata.json of the runs

The small catalog is made by registering the files there, and then compared with this one: what
the bundle says is what a colleague gets who registers it.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from catalog.errors import CatalogError, QueryError, UsageError
from catalog.register.bundled import CATALOG
from catalog.register.register import register
from catalog.store.paths import side_folder
from catalog.traces.finalize import writing_errors
from catalog.upkeep.archive import write_archive
from catalog.upkeep.bundle_catalog import carry_over, compare, settle
from catalog.upkeep.bundle_chosen import Chosen, choose
from catalog.upkeep.bundle_files import (
    IN_LAKE,
    put_files,
    put_manifest,
    put_records,
    put_sweeps,
)
from catalog.upkeep.bundle_text import put_index, put_readme
from catalog.upkeep.meant import traces_meant
from catalog.upkeep.packs import is_alive

Progress = Callable[[int, int], None]


@dataclass
class Bundle:
    """
    What a bundle came to.

    `left` counts, by reason, the traces that were meant and are not in it; `differing` are
    traces that register otherwise there (ids). `size` is in bytes.
    """

    path: Path
    traces: int = 0
    strategies: int = 0
    runs: int = 0
    unpacked: int = 0
    series: list[str] = field(default_factory=list)
    without_prices: list[str] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)
    size: int = 0

    @property
    def needs_attention(self) -> bool:
        """Whether something that was meant is not in it, or not as it is here."""
        return bool(self.left or self.differing or self.without_prices)


def bundle(
    catalog: Path,
    target: Path,
    *,
    where: str | None = None,
    run: str | None = None,
    prices: bool = False,
    progress: Progress = lambda done, total: None,
) -> Bundle:
    """
    Write a bundle: a folder, or an archive where the name ends in `.zip`. It appears whole.

    Args:
        where: only signal traces that meet a condition on the columns of `strategy_index`.
        run: only the traces of this run, of every kind.
        prices: also the price series of their symbols.
        progress: called with how many files were put in, and how many there are; then likewise
            while they are registered in the bundle's own catalog, and packed.

    Raises:
        UsageError: there is something of that name.
        QueryError: the condition is none, nothing meets it, or no file of it is there.
        StoreError: the catalog cannot be used.
        CatalogError: the bundle cannot be written.
    """
    target = Path(os.path.abspath(target))
    if os.path.lexists(target):
        raise UsageError(f"{target} exists already", hint="Name another file or folder")
    chosen = choose(catalog, traces_meant(catalog, run=run, where=where))
    is_archive = target.suffix.lower() == ".zip"
    name = target.stem if is_archive else target.name
    with writing_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target)
        work = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        work.mkdir()
    try:
        with writing_errors(target):
            report = _fill(catalog, work / name, chosen, prices=prices, link=is_archive,
                           home=target.with_name(name), progress=progress)  # fmt: skip
            report.path = target
            whole = work / name
            if is_archive:
                whole = work / target.name
                write_archive(work / name, whole, progress=progress)
            report.size = _size(whole)
            if os.path.lexists(target):
                raise UsageError(f"{target} exists already", hint="Name another file or folder")
            whole.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return report


def _fill(
    catalog: Path,
    folder: Path,
    chosen: Chosen,
    *,
    prices: bool,
    link: bool,
    home: Path,
    progress: Progress,
) -> Bundle:
    report = Bundle(folder)
    folder.mkdir()
    put = put_files(catalog, folder, chosen, report.left, link=link, progress=progress)
    if not put.traces and report.left.keys() == {IN_LAKE}:
        raise QueryError(
            "The rows of what is meant lie in a lake, and a bundle holds trace files",
            hint="Share the lake, which others open with: catalog open LAKE; or bundle from the "
            "catalog that published it",
        )
    if not put.traces:
        raise QueryError(
            "None of the files that are meant is there as it was registered",
            hint='See what is missing with: catalog sql "from missing_files"',
        )
    put_records(folder, put)
    put_sweeps(catalog, folder, put)
    put_manifest(folder, put)
    small = folder / CATALOG
    registration = register(small, [folder / "runs"], progress=progress)
    if registration.quarantined:
        # What was read when it was registered first can be read again.
        raise CatalogError(
            f"A file of the bundle cannot be registered: {registration.quarantined[0].error}",
            hint="Run: catalog verify",
        )
    report.series, report.without_prices = carry_over(catalog, small, put, prices=prices)
    report.differing = compare(small, put)
    put_index(catalog, folder, put)
    settle(small, home)
    # Who works with it makes one; a bundle holds nothing of this machine's processes.
    (side_folder(small) / "lock").unlink(missing_ok=True)
    report.traces = len(put.traces)
    report.strategies = len({one.strategy_key for one in put.traces if one.strategy_key})
    report.runs = len(put.runs)
    report.unpacked = len(put.unpacked)
    put_readme(folder, report.traces, report.strategies, report.runs, report.series)
    return report


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())


def _remove_leftovers(target: Path) -> None:
    """Remove what those left who were killed while they made a bundle of this name."""
    begin, end = f".{target.name}.", ".tmp"
    for path in target.parent.iterdir():
        pid = path.name[len(begin) : -len(end)]
        if path.name == f"{begin}{pid}{end}" and pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(path, ignore_errors=True)
