"""
Open a published lake: a catalog over it, whose rows of traces stay where they are.

    lake -> what it says of its traces, in memory -> prices and session returns beside the catalog
    -> one transaction: what it said before goes, what it says now comes, views

What is asked often is in the catalog's own tables then. Signals, classifications and events are
read from the lake's packs. Whoever is stopped leaves the catalog as it was.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from catalog.lake.from_lake import ROWS, lake_reader
from catalog.lake.lake import Lake, read_lake
from catalog.lake.lake_rows import LakeRows
from catalog.lake.layout import MANIFESTS
from catalog.lake.stores import choose_prices, put_stores, series_of
from catalog.lake.take_in import check_strategies, take_in
from catalog.lake.take_tags import take_tags
from catalog.lake.taken import Taken, column_of, run_script
from catalog.lake.whole import check_whole, unreadable_files
from catalog.lake.written_stores import put_prices, put_returns
from catalog.objects import is_url
from catalog.places import join
from catalog.statements import statement
from catalog.store.database import writing
from catalog.store.facts import noting
from catalog.store.paths import catalog_root, stored_prefix
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.store.trials import write_missing_trials
from catalog.store.views import refresh_views
from catalog.upkeep.forgotten import BACK, note, read_forgotten

_UNNUMBERED: Final = "lake:0/"
_NOTED: Final = ("lakes", "prices", "metric_sets", "computations")


@dataclass
class Opened:
    """
    What a catalog has of a lake now, and what came and left with it.

    `traces`, `strategies` and `runs` count what is new here, less what is gone; `in_lake` the
    traces of the lake, and `files` its files that hold rows, `size` bytes of them; `forgotten` of
    these traces were forgotten here, and are not taken in. `lost` says what could not be taken
    over.
    """

    place: str
    writers: int = 0
    in_lake: int = 0
    forgotten: int = 0
    files: int = 0
    size: int = 0
    traces: int = 0
    strategies: int = 0
    runs: int = 0
    tags: int = 0
    prices: list[str] = field(default_factory=list)
    returned: int = 0
    without_column: int = 0
    lost: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def needs_attention(self) -> bool:
        """Whether something of the lake could not be taken over."""
        return bool(self.lost)


def open_lake(catalog: Path, place: str | os.PathLike[str], *, forgotten: bool = False) -> Opened:
    """
    Take in what a lake says of its traces, or what it says now if it was opened before.

    Args:
        forgotten: bring back those of its traces that were forgotten here.

    Raises:
        LakeError: there is no lake, or a file or manifest of it is gone or damaged.
        HashCollisionError: two configurations share twelve digits.
        ObjectStoreError: the store cannot be reached, or says no.
        StoreError: the catalog cannot be used.
    """
    started = time.monotonic()
    lake = read_lake(place)
    report = Opened(lake.place, writers=len(lake.writers))
    # Nobody reads these now, and a query that cannot says it too late.
    check_whole(lake, ROWS)
    with lake_reader(lake) as reader:
        rows = reader.rows(0)
        report.in_lake = rows.taken.traces.num_rows
        with writing(catalog) as con, put_stores(con, catalog) as stores:
            known = _forgotten_of(catalog, rows.taken.traces)
            if forgotten:
                note(catalog, BACK, ({"trace_id": one} for one in sorted(known)))
            else:
                report.forgotten = len(known)
                rows = rows.without(known)
            check_strategies(con, rows.taken)
            taken, replaced = choose_prices(con, rows.taken)
            prices = put_prices(catalog, reader, taken.prices, rows.price_writers, stores)
            taken = replace(taken, prices=prices)
            replaced &= series_of(prices)
            taken = replace(
                taken, returns=put_returns(con, catalog, reader, taken, rows, replaced, stores)
            )
            with unreadable_files(lake):
                retyped = _write(con, catalog, lake, replace(rows, taken=taken), replaced, report)
            if retyped:
                con.execute("checkpoint")
            report.prices = sorted(" ".join(key) for key in series_of(prices))
            report.returned = taken.returns.num_rows
            report.lost = stores.lost
    report.seconds = time.monotonic() - started
    return report


def _forgotten_of(catalog: Path, traces: pa.Table) -> set[str]:
    """
    Return those of the traces of a lake that are forgotten, as they are in it.

    Raises:
        StoreError: what was forgotten cannot be read.
    """
    known = read_forgotten(catalog)
    if not known:
        return set()
    columns = (traces[name].to_pylist() for name in ("trace_id", "file_digest"))
    return {
        trace_id
        for trace_id, digest in zip(*columns, strict=True)
        if (fact := known.get(trace_id)) is not None and fact.file_digest in (None, digest)
    }


def _write(
    con: DuckDBPyConnection,
    catalog: Path,
    lake: Lake,
    rows: LakeRows,
    replaced: set[tuple[str, str]],
    report: Opened,
) -> bool:
    root = catalog_root(catalog)
    with transaction(con), noting(con, *_NOTED):
        ((before, strategies, runs),) = con.execute(statement("take_counts")).fetchall()
        lake_id = _lake_id(con, catalog, lake)
        root_id = _root_id(con, lake_id)
        values = {"lake_id": lake_id, "root_id": root_id}
        run_script(con, "open_forget", values)
        taken = _numbered(rows.taken, lake_id)
        _record_folders(con, root_id, taken)
        files = _files(lake)
        report.files, report.size = files.num_rows, sum(files["size_bytes"].to_pylist())
        with registered(
            con, incoming_file=files, incoming_trace=rows.writers, incoming_held=rows.held
        ):
            run_script(con, "open_files", values)
        with registered(con, lake_returned=rows.returned):
            made = take_in(con, root, taken, replaced=replaced, lake_id=lake_id)
        run_script(con, "open_missing")
        run_script(con, "open_left")
        report.tags = take_tags(
            con, catalog, taken.tags, lake=str(_stored(lake.place, root)["place"])
        )
        write_missing_trials(con, catalog)
        refresh_views(con, root, strategy_altered=made.altered)
        after = con.execute(statement("take_counts")).fetchall()[0]
    report.traces, report.strategies, report.runs = (
        now - then for now, then in zip(after, (before, strategies, runs), strict=True)
    )
    report.without_column = made.without_column
    return made.retyped


def _lake_id(con: DuckDBPyConnection, catalog: Path, lake: Lake) -> int:
    """
    Return the number of a lake, a new one where it was not opened before.

    A folder that is no lake any more, and had the same writers, was moved to where this one is.
    """
    stored = _stored(lake.place, catalog_root(catalog))
    moved = []
    for number, there, writers in con.execute(statement("open_lake_ids")).fetchall():
        if there == lake.place:
            return int(number)
        gone = not is_url(there) and not os.path.isdir(join(there, MANIFESTS))
        if gone and set(writers) & set(lake.writers):
            moved.append(int(number))
    if len(moved) == 1:
        con.execute(statement("open_moved"), {"lake_id": moved[0], **stored})
        return moved[0]
    ((number,),) = con.execute(statement("open_lake"), stored).fetchall()
    return int(number)


def _stored(place: str, root: str) -> dict[str, object]:
    if is_url(place):
        return {"place": place, "is_relative": False}
    prefix = stored_prefix(place, root)
    return {"place": prefix.prefix.rstrip("/"), "is_relative": prefix.is_relative}


def _root_id(con: DuckDBPyConnection, lake_id: int) -> int:
    place = {"prefix": f"lake:{lake_id}/", "is_relative": False}
    rows = con.execute(statement("open_root"), {"prefix": place["prefix"]}).fetchall()
    rows = rows or con.execute(statement("insert_root"), place).fetchall()
    return int(rows[0][0])


def _numbered(taken: Taken, lake_id: int) -> Taken:
    """Return the same as what the lake with this number says, with folders below its own."""

    def placed(table: pa.Table) -> pa.Table:
        own = pc.utf8_replace_slice(table["folder"], 0, len(_UNNUMBERED), f"lake:{lake_id}/")
        return column_of(table, "folder", own.to_pylist())

    def said(table: pa.Table) -> pa.Table:
        numbers = pa.repeat(pa.scalar(lake_id, pa.int32()), table.num_rows)
        table = table.drop_columns([one for one in ("lake_id",) if one in table.column_names])
        return table.append_column("lake_id", numbers)

    return replace(
        taken,
        runs=placed(taken.runs),
        traces=placed(taken.traces),
        metrics=said(taken.metrics),
        returns=said(taken.returns),
    )


def _record_folders(con: DuckDBPyConnection, root_id: int, taken: Taken) -> None:
    folders = {*taken.runs["folder"].to_pylist(), *taken.traces["folder"].to_pylist()}
    table = pa.table(
        {
            "prefix": pa.array(sorted(folders), pa.string()),
            "is_relative": pa.repeat(pa.scalar(False), len(folders)),
            "root_id": pa.repeat(pa.scalar(root_id, pa.int32()), len(folders)),
            "is_linked": pa.repeat(pa.scalar(False), len(folders)),
        }
    )
    with registered(con, incoming_folder=table):
        con.execute(statement("insert_folders"))


def _files(lake: Lake) -> pa.Table:
    """Return the files of a lake that hold rows of traces."""
    found = [(name, one) for name in ROWS for one in lake.files(name)]
    below = [one.place[len(lake.place.rstrip("/")) + 1 :] for _, one in found]
    return pa.table(
        {
            "relation": pa.array([name for name, _ in found], pa.string()),
            "path": pa.array(below, pa.string()),
            "row_count": pa.array([one.rows for _, one in found], pa.int64()),
            "size_bytes": pa.array([one.size for _, one in found], pa.int64()),
        }
    )
