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
from catalog.reports.figures import MONTHS, SHARES, figures, years
from catalog.web.page import catalog_of, render
from catalog.web.rows import Row, asked
from catalog.web.values import whole

TRADES: Final = 50
"""Trades of one page of them."""

T = TypeVar("T")


@dataclass(frozen=True)
class Charts:
    """What a trace grew to, how far below its peak it was, and what it held; None if unknown."""

    equity: Chart
    drawdown: Chart
    position: Chart | None


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
        "figures": figures(asked(catalog, "trace_figures", **values)),
        "shares": SHARES,
        "months": MONTHS,
        "years": years(asked(catalog, "trace_months", **values)),
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


ROUTES: Final = [Route("/strategies/{key:path}", page)]
