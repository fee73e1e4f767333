"""Metric sets: on what terms and over which sessions figures are computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import index

import numpy as np
from duckdb import DuckDBPyConnection

from catalog.errors import UsageError
from catalog.metrics.market import Market
from catalog.metrics.terms import Terms
from catalog.statements import statement

DEFAULT_SET = 1
FILLS = ("close", "next_open")
_ALWAYS = np.datetime64("0001-01-01")
FREE = Terms()
_NEVER = np.datetime64("9999-12-31")


def make_set(
    *,
    cost_bps: float = 0.0,
    fill: str = "close",
    start: date | str | None = None,
    end: date | str | None = None,
    last_days: int | None = None,
    split: date | str | None = None,
    folds: int | None = None,
) -> MetricSet:
    """
    Return a metric set; dates may be text such as 2025-01-31.

    Raises:
        UsageError: something is no number, date, fill or range.
    """
    try:
        terms = Terms(float(cost_bps), fill)
        counts = [None if one is None else index(one) for one in (last_days, folds)]
    except (TypeError, ValueError) as error:
        raise UsageError(f"A cost, number of days or of folds is none: {error}") from error
    days = [_day(name, one) for name, one in (("start", start), ("end", end), ("split", split))]
    return MetricSet(terms, days[0], days[1], counts[0], days[2], counts[1])


def _day(name: str, value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise UsageError(
            f"The {name} {value!r} is no date", hint="Write it as 2025-01-31"
        ) from None


@dataclass(frozen=True)
class MetricSet:
    """
    Terms, and the sessions from `start` to `end` (both included) or the last `last_days` days.

    `split` is the first session of the period `oos`; those before it are `is`. `folds` is into how
    many stretches of as many sessions the range is cut, the periods `fold_1`, `fold_2` and so on.
    """

    terms: Terms = FREE
    start: date | None = None
    end: date | None = None
    last_days: int | None = None
    split: date | None = None
    folds: int | None = None

    def __post_init__(self) -> None:
        if self.terms.fill not in FILLS:
            raise UsageError(
                f"{self.terms.fill!r} is no fill", hint=f"Take one of: {', '.join(FILLS)}"
            )
        if not 0 <= self.terms.cost_bps < 10_000:
            raise UsageError(
                f"A cost of {self.terms.cost_bps:g} basis points is no cost",
                hint="Give the cost one way in basis points: 1 is a hundredth of a percent",
            )
        if self.last_days is not None and (self.start is not None or self.last_days < 1):
            raise UsageError(
                "--last takes a number of days, and no --start beside it",
                hint="Write --last 90d, or --start and --end",
            )
        if self.folds is not None and not 2 <= self.folds <= 100:
            raise UsageError(
                f"{self.folds} folds are none", hint="Cut the range into 2 to 100 of them"
            )
        if self.start is not None and self.end is not None and self.end < self.start:
            raise UsageError(
                f"The range ends ({self.end}) before it starts ({self.start})",
                hint="Give --start the earlier date",
            )

    @property
    def key(self) -> dict[str, object]:
        """What tells one set from another; its split and folds are those asked for last."""
        return {
            "cost_bps": self.terms.cost_bps,
            "fill": self.terms.fill,
            "range_start": self.start,
            "range_end": self.end,
            "last_days": self.last_days,
        }

    def periods(self, market: Market) -> dict[str, tuple[int, int]]:
        """Return the first and last bar of each period on a price series; last < first is none."""
        dates = market.series.session_dates
        low = _ALWAYS if self.start is None else np.datetime64(self.start)
        high = _NEVER if self.end is None else np.datetime64(self.end)
        if self.last_days is not None:
            low = min(high, dates[-1]) - np.timedelta64(self.last_days - 1, "D")
        made = {"all": _bars(market, low, high)}
        if self.split is not None:
            split = np.datetime64(self.split)
            made["is"] = _bars(market, low, min(high, split - np.timedelta64(1, "D")))
            made["oos"] = _bars(market, max(low, split), high)
        if self.folds is not None:
            first = int(np.searchsorted(dates, low))
            last = int(np.searchsorted(dates, high, "right"))
            parts = np.array_split(dates[first:last], self.folds)
            for number, part in enumerate(parts, 1):
                made[f"fold_{number}"] = _bars(market, part[0], part[-1]) if len(part) else (0, -1)
        return made


def in_words(wanted: MetricSet) -> str:
    """Return the terms and the sessions of a set as people say them."""
    fill = "its bar's close" if wanted.terms.fill == "close" else "the next open"
    said = f"cost {wanted.terms.cost_bps:g} bps one way, filled at {fill}"
    said += f", from {wanted.start}" if wanted.start else ""
    said += f", to {wanted.end}" if wanted.end else ""
    said += f", the last {wanted.last_days} days" if wanted.last_days else ""
    return said + (f"; out of sample from {wanted.split}" if wanted.split else "")


def options_of(wanted: MetricSet) -> str:
    """Return the options that name a set on the command line, each with a space before it."""
    options = ""
    if wanted.terms.cost_bps:
        options += f" --cost-bps {wanted.terms.cost_bps:g}"
    if wanted.terms.fill != "close":
        options += f" --fill {wanted.terms.fill}"
    for name, value in (("start", wanted.start), ("end", wanted.end)):
        options += f" --{name} {value}" if value is not None else ""
    return options + (f" --last {wanted.last_days}d" if wanted.last_days is not None else "")


def find_set(con: DuckDBPyConnection, wanted: MetricSet) -> tuple[int | None, MetricSet]:
    """Return the number of a set, and the set with the split and the folds that it has."""
    rows = con.execute(statement("select_metric_set"), wanted.key).fetchall()
    if not rows:
        return None, wanted
    ((number, split, folds),) = rows
    return number, replace(wanted, split=split, folds=folds)


def record_set(
    con: DuckDBPyConnection, wanted: MetricSet, *, is_partial: bool
) -> tuple[int, MetricSet]:
    """
    Return the number of a set, which is made where it is new, and the set as it is now.

    What is not asked for stays as it was: a split, or folds. Belongs in a transaction.

    Raises:
        UsageError: other periods are asked for some traces only.
    """
    number, known = find_set(con, wanted)
    if number is None:
        ((number,),) = con.execute(statement("insert_metric_set"), wanted.key).fetchall()
        known = replace(wanted, split=None, folds=None)
    split, folds = wanted.split or known.split, wanted.folds or known.folds
    now = replace(wanted, split=split, folds=folds)
    if now != known:
        if is_partial and (known.split or known.folds):
            raise UsageError(
                "A split, or folds, hold for all traces of a metric set",
                hint="Give --split and --folds without --where",
            )
        con.execute(statement("update_split"), {"set_id": number, "split": split, "folds": folds})
        con.execute(statement("delete_split_metrics"), {"set_id": number})
    return int(number), now


def _bars(market: Market, low: np.datetime64, high: np.datetime64) -> tuple[int, int]:
    """Return the first and last bar of the sessions from one date to another."""
    dates = market.series.session_dates
    first = int(np.searchsorted(dates, low))
    last = int(np.searchsorted(dates, high, "right")) - 1
    if first >= len(dates) or last < first:
        return 0, -1
    return int(market.grid.starts[first]), int(market.grid.ends[last])
