"""Two to ten strategies side by side: what they earned, what differs, and since when."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.catalog import Catalog
from catalog.errors import QueryError, UsageError
from catalog.metrics.kinds import SHARES
from catalog.query.rows import Row
from catalog.web.compared import FEWEST, MOST, compare
from catalog.web.page import catalog_of, render
from catalog.web.pages.strategy import chosen, traces_of


def page(request: Request) -> Response:
    """Answer with the comparison of the strategies that the address names."""
    catalog = catalog_of(request)
    names = [name for name in request.query_params.getlist("s") if name]
    names += [name for text in request.query_params.getlist("add") for name in text.split()]
    names = list(dict.fromkeys(names))
    if len(names) > MOST:
        raise UsageError(
            f"{len(names)} strategies cannot be compared at a time", hint=f"Take {MOST} at most"
        )
    traces = [find(catalog, name) for name in names]
    # Two names may be of one trace.
    traces = list({trace["trace_id"]: trace for trace in traces}.values())
    found = compare(catalog, traces) if len(traces) >= FEWEST else None
    return render(request, "compare", traces=traces, most=MOST, found=found, shares=SHARES)


def find(catalog: Catalog, name: str) -> Row:
    """
    Return the signal trace that a name stands for: of a strategy, its latest one.

    Raises:
        QueryError: nothing goes by the name, more than one thing does, or it has no signal trace.
    """
    key = catalog.show(name).strategy["strategy_key"]
    traces = traces_of(catalog, key, name)
    signals = [trace for trace in traces if trace["kind"] == "signal"]
    if not signals:
        raise QueryError(f"{name} has no trace of signals", hint="Choose another strategy")
    return {**(chosen(signals, name, {}) or signals[0]), "strategy_key": key}


ROUTES: Final = [Route("/compare", page)]
