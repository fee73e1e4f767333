"""The landscape: a metric over two parameters, and the strategies behind each cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.errors import QueryError
from catalog.plots.axes import OTHERS, Axis
from catalog.plots.cells import NEUTRAL, heat_map, step_text
from catalog.plots.charts import Chart
from catalog.plots.landscape import METRICS, MOST_MAPS, Landscape, read_landscape
from catalog.web.facets import Facets, facets_of, parameters_of
from catalog.web.list_asked import MAX, MIN
from catalog.web.page import catalog_of, render
from catalog.web.values import choice

BEST: Final = 12
"""Cells that are listed with a link, for who does not use a pointer."""


@dataclass(frozen=True)
class Asked:
    """What the address asks for; an empty text stands for what the page chooses."""

    strategy_type: str = ""
    symbol: str = ""
    metric: str = "sharpe"
    x: str = ""
    y: str = ""
    facet: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell in words: where it is, what is there, and the address of the strategies behind it."""

    place: str
    value: float | None
    plateau: float | None
    count: int
    address: str


def page(request: Request) -> Response:
    """Answer with the landscape that the address asks for."""
    catalog = catalog_of(request)
    facets = facets_of(catalog)
    asked = read(request.query_params, facets)
    names = []
    if asked.strategy_type:
        names = [one.column.label for one in parameters_of(catalog, asked.strategy_type)]
    found, why_not = None, None
    try:
        found = read_landscape(
            catalog.path,
            metric=asked.metric,
            x=asked.x or None,
            y=asked.y or None,
            facet=asked.facet or None,
            where=condition(asked),
        )
    except QueryError as error:
        why_not = error  # The form stays, so that something else can be chosen.
    return render(
        request,
        "landscape",
        asked=asked,
        facets=facets,
        metrics=METRICS,
        axes=[*names, *OTHERS],
        found=found,
        why_not=why_not,
        **({} if found is None else shown(found, asked)),
    )


def read(query: Mapping[str, str], facets: Facets) -> Asked:
    """
    Read what an address asks for; the type with most strategies unless it names one.

    Raises:
        UsageError: there is no such metric, type or symbol.
    """
    types = [value for value, _ in facets.of("strategy_type")]
    symbols = [value for value, _ in facets.of("symbol")]
    return Asked(
        strategy_type=choice(query, "strategy_type", types, types[0]) if types else "",
        symbol=choice(query, "symbol", ["", *symbols], ""),
        metric=choice(query, "metric", METRICS, Asked.metric),
        x=query.get("x", ""),
        y=query.get("y", ""),
        facet=query.get("facet", ""),
    )


def condition(asked: Asked) -> str | None:
    """Return the condition on `leaderboard` that an address means, None for none."""
    wanted = {"strategy_type": asked.strategy_type, "symbol": asked.symbol}
    parts = [
        exp.column(name).eq(exp.Literal.string(value)).sql(dialect="duckdb")
        for name, value in wanted.items()
        if value
    ]
    return " and ".join(parts) or None


def shown(found: Landscape, asked: Asked) -> dict[str, Any]:
    """Return the charts of a landscape, and its best cells, each with where a click leads."""
    cells = found.cells
    values = list(dict.fromkeys(cells["facet"].to_pylist()))
    if len(values) > MOST_MAPS:
        kept = pa.array(values[:MOST_MAPS], cells["facet"].type)
        cells = cells.filter(pc.is_in(cells["facet"], value_set=kept))
    axes = {"x": found.x, "y": found.y} | ({"facet": found.facet} if found.facet else {})
    addresses = [address(row, axes, asked) for row in cells.to_pylist()]
    cells = cells.append_column("address", pa.array(addresses, pa.string()))
    return {
        "value_map": draw(found, cells),
        "plateau_map": draw(found, with_plateaus(cells)),
        "left_out": len(values) - MOST_MAPS,
        "best": best(cells, found, axes),
    }


def address(cell: Mapping[str, Any], axes: Mapping[str, Axis], asked: Asked) -> str:
    """Return the address of the strategies behind a cell."""
    base = {"strategy_type": asked.strategy_type, "symbol": asked.symbol}
    pairs = [(name, value) for name, value in base.items() if value]
    for name, axis in axes.items():
        first, last = cell[name], cell[f"{name}_last"]
        if first == last:
            pairs.append((axis.column, first))
        else:
            pairs += [(axis.column + MIN, first), (axis.column + MAX, last)]
    return "/?" + urlencode(pairs)


def draw(found: Landscape, cells: pa.Table) -> Chart:
    """Return a heat map of cells."""
    facet = None if found.facet is None else found.facet.name
    return heat_map(cells, x=found.x.name, y=found.y.name, value=found.metric, facet=facet)


def with_plateaus(cells: pa.Table) -> pa.Table:
    """Return cells with the median of those beside each in the place of its own value."""
    return cells.set_column(cells.column_names.index("value"), "value", cells["plateau"])


def best(cells: pa.Table, found: Landscape, axes: Mapping[str, Axis]) -> list[Cell]:
    """Return the cells with the best neighbourhood, or where no figure is better, the greatest."""
    by = "value" if found.metric in NEUTRAL else "plateau"
    rows = [row for row in cells.to_pylist() if row[by] is not None]
    rows.sort(key=lambda row: (-row[by], -(row["value"] if row["value"] is not None else 0.0)))
    return [
        Cell(
            place=", ".join(f"{axis.name} {step_text(row, name)}" for name, axis in axes.items()),
            value=row["value"],
            plateau=row["plateau"],
            count=row["count"],
            address=row["address"],
        )
        for row in rows[:BEST]
    ]


ROUTES: Final = [Route("/landscape", page)]
