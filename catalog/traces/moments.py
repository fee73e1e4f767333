"""A moment as people hold it, in microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from catalog.errors import UsageError
from catalog.traces.times import microseconds

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds_of(moment: Any) -> int:
    """
    Return a moment in microseconds since 1970 in UTC.

    Args:
        moment: a datetime (or pandas Timestamp) that knows its zone, a numpy datetime64, which
            is taken to be in UTC, or ISO 8601 text with an offset.

    Raises:
        UsageError: it is none of these, or knows no zone.
    """
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise _knows_no_zone(moment)
        return (moment - _EPOCH) // _MICROSECOND
    if isinstance(moment, np.datetime64):
        if np.isnat(moment):
            raise UsageError("NaT is no time")
        return int(moment.astype("datetime64[us]").astype(np.int64))
    if isinstance(moment, str):
        instant = microseconds(moment)
        if instant is None:
            raise _knows_no_zone(moment)
        return instant
    raise UsageError(f"{moment!r} is no time", hint="Give a datetime that knows its zone")


def _knows_no_zone(moment: object) -> UsageError:
    return UsageError(
        f"The time {moment} knows no zone",
        hint="Give datetimes a tzinfo, or pass numpy datetime64 in UTC",
    )
