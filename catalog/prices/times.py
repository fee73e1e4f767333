"""The times of bars, whatever a file wrote them as: microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.errors import PriceFileError, UsageError

DAY: Final = 86_400_000_000
_UTC: Final = pa.timestamp("us", "UTC")
_LOCAL: Final = pa.timestamp("us")
# Counts since 1970 lie between 1990 and 2100 in exactly one unit.
_UNITS: Final = ((1, 1_000_000), (1_000, 1_000), (1_000_000, 1), (1_000_000_000, 1 / 1_000))
_EARLIEST, _LATEST = 631_152_000, 4_102_444_800

Micros = NDArray[np.int64]


def check_zone(zone: str) -> str:
    """
    Return a time zone as it was given.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        local_times(np.zeros(1, np.int64), zone)
    except pa.ArrowException as error:
        raise UsageError(
            f"There is no time zone {zone}", hint="Write it as America/New_York"
        ) from error
    return zone


def instants(column: Any, zone: str | None, *, is_daily: bool) -> tuple[Micros, bool]:
    """
    Return the instants that a column names, and whether they are dates without a time.

    Args:
        column: an Arrow array of timestamps, dates, ISO 8601 texts, or counts since 1970.
        zone: where times without an offset are local; None where nobody said.
        is_daily: whether midnights without an offset are dates.

    Raises:
        PriceFileError: one is missing, is no time, or does not exist in the zone; or nobody said
            in which zone they are.
    """
    if column.null_count:
        raise PriceFileError(
            f"The time of row {_first(pc.is_null(column)):,} is missing",
            hint="Take rows without a time out",
        )
    kind = column.type
    if pa.types.is_integer(kind):
        counted = _counted(column.cast(pa.int64()).to_numpy())
        if counted is not None:
            return counted, False
        column, kind = column.cast(pa.string()), pa.string()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = _parsed(column.to_pylist())
        kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return _numbers(column.cast(_UTC, safe=False)), False
    if not pa.types.is_timestamp(kind) and not pa.types.is_date(kind):
        raise PriceFileError(
            f"The times are of type {kind}, which names no moment",
            hint="Write them as 2024-03-26T09:30:00-04:00",
        )
    local = _numbers(column.cast(_LOCAL, safe=False))
    is_dates = pa.types.is_date(kind) or (is_daily and not np.any(local % DAY))
    if is_dates:
        return _from_local(local, zone or "UTC", nonexistent="latest"), True
    if zone is None:
        raise PriceFileError(
            f"The times have no offset from UTC, such as {_text(local[0])}",
            hint="Say where they are local with --tz America/New_York, or --tz UTC",
        )
    return _from_local(local, zone, nonexistent="raise"), False


def local_times(ts: Micros, zone: str) -> Micros:
    """Return what the clock of a zone shows at some instants, in microseconds since 1970."""
    times = pa.array(ts, _UTC).cast(pa.timestamp("us", zone))
    return _numbers(pc.local_timestamp(times))


def days_later(ts: Micros, zone: str, days: int) -> Micros:
    """Return the instants at which a zone's clock shows the same, some days later."""
    return _from_local(local_times(ts, zone) + days * DAY, zone, nonexistent="latest")


def _from_local(local: Micros, zone: str, *, nonexistent: str) -> Micros:
    times = pa.array(local, _LOCAL)

    def assume(ambiguous: str) -> Micros:
        zoned = pc.assume_timezone(times, zone, ambiguous=ambiguous, nonexistent=nonexistent)
        return _numbers(zoned)

    try:
        early, late = assume("earliest"), assume("latest")
    except pa.ArrowInvalid as error:
        raise PriceFileError(
            f"A time does not exist in {zone}: {str(error).splitlines()[0]}",
            hint="Clocks skipped that hour there: name the zone that the times are in with --tz",
        ) from error
    # The hour that clocks show twice: the second time that the rows show it, it is the later.
    doubled = np.flatnonzero(early != late)
    if local[0] > local[-1]:
        doubled = doubled[::-1]
    _, first = np.unique(local[doubled], return_index=True)
    second = np.delete(doubled, first)
    early[second] = late[second]
    return early


def _counted(counts: Micros) -> Micros | None:
    for unit, factor in _UNITS:
        if _EARLIEST * unit <= counts.min() and counts.max() < _LATEST * unit:
            return counts * int(factor) if factor >= 1 else counts // 1_000
    return None


def _parsed(texts: list[str]) -> Any:
    times: list[datetime] = []
    for row, text in enumerate(texts):
        try:
            times.append(datetime.fromisoformat(text.strip()))
        except ValueError:
            raise PriceFileError(
                f"The time of row {row + 1:,} is {text[:64]!r}, which is no time",
                hint="Write times as 2024-03-26T09:30:00-04:00, and dates as 2024-03-26",
            ) from None
    zoned = sum(time.tzinfo is not None for time in times)
    if 0 < zoned < len(times):
        raise PriceFileError(
            f"{zoned:,} times have an offset from UTC, and {len(times) - zoned:,} have none",
            hint="Write all of them one way",
        )
    if zoned:
        return pa.array([time.astimezone(UTC) for time in times], _UTC)
    array = pa.array(times, _LOCAL)
    is_dates = all(len(text.strip()) <= len("2024-03-26") for text in texts)
    return array.cast(pa.date32()) if is_dates else array


def _numbers(times: Any) -> Micros:
    return np.array(times.cast(pa.int64()).to_numpy(zero_copy_only=False))


def _first(mask: Any) -> int:
    """Return the number of the first row where a mask holds, counted from one."""
    return int(np.flatnonzero(mask.to_numpy(zero_copy_only=False))[0]) + 1


def _text(micros: int) -> str:
    return str(np.datetime64(int(micros), "us")).replace("T", " ").removesuffix(".000000")
