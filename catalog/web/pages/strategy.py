"""One strategy: its configuration, its traces, and what the chosen one of them earned and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.catalog import Catalog
from catalog.errors import CatalogError, UsageError
from catalog.plots.charts import Chart, drawdown_chart, equity_chart, position_chart
from catalog.plots.curves import read_curves
from catalog.web.page import catalog_of, render
from catalog.web.rows import Row, asked
from catalog.web.values import whole

TRADES: Final = 50
"""Trades of one page of them."""
FIGURES: Final = (
    "sharpe", "total_return", "annual_return", "volatility", "sortino", "calmar", "max_drawdown",
    "deflated_sharpe", "trades", "hit_rate", "profit_factor", "mean_holding", "exposure",
    "time_in_market", "turnover", "breakeven_cost_bps", "benchmark_sharpe", "benchmark_return",
    "beta", "alpha", "correlation", "sessions",
)  # fmt: skip
SHARES: Final = frozenset(
    {"total_return", "annual_return", "volatility", "max_drawdown", "hit_rate", "exposure",
     "time_in_market", "benchmark_return", "alpha"}
)  # fmt: skip
"""Figures that are shown in percent."""
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

T = TypeVar("T")


@dataclass(frozen=True)
class Charts:
    """What a trace grew to, how far below its peak it was, and what it held; None if unknown."""

    equity: Chart
    drawdown: Chart
    position: Chart | None


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


def page(request: Request) -> Response:
    """Answer with the page of the strategy whose key, hash or name stands in the address."""
    catalog = catalog_of(request)
    name = request.path_params["key"]
    shown = catalog.show(name)
    key = shown.strategy["strategy_key"]
    traces = asked(catalog, "web_strategy_traces", strategy_key=key)
    trace = chosen(traces, name, request.query_params)
    return render(
        request,
        "strategy",
        key=key,
        strategy=shown.strategy,
        config=shown.config,
        tags=shown.tags,
        lineage=catalog.lineage(key),
        traces=traces,
        trace=trace,
        **({} if trace is None else earned(catalog, trace, request.query_params)),
    )


def chosen(traces: list[Row], name: str, query: Mapping[str, str]) -> Row | None:
    """
    Return the trace that an address asks for, or names; else the first one, None without any.

    Raises:
        UsageError: it is no trace of this strategy.
    """
    wanted = query.get("trace")
    if not wanted:
        named = (one for one in traces if name in (one["trace_id"], one["strategy_id"]))
        return next(named, traces[0] if traces else None)
    for trace in traces:
        if trace["trace_id"] == wanted:
            return trace
    raise UsageError(
        f"This strategy has no trace {wanted}", hint="Choose one of its traces on its own page"
    )


def earned(catalog: Catalog, trace: Row, query: Mapping[str, str]) -> dict[str, Any]:
    """Return what a trace earned and how; in the place of what is not known, why it is not."""
    values = {"trace_id": trace["trace_id"]}
    number = whole(query, "trades", 1)
    if not 1 <= number <= 10_000_000:
        raise UsageError(f"There is no page {number} of trades", hint="Pages count from 1")
    skipped = {"size": TRADES, "skipped": (number - 1) * TRADES}
    charts, why_no_charts = attempt(lambda: draw(catalog, trace["trace_id"]))
    trades, why_no_trades = attempt(
        lambda: asked(catalog, "web_strategy_trades", **values, **skipped)
    )
    return {
        "charts": charts,
        "why_no_charts": why_no_charts,
        "figures": figures(asked(catalog, "web_strategy_figures", **values)),
        "shares": SHARES,
        "months": MONTHS,
        "years": years(asked(catalog, "web_strategy_months", **values)),
        "trades": trades or [],
        "why_no_trades": why_no_trades,
        "page_of_trades": number,
        "pages_of_trades": -(-trades[0]["trades"] // TRADES) if trades else 1,
        "twins": asked(catalog, "web_strategy_twins", **values),
    }


def attempt(work: Callable[[], T]) -> tuple[T | None, CatalogError | None]:
    """Return what some work gives, or the error that keeps it from that: the page has more."""
    try:
        return work(), None
    except CatalogError as error:
        return None, error


def draw(catalog: Catalog, trace_id: str) -> Charts:
    """
    Draw what a trace earned.

    Raises:
        QueryError: it has no session returns.
    """
    found = read_curves(catalog.path, [trace_id])
    is_known = found.price is not None and found.held is not None
    position = position_chart(found.price, found.held) if is_known else None
    return Charts(equity_chart(found.curves), drawdown_chart(found.curves), position)


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
    fill = "its bar's close" if row["fill"] == "close" else "the next open"
    said = f"cost {row['cost_bps']:g} bps one way, filled at {fill}"
    first, last = row["range_start"], row["range_end"]
    said += f", from {first}" if first else ""
    said += f", to {last}" if last else ""
    said += f", the last {row['last_days']} days" if row["last_days"] else ""
    return said + (f"; out of sample from {row['split']}" if row["split"] else "")


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


ROUTES: Final = [Route("/strategies/{key:path}", page)]
