"""Rows of traces in files of a published lake: each file holds those of many, with their ids."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.errors import CatalogError, TraceFileError
from catalog.places import read_bytes

_COLUMNS = ["trace_id", "idx", "val", "ts"]


def read_lake_rows(place: str, trace_ids: Sequence[str]) -> pa.Table:
    """
    Return rows of some traces in a file of a lake: trace_id, idx, val and ts, as they lie there.

    The traces of one file are best asked for one after the other: it is read once then.

    Raises:
        TraceFileError: the file cannot be read.
    """
    try:
        table = _read(place)
    except (OSError, pa.ArrowException, CatalogError) as error:
        reason = "the lake's file cannot be read"
        raise TraceFileError(reason, f"{place}: {reason}: {error}") from error
    own = pc.is_in(table["trace_id"], pa.array(trace_ids, pa.string()))
    return table.filter(own).combine_chunks()


@lru_cache(maxsize=1)
def _read(place: str) -> pa.Table:
    source = io.BytesIO(read_bytes(place))
    with pq.ParquetFile(source, page_checksum_verification=True) as file:
        return file.read(_COLUMNS, use_threads=False)
