"""Orders, fills and positions out of nested columns into flat typed ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.errors import TraceFileError
from catalog.register.symbols import split_symbol
from catalog.statements import statement
from catalog.traces import format as layout
from catalog.traces.event_rows import SCHEMA, open_writer
from catalog.traces.finalize import make_folder, writing_errors
from catalog.traces.footer import footer_keys
from catalog.traces.source import UNREADABLE, close_source, open_source, trace_file_error
from catalog.traces.table import Table
from catalog.traces.times import microseconds
from catalog.upgrade.task import Bars, SeriesKey, Task

_SHARED: Final = 4
"""Columns that events of all kinds have, which come first: idx, ts, sym, strategy_id."""


def convert_events(
    con: DuckDBPyConnection, task: Task, series: Mapping[SeriesKey, Bars], *, is_nested: bool
) -> Path:
    """
    Write the new file of orders, fills or positions under a temporary name, and return that.

    It was read back, and every row of it compared with what the views show of the source.

    Args:
        con: any connection; files are compared through it.
        is_nested: whether the source keeps everything in its column `metadata`.

    Raises:
        TraceFileError: the source cannot be read, or the new file does not say what it says.
        CatalogError: the new file cannot be written.
    """
    kind, target = str(task.footer.kind), task.target
    bars = None if task.series is None else series[task.series]
    temporary = target.with_name(layout.temporary_name(target.name))
    keys = footer_keys(task.footer, None)
    keys[layout.UPGRADED_FROM_KEY] = json.dumps(task.origin, ensure_ascii=False)
    try:
        batches = list(_batches(task, kind, bars))
        with writing_errors(target):
            make_folder(target.parent)
            with open_writer(temporary, SCHEMA[kind]) as writer:
                for batch in batches:
                    writer.write_table(batch)
                writer.add_key_value_metadata(keys)
        _check(con, task, temporary, bars, is_nested=is_nested)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return temporary


def _batches(task: Task, kind: str, bars: Bars | None) -> Iterator[pa.Table]:
    schema = SCHEMA[kind]
    try:
        source = open_source(task.source)
        try:
            if source.digest != task.file_digest:
                raise TraceFileError("changed while it was read")
            for batch in Table(source.reader).batches():
                rows = [_row(row, schema, task, bars) for row in batch.to_pylist()]
                columns = zip(*rows, strict=True) if rows else [()] * len(schema)
                arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
                yield pa.table(arrays, schema=schema)
        finally:
            close_source(source)
    except UNREADABLE as error:
        raise trace_file_error(task.source, error) from error


def _row(row: Mapping[str, Any], schema: pa.Schema, task: Task, bars: Bars | None) -> list[Any]:
    bar = row["idx"] - task.source_index
    nested = row.get("metadata")
    event = nested if isinstance(nested, dict) else row
    inner = event.get("metadata")
    strategy_id = event.get("strategy_id")
    if strategy_id is None and isinstance(inner, dict):
        strategy_id = inner.get("strategy_id")
    ts = row["ts"]
    start = [bar, _time(None if ts is None else str(ts), bar, bars), _symbol(row["sym"])]
    rest = [_field(event, field) for field in list(schema)[_SHARED:]]
    return [*start, None if strategy_id is None else str(strategy_id), *rest]


def _field(event: Mapping[str, Any], field: pa.Field) -> str | float | None:
    if field.name == "event" and "event" not in event:
        return "close" if "exit_price" in event else "open"
    name = field.name
    if name == "order_created_at" and name not in event:
        name = "created_at"
    value = event.get(name)
    if value is None:
        return None
    if field.type == pa.string():
        return str(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _time(text: str | None, bar: int, bars: Bars | None) -> int | None:
    """Return a time in the file, else that of its bar among the prices."""
    known = None if text is None else microseconds(text)
    if known is None and bars is not None and 0 <= bar < len(bars.ts):
        return int(bars.ts[bar])
    return known


def _symbol(raw: str | None) -> str | None:
    return split_symbol(raw)[0]


def _check(
    con: DuckDBPyConnection, task: Task, path: Path, bars: Bars | None, *, is_nested: bool
) -> None:
    kind = str(task.footer.kind)
    layouts = "nested" if is_nested else "flat"
    try:
        old = _view_rows(con, f"rows_{kind}_{layouts}", task.source)
        new = _view_rows(con, f"rows_{kind}_flat", str(path))
    except duckdb.Error as error:
        raise _differs(task, str(error).splitlines()[0]) from error
    wanted = Counter(
        (idx - task.source_index, _time(ts, idx - task.source_index, bars), _symbol(sym), *rest)
        for idx, ts, sym, *rest in old
    )
    found = Counter((idx, _time(ts, idx, None), *rest) for idx, ts, *rest in new)
    if wanted != found:
        row = next(iter((wanted - found) or (found - wanted)))
        raise _differs(task, f"such as in the row {row}")


def _view_rows(con: DuckDBPyConnection, name: str, path: str) -> list[tuple[Any, ...]]:
    """Return the rows of a file as the views of the catalog read them."""
    rows = con.execute(statement(name), {"files": [path]}).fetchall()
    return [tuple(_equal_to_itself(value) for value in row[1:]) for row in rows]


def _equal_to_itself(value: Any) -> Any:
    return "NaN" if isinstance(value, float) and np.isnan(value) else value


def _differs(task: Task, how: str) -> TraceFileError:
    return TraceFileError(
        "the new file differs",
        f"{task.target} is not what {task.source} is: {how}",
        hint="The new file was not kept; this is a bug: please report it with the source",
    )
