"""Prices and session returns out of a lake, in files beside a catalog as it writes them itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.lake.from_lake import LakeReader
from catalog.lake.lake_rows import LakeRows, by_file
from catalog.lake.stores import RETURNED, Stores, wanted_returns
from catalog.lake.taken import Series, Taken
from catalog.metrics.returns import ROWS, write_pack
from catalog.prices.bars import Terms, bars_of
from catalog.prices.files import stored_path, write_bars
from catalog.statements import statement

MOST_ROWS = 5_000_000
"""Session returns that are held in memory until they are written."""


def put_prices(
    catalog: Path,
    reader: LakeReader,
    prices: pa.Table,
    writers: Mapping[Series, str],
    stores: Stores,
) -> pa.Table:
    """Write the files of price series of a lake; return those whose bars are what was added."""
    rows = []
    for row in prices.to_pylist():
        symbol, timeframe = key = row["symbol"], row["timeframe"]
        table = reader.bars(symbol, timeframe, writers[key])
        bars = bars_of(table, Terms(symbol, timeframe, row["time_zone"], row["bar_label"], None))
        if len(bars) != row["bar_count"] or bars.digest != row["digest"]:
            stores.lost.append(f"{symbol} {timeframe}: the lake's bars are not those it says")
            continue
        path = write_bars(catalog, bars)
        rows.append(row | {"price_path": stored_path(catalog, path)})
    return pa.Table.from_pylist(rows, prices.schema)


def put_returns(
    con: DuckDBPyConnection,
    catalog: Path,
    reader: LakeReader,
    taken: Taken,
    rows: LakeRows,
    replaced: set[Series],
    stores: Stores,
) -> pa.Table:
    """Write packs of those session returns of a lake that are wanted; return whose they are."""
    wanted = wanted_returns(con, taken, rows.returned, replaced)
    ((last,),) = con.execute(statement("select_last_return_number")).fetchall()
    entries: list[dict[str, object]] = []
    for (fill, file), own in by_file(wanted).items():
        table = reader.returns(file, [trace_id for trace_id, _ in own])
        ids = table["trace_id"].combine_chunks().dictionary_encode()
        inputs = dict(own)
        names = ids.dictionary.to_pylist()
        numbers = ids.indices.to_numpy().astype(np.int64) + last + 1
        packed = table.drop_columns(["trace_id"]).append_column("return_number", pa.array(numbers))
        stored = stored_path(catalog, write_pack(catalog, [packed.select(ROWS.names).cast(ROWS)]))
        entries += [
            {
                "trace_id": trace_id, "fill": fill, "return_number": last + place,
                "inputs": inputs[trace_id], "pack_path": stored,
            }
            for place, trace_id in enumerate(names, 1)
        ]  # fmt: skip
        last += len(names)
    return pa.Table.from_pylist(entries, RETURNED)
