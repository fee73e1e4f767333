"""Write one trace anew in our format, under a temporary name, and check it against its source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.errors import TraceFileError
from catalog.traces import format as layout
from catalog.traces.content import PricesDigest
from catalog.traces.finalize import make_folder, writing_errors
from catalog.traces.footer import Footer, footer_keys
from catalog.traces.rows import int64_index, numpy_of
from catalog.traces.sink import ROW_GROUP, SCHEMA, open_writer
from catalog.traces.source import UNREADABLE, close_source, open_source, trace_file_error
from catalog.traces.table import Table
from catalog.traces.times import bar_time
from catalog.upgrade.check import SourceRows, check
from catalog.upgrade.task import FILE, PRICES, Bars, SeriesKey, Task

_LABELS: Final = ("tf", "src_file", "src_type")
# What pandas and Arrow keep for themselves.
_NOT_KEPT: Final = frozenset({b"pandas", b"ARROW:schema"})
_TS: Final = pa.timestamp("us", "UTC")


def convert(task: Task, series: Mapping[SeriesKey, Bars]) -> Path:
    """
    Write the new file of a task under a temporary name, and return that.

    It was read back from the disk and compared with its source, row by row.

    Raises:
        TraceFileError: the source cannot be read or has changed, or the new file does not say
            what the source says.
        CatalogError: the new file cannot be written.
    """
    bars = None if task.series is None else series[task.series]
    rows, said = _read(task)
    footer = _with_prices(task, rows, bars)
    columns = _columns(task, rows, footer, bars)
    keys = footer_keys(footer, task.config)
    keys[layout.UPGRADED_FROM_KEY] = json.dumps(task.origin | said, ensure_ascii=False)
    target = task.target
    temporary = target.with_name(layout.temporary_name(target.name))
    try:
        with writing_errors(target):
            make_folder(target.parent)
            _write(temporary, columns, footer, keys)
        check(task, rows, footer, temporary, bars)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return temporary


def _read(task: Task) -> tuple[SourceRows, dict[str, object]]:
    """Return the rows of the source as they lie in it, and what else it says."""
    try:
        source = open_source(task.source)
        try:
            if source.digest != task.file_digest:
                raise TraceFileError(
                    "changed while it was read",
                    "it is not what it was a moment ago",
                    hint="Run the command again when its writer has finished",
                )
            table = Table(source.reader)
            names = table.flat(("idx", "ts", "val", "px", *_LABELS))
            columns = {name: _whole(column) for name, column in table.whole(names).items()}
        finally:
            close_source(source)
    except UNREADABLE as error:
        raise trace_file_error(task.source, error) from error
    index = int64_index(columns["idx"])
    order = None
    if np.any(np.diff(numpy_of(index)) < 0):
        order = pc.array_sort_indices(index)
    rows = SourceRows(
        index=index,
        ts=columns["ts"],
        values=columns["val"],
        prices=columns.get("px"),
        order=order,
    )
    keys = {
        key.decode(errors="replace"): value.decode(errors="replace")
        for key, value in table.footer.items()
        if key not in _NOT_KEPT
    }
    labels = {
        name: texts[0] if len(texts) == 1 else texts
        for name in _LABELS
        if name in columns and (texts := columns[name].unique().drop_null().to_pylist())
    }
    return rows, {"columns": labels, "keys": keys}


def _whole(column: Any) -> Any:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # Some versions of pyarrow return one.
        array = array.chunk(0) if array.num_chunks else pa.nulls(0, array.type)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _with_prices(task: Task, rows: SourceRows, bars: Bars | None) -> Footer:
    """Return the footer with what the prices add to it, where they are those of the trace."""
    match = task.match
    if bars is None or match is None or match.offset is None:
        return task.footer
    compared = _compare(task, rows, bars, match.offset)
    if compared is None:
        return task.footer
    first_ts, last_ts = task.footer.first_ts, task.footer.last_ts
    return replace(
        task.footer,
        first_ts=int(bars.ts[match.first]) if first_ts is None else first_ts,
        last_ts=int(bars.ts[match.last]) if last_ts is None else last_ts,
        # That it was traced over these prices is only said where something in it is theirs.
        data_digest=_digest(bars, match.first, match.last) if compared else task.footer.data_digest,
    )


def _compare(task: Task, rows: SourceRows, bars: Bars, offset: int) -> int | None:
    """
    Return how many times and prices in the rows are those of their bars; None if any is not.

    Where times are to come from the bar numbers, and no price is stated, there are none to compare.
    """
    places = numpy_of(rows.index) - task.source_index + offset
    if len(places) and (places.min() < 0 or places.max() >= len(bars.ts)):
        return None
    compared = 0
    if task.times == FILE:
        times = _instants(rows.ts)
        if not np.array_equal(times, bars.ts[places]):
            return None
        compared = len(places)
    if rows.prices is None:
        return compared
    prices = np.asarray(rows.prices.cast(pa.float64()).fill_null(0.0))
    # Older tracers write 0 where they know no price.
    stated = (prices != 0) & ~np.isnan(prices)
    if not np.array_equal(prices[stated], bars.close[places][stated]):
        return None
    return compared + int(np.count_nonzero(stated))


@lru_cache(maxsize=1024)  # The traces of a run share their range.
def _digest(bars: Bars, first: int, last: int) -> str:
    digest = PricesDigest()
    digest.add(bars.ts[first : last + 1], bars.close[first : last + 1])
    return digest.hexdigest()


def _instants(ts: Any) -> NDArray[np.int64]:
    """Return the times of rows that all know one."""
    if pa.types.is_timestamp(ts.type) and ts.type.unit == "us":
        return np.asarray(ts.cast(pa.int64()))
    return np.array([bar_time(ts, row) for row in range(len(ts))], np.int64)


def _columns(task: Task, rows: SourceRows, footer: Footer, bars: Bars | None) -> list[Any]:
    """Return the columns of the new file, in bar order."""
    count = len(rows.index)
    schema = SCHEMA[footer.kind or layout.SIGNAL]
    numbered = numpy_of(rows.index) - task.source_index
    if task.times == FILE:
        ts = pa.array(_instants(rows.ts), pa.int64()).cast(_TS)
    elif task.times == PRICES and bars is not None:
        ts = pa.array(bars.ts[numbered], pa.int64()).cast(_TS)
    else:
        ts = pa.nulls(count, _TS)
    try:
        values = rows.values.cast(schema.field("val").type)
    except pa.ArrowInvalid as error:
        raise TraceFileError("val too great", f"{task.source}: val: {error}") from error
    prices = rows.prices
    columns = [
        pa.array(numbered, pa.int64()),
        ts,
        _repeated(footer.symbol, count),
        values,
        _repeated(footer.strategy_id, count),
        pa.nulls(count, pa.float64()) if prices is None else prices.cast(pa.float64()),
    ]
    if rows.order is not None:
        columns = [column.take(rows.order) for column in columns]
    metadata = pa.nulls(count, pa.string())
    if count and task.config is not None:
        metadata = pa.concat_arrays([pa.array([task.config], pa.string()), metadata.slice(1)])
    return [*columns, metadata, _repeated(footer.claimed_hash, count)]


def _write(path: Path, columns: list[Any], footer: Footer, keys: Mapping[bytes, str]) -> None:
    schema = SCHEMA[footer.kind or layout.SIGNAL]
    with open_writer(path, schema) as writer:
        for start in range(0, len(columns[0]), ROW_GROUP):
            part = [column.slice(start, ROW_GROUP) for column in columns]
            writer.write_table(pa.table(part, schema=schema))
        writer.add_key_value_metadata(keys)


def _repeated(text: str | None, count: int) -> Any:
    return pa.repeat(pa.scalar(text, pa.string()), count)
