"""Times of bars, in microseconds since 1970 in UTC; wall clocks are recognised and left alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from catalog.errors import TraceFileError

_ENDS_IN_OFFSET: Final = re.compile(r":\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)\Z")
_TIMESTAMP: Final = pa.timestamp("us").id
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NANOSECONDS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def microseconds(text: str) -> int | None:
    """
    Return the instant that a text names, or None if it ends in no UTC offset.

    `2024-03-26T13:59:00+00:00` is an instant. `2025-06-13T22:00:23.440475` is the wall clock
    of the machine that wrote the file, in a zone that nobody recorded: not an instant.

    Raises:
        TraceFileError: the text ends in an offset but is no time.
    """
    if _ENDS_IN_OFFSET.search(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise TraceFileError(
            "unreadable time", f"ts holds {text[:64]!r}, which is no time"
        ) from None
    return (moment - _EPOCH) // _MICROSECOND


def bar_time(column: Any, row: int) -> int | None:
    """Return the instant in one row of a `ts` column, or None where it names none."""
    scalar = column[row]
    if column.type.id != _TIMESTAMP:
        text = scalar.as_py()
        return None if text is None else microseconds(text)
    if column.type.tz is None or not scalar.is_valid:
        return None
    return int(scalar.value) * _NANOSECONDS[column.type.unit] // 1_000


def iso(instant: int) -> str:
    """Return microseconds since 1970 as ISO 8601 text in UTC."""
    return (_EPOCH + instant * _MICROSECOND).isoformat()
