"""
Forget traces: their rows, never their files unless that is asked for.

    facts beside the catalog  ->  rows, in one transaction  ->  files  ->  facts that they are gone

Whoever is killed in between leaves no row without its file. What was not deleted yet is deleted
with what is deleted next, if that is confirmed; who fails before the rows are gone takes it back.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.disk import sync
from catalog.errors import ObjectError, ObjectStoreError, QueryError, StoreError, UsageError
from catalog.metrics.returns import remove_orphans as remove_orphaned_returns
from catalog.places import existing, look_at
from catalog.statements import statement
from catalog.store.database import reading, writing
from catalog.store.paths import catalog_root
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.upkeep.forgotten import (
    BACK,
    DELETE,
    DELETED,
    FORGET,
    ChangedError,
    delete_unchanged,
    forgotten_files,
    note,
    pass_over_no_more,
    read_forgotten,
    remove_emptied,
    replay_forgotten,
    write_forgotten,
)
from catalog.upkeep.meant import traces_meant

__all__ = ["Forgetting", "forget", "replay_forgotten"]


@dataclass
class Forgetting:
    """
    What is forgotten, or with `is_preview` what would be.

    `runs` counts traces by run, `strategies` the different ones among them. `files` are on the
    disk, with `size` bytes, and stay unless they are deleted; `deleted` were, and `kept` counts
    those that could not be, by reason. `pending` are the files that somebody who was stopped had
    left to be deleted, which goes with other files only; `finished` counts those that were.
    """

    traces: int = 0
    strategies: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    files: int = 0
    size: int = 0
    deleted: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    pending: list[str] = field(default_factory=list)
    finished: int = 0
    is_preview: bool = False
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class _Trace:
    trace_id: str
    kind: str
    run_id: str
    run_path: str
    strategy_key: str | None
    path: str
    size: int
    mtime_ns: int
    file_digest: str
    content_digest: str
    has_file: bool
    pack_path: str | None
    trace_number: int | None

    def fact(self) -> dict[str, object]:
        """Return what tells the trace again."""
        return {
            "trace_id": self.trace_id,
            "run_id": self.run_id,
            "run_path": self.run_path,
            "content_digest": self.content_digest,
            "file_digest": self.file_digest if self.has_file else None,
            "pack_path": self.pack_path,
            "trace_number": self.trace_number,
        }


def forget(
    catalog: Path,
    references: Sequence[str | os.PathLike[str]] = (),
    *,
    run: str | None = None,
    where: str | None = None,
    missing: bool = False,
    delete_files: bool = False,
    dry_run: bool = False,
    confirm: Callable[[Forgetting], bool] = lambda report: True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Forgetting:
    """
    Forget the traces that all of these mean.

    Args:
        references: a trace's id or path, or what `show` takes for a strategy: all of its traces.
        run: of this run, of every kind.
        where: signal traces that meet a condition on the columns of `strategy_index`.
        missing: whose files are gone.
        delete_files: delete their files too, and their rows in packs; and what is `pending`.
        dry_run: change nothing.
        confirm: called with what would be forgotten; nothing is, where it returns False.
        progress: called with how many files were deleted, and how many are to be.

    Raises:
        UsageError: nothing is named, or traces that are in packs only would be lost.
        QueryError: a reference or the condition is none, or nothing is meant by all of them.
        StoreError: the catalog cannot be used.
    """
    if not references and run is None and where is None and not missing:
        raise UsageError(
            "Nothing is named that is to be forgotten",
            hint="Name traces or strategies, or give --run, --where or --missing",
        )
    pending = _pending(catalog)
    try:
        ids = traces_meant(catalog, references, run=run, where=where, missing=missing)
    except QueryError:
        if not (pending and delete_files):
            raise
        ids = []
    with reading(catalog) as con:
        traces = _select(con, catalog, ids)
    _check_packed(traces, delete_files=delete_files)
    report = _describe(traces)
    report.pending, report.is_preview = pending, True
    if dry_run:
        return report
    if not confirm(report):
        report.is_cancelled = True
        return report
    report.is_preview = False
    if delete_files:
        report.finished = _finish(catalog, progress)
    with writing(catalog) as con:
        _take_out(con, catalog, traces, DELETE if delete_files else FORGET)
        if delete_files:
            report.deleted = _delete_pending(con, catalog, report.kept, progress)
        else:
            # What it held is in the files that stay.
            remove_emptied(con, catalog, {one.pack_path for one in traces})
        remove_orphaned_returns(con, catalog)
    return report


def _take_out(con: DuckDBPyConnection, catalog: Path, traces: Sequence[_Trace], what: str) -> None:
    """Note that traces are forgotten, and take out their rows; or take both back."""
    ids = [one.trace_id for one in traces]
    try:
        note(catalog, what, (one.fact() for one in traces))
        write_forgotten(con, catalog, ids)
    except BaseException:
        # It may have come just after the commit. Whoever cannot tell deletes nothing later.
        known = set(ids)
        with suppress(duckdb.Error):
            known = {one.trace_id for one in _select(con, catalog, ids)}
        with suppress(StoreError):
            note(catalog, BACK, ({"trace_id": one} for one in ids if one in known))
        raise


def _select(con: DuckDBPyConnection, catalog: Path, ids: Sequence[str]) -> list[_Trace]:
    table = pa.table({"trace_id": pa.array(ids, pa.string())})
    values: dict[str, Any] = {"root": catalog_root(catalog)}
    with registered(con, incoming_id=table):
        return [
            _Trace(*row) for row in con.execute(statement("select_forgettable"), values).fetchall()
        ]


def _check_packed(traces: Sequence[_Trace], *, delete_files: bool) -> None:
    only = [
        one
        for one in traces
        if one.pack_path is not None and not (one.has_file and _is_unchanged(one))
    ]
    if only and not delete_files:
        raise UsageError(
            f"{len(only):,} of these traces are in packs only, and would be lost: "
            f"{only[0].trace_id} of {only[0].run_id} is one",
            hint="Write their files again with catalog unpack, or lose them with --delete-files",
        )


def _is_unchanged(one: _Trace) -> bool:
    try:
        there = look_at(one.path)
    except (OSError, ObjectError):
        return False
    return there is not None and (there.size, there.mtime_ns) == (one.size, one.mtime_ns)


def _describe(traces: Sequence[_Trace]) -> Forgetting:
    there = [one for one in traces if one.has_file]
    return Forgetting(
        traces=len(traces),
        strategies=len({one.strategy_key for one in traces if one.strategy_key is not None}),
        runs=Counter(one.run_id for one in traces),
        files=len(there),
        size=sum(one.size for one in there),
    )


def _pending(catalog: Path) -> list[str]:
    """Return the files that are still there and that somebody who was stopped was to delete."""
    pending = {one.trace_id: one for one in read_forgotten(catalog).values() if one.is_pending}
    if not pending:
        return []
    with reading(catalog) as con:
        files = {
            file.path
            for file in forgotten_files(con, catalog)
            if file.trace_id in pending and not file.is_copy
        }
        # It may have been stopped even before the rows were taken out.
        files |= {
            one.path
            for one in _select(con, catalog, list(pending))
            if one.file_digest == pending[one.trace_id].file_digest
        }
    return sorted(existing(files))


def _finish(catalog: Path, progress: Callable[[int, int], None]) -> int:
    """Delete what somebody who was stopped had left to be deleted."""
    if not any(one.is_pending for one in read_forgotten(catalog).values()):
        return 0
    with writing(catalog) as con:
        # It may have been stopped even before the rows were taken out.
        replay_forgotten(con, catalog)
        return _delete_pending(con, catalog, Counter(), progress)


def _delete_pending(
    con: DuckDBPyConnection,
    catalog: Path,
    kept: Counter[str],
    progress: Callable[[int, int], None],
) -> int:
    """Delete the files of forgotten traces that are to be deleted, and return how many were."""
    unwanted = [one for one in read_forgotten(catalog).values() if one.is_pending]
    pending = {one.trace_id for one in unwanted}
    remove_emptied(con, catalog, {one.pack_path for one in unwanted})
    files = [
        file
        for file in forgotten_files(con, catalog)
        if file.trace_id in pending and not file.is_copy
    ]
    gone, deleted, stays = [], 0, set()
    for done, file in enumerate(files, 1):
        try:
            deleted += delete_unchanged(file)
            gone.append(file)
        except (OSError, ObjectStoreError) as error:
            why = getattr(error, "strerror", None) or str(error)
            kept[f"it cannot be deleted: {why}"] += 1
            stays.add(file.trace_id)
        except ChangedError:
            kept["it has changed since it was registered"] += 1
        progress(done, len(files))
    for folder in {os.path.dirname(file.path) for file in gone}:
        with suppress(OSError):  # It may be gone as a whole, or be one of a store.
            sync(Path(folder))
    note(catalog, DELETED, ({"trace_id": trace_id} for trace_id in sorted(pending - stays)))
    with transaction(con):
        pass_over_no_more(con, gone)
    return deleted
