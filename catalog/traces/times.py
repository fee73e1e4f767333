"""Times of bars, in microseconds since 1970 in UTC; wall clocks are recognised and left alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa

from catalog.errors import TraceFileError

_ENDS_IN_OFFSET: Final = re.compile(r":\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)\Z")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TIMESTAMP: Final = pa.timestamp("us").id
_NANOSECONDS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


@lru_cache(maxsize=4096)  # the traces of a run often share their first and last bars
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
        raise _unreadable(text) from None
    return (moment - _EPOCH) // _MICROSECOND


def iso(instant: int) -> str:
    """Return microseconds since 1970 as ISO 8601 text in UTC."""
    return (_EPOCH + instant * _MICROSECOND).isoformat()


def bar_time(column: Any, row: int) -> int | None:
    """Return the instant in one row of a `ts` column, or None where it names none."""
    scalar = column[row]
    if column.type.id != _TIMESTAMP:
        text = scalar.as_py()
        return None if text is None else microseconds(text)
    return _instant(scalar.value, column.type) if scalar.is_valid else None


def check_times(column: Any) -> None:
    """
    Check that the times of rows in bar order never go back: a file is found by its first and last.

    Raises:
        TraceFileError: they do, or only some of them are instants.
    """
    if column.type.id == _TIMESTAMP:
        chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        if len(chunks) == 1 and chunks[0].null_count == 0:
            # Not cast, which takes as long as the rest of reading a small file.
            numbers = np.from_dlpack(chunks[0].view(pa.int64()))
            if np.any(numbers[1:] < numbers[:-1]):
                raise times_out_of_order()
            return
    elif column.null_count == 0:
        texts = column.to_pylist()
        # Texts of one form and offset are in order where their times are.
        if texts == sorted(texts) and texts[0][19:] == texts[-1][19:]:
            return
    instants = [bar_time(column, row) for row in range(len(column))]
    known = [instant for instant in instants if instant is not None]
    if known != sorted(known):
        raise times_out_of_order()
    if known and len(known) < len(instants):
        raise TraceFileError(
            "times of two sorts", "some of its times have an offset from UTC, and some have none"
        )


def times_out_of_order() -> TraceFileError:
    return TraceFileError(
        "times out of order",
        "its times go back from one bar to a later one",
        hint="Sort it by idx and ts, and register again",
    )


def _instant(number: int, ts_type: Any) -> int | None:
    if ts_type.tz is None:
        return None
    instant = number * _NANOSECONDS[ts_type.unit] // 1_000
    try:
        iso(instant)
    except OverflowError:
        raise _unreadable(number) from None
    return instant


def _unreadable(value: str | int) -> TraceFileError:
    return TraceFileError("unreadable time", f"ts holds {str(value)[:64]!r}, which is no time")
