"""One strategy: its configuration, its traces, and what the chosen one of them earned and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.catalog import Catalog
from catalog.errors import UsageError
from catalog.metrics.kinds import SHARES
from catalog.plots.curves import POINTS
from catalog.query.rows import Row
from catalog.reports.figures import MONTHS, figures
from catalog.reports.rows import ask
from catalog.reports.trace import attempt, draw, months
from catalog.web.page import catalog_of, render
from catalog.web.values import whole

TRADES: Final = 50
"""Trades of one page of them."""


def page(request: Request) -> Response:
    """Answer with the page of the strategy whose key, hash or name stands in the address."""
    catalog = catalog_of(request)
    name = request.path_params["key"]
    shown = catalog.show(name)
    key = shown.strategy["strategy_key"]
    traces = traces_of(catalog, key, request.query_params.get("trace") or name)
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


def traces_of(catalog: Catalog, strategy_key: str, name: str) -> list[Row]:
    """Return the latest traces of a strategy, a few hundred at most, and those of a name."""
    return ask(catalog.path, "web_strategy_traces", strategy_key=strategy_key, name=name)


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
    charts, why_no_charts = attempt(lambda: draw(catalog.path, [trace["trace_id"]], points=POINTS))
    trades, why_no_trades = attempt(
        lambda: ask(catalog.path, "web_strategy_trades", **values, **skipped)
    )
    return {
        "charts": charts,
        "why_no_charts": why_no_charts,
        "figures": figures(ask(catalog.path, "trace_figures", **values)),
        "shares": SHARES,
        "months": MONTHS,
        "years": months(catalog.path, trace["trace_id"]),
        "trades": trades or [],
        "why_no_trades": why_no_trades,
        "page_of_trades": number,
        "pages_of_trades": -(-trades[0]["trades"] // TRADES) if trades else 1,
        "twins": ask(catalog.path, "web_strategy_twins", **values),
    }


ROUTES: Final = [Route("/strategies/{key:path}", page)]
