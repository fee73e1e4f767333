"""Where a sweep is tried: each symbol and timeframe, and over which bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import index
from typing import Any

import numpy as np

from catalog.errors import UsageError
from catalog.prices.series import PriceSeries
from catalog.register.symbols import normal_timeframe, split_symbol
from catalog.sweeps.grid import Sweep
from catalog.traces.moments import microseconds_of
from catalog.traces.times import iso

DAY = 86_400_000_000


@dataclass(frozen=True)
class Wanted:
    """
    The range that configurations are to be computed over; what is None is not said.

    `start` and `end` are dates or moments, both of which belong to it; `bars` are the first and
    the last 0-based bar.
    """

    start: Any = None
    end: Any = None
    bars: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.bars is not None:
            first, last = _two(self.bars)
            vars(self).update(bars=(first, last))
            if self.start is not None or self.end is not None:
                raise UsageError("A range is given by times or by bars, and not by both")
            if not 0 <= first <= last:
                raise UsageError(
                    f"There are no bars from {first} to {last}",
                    hint="Bars are counted from 0, and the last one is not before the first",
                )
        moments = {"start": _moment(self.start), "end": _moment(self.end)}
        vars(self).update(moments)
        if None not in moments.values() and _lowest(self.start) > _highest(self.end):
            raise UsageError(f"{self.start} is after {self.end}", hint="Give the earlier one first")

    @property
    def is_given(self) -> bool:
        """Whether anybody said a range."""
        return not (self.start is None and self.end is None and self.bars is None)


@dataclass(frozen=True)
class Place:
    """
    A symbol and timeframe, and the range that is wanted there.

    `first` and `last` are bars of the registered prices, or of whatever was traced where there are
    none; None where only times are said. `from_us` and `to_us` are the times of these bars, in
    microseconds since 1970 in UTC, None where nobody knows them. `cut` says so where the range
    that was given goes beyond the prices.
    """

    symbol: str
    timeframe: str
    wanted: Wanted
    has_prices: bool
    first: int | None
    last: int | None
    from_us: int | None
    to_us: int | None
    cut: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether the range was given, and not taken from the prices."""
        return self.wanted.is_given

    @property
    def source(self) -> str:
        """Where the range comes from, in words."""
        return "as given" if self.is_given else "all registered prices"

    @property
    def name(self) -> str:
        """Symbol and timeframe."""
        return f"{self.symbol} {self.timeframe}"

    def __str__(self) -> str:
        ends = self.from_us, self.to_us
        if ends[0] is not None and ends[1] is not None:
            text = f"{self.name} from {when(ends[0])} to {when(ends[1])}"
        else:
            text = self.name
        if self.first is not None and self.last is not None:
            text += f", bars {self.first:,} to {self.last:,}"
        return text


def when(us: int) -> str:
    """Return a time as people read it, in UTC."""
    return iso(us)[:16].replace("T", " ")


