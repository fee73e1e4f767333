"""A price series in memory: its bars in order of time, their sessions, and its years."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import time
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.prices.source import Floats
from catalog.prices.times import DAY, Micros, days_later, local_times
from catalog.register.symbols import seconds_of

OPEN, CLOSE = "open", "close"
LABELS = (OPEN, CLOSE)
PHASES = ("pre", "regular", "post")
_REGULAR = 1
_YEAR: Final = 365.25
_TRADED, _EVERY = 252.0, 365.0
"""Sessions of a year where less than one is known."""

# What is open where nobody says, for bars of less than a day.
_USUAL_HOURS = {"America/New_York": "09:30-16:00", "US/Eastern": "09:30-16:00"}


@dataclass(frozen=True)
class Terms:
    """What a series is called, and how its times are to be understood."""

    symbol: str
    timeframe: str
    zone: str
    label: str
    regular_hours: str | None

    @property
    def step(self) -> int:
        """The length of a bar in microseconds."""
        return seconds_of(self.timeframe) * 1_000_000

    @property
    def days(self) -> int:
        """The length of a bar in days, 0 where it is shorter than one or no whole number."""
        return self.step // DAY if self.step % DAY == 0 else 0


def hours_of(given: str | None, *, zone: str, is_intraday: bool) -> str | None:
    """
    Return the regular hours as text, the usual ones of the zone where none are given.

    Raises:
        UsageError: they are none, or the bars are no shorter than a day.
    """
    if given is None:
        return _USUAL_HOURS.get(zone) if is_intraday else None
    if not is_intraday:
        raise UsageError("Regular hours are for bars that are shorter than a day")
    parse_hours(given)
    return given.replace(" ", "")


def parse_hours(text: str) -> tuple[int, int]:
    """Return the beginning and end of regular hours, in microseconds since midnight."""
    try:
        first, last = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        first = last = time()
    if not first < last:
        raise UsageError(
            f"The regular hours {text!r} are none",
            hint="Write them as 09:30-16:00, the first before the second",
        )
    return _of_day(first), _of_day(last)


def _of_day(moment: time) -> int:
    return (moment.hour * 3_600 + moment.minute * 60 + moment.second) * 1_000_000


@dataclass(frozen=True, eq=False)
class Bars:
    """
    The bars of a series in order of time, one array each.

    `ts` is the label and `known_at` the end of a bar, in microseconds since 1970 in UTC;
    `ts_local` is what the zone's clock shows at the label. Prices are NaN where unknown.
    """

    terms: Terms
    ts: Micros
    known_at: Micros
    ts_local: Micros
    session_date: NDArray[np.datetime64]
    phase: NDArray[np.int64]
    prices: dict[str, Floats]
    volume: Floats = field(repr=False)

    def __len__(self) -> int:
        return len(self.ts)

    @cached_property
    def session(self) -> NDArray[np.int64]:
        """The number of each bar's session, from 0."""
        begins = self.session_date[1:] != self.session_date[:-1]
        return np.concatenate([[0], np.cumsum(begins)]).astype(np.int64)

    @property
    def session_count(self) -> int:
        """How many sessions have a bar."""
        return int(self.session[-1]) + 1

    @property
    def without_price(self) -> int:
        """How many bars have no close."""
        return int(np.isnan(self.prices["close"]).sum())

    @property
    def sessions_per_year(self) -> float:
        """Sessions counted over the whole series; the usual number where that is no year."""
        if years := self._years:
            return self.session_count / years
        # Day 0, 1970-01-01, was a Thursday.
        weekday = (self.session_date.astype(np.int64) + 3) % 7
        usual = _EVERY if np.any(weekday >= 5) else _TRADED
        return min(usual, _YEAR / self.terms.days) if self.terms.days > 1 else usual

    @property
    def bars_per_year(self) -> float:
        """Bars counted likewise."""
        if years := self._years:
            return len(self) / years
        return self.sessions_per_year * len(self) / self.session_count

    @property
    def _years(self) -> float | None:
        days = float(self.ts[-1] - self.ts[0]) / DAY
        return days / _YEAR if days >= 365 else None

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all that numbers depend on, 64 hex digits."""
        terms = self.terms
        made_of = hashlib.sha256(
            repr((terms.symbol, terms.timeframe, terms.zone, terms.label)).encode()
        )
        made_of.update(self.ts.astype("<i8").tobytes())
        for name in sorted(self.prices):
            made_of.update(_bytes(self.prices[name]))
        return made_of.hexdigest()

    @property
    def file_digest(self) -> str:
        """SHA-256 over all that the file holds, 16 hex digits."""
        made_of = hashlib.sha256(self.digest.encode())
        made_of.update(_bytes(self.volume))
        made_of.update(self.phase.astype("<i8").tobytes())
        return made_of.hexdigest()[:16]

    def to_arrow(self) -> Any:
        """Return the rows of the series' file."""
        count = len(self)
        terms = self.terms
        utc, local = pa.timestamp("us", "UTC"), pa.timestamp("us")
        phases = pa.DictionaryArray.from_arrays(pa.array(self.phase), pa.array(PHASES))
        return pa.table(
            {
                "symbol": pa.repeat(terms.symbol, count),
                "timeframe": pa.repeat(terms.timeframe, count),
                "bar_index": pa.array(np.arange(count)),
                "ts": pa.array(self.ts, utc),
                "known_at": pa.array(self.known_at, utc),
                "ts_local": pa.array(self.ts_local, local),
                "session_date": pa.array(self.session_date),
                "session": phases.dictionary_decode(),
                **{
                    name: pa.array(numbers, mask=np.isnan(numbers))
                    for name, numbers in (*self.prices.items(), ("volume", self.volume))
                },
            }
        )

    @property
    def is_regular(self) -> NDArray[np.bool_]:
        """Whether each bar lies in the regular hours."""
        return np.equal(self.phase, _REGULAR)


