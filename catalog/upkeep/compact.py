"""
Compact many small trace files into a few packs.

Files are read and packs are written while others read and write the catalog. Only at the end,
with the catalog's lock, do the packs get their names and the views read them, in one transaction:
whoever is killed at any moment leaves the catalog as it was before, or as it is after.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.errors import TraceFileError
from catalog.query.chosen import chosen_ids
from catalog.query.parsing import bound
from catalog.register.record import record_changes
from catalog.statements import statement
from catalog.store.database import reading, writing
from catalog.store.kept import keep_pack_facts
from catalog.store.paths import catalog_root
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.store.views import refresh_views
from catalog.traces.finalize import appear
from catalog.traces.pack import PackWriter, companion
from catalog.upkeep.forgotten import unwanted_ids
from catalog.upkeep.gather import read_all
from catalog.upkeep.lost import release_lost
from catalog.upkeep.originals import delete_originals
from catalog.upkeep.packs import (
    Known,
    find_orphans,
    pack_name,
    packs_folder,
    remove_orphans,
    remove_unknown,
    select_traces,
    stored_path,
    temporary_pack,
)
from catalog.upkeep.spare import remove_spare

MOST_ROWS = 10_000_000
"""In one pack."""
SMALL_ROWS = 1_000_000
"""A pack with fewer is written into the next one."""


@dataclass
class Compaction:
    """
    What a compaction did.

    Sizes are in bytes: of the files that were packed, and of packs with their companions.
    `left` counts the traces that stay loose, by reason; `kept` the originals that were to be
    deleted and were not, by reason.
    """

    traces: int = 0
    rows: int = 0
    packs: int = 0
    size_before: int = 0
    size_after: int = 0
    deleted: int = 0
    left: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)


def compact(
    catalog: Path,
    *,
    run: str | None = None,
    where: str | None = None,
    delete: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Compaction:
    """
    Write registered signal traces into packs; the views read them from there.

    Args:
        run: only the traces of this run.
        where: only those that meet a condition on the columns of `strategy_index`.
        delete: delete the files of packed traces, once the packs were read back and compared.
        progress: called with how many traces were packed, and how many are to be.

    Raises:
        QueryError: the condition is none, or nothing meets it.
        StoreError: the catalog cannot be used, a pack cannot be written, or one is gone that
            alone held traces.
    """
    report = Compaction()
    release_lost(catalog, even_lost=False)
    wanted = chosen_ids(catalog, run=run, where=where)
    with reading(catalog) as con:
        known = select_traces(catalog, con, wanted)
        loose = [one for one in known if one.pack_path is None]
        replaced = _worn_packs(con) if loose or wanted is None else []
        again = set(replaced)
        if again:
            every = select_traces(catalog, con, None)
            moving = [one for one in every if one.pack_path in again]
        else:
            moving = []
        ((last,),) = con.execute(statement("select_last_trace_number")).fetchall()
        orphans = find_orphans(catalog, con)
    if orphans:  # Of one that was killed; there may be nothing to pack any more.
        with writing(catalog) as con:
            remove_orphans(catalog, con)
    if loose or len(replaced) > 1:
        chosen = sorted(
            [*loose, *moving],
            key=lambda one: (one.trace.strategy_hash or "~", one.trace.trace_id),
        )
        _pack(catalog, chosen, replaced, last, report, progress)
    if delete:
        delete_originals(catalog, wanted, report.kept, report)
    return report


def _worn_packs(con: DuckDBPyConnection) -> list[str]:
    """Return the packs that are better written anew: small ones, and those that are half dead."""
    rows = con.execute(statement("select_pack_sizes")).fetchall()
    return [path for path, traces, live, count in rows if count < SMALL_ROWS or live * 2 < traces]


def _pack(
    catalog: Path,
    chosen: list[Known],
    replaced: list[str],
    last: int,
    report: Compaction,
    progress: Callable[[int, int], None],
) -> None:
    with ExitStack() as unfinished:
        spoiled: set[str] = set()
        packs: list[PackWriter] = []
        entries: list[tuple[str, int, int]] = []
        writer: PackWriter | None = None
        for done, (one, read) in enumerate(read_all(catalog, chosen, report.left, spoiled)):
            if writer is None or writer.rows >= MOST_ROWS:
                if writer is not None:
                    writer.complete()
                writer = PackWriter(temporary_pack(catalog))
                unfinished.callback(writer.discard)
                packs.append(writer)
            try:
                writer.add(one.trace, read, last + 1)
            except TraceFileError as error:
                report.left[error.reason] += 1
                continue
            last += 1
            entries.append((one.trace.trace_id, last, len(packs) - 1))
            report.rows += read.table.num_rows
            report.size_before += one.size if one.pack_path is None else 0
            report.traces += one.pack_path is None
            if done % 1000 == 0:
                progress(done, len(chosen))
        if writer is not None:
            writer.complete()
        progress(len(chosen), len(chosen))
        if entries:
            # What a damaged pack alone holds stays where it is, whatever that is worth.
            sound = [path for path in replaced if path not in spoiled]
            _publish(catalog, packs, entries, replaced, sound, report)


def _insert(
    con: DuckDBPyConnection, root: str, table: pa.Table, moving: list[str], replaced: list[str]
) -> None:
    with transaction(con):
        with registered(con, incoming_packed=table):
            for part in con.extract_statements(statement("insert_packed")):
                values = {"moving": moving, "replaced": replaced}
                con.execute(part, bound(part.query, values))
        refresh_views(con, root)


def _insert_whatever_is_gone(
    con: DuckDBPyConnection, root: str, table: pa.Table, moving: list[str], replaced: list[str]
) -> None:
    try:
        _insert(con, root, table, moving, replaced)
    except duckdb.Error as error:
        if ".parquet" not in str(error):
            raise
        # DuckDB makes no view over a loose file that is gone.
        record_changes(con, root)
        _insert(con, root, table, moving, replaced)


def _publish(
    catalog: Path,
    packs: list[PackWriter],
    entries: list[tuple[str, int, int]],
    moving: list[str],
    replaced: list[str],
    report: Compaction,
) -> None:
    """
    Give the packs their names and let the views read them, or change nothing.

    Args:
        entries: the trace_id of each trace, its number, and the place of its pack in `packs`.
    """
    folder = packs_folder(catalog)
    paths = [folder / f"{pack_name(writer.path)}.parquet" for writer in packs]
    table = pa.table(
        {
            "trace_id": pa.array([trace_id for trace_id, _, _ in entries], pa.string()),
            "trace_number": pa.array([number for _, number, _ in entries], pa.int64()),
            "pack_path": pa.array(
                [stored_path(catalog, paths[place]) for _, _, place in entries], pa.string()
            ),
        }
    )
    with writing(catalog) as con:
        remove_orphans(catalog, con)
        files = []
        for writer, named in zip(packs, paths, strict=True):
            files += [(companion(writer.path), companion(named)), (writer.path, named)]
        root = catalog_root(catalog)
        try:
            appear(files)
            keep_pack_facts(con, Path(root), table)
            _insert_whatever_is_gone(con, root, table, moving, replaced)
        except BaseException:
            remove_unknown(catalog, con, paths)
            raise
        # Nobody reads the old packs any more: readers hold DuckDB's lock while they do.
        remove_spare(con, catalog, replaced, unwanted=unwanted_ids(catalog))
    report.packs = len(packs)
    report.size_after = sum(
        os.path.getsize(file) for path in paths for file in (path, companion(path))
    )