def names_of(
    sweep: Sweep, symbols: Sequence[str] = (), timeframes: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """
    Return the symbols and timeframes of a sweep, as the catalog writes them.

    Args:
        symbols: instead of those that the sweep says.
        timeframes: likewise.

    Raises:
        UsageError: nobody says one, or it is none.
    """
    found: dict[tuple[str, str], None] = {}
    symbols = _names("symbol", symbols or sweep.symbols)
    timeframes = _names("timeframe", timeframes or sweep.timeframes)
    if not symbols:
        raise UsageError(
            f"The sweep {sweep.name} says no symbols",
            hint="Add symbols: [SPY] to it, or give --symbol SPY",
        )
    for raw in symbols:
        symbol, own = split_symbol(raw)
        said = [own] if own is not None and not timeframes else timeframes
        if not said:
            raise UsageError(
                f"The sweep {sweep.name} says no timeframes",
                hint="Add timeframes: [1m] to it, or give --timeframe 1m",
            )
        for one in said:
            timeframe = normal_timeframe(one)
            if timeframe is None or symbol is None:
                raise UsageError(
                    f"{one!r} is no timeframe of {raw!r}", hint="Write it as 1m, 5m, 1h or 1d"
                )
            found[symbol, timeframe] = None
    return list(found)


def _names(what: str, given: Any) -> list[str]:
    """Return names as a list; a text is one, and not its letters."""
    names = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    for one in names:
        if not isinstance(one, str):
            raise UsageError(
                f"A {what} is a text, and not {one!r}", hint=f"Write it in quotes: {str(one)!r}"
            )
    return names


def make_place(symbol: str, timeframe: str, wanted: Wanted, series: PriceSeries | None) -> Place:
    """
    Return a place, with the range that is wanted there.

    Args:
        series: its registered prices, None where there are none.

    Raises:
        UsageError: there are neither prices nor a range, or no bars in it.
    """
    if series is None:
        is_known = wanted.bars is not None or None not in (wanted.start, wanted.end)
        if not is_known:
            raise no_prices(symbol, timeframe, "; or give a range: --from and --to, or --bars")
        first, last = wanted.bars or (None, None)
        from_us = None if wanted.start is None else _lowest(wanted.start)
        to_us = None if wanted.end is None else _highest(wanted.end)
        return Place(symbol, timeframe, wanted, False, first, last, from_us, to_us)
    first, last = 0, len(series.ts) - 1
    if wanted.bars is not None:
        first, last = max(first, wanted.bars[0]), min(last, wanted.bars[1])
    if wanted.start is not None:
        first = _at(series, wanted.start, "left")
    if wanted.end is not None:
        last = _at(series, wanted.end, "right") - 1
    if first > last:
        raise UsageError(
            f"{symbol} {timeframe} has no bars in that range: its prices go from "
            f"{when(int(series.ts[0]))} to {when(int(series.ts[-1]))}, {len(series.ts):,} bars",
            hint="Give another range, or add newer prices with: catalog prices add FILE",
        )
    from_us, to_us = int(series.ts[first]), int(series.ts[last])
    cut = _cut(wanted, first, last, from_us, to_us, len(series.ts))
    return Place(symbol, timeframe, wanted, True, first, last, from_us, to_us, cut)


def _cut(wanted: Wanted, first: int, last: int, from_us: int, to_us: int, count: int) -> str | None:
    said = []
    if first == 0 and wanted.start is not None and _highest(wanted.start) < from_us:
        said.append(f"begins with its prices, at {when(from_us)}")
    is_beyond = wanted.bars is not None and wanted.bars[1] > last
    is_later = wanted.end is not None and _lowest(wanted.end) > to_us
    if last == count - 1 and (is_beyond or is_later):
        said.append(f"ends with its prices, at {when(to_us)}, bar {last:,}")
    return f"the range {' and '.join(said)}" if said else None


def no_prices(symbol: str, timeframe: str, otherwise: str = "") -> UsageError:
    """
    Return the error that there are no prices.

    Args:
        otherwise: what else can be done about it.
    """
    return UsageError(
        f"The catalog has no prices of {symbol} {timeframe}, which would say over which bars "
        "configurations are wanted",
        hint=f"Add them: catalog prices add FILE --symbol {symbol} --timeframe {timeframe}"
        f"{otherwise}",
    )


def _at(series: PriceSeries, moment: Any, side: Any) -> int:
    if is_date(moment):
        session = int(np.searchsorted(series.session_dates, np.datetime64(moment, "D"), side))
        return int(np.searchsorted(series.session, session, "left"))
    return int(np.searchsorted(series.ts, microseconds_of(moment), side))


def _two(bars: Any) -> tuple[int, int]:
    try:
        first, last = map(index, bars)
    except (TypeError, ValueError):
        raise UsageError(
            f"{bars!r} are no bars", hint="Give the first and the last one: bars=(0, 999)"
        ) from None
    return first, last


def _moment(moment: Any) -> Any:
    """Return a date as a date, and anything else as it is once it is known to be a moment."""
    if moment is None or is_date(moment):
        return moment
    if isinstance(moment, str):
        try:
            return date.fromisoformat(moment)
        except ValueError:
            pass
    microseconds_of(moment)
    return moment


def is_date(moment: Any) -> bool:
    """Say whether a moment is a whole day."""
    return isinstance(moment, date) and not isinstance(moment, datetime)


def _lowest(moment: Any) -> int:
    if is_date(moment):
        return int(np.datetime64(moment, "us").astype(np.int64))
    return microseconds_of(moment)


def _highest(moment: Any) -> int:
    return _lowest(moment) + (DAY - 1 if is_date(moment) else 0)
