"""Two to ten strategies side by side: what they earned, what differs, and since when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from sqlglot import exp
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.catalog import Catalog
from catalog.compare.diff import Diff
from catalog.compare.parameters import side_by_side
from catalog.errors import CatalogError, QueryError, UsageError
from catalog.plots.charts import Chart, correlation_chart
from catalog.plots.curves import POINTS
from catalog.query.rows import Row
from catalog.reports.figures import FIGURES, SHARES
from catalog.reports.rows import asked
from catalog.reports.trace import attempt, draw
from catalog.web.page import catalog_of, render
from catalog.web.pages.strategy import chosen

FEWEST: Final = 2
MOST: Final = 10
LESS_IS_MORE: Final = frozenset({"volatility", "turnover"})
"""Figures of which the least is the best one."""
NEITHER: Final = frozenset(
    {"trades", "exposure", "time_in_market", "mean_holding", "sessions", "correlation", "beta",
     "benchmark_sharpe", "benchmark_return"}
)  # fmt: skip
"""Figures of which neither the least nor the most is better."""


@dataclass(frozen=True)
class Figure:
    """One figure of each strategy; `best` are the places of the best ones."""

    name: str
    values: list[Any]
    best: frozenset[int] = frozenset()


def page(request: Request) -> Response:
    """Answer with the comparison of the strategies that the address names."""
    catalog = catalog_of(request)
    names = list(dict.fromkeys(name for name in request.query_params.getlist("s") if name))
    added = [name for text in request.query_params.getlist("add") for name in text.split()]
    names = list(dict.fromkeys([*names, *added]))
    if len(names) > MOST:
        raise UsageError(
            f"{len(names)} strategies cannot be compared at a time", hint=f"Take {MOST} at most"
        )
    traces = [find(catalog, name) for name in names]
    # Two names may be of one trace.
    traces = list({trace["trace_id"]: trace for trace in traces}.values())
    compared = compare(catalog, traces) if len(traces) >= FEWEST else {}
    return render(request, "compare", traces=traces, most=MOST, **compared)


def find(catalog: Catalog, name: str) -> Row:
    """
    Return the signal trace that a name stands for: of a strategy, its latest one.

    Raises:
        QueryError: nothing goes by the name, more than one thing does, or it has no signal trace.
    """
    key = catalog.show(name).strategy["strategy_key"]
    found = [
        trace
        for trace in asked(catalog.path, "web_strategy_traces", strategy_key=key)
        if trace["kind"] == "signal"
    ]
    if not found:
        raise QueryError(f"{name} has no trace of signals", hint="Choose another strategy")
    return {**(chosen(found, name, {}) or found[0]), "strategy_key": key}


def compare(catalog: Catalog, traces: Sequence[Row]) -> dict[str, Any]:
    """Return what a comparison shows; in the place of what is not known, why it is not."""
    ids = [trace["trace_id"] for trace in traces]
    drawn, why_not_drawn = attempt(lambda: draw(catalog.path, ids, points=POINTS))
    related, why_not_related = attempt(lambda: _correlate(catalog, traces))
    figures = {
        row["trace_id"]: row for row in asked(catalog.path, "web_compare_figures", trace_ids=ids)
    }
    configs = asked(catalog.path, "web_compare_configs", trace_ids=ids)
    texts = {row["trace_id"]: row["config"] for row in configs}
    parameters = side_by_side([json.loads(texts[one]) if texts.get(one) else None for one in ids])
    return {
        "charts": drawn,
        "why_no_charts": why_not_drawn,
        "correlations": related,
        "why_no_correlations": why_not_related,
        "figures": [compare_figure(name, [figures.get(one, {}).get(name) for one in ids])
                    for name in FIGURES],
        "shares": SHARES,
        "different": [one for one in parameters if not one.is_alike],
        "common": [one for one in parameters if one.is_alike],
        "pairs": [_diff(catalog, one, other) for one, other in pairs(traces)],
    }  # fmt: skip


def pairs(traces: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Return the pairs that are compared bar by bar: of more than three, each with the first."""
    if len(traces) <= 3:
        return list(combinations(traces, 2))
    return [(traces[0], other) for other in traces[1:]]


def compare_figure(name: str, values: list[Any]) -> Figure:
    """Return a figure of each, with the places of the best ones where one is better at all."""
    known = [value for value in values if value is not None]
    if name in NEITHER or len(known) < 2 or len(set(known)) == 1:
        return Figure(name, values)
    best = min(known) if name in LESS_IS_MORE else max(known)
    return Figure(name, values, frozenset(i for i, one in enumerate(values) if one == best))


def _correlate(catalog: Catalog, traces: Sequence[Row]) -> Chart:
    strategies = {(one["strategy_key"], one["symbol"], one["timeframe"]) for one in traces}
    if len(strategies) < FEWEST:
        raise QueryError(
            "These are traces of one strategy on one symbol, of which only the latest counts here"
        )
    ids = [trace["trace_id"] for trace in traces]
    where = exp.column("trace_id").isin(*ids).sql("duckdb")
    found = catalog.correlate(where=where, top=MOST)
    return correlation_chart(found.pairs(), names=found.names)


def _diff(catalog: Catalog, one: Row, other: Row) -> tuple[Row, Row, Diff | CatalogError]:
    found, why_not = attempt(lambda: catalog.diff(one["trace_id"], other["trace_id"]))
    difference = found or why_not
    assert difference is not None  # noqa: S101 - it is one of the two
    return one, other, difference


ROUTES: Final = [Route("/compare", page)]
