"""Which columns a trace file must have, and of which types; and what is no trace at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from catalog.errors import NotATraceError, TraceFileError
from catalog.traces import format as layout
from catalog.traces.table import Table

# Types are told apart by their id, which is much faster than asking pyarrow.types about each.
_INTEGERS: Final = frozenset(
    width().id
    for width in (
        *(pa.int8, pa.int16, pa.int32, pa.int64),
        *(pa.uint8, pa.uint16, pa.uint32, pa.uint64),
    )
)
_NUMBERS: Final = _INTEGERS | {pa.float16().id, pa.float32().id, pa.float64().id}
_TEXTS: Final = frozenset({pa.string().id, pa.large_string().id, pa.string_view().id})
_TIMES: Final = _TEXTS | {pa.timestamp("us").id}
_DICTIONARY: Final = pa.dictionary(pa.int32(), pa.string()).id
_NULL: Final = pa.null().id

_READABLE: Final = {
    "idx": (_INTEGERS, "a whole number"),
    "ts": (_TIMES, "text or a timestamp"),
    "sym": (_TEXTS, "text"),
    "val": (_NUMBERS | _TEXTS, "a number or text"),
    "strat": (_TEXTS, "text"),
}
_OF_A_LAKE: Final = {"trace_id", "writer"}
_TRADES: Final = {"trade_id", "entry_time", "exit_time"}
_INDEXES: Final = ({"strategy_hash", "trace_path"}, {"run_id", "signal_references"})


def check_is_trace(columns: tuple[str, ...]) -> None:
    """
    Refuse a file that is no damaged trace but something else.

    Raises:
        NotATraceError: fewer than three of the columns that all traces share are there, or those
            are that say whose trace each row of a published lake is.
    """
    if _OF_A_LAKE.issubset(columns):
        raise NotATraceError("a file of a lake", "it belongs to a published lake, and is no trace")
    if len(_READABLE.keys() & columns) >= 3:
        return
    if _TRADES.issubset(columns):
        raise NotATraceError("trades of an older tracer", "it holds trades, not a trace")
    if any(index.issubset(columns) for index in _INDEXES):
        raise NotATraceError("an index file", "it is an index of traces, not a trace")
    raise NotATraceError(
        "no trace columns", f"it has none, or too few, of the columns {', '.join(_READABLE)}"
    )


def check_columns(table: Table, *, is_event: bool) -> None:
    """
    Check that the essential columns are there, once each, with types that can be read.

    Raises:
        TraceFileError: one is missing, there twice, or of the wrong type.
    """
    for name in layout.EVENT_COLUMNS if is_event else layout.ESSENTIAL_COLUMNS:
        column_type = table.types.get(name)
        if column_type is None:
            raise TraceFileError("missing column", f"it has no column {name}")
        if len(table.types) != len(table.columns) and table.columns.count(name) > 1:
            raise TraceFileError("duplicate column", f"it has the column {name} twice")
        readable, expected = _READABLE[name]
        if _id(column_type) not in readable and column_type.id != _NULL:
            raise TraceFileError(
                "wrong column type", f"{name} is {column_type}, expected {expected}"
            )
    px = table.types.get("px")
    if px is not None and not is_event and px.id not in _NUMBERS and px.id != _NULL:
        raise TraceFileError("wrong column type", f"px is {px}, expected a number")


def kind_of(value_type: Any, expected: str | None) -> str:
    """
    Return the kind of a file whose `val` has this type: numbers are signals, text is states.

    Raises:
        TraceFileError: the folder or the footer, which `expected` comes from, says otherwise.
    """
    # pandas gives a column without any rows the type null.
    if value_type.id == _NULL:
        return expected or layout.SIGNAL
    found = layout.CLASSIFIER if is_text(value_type) else layout.SIGNAL
    if expected is not None and expected != found:
        wanted = "text" if expected == layout.CLASSIFIER else "a number"
        raise TraceFileError(
            "wrong column type", f"val is {value_type} in a {expected} file, expected {wanted}"
        )
    return found


def is_text(column_type: Any | None) -> bool:
    """Say whether a column is there and holds text, dictionary-encoded or not."""
    return column_type is not None and _id(column_type) in _TEXTS


def struct_layout(types: Mapping[str, Any]) -> str | None:
    """
    Return the type of a nested `metadata` column as text, one line a leaf, or None.

    Files with the same text can be read as one table. The order of the fields is part of it.
    """
    metadata = types.get("metadata")
    if metadata is None or not pa.types.is_struct(metadata):
        return None
    return "\n".join(_leaves("metadata", metadata))


def _leaves(path: str, column_type: Any) -> list[str]:
    if not pa.types.is_struct(column_type):
        return [f"{path}:{'string' if is_text(column_type) else column_type}"]
    return [line for field in column_type for line in _leaves(f"{path}.{field.name}", field.type)]


def _id(column_type: Any) -> int:
    """Return the id of a type, and for dictionary-encoded text that of the text."""
    number: int = column_type.id
    if number == _DICTIONARY and column_type.value_type.id in _TEXTS:
        return int(column_type.value_type.id)
    return number
