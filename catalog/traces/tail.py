"""Only the footer of a trace file: of an object, two range reads at most, however long it is."""

from __future__ import annotations

import os
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import TraceFileError
from catalog.objects import StoredObject, is_url, look_at, read
from catalog.traces import format as layout
from catalog.traces.columns import check_columns, check_is_trace, kind_of
from catalog.traces.footer import Footer, read_footer
from catalog.traces.read import is_timed_by_number, read_trace_file
from catalog.traces.source import (
    UNREADABLE,
    VANISHED,
    check_ends,
    trace_file_error,
)
from catalog.traces.table import Table
from catalog.traces.trace_file import TraceFile

TAIL: Final = 64 << 10
"""Bytes at the end that are read at first: the footers of nearly all files are shorter."""

_MAGIC: Final = b"PAR1"


def read_table_footer(place: str, *, listed: StoredObject | None = None) -> Table:
    """
    Read the columns, the footer keys and the row count of a Parquet file, and none of its rows.

    Of an object that is one range read, or two where its footer is longer than 64 KB.

    Args:
        listed: what the store said of an object; without it the object is looked at before.

    Raises:
        TraceFileError: it cannot be read, or is not Parquet.
        ObjectStoreError: the store cannot be reached, or says no to more than this object.
    """
    try:
        size = _size(place, listed)
        tail = _range(place, max(0, size - TAIL), size)
        # Of a longer file the first bytes are not read, and no footer says what they are.
        check_ends(size, tail[:4] if size <= TAIL else _MAGIC, tail[-8:])
        length = int.from_bytes(tail[-8:-4], "little") + 8
        if length > len(tail):
            tail = _range(place, size - length, size - len(tail)) + tail
        reader = pq.ParquetReader()
        reader.open(pa.BufferReader(_MAGIC + tail[-length:]), pre_buffer=False)
        return Table(reader)
    except FileNotFoundError:
        gone = TraceFileError(VANISHED, "it was listed, but is not there any more")
        raise trace_file_error(place, gone) from None
    except UNREADABLE as error:
        raise trace_file_error(place, error) from error


def read_stated(listed: StoredObject, *, kind_hint: str | None = None) -> TraceFile:
    """
    Read what an object is, from its footer alone where that says all there is to say.

    A signal or classifier of ours says in its footer what its rows hold; anything else, and what is
    not longer than the first range read, is read as `read_trace_file` does. What only rows tell is
    None, and `rows_digest` and `file_digest` are empty.

    Raises:
        NotATraceError, TraceFileError, ObjectStoreError: as `read_trace_file` does.
    """
    if listed.size > TAIL:
        table = read_table_footer(listed.url, listed=listed)
        try:
            stated = _stated(table, listed)
        except UNREADABLE as error:
            raise trace_file_error(listed.url, error) from error
        if stated is not None:
            return stated
    return read_trace_file(listed.url, kind_hint=kind_hint, listed=listed)


def _size(place: str, listed: StoredObject | None) -> int:
    if not is_url(place):
        return os.stat(place).st_size
    found = listed or look_at(place)
    if found is None:
        raise FileNotFoundError(place)
    return found.size


def _range(place: str, start: int, stop: int) -> bytes:
    if is_url(place):
        return read(place, start, stop, size=stop - start) if stop > start else b""
    with open(place, "rb") as file:
        return os.pread(file.fileno(), stop - start, start)


def _stated(table: Table, listed: StoredObject) -> TraceFile | None:
    check_is_trace(table.columns)
    if layout.generation_of(table.types, table.footer) != layout.OURS:
        return None
    stem = listed.url.rpartition("/")[2].removesuffix(".parquet")
    footer = read_footer(table.footer, generation=layout.OURS, file_stem=stem)
    known = (footer.content_digest, footer.first_ts, footer.last_ts)
    if footer.kind in layout.EVENT_KINDS or None in known:
        return None
    check_columns(table, is_event=False)
    return _trace(table, footer, kind_of(table.types["val"], footer.kind), listed)


def _trace(table: Table, footer: Footer, kind: str, listed: StoredObject) -> TraceFile:
    empty = dict.fromkeys(TraceFile._fields)
    stated = {name: getattr(footer, name) for name in TraceFile._fields if hasattr(footer, name)}
    return TraceFile(
        **empty
        | stated
        | {
            "kind": kind,
            "generation": layout.OURS,
            "event_strategies": (),
            "footer_config": footer.config,
            "symbol_raw": footer.symbol,
            "timeframe_raw": footer.timeframe,
            "recorded_run_id": footer.run_id,
            "row_count": table.row_count,
            "knows_bar_times": not is_timed_by_number(table, footer),
            "rows_digest": "",
            "file_digest": "",
            "size": listed.size,
            "mtime_ns": listed.mtime_ns,
        }
    )