def make_bars(terms: Terms, ts: Micros, *, prices: dict[str, Floats], volume: Floats) -> Bars:
    """
    Return a series from times that ascend; what is no price becomes NaN.

    Args:
        prices: open, high, low and close.
    """
    local = local_times(ts, terms.zone)
    is_open = terms.label == OPEN
    known_at = ts
    if is_open:
        known_at = days_later(ts, terms.zone, terms.days) if terms.days else ts + terms.step
    # A bar belongs to the day on which it began. Where it is labelled by its end and lasts for
    # days, that is the day that it ended on: one labelled by midnight is about the day before.
    if is_open:
        began = local
    elif terms.days:
        began = local - 1
    else:
        began = local_times(ts - terms.step, terms.zone)
    # Where clocks went back across midnight, the day before does not begin again.
    dates = np.maximum.accumulate(began // DAY)
    return Bars(
        terms,
        ts,
        known_at,
        local,
        dates.astype("datetime64[D]"),
        _phases(terms, began % DAY),
        prices={name: _positive(numbers) for name, numbers in prices.items()},
        volume=np.where(np.isfinite(volume) & (volume >= 0), volume, np.nan),
    )


def bars_of(table: Any, terms: Terms) -> Bars:
    """Return a series from the rows that its file has."""
    times = {
        name: table[name].cast(pa.int64()).to_numpy() for name in ("ts", "known_at", "ts_local")
    }
    names = ("open", "high", "low", "close", "volume")
    numbers = {name: table[name].fill_null(np.nan).to_numpy() for name in names}
    phase = [PHASES.index(word) for word in table["session"].to_pylist()]
    volume = numbers.pop("volume")
    dates = table["session_date"].to_numpy()
    return Bars(terms, **times, session_date=dates, phase=np.array(phase), prices=numbers,
                volume=volume)  # fmt: skip


def _phases(terms: Terms, began: Micros) -> NDArray[np.int64]:
    if terms.regular_hours is None:
        return np.full(len(began), _REGULAR, np.int64)
    first, last = parse_hours(terms.regular_hours)
    phases = np.where(began >= last, 2, _REGULAR)
    return np.where(began + terms.step <= first, 0, phases).astype(np.int64)


def _positive(numbers: Floats) -> Floats:
    return np.where(np.isfinite(numbers) & (numbers > 0), numbers, np.nan)


def _bytes(numbers: Floats) -> bytes:
    # There are many NaNs, and one that means unknown.
    return np.where(np.isnan(numbers), np.nan, numbers).astype("<f8").tobytes()
