"""The ranking: the best strategies, and in plain words how much of that luck explains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.compare.rank import RANKED_BY
from catalog.errors import UsageError
from catalog.metrics.sets import FILLS
from catalog.web.page import catalog_of, render
from catalog.web.values import choice, number, whole

MOST_ROWS: Final = 1_000


@dataclass(frozen=True)
class Asked:
    """What the address asks for; `cost_bps` is one way, in basis points of equity."""

    by: str = "sharpe"
    where: str = ""
    top: int = 20
    cost_bps: float = 0.0
    fill: str = "close"
    pbo: bool = False


def page(request: Request) -> Response:
    """Answer with the ranking that the address asks for."""
    asked = read(request.query_params)
    ranking = catalog_of(request).rank(
        by=asked.by,
        where=asked.where or None,
        top=asked.top,
        cost_bps=asked.cost_bps,
        fill=asked.fill,
        pbo=asked.pbo,
    )
    return render(
        request,
        "ranking",
        asked=asked,
        choices=RANKED_BY,
        fills=FILLS,
        ranking=ranking,
        rows=list(zip(ranking.keys, ranking.trace_ids, ranking.rows.fetchall(), strict=True)),
        numbers=[is_number(field.type) for field in ranking.rows.table.schema],
    )


def is_number(kind: pa.DataType) -> bool:
    """Say whether values of a type are shown as numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def read(query: Mapping[str, str]) -> Asked:
    """
    Read what an address asks for.

    Raises:
        UsageError: a value is none of those that can be asked for.
    """
    top = whole(query, "top", Asked.top)
    if not 1 <= top <= MOST_ROWS:
        raise UsageError(f"{top:,} rows cannot be shown", hint=f"Take 1 to {MOST_ROWS:,}")
    values: dict[str, Any] = {
        "by": choice(query, "by", RANKED_BY, Asked.by),
        "where": query.get("where", "").strip(),
        "top": top,
        "cost_bps": number(query, "cost_bps", Asked.cost_bps),
        "fill": choice(query, "fill", FILLS, Asked.fill),
        "pbo": "pbo" in query,
    }
    return Asked(**values)


ROUTES: Final = [Route("/ranking", page)]
