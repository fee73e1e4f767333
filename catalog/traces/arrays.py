"""A researcher's arrays, checked and brought into the types of our trace files."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from catalog.errors import UsageError
from catalog.traces.format import SIGNAL

TIMESTAMP: Final = pa.timestamp("us", "UTC")


def bars_array(bar_index: ArrayLike, *, first_bar: int, last_bar: int) -> NDArray[np.int64]:
    """
    Return 0-based bars as int64.

    Raises:
        UsageError: they are not whole numbers in ascending order within the range.
    """
    bars = np.asarray(bar_index)
    if not 0 <= first_bar <= last_bar:
        raise UsageError(f"The range from bar {first_bar} to bar {last_bar} is no range")
    if bars.ndim != 1 or (bars.size and bars.dtype.kind not in "iu"):
        raise UsageError(f"bar_index is no list of whole numbers, but {bars.dtype}")
    bars = bars.astype(np.int64)
    if np.any(bars[1:] <= bars[:-1]):
        raise UsageError("bar_index is not in ascending order, or has a bar twice")
    if bars.size and not first_bar <= bars[0] <= bars[-1] <= last_bar:
        raise UsageError(
            f"bar_index goes from {bars[0]} to {bars[-1]}, "
            f"beyond the range evaluated, {first_bar} to {last_bar}"
        )
    return bars


def values_array(kind: str, values: Any, *, length: int) -> Any:
    """
    Return a signal's values as float64 or a classifier's states as text.

    Raises:
        UsageError: there are not as many as bars, or one is missing, NaN, infinite, or no value.
    """
    try:
        if kind == SIGNAL:
            # Adding zero turns -0.0, which no reader should meet, into 0.0.
            array = pa.array(np.asarray(values, dtype=np.float64) + 0.0, pa.float64())
        else:
            array = pa.array(values, pa.string())
    except (pa.ArrowException, TypeError, ValueError) as error:
        wanted = "numbers" if kind == SIGNAL else "text"
        raise UsageError(f"The values of a {kind} are {wanted}: {error}") from error
    _check_length("values", array, length)
    if array.null_count:
        raise UsageError(f"values has {array.null_count:,} missing values")
    if kind == SIGNAL and not np.isfinite(array.to_numpy()).all():
        raise UsageError(
            "values has NaN or an infinity in it", hint="Write 0 where there is no position"
        )
    return array


def times_array(ts: Any, *, length: int) -> Any:
    """
    Return bar times as timestamps in UTC, all null where there are none.

    Raises:
        UsageError: there are not as many as bars, one is missing or knows no zone, or they do
            not ascend.
    """
    if ts is None:
        return pa.nulls(length, TIMESTAMP)
    if len(ts) and isinstance(ts[0], np.datetime64):
        ts = np.asarray(ts)
    if isinstance(ts, np.ndarray) and ts.dtype.kind == "M":
        # numpy's times know no zone; the catalog takes them to be in UTC.
        times = pa.array(ts.astype("datetime64[us]"), pa.timestamp("us")).cast(TIMESTAMP)
    else:
        times = _zoned(ts)
    _check_length("ts", times, length)
    if times.null_count:
        raise UsageError(f"ts has {times.null_count:,} missing times")
    instants = times.cast(pa.int64()).to_numpy()
    if np.any(instants[1:] <= instants[:-1]):
        raise UsageError("ts does not ascend with bar_index")
    return times


def prices_array(prices: ArrayLike | None, *, length: int) -> Any:
    """
    Return prices as float64, NaN as null, all null where there are none.

    Raises:
        UsageError: there are not as many as bars, or they are not numbers.
    """
    if prices is None:
        return pa.nulls(length, pa.float64())
    try:
        array = pa.array(np.asarray(prices, dtype=np.float64), from_pandas=True)
    except (TypeError, ValueError) as error:
        raise UsageError(f"prices are numbers: {error}") from error
    _check_length("prices", array, length)
    return array


def instant(what: str, moment: datetime | np.datetime64 | None) -> int | None:
    """
    Return a time in microseconds since 1970 in UTC.

    Raises:
        UsageError: it is a datetime that knows no zone.
    """
    if moment is None:
        return None
    try:
        times = times_array([moment], length=1)
    except UsageError as error:
        raise UsageError(f"{what}: {error}", hint=error.hint) from error
    return int(times[0].value)


def _zoned(ts: Any) -> Any:
    try:
        times = pa.array(ts)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UsageError(f"ts is no list of times: {error}") from error
    if not len(times):
        return pa.nulls(0, TIMESTAMP)
    if not pa.types.is_timestamp(times.type):
        raise UsageError(f"ts is no list of times, but of {times.type}")
    if times.type.tz is None:
        raise UsageError(
            "ts has times that know no zone",
            hint="Give datetimes a tzinfo, or pass numpy datetime64 in UTC",
        )
    return times.cast(TIMESTAMP, safe=False)


def _check_length(what: str, array: Any, length: int) -> None:
    if len(array) != length:
        raise UsageError(f"{what} has {len(array):,} values for {length:,} bars")
