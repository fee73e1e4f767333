"""The files beside a catalog that come with rows: prices, session returns, packs of traces."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from catalog.errors import StoreError, TraceFileError
from catalog.lake.taken import Series, Taken, column_of
from catalog.metrics.returns import ROWS, write_pack
from catalog.metrics.returns import remove_orphans as remove_orphaned_returns
from catalog.prices.files import paths_in_use, prices_folder, read_bars
from catalog.prices.files import remove_orphans as remove_orphaned_prices
from catalog.statements import statement
from catalog.store.paths import catalog_root
from catalog.traces.finalize import appear, write_whole
from catalog.traces.pack import PackWriter, TraceToPack, companion
from catalog.traces.unpack import read_packed
from catalog.upkeep.packs import (
    full_path,
    pack_name,
    packs_folder,
    remove_unknown,
    stored_path,
    temporary_pack,
)

PACKED: Final = pa.schema(
    {"trace_id": pa.string(), "trace_number": pa.int64(), "pack_path": pa.string()}
)
RETURNED: Final = pa.schema(
    {
        "trace_id": pa.string(),
        "fill": pa.string(),
        "return_number": pa.int64(),
        "inputs": pa.string(),
        "pack_path": pa.string(),
    }
)


@dataclass
class Stores:
    """
    What was put beside the catalog and its tables do not know yet.

    `packed` says which traces are in which new pack; `lost` are files that could not be read.
    """

    packed: pa.Table = field(default_factory=PACKED.empty_table)
    packs: list[Path] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


@contextmanager
def put_stores(con: DuckDBPyConnection, catalog: Path) -> Iterator[Stores]:
    """
    Put files beside the catalog in a block that also commits what says so.

    What the catalog does not know when the block fails is deleted, and before it what others left
    who were killed. It is open for writing.
    """
    remove_orphaned_returns(con, catalog)
    remove_orphaned_prices(catalog, paths_in_use(con, catalog))
    stores = Stores()
    try:
        yield stores
    except BaseException:
        # Unless it knows them: who was stopped may have committed.
        with suppress(duckdb.Error):
            remove_unknown(catalog, con, stores.packs)
            remove_orphaned_returns(con, catalog)
        raise


def choose_prices(con: DuckDBPyConnection, taken: Taken) -> tuple[Taken, set[Series]]:
    """
    Return what comes with the prices that are wanted, and the series here that give way to others.

    Of two series of a symbol and timeframe the one that was added later counts; what was earned
    on the other one's bars does not. One that has the same bars gives way to nothing.
    """
    ours = {
        (one["symbol"], one["timeframe"]): (one["added_at"], one["digest"])
        for one in con.sql("from internal.price_series").to_arrow_table().to_pylist()
    }
    replaced: set[Series] = set()
    known: set[Series] = set()
    outdone: set[Series] = set()
    for one in taken.prices.to_pylist():
        key = (one["symbol"], one["timeframe"])
        if key not in ours:
            continue
        is_older = ours[key] >= (one["added_at"], one["digest"])
        is_other = ours[key][1] != one["digest"]
        if is_older:
            known.add(key)
        if is_other:
            (outdone if is_older else replaced).add(key)
    return taken.without_series(known, outdone), replaced


def series_of(table: pa.Table) -> set[Series]:
    """Return the symbols and timeframes of rows."""
    pairs = zip(table["symbol"].to_pylist(), table["timeframe"].to_pylist(), strict=True)
    return {(symbol, timeframe) for symbol, timeframe in pairs}


def copy_prices(catalog: Path, other: Path, prices: pa.Table, stores: Stores) -> pa.Table:
    """Copy the files of price series from another catalog; return those that are here then."""
    rows = []
    for row in prices.to_pylist():
        source = full_path(other, row["price_path"])
        try:
            read_bars(source, ["ts"])
        except StoreError as error:
            stores.lost.append(str(error))
            continue
        target = prices_folder(catalog) / source.name
        if not target.exists():
            write_whole(target, partial(shutil.copyfile, source))
        rows.append(row | {"price_path": os.path.relpath(target, catalog_root(catalog))})
    return pa.Table.from_pylist(rows, prices.schema)


def wanted_returns(
    con: DuckDBPyConnection, taken: Taken, returns: pa.Table, replaced: set[Series]
) -> pa.Table:
    """
    Return those of the session returns that come which are wanted here.

    They are of traces that have none here, or whose prices give way, and from prices as they are
    then.
    """
    digests = dict.fromkeys(replaced, "")
    for one in con.sql("from internal.price_series").to_arrow_table().to_pylist():
        digests.setdefault((one["symbol"], one["timeframe"]), one["digest"])
    for one in taken.prices.to_pylist():
        digests[one["symbol"], one["timeframe"]] = one["digest"]
    names = ("trace_id", "symbol", "timeframe")
    series = {
        trace_id: key
        for trace_id, *key in zip(*(taken.traces[one].to_pylist() for one in names), strict=True)
    }
    there = {
        (trace_id, fill): tuple(key)
        for trace_id, fill, *key in con.execute(statement("take_returned")).fetchall()
    }
    keep = []
    for row in returns.to_pylist():
        key = tuple(series[row["trace_id"]])
        # A lake may not say what they were computed from: then it cannot be otherwise.
        computed = _prices_of(row["inputs"])
        is_fresh = key not in digests or computed is None or digests[key] in ("", computed)
        known = there.get((row["trace_id"], row["fill"]))
        keep.append(is_fresh and (known is None or known in replaced))
    return returns.filter(pa.array(keep, pa.bool_()))


def _prices_of(inputs: str) -> str | None:
    """Return the digest of the prices that something was computed from."""
    return next(iter(inputs.split(" ")[1:2]), None)


def copy_returns(
    con: DuckDBPyConnection, catalog: Path, other: Path, returns: pa.Table, stores: Stores
) -> pa.Table:
    """Write packs of session returns of another catalog; return where each trace has its own."""
    by_pack: dict[tuple[str, str | None], list[dict[str, object]]] = defaultdict(list)
    for row in returns.to_pylist():
        by_pack[row["fill"], row["pack_path"]].append(row)
    ((last,),) = con.execute(statement("select_last_return_number")).fetchall()
    entries: list[dict[str, object]] = []
    for (_, pack), own in by_pack.items():
        if pack is None:
            entries += own
            continue
        path = full_path(other, pack)
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                table = file.read(use_threads=False).cast(ROWS)
        except (OSError, pa.ArrowException) as error:
            stores.lost.append(f"{path}: the pack of session returns cannot be read: {error}")
            continue
        numbers = {row["return_number"]: last + place for place, row in enumerate(own, 1)}
        last += len(own)
        there = [numbers.get(one) for one in table["return_number"].to_pylist()]
        table = column_of(table, "return_number", there)
        table = table.filter(table["return_number"].is_valid()).sort_by("return_number")
        stored = stored_path(catalog, write_pack(catalog, [table]))
        entries += [
            row | {"return_number": numbers[row["return_number"]], "pack_path": stored}
            for row in own
        ]
    return pa.Table.from_pylist(entries, RETURNED)


def copy_packed(
    con: DuckDBPyConnection, catalog: Path, other: Path, taken: Taken, ids: Mapping[str, str],
    stores: Stores,
) -> Taken:  # fmt: skip
    """
    Write the rows of traces that only packs of another catalog hold into a pack of this one.

    Args:
        ids: what each trace is called there.

    Returns:
        What is taken in then: a trace whose pack cannot be read is not.
    """
    rows = taken.traces.to_pylist() if any(taken.traces["trace_number"].to_pylist()) else []
    query = "select trace_id, trace_number, pack_path from packed_trace"
    known = {one: (number, pack) for one, number, pack in con.execute(query).fetchall()}
    loose = {one for (one,) in con.execute(statement("merge_loose")).fetchall()}
    by_pack: dict[str, dict[str, TraceToPack]] = defaultdict(dict)
    for row in rows:
        if row["trace_number"] is not None and row["trace_id"] not in known.keys() | loose:
            by_pack[row["pack_path"]][ids[row["trace_id"]]] = TraceToPack(
                row["trace_id"], row["strategy_hash"], row["kind"], row["run_id"],
                row["run_path"], row["folder"] + row["file_name"],
            )  # fmt: skip
    placed = _write_pack(con, catalog, other, by_pack, stores)
    return replace(taken, traces=_with_packs(taken.traces, known | placed))


def _write_pack(
    con: DuckDBPyConnection,
    catalog: Path,
    other: Path,
    by_pack: Mapping[str, Mapping[str, TraceToPack]],
    stores: Stores,
) -> dict[str, tuple[int, str]]:
    """Return the number and the stored pack of each trace that could be read."""
    if not by_pack:
        return {}
    ((last,),) = con.execute(statement("select_last_trace_number")).fetchall()
    writer = PackWriter(temporary_pack(catalog))
    numbers: dict[str, int] = {}
    try:
        waiting = []
        for stored, traces in by_pack.items():
            path = full_path(other, stored)
            try:
                for entry, read in read_packed(path, list(traces)):
                    waiting.append((traces[entry["trace_id"]], read))
            except TraceFileError as error:
                stores.lost.append(f"{path}: the pack cannot be read: {error}")
        # Packs of several catalogs make one that is sorted.
        waiting.sort(key=lambda one: (one[0].strategy_hash or "~", one[0].trace_id))
        for trace, read in waiting:
            last += 1
            writer.add(trace, read, last)
            numbers[trace.trace_id] = last
        writer.complete()
    except BaseException:
        writer.discard()
        raise
    pack = packs_folder(catalog) / f"{pack_name(writer.path)}.parquet"
    # The companion first: a pack that has its name has one.
    appear([(companion(writer.path), companion(pack)), (writer.path, pack)])
    stores.packs.append(pack)
    stored = stored_path(catalog, pack)
    stores.packed = pa.table(
        {
            "trace_id": pa.array(numbers, pa.string()),
            "trace_number": pa.array(numbers.values(), pa.int64()),
            "pack_path": pa.repeat(pa.scalar(stored), len(numbers)),
        },
        schema=PACKED,
    )
    return {trace_id: (number, stored) for trace_id, number in numbers.items()}


def _with_packs(traces: pa.Table, placed: Mapping[str, tuple[int, str]]) -> pa.Table:
    """Return traces with their places in packs here; those that have none are left out."""
    ids, numbers = traces["trace_id"].to_pylist(), traces["trace_number"].to_pylist()
    keep = [number is None or one in placed for one, number in zip(ids, numbers, strict=True)]
    traces = traces.filter(pa.array(keep, pa.bool_()))
    nowhere = (None, None)
    there = [placed.get(one, nowhere) for one in traces["trace_id"].to_pylist()]
    traces = column_of(traces, "trace_number", [number for number, _ in there])
    return column_of(traces, "pack_path", [pack for _, pack in there])
