"""The ranking: the best strategies, and in plain words how much of that luck explains."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.abandoned import one_at_a_time
from catalog.compare.rank import RANKED_BY, Ranking
from catalog.errors import QueryError, UsageError
from catalog.metrics.sets import FILLS, in_words
from catalog.query.files import reads_files
from catalog.query.parsing import parse_condition
from catalog.web.columns import Column
from catalog.web.facets import Facets, facets_of
from catalog.web.page import catalog_of, render
from catalog.web.table import Cell, cell
from catalog.web.values import choice, number, whole

MOST_ROWS: Final = 1_000
# Of a hundred thousand strategies each takes some 100 MB.
_ranking: Final = threading.RLock()


@dataclass(frozen=True)
class Asked:
    """What the address asks for; `cost_bps` is one way, in basis points of equity."""

    by: str = "sharpe"
    where: str = ""
    top: int = 20
    cost_bps: float = 0.0
    fill: str = "close"
    pbo: bool = False


@dataclass(frozen=True)
class Row:
    """A trace of a ranking: what leads to it, and a cell for each column."""

    address: str
    cells: list[Cell]


def page(request: Request) -> Response:
    """Answer with the ranking that the address asks for."""
    catalog = catalog_of(request)
    asked, ranking, why_not, status = as_written(request.query_params), None, None, 200
    try:
        asked = read(request.query_params)
        with one_at_a_time(_ranking):
            ranking = catalog.rank(
                by=asked.by,
                where=asked.where or None,
                top=asked.top,
                cost_bps=asked.cost_bps,
                fill=asked.fill,
                pbo=asked.pbo,
            )
    except (QueryError, UsageError) as error:
        why_not, status = error, 400  # The form stays, so that something else can be asked for.
    columns = [] if ranking is None else columns_of(ranking, facets_of(catalog))
    return render(
        request,
        "ranking",
        status=status,
        asked=asked,
        choices=RANKED_BY,
        fills=FILLS,
        ranking=ranking,
        why_not=why_not,
        terms="" if ranking is None else in_words(ranking.wanted),
        columns=columns,
        rows=[] if ranking is None else rows_of(ranking, columns),
    )


def columns_of(ranking: Ranking, facets: Facets) -> list[Column]:
    """Return the columns of a ranking as this page orders them: the figures before parameters."""
    found = ranking.rows
    columns = [
        facets.columns.get(name) or Column(name, kind)
        for name, kind in zip(found.columns, found.types, strict=True)
    ]
    return sorted(columns, key=lambda one: one.is_parameter or one.name == "parameters")


def rows_of(ranking: Ranking, columns: Sequence[Column]) -> list[Row]:
    """Return the rows of a ranking, the best first."""
    table = ranking.rows.table
    values = [table[column.name].to_pylist() for column in columns]
    return [
        Row(
            f"/strategies/{quote(key, safe='')}?trace={quote(trace_id, safe='')}",
            [cell(own[place], column) for own, column in zip(values, columns, strict=True)],
        )
        for place, (key, trace_id) in enumerate(zip(ranking.keys, ranking.trace_ids, strict=True))
    ]


def read(query: Mapping[str, str]) -> Asked:
    """
    Read what an address asks for.

    Raises:
        UsageError: a value is none of those that can be asked for.
        QueryError: the condition is none.
    """
    asked = Asked(
        where=query.get("where", "").strip(),
        pbo="pbo" in query,
        **{name: take(query) for name, take in _TAKEN.items()},
    )
    if asked.where and reads_files(parse_condition(asked.where)):
        # Another page could have sent the browser here.
        raise UsageError(
            "A page reads no files by name", hint="On a terminal: catalog rank --where"
        )
    return asked


def as_written(query: Mapping[str, str]) -> Asked:
    """Return what the form of a page shows: what is wrong is left out, but for the condition."""
    values: dict[str, Any] = {}
    for name, take in _TAKEN.items():
        with suppress(UsageError):
            values[name] = take(query)
    return Asked(where=query.get("where", "").strip(), pbo="pbo" in query, **values)


def _top(query: Mapping[str, str]) -> int:
    top = whole(query, "top", Asked.top)
    if not 1 <= top <= MOST_ROWS:
        raise UsageError("So many rows cannot be shown", hint=f"Take 1 to {MOST_ROWS:,}")
    return top


_TAKEN: Final[dict[str, Callable[[Mapping[str, str]], Any]]] = {
    "by": lambda query: choice(query, "by", RANKED_BY, Asked.by),
    "top": _top,
    "cost_bps": lambda query: number(query, "cost_bps", Asked.cost_bps),
    "fill": lambda query: choice(query, "fill", FILLS, Asked.fill),
}
ROUTES: Final = [Route("/ranking", page)]
