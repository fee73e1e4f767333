"""What one trace earned, as tables for people: figures by period and regime, and months by year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from catalog.metrics.sets import MetricSet, in_words
from catalog.metrics.terms import Terms
from catalog.query.rows import Row

FIGURES: Final = (
    "sharpe", "total_return", "annual_return", "volatility", "sortino", "calmar", "max_drawdown",
    "deflated_sharpe", "trades", "hit_rate", "profit_factor", "mean_holding", "exposure",
    "time_in_market", "turnover", "breakeven_cost_bps", "benchmark_sharpe", "benchmark_return",
    "beta", "alpha", "correlation", "sessions",
)  # fmt: skip
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Figures:
    """Figures of one metric set: a column a period or regime, a row a figure."""

    terms: str
    columns: list[str]
    rows: list[tuple[str, list[Any]]]
    notes: list[str]


@dataclass(frozen=True)
class Year:
    """What each month of a year earned, None where it was not traded, and the whole year."""

    year: int
    months: list[float | None]
    total: float


def figures(rows: list[Row]) -> list[Figures]:
    """Return the figures of each metric set, side by side: whole, in and out of sample, regimes."""
    sets: dict[int, list[Row]] = {}
    for row in rows:
        sets.setdefault(row["set_id"], []).append(row)
    return [
        Figures(
            terms=_terms(members[0]),
            columns=[_period(row) for row in members],
            rows=[(name, [row[name] for row in members]) for name in FIGURES],
            notes=list(dict.fromkeys(row["note"] for row in members if row["note"])),
        )
        for members in sets.values()
    ]


def _terms(row: Row) -> str:
    terms = Terms(row["cost_bps"], row["fill"])
    range_ = (row["range_start"], row["range_end"], row["last_days"], row["split"])
    return in_words(MetricSet(terms, *range_))


def _period(row: Row) -> str:
    period = {"all": "all", "is": "in sample", "oos": "out of sample"}.get(
        row["period"], str(row["period"]).replace("_", " ")
    )
    if row["regime"] is None:
        return period
    return f"{row['classifier']}: {row['regime']}" + ("" if period == "all" else f", {period}")


def years(rows: list[Row]) -> list[Year]:
    """Return the months by years, the newest first."""
    found: dict[int, dict[int, float]] = {}
    for row in rows:
        found.setdefault(row["year"], {})[row["month"]] = row["earned"]
    made = []
    for year, months in sorted(found.items(), reverse=True):
        total = 1.0
        for value in months.values():
            total *= 1 + value
        made.append(Year(year, [months.get(month) for month in range(1, 13)], total - 1))
    return made
