"""
The rows of a trace as a pack holds them, and what else it takes to make its file again.

A pack has the columns that the view `signals` shows, in the types that it shows them in. What
these do not say exactly (other columns, other types) is the rest of the trace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import TraceFileError
from catalog.traces.times import bar_time

ROWS: Final = pa.schema(
    {
        "trace_number": pa.int64(),
        "trace_id": pa.string(),
        "strategy_hash": pa.string(),
        "idx": pa.int64(),
        "ts": pa.timestamp("us", "UTC"),
        "ts_raw": pa.string(),
        "sym": pa.string(),
        "val": pa.float64(),
        "strat": pa.string(),
        "px": pa.float64(),
    }
)
"""The columns of a pack. `ts_raw` is null where the text of the time follows from `ts`."""

_ISO_SECONDS = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$"
_WHOLE = 1 << 53  # Beyond it a float64 does not hold every whole number.
# How a column of the rest is kept: every value, the one that all rows have, or the first only.
_ALL, _SAME, _FIRST = b"all", b"same", b"first"


def pack_rows(
    table: pa.Table, *, number: int, trace_id: str, strategy_hash: str | None
) -> tuple[pa.RecordBatch, bytes]:
    """
    Return the rows of a signal trace for a pack, and its rest as an Arrow stream.

    Raises:
        TraceFileError: its rows cannot be kept so that they read the same.
    """
    count = table.num_rows
    columns = {name: _one(table, name) for name in ("idx", "ts", "sym", "val", "strat")}
    values = columns["val"]
    if not (pa.types.is_integer(values.type) or pa.types.is_float64(values.type)):
        raise TraceFileError("unusual column type", f"val is {values.type}")
    if pa.types.is_integer(values.type) and count:
        most = pc.max(pc.abs(values.cast(pa.int64()))).as_py()
        if most is not None and most > _WHOLE:
            raise TraceFileError("unusual value", "val is too great for a float64")
    times, texts = _times(columns["ts"])
    prices = _one(table, "px").cast(pa.float64()) if "px" in table.column_names else None
    rows = pa.RecordBatch.from_arrays(
        [
            pa.repeat(pa.scalar(number, pa.int64()), count),
            pa.repeat(pa.scalar(trace_id, pa.string()), count),
            pa.repeat(pa.scalar(strategy_hash, pa.string()), count),
            columns["idx"].cast(pa.int64()),
            times,
            texts,
            columns["sym"].cast(pa.string()),
            values.cast(pa.float64()),
            columns["strat"].cast(pa.string()),
            pa.nulls(count, pa.float64()) if prices is None else prices,
        ],
        schema=ROWS,
    )
    return rows, _write_rest(table, rows)


def unpack_rows(rows: pa.Table, rest: bytes, schema: pa.Schema) -> pa.Table:
    """
    Return the table that a trace file held.

    Args:
        rows: its rows from the pack.
        schema: of the file, without its footer keys.
    """
    kept = _read_rest(rest, rows.num_rows)
    columns = [
        kept[place] if place in kept else _from_pack(rows, field)
        for place, field in enumerate(schema)
    ]
    return pa.table(columns, schema=schema)


def _from_pack(rows: pa.Table, field: pa.Field) -> Any:
    if field.name != "ts" or not pa.types.is_string(field.type):
        return rows[field.name].combine_chunks().cast(field.type)
    return pc.coalesce(rows["ts_raw"], _iso_seconds(rows["ts"])).combine_chunks()


def _one(table: pa.Table, name: str) -> Any:
    if table.column_names.count(name) != 1:
        raise TraceFileError("unusual columns", f"it has the column {name} not just once")
    array = table[name].combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # Some versions of pyarrow return one.
        array = array.chunk(0) if array.num_chunks else pa.nulls(0, array.type)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _times(ts: Any) -> tuple[Any, Any]:
    """Return instants, and the texts where those do not say them."""
    count, utc = len(ts), ROWS.field("ts").type
    if ts.type == utc:
        return ts, pa.nulls(count, pa.string())
    if pa.types.is_null(ts.type):
        return ts.cast(utc), pa.nulls(count, pa.string())
    if not (pa.types.is_string(ts.type) or pa.types.is_large_string(ts.type)):
        raise TraceFileError("unusual column type", f"ts is {ts.type}")
    is_iso = pc.fill_null(pc.match_substring_regex(ts, _ISO_SECONDS), True)
    if is_iso.false_count == 0:
        texts = pc.utf8_slice_codeunits(ts.cast(pa.string()), 0, 19)
        try:
            instants = texts.cast(pa.timestamp("us")).cast(utc)
        except pa.ArrowInvalid as error:
            raise TraceFileError("unreadable time", f"ts is no time: {error}") from error
        return instants, pa.nulls(count, pa.string())
    instants = pa.array([bar_time(ts, row) for row in range(count)], pa.int64()).cast(utc)
    return instants, ts.cast(pa.string())


def _iso_seconds(times: Any) -> Any:
    # Whole seconds: pyarrow would write the fraction of any finer type.
    seconds = times.cast(pa.timestamp("s", "UTC"), safe=False)
    return pc.strftime(seconds, format="%Y-%m-%dT%H:%M:%S+00:00")


def _write_rest(table: pa.Table, rows: pa.RecordBatch) -> bytes:
    """Return the columns that the pack does not give back, by their place in the file."""
    words: dict[str, list[str]] = {}
    fields, arrays = [], []
    for place, field in enumerate(table.schema):
        column = table.column(place).combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0) if column.num_chunks else pa.nulls(0, column.type)
        if field.name in ROWS.names and field.name != "strategy_hash":
            again = _from_pack(pa.Table.from_batches([rows]), field)
            if again.equals(column):
                continue
        kind, kept = _shortened(column)
        if kind != _ALL and column.type == pa.string() and kept.null_count == 0:
            words[str(place)] = [kind.decode(), kept[0].as_py()]
            continue
        fields.append(pa.field(str(place), column.type, metadata={b"rows": kind}))
        arrays.append(kept)
    # The columns of one batch are of one length: each is a batch of its own.
    sink = pa.BufferOutputStream()
    sink.write(json.dumps(words, ensure_ascii=False).encode() + b"\n")
    for field, array in zip(fields, arrays, strict=True):
        schema = pa.schema([field])
        with pa.ipc.new_stream(sink, schema) as stream:
            stream.write_batch(pa.RecordBatch.from_arrays([array], schema=schema))
    return bytes(sink.getvalue())


def _shortened(column: Any) -> tuple[bytes, Any]:
    count = len(column)
    if count > 1 and not pa.types.is_nested(column.type):
        first = column.slice(0, 1)
        if column.null_count == count - 1 and first.null_count == 0:
            return _FIRST, first
        if column.null_count == count or (
            column.null_count == 0 and pc.count_distinct(column).as_py() == 1
        ):
            return _SAME, first
    return _ALL, column


def _read_rest(rest: bytes, count: int) -> Mapping[int, Any]:
    found: dict[int, Any] = {}
    line, _, rest = rest.partition(b"\n")
    for place, (kind, text) in json.loads(line).items():
        found[int(place)] = _lengthened(kind.encode(), pa.array([text], pa.string()), count)
    source = pa.BufferReader(rest)
    while source.tell() < len(rest):
        with pa.ipc.open_stream(source) as stream:
            field = stream.schema.field(0)
            array = stream.read_all().column(0).combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            array = array.chunk(0) if array.num_chunks else pa.nulls(0, array.type)
        found[int(field.name)] = _lengthened(field.metadata[b"rows"], array, count)
    return found


def _lengthened(kind: bytes, array: Any, count: int) -> Any:
    if kind == _SAME:
        return array.take(pa.array([0] * count, pa.int64()))
    if kind == _FIRST:
        return pa.concat_arrays([array, pa.nulls(count - 1, array.type)])
    return array
