"""
Make a catalog anew, from trace files, packs, what lies beside them and the facts in `catalog.d/`.

    old catalog, if readable -> facts that are missing        (as a catalog of before had none)
    facts -> catalog.rebuilding -> register -> packs -> lakes -> forgotten, tags -> figures
    compare with the old one -> old one aside -> new one in its place

The new one has another name in the same folder until it is whole, so that paths are right; the
lock is held throughout. Whoever is stopped leaves the old one as it was.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from catalog.errors import CatalogBusyError, StoreError, UsageError
from catalog.lake.reopen import reopen_lakes
from catalog.metrics.returns import remove_orphans as remove_orphaned_returns
from catalog.register.written import take_in
from catalog.statements import statement
from catalog.store.database import held, writing
from catalog.store.facts import damaged_facts, facts_of
from catalog.store.inbox import waiting_notes
from catalog.store.paths import anew, side_folder
from catalog.store.replace import (
    keep_aside,
    put_in_place,
    remove_second_names,
    remove_unfinished,
)
from catalog.store.tagged import replay_tags
from catalog.store.transactions import transaction
from catalog.upkeep.differences import Difference, both_open, differences
from catalog.upkeep.forgotten import replay_forgotten
from catalog.upkeep.former import complete_facts
from catalog.upkeep.measure_again import measure_again
from catalog.upkeep.register_again import register_again
from catalog.upkeep.restore import (
    restore_metric_sets,
    restore_places,
    restore_prices,
)
from catalog.upkeep.restore_packed import read_packs, restore_pack_list, restore_packed

Progress = Callable[[int, int], None]


@dataclass
class Rebuild:
    """
    What a rebuild came to.

    `aside` is what the old catalog is called now, None where there was none; `unreadable` says
    why it could not be read, and so not be compared. `lost` are things that could not be brought
    back, each with the reason, `differences` what the new catalog says otherwise than the old one.
    `brought_back` counts, by name, facts beside the old catalog that it did not have any more.
    """

    aside: Path | None = None
    unreadable: str | None = None
    traces: int = 0
    strategies: int = 0
    runs: int = 0
    packed: int = 0
    prices: int = 0
    measured: int = 0
    tags: int = 0
    forgotten: int = 0
    quarantined: int = 0
    notes: int = 0
    brought_back: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def needs_attention(self) -> bool:
        """Whether something differs, could not be brought back, or is in quarantine."""
        return bool(self.lost or self.differences or self.quarantined)


def rebuild(
    catalog: Path,
    folders: Sequence[str | os.PathLike[str]] = (),
    *,
    metrics: bool = True,
    progress: Progress = lambda done, total: None,
) -> Rebuild:
    """
    Make a catalog anew, and keep the old one under another name.

    Args:
        folders: to be registered too, beside those that are known to have been.
        metrics: compute the figures of all metric sets again.
        progress: called with how many files were read or traces measured, and how many are to be.

    Raises:
        UsageError: a folder does not exist.
        CatalogBusyError: another process has the catalog.
        StoreError: the disk is full, or the folder cannot be written.
    """
    started = time.monotonic()
    report = Rebuild()
    with held(catalog):
        new = anew(catalog)
        remove_unfinished(new)
        remove_second_names(catalog)
        former = complete_facts(catalog)
        report.unreadable, report.brought_back = former.unreadable, former.lacking
        report.lost += [f"{own}: it is yours, and in the old catalog" for own in former.own]
        report.lost += [f"{line}: it says nothing that is known" for line in damaged_facts(catalog)]
        _check_has_sources(catalog, folders, report)
        try:
            _make(new, folders, report, metrics=metrics, progress=progress)
            _replace(catalog, new, report, metrics=metrics)
        except StoreError as error:
            # What it is called meanwhile says nothing to anybody.
            said = str(error.args[0]).replace(str(new), str(catalog))
            raise type(error)(said, hint=error.hint) from error
        finally:
            remove_unfinished(new)
        with writing(catalog) as con:
            remove_orphaned_returns(con, catalog)
        if waiting_notes(catalog):
            report.notes = take_in(catalog).notes
    report.seconds = time.monotonic() - started
    return report


def _check_has_sources(
    catalog: Path, folders: Sequence[str | os.PathLike[str]], report: Rebuild
) -> None:
    for folder in folders:
        if not os.path.isdir(folder):
            raise UsageError(f"There is no folder {folder}", hint="Check the path")
    if report.unreadable is None or folders:
        return
    noted = any(facts_of(catalog, name) for name in ("roots", "runs", "lakes"))
    if not (noted or read_packs(catalog).entries):
        raise UsageError(
            f"There is nothing known to make {catalog} from: {report.unreadable}, and no folder is "
            f"noted in {side_folder(catalog)}",
            hint="Name the folders of its traces: catalog rebuild FOLDER…",
        )


def _make(
    new: Path,
    folders: Sequence[str | os.PathLike[str]],
    report: Rebuild,
    *,
    metrics: bool,
    progress: Progress,
) -> None:
    packs = read_packs(new)
    report.lost += [f"{pack}: the pack is damaged" for pack in packs.damaged]
    with writing(new) as con, transaction(con):
        places = restore_places(con, new)
        restore_pack_list(con, new, packs)
        gone = restore_prices(con, new)
        damaged = restore_metric_sets(con, new)
    report.lost += [f"{path}: the file of a price series is gone" for path in gone]
    report.lost += [f"{path}: a part of the ledger of trials is damaged" for path in damaged]
    # Those without a file first: another trace may say less of their strategies, as that one is
    # a component. What is left has a file, which could not be registered.
    bare = restore_packed(new, packs, whose=lambda path: not os.path.lexists(path))
    gone_folders = register_again(new, places, folders, progress)
    report.lost += [f"{folder}: the folder is gone" for folder in gone_folders]
    bare += restore_packed(new, packs, whose=lambda path: True)
    if bare:
        report.lost.append(
            f"{len(bare):,} traces of packs: the size, time and digest of their deleted files, "
            f"such as of {bare[0]}"
        )
    report.lost += reopen_lakes(new)
    with writing(new) as con:
        report.forgotten = replay_forgotten(con, new)
        with transaction(con):
            report.tags = replay_tags(con, new)
    if metrics:
        report.lost += measure_again(new, progress)
    with writing(new) as con:
        con.execute("checkpoint")
        (counts,) = con.sql(statement("select_rebuilt")).to_arrow_table().to_pylist()
    for name, count in counts.items():
        setattr(report, name, count)


def _replace(catalog: Path, new: Path, report: Rebuild, *, metrics: bool) -> None:
    """Compare the two, and put the new one in the place of the old one."""
    if report.unreadable is None:
        try:
            with both_open(catalog, new) as con:
                report.differences = list(differences(con, computed=metrics))
                # As long as it is open here, nobody can write to the old one.
                report.aside = keep_aside(catalog)
                put_in_place(new, catalog)
                return
        except duckdb.Error as error:
            if "lock on file" in str(error):
                raise CatalogBusyError(
                    f"The catalog {catalog} is in use: {str(error).splitlines()[0]}",
                    hint="Close it there, and run this again",
                ) from error
            report.unreadable = str(error).splitlines()[0]
            report.differences = []
    report.aside = keep_aside(catalog)
    put_in_place(new, catalog)
