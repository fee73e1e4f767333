"""Rows of traces that only another lake has, out of its files."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from catalog.errors import CatalogError
from catalog.places import read_bytes


def places_of(con: DuckDBPyConnection, trace_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return by file those of some traces that only another lake has."""
    wanted = set(trace_ids)
    found: dict[str, list[str]] = {}
    for trace_id, place in con.execute("select trace_id, place from in_lakes").fetchall():
        if trace_id in wanted:
            found.setdefault(place, []).append(trace_id)
    return found


def rows_of_file(place: str, trace_ids: Sequence[str]) -> pa.Table:
    """
    Return the rows of traces in a file of a lake.

    Raises:
        OSError, pa.ArrowException: the file is gone or damaged.
    """
    ids = pa.array(trace_ids, pa.string())
    try:
        source = io.BytesIO(read_bytes(place))
    except CatalogError as error:
        raise OSError(str(error)) from error
    with pq.ParquetFile(source, page_checksum_verification=True) as file:
        groups = (
            file.read_row_group(group, use_threads=False) for group in range(file.num_row_groups)
        )
        own = [table.filter(pc.is_in(table["trace_id"], ids)) for table in groups]
        return pa.concat_tables(own) if own else file.schema_arrow.empty_table()
