"""From the rows of a file and what the user says of them to a series that was checked."""

from __future__ import annotations

import numpy as np

from catalog.errors import PriceFileError, UsageError
from catalog.prices.bars import LABELS, OPEN, Bars, Terms, hours_of, make_bars
from catalog.prices.checks import Finding, check_days, check_times, find_odd
from catalog.prices.columns import PRICES
from catalog.prices.source import RawBars
from catalog.prices.times import DAY, check_zone, instants
from catalog.register.symbols import normal_timeframe, seconds_of, split_symbol


def terms_of(
    symbol: str, timeframe: str, *, tz: str | None, label: str, regular_hours: str | None
) -> Terms:
    """
    Return what a series is called and how its times are meant, from what the user says.

    Raises:
        UsageError: something of it is wrong.
    """
    normal = normal_timeframe(timeframe)
    if normal is None or normal == "0s":
        raise UsageError(
            f"The timeframe {timeframe!r} is none", hint="Write it as 1m, 5m, 1h, 1d or 1w"
        )
    name, behind = split_symbol(symbol.strip())
    if not name:
        raise UsageError("The symbol is empty", hint="Write it as the traces have it, such as SPY")
    if behind is not None and behind != normal:
        raise UsageError(
            f"The symbol {symbol} says {behind}, and the timeframe is {normal}",
            hint=f"Add them with --symbol {name} --timeframe {behind}",
        )
    if label not in LABELS:
        raise UsageError(f"The label {label!r} is neither open nor close")
    zone = check_zone(tz or "UTC")
    is_intraday = seconds_of(normal) * 1_000_000 < DAY
    hours = hours_of(regular_hours, zone=zone, is_intraday=is_intraday)
    return Terms(name, normal, zone, label, hours)


def prepare(raw: RawBars, terms: Terms, *, tz: str | None) -> tuple[Bars, list[Finding]]:
    """
    Return the bars of a file in order of time, and what is odd about them.

    Args:
        tz: where times without an offset are local; None where nobody said.

    Raises:
        PriceFileError: they make no series.
    """
    ts, is_dates = instants(raw.ts, tz, is_daily=bool(terms.days))
    if is_dates and terms.label != OPEN:
        raise PriceFileError(
            "The bars are labelled by dates, which are no moments of closing",
            hint="Leave --label out: a date is the whole day",
        )
    is_sorted = not np.any(ts[1:] < ts[:-1])
    order = slice(None) if is_sorted else np.argsort(ts, kind="stable")
    ts = ts[order]
    check_times(ts, terms)
    if not is_dates:
        check_days(ts, terms)
    numbers = {name: numbers[order] for name, numbers in raw.numbers.items()}
    nothing = np.full(len(ts), np.nan)
    bars = make_bars(
        terms,
        ts,
        prices={name: numbers.get(name, nothing) for name in PRICES},
        volume=numbers.get("volume", nothing),
    )
    if np.isnan(bars.prices["close"]).all():
        raise PriceFileError(
            "No bar has a price", hint="Name the column of closes with --column close=NAME"
        )
    notes = [Finding(note, False) for note in raw.notes]
    return bars, notes + find_odd(bars, numbers, is_sorted=is_sorted)
