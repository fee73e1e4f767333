"""The landscape: a metric over two parameters, and the strategies behind each cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.errors import CatalogError, QueryError, UsageError
from catalog.metrics.kinds import LESS_IS_MORE, greater_is_better
from catalog.plots.axes import OTHERS, Axis
from catalog.plots.charts import Chart
from catalog.plots.heat_map import heat_map
from catalog.plots.landscape import METRICS, MOST_MAPS, Landscape, read_landscape
from catalog.plots.plateau import plateau_rank, step_text
from catalog.query.rows import Row
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
        asked = narrowed(asked, names, facets)
    found: Landscape | None = None
    why_not: CatalogError | None = None
    try:
        found = read_landscape(
            catalog.path,
            metric=asked.metric,
            x=asked.x or None,
            y=asked.y or None,
            facet=asked.facet or None,
            where=condition(asked),
        )
    except (QueryError, UsageError) as error:
        why_not = error  # The form stays, so that something else can be chosen.
    return render(
        request,
        "landscape",
        status=400 if isinstance(why_not, UsageError) else 200,
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


def narrowed(asked: Asked, names: Sequence[str], facets: Facets) -> Asked:
    """Return the same without axes that only strategies of other types have."""
    others = {one.label for one in facets.columns.values() if one.is_parameter} - {*names}
    foreign = {name: "" for name in ("x", "y", "facet") if getattr(asked, name) in others}
    return replace(asked, **foreign)


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
    axes = {"x": found.x, "y": found.y} | ({"facet": found.facet} if found.facet else {})
    addresses = [address(row, axes, asked) for row in found.cells.to_pylist()]
    cells = found.cells.append_column("address", pa.array(addresses, pa.string()))
    ordered = best_first(cells, found)
    maps = list(dict.fromkeys(row["facet"] for row in ordered))
    # Where there are more than can be seen, those with the best cells are drawn.
    drawn = pc.is_in(cells["facet"], value_set=pa.array(maps[:MOST_MAPS], cells["facet"].type))
    drawn = cells.filter(drawn)
    has_plateaus = drawn["plateau"].null_count < drawn.num_rows
    return {
        "value_map": draw(found, drawn, "value"),
        "plateau_map": draw(found, drawn, "plateau") if has_plateaus else None,
        "left_out": len(maps) - MOST_MAPS,
        "heading": heading(found),
        "best": [cell(row, axes) for row in ordered[:BEST] if row["value"] is not None],
    }


def best_first(cells: pa.Table, found: Landscape) -> list[Row]:
    """Return cells, the best plateaus first; of what is best at its least, or not, the values."""
    rows: list[Row] = cells.to_pylist()
    if greater_is_better(found.metric):
        return sorted(rows, key=plateau_rank, reverse=True)
    sign = 1 if found.metric in LESS_IS_MORE else -1
    return sorted(rows, key=lambda row: math.inf if row["value"] is None else sign * row["value"])


def heading(found: Landscape) -> str:
    """Return what the list of the first cells is called."""
    if greater_is_better(found.metric):
        return "Best plateaus"
    return "Least" if found.metric in LESS_IS_MORE else "Greatest"


def address(row: Row, axes: Mapping[str, Axis], asked: Asked) -> str:
    """Return the address of the strategies behind a cell."""
    base = {"strategy_type": asked.strategy_type, "symbol": asked.symbol}
    pairs = [(name, value) for name, value in base.items() if value]
    for name, axis in axes.items():
        first, last = row[name], row[f"{name}_last"]
        if first == last:
            pairs.append((axis.column, first))
        else:
            pairs += [(axis.column + MIN, first), (axis.column + MAX, last)]
    if any(axis.column == "run_id" for axis in axes.values()):
        pairs.append(("latest", "yes"))  # As a landscape is of the latest traces only.
    return "/?" + urlencode(pairs)


def draw(found: Landscape, cells: pa.Table, coloured_by: str) -> Chart:
    """Return a heat map of the values of cells, or of their plateaus."""
    return heat_map(
        cells,
        x=found.x.name,
        y=found.y.name,
        value=found.metric,
        facet=None if found.facet is None else found.facet.name,
        coloured_by=coloured_by,
    )


def cell(row: Row, axes: Mapping[str, Axis]) -> Cell:
    """Return a cell in words."""
    return Cell(
        place=", ".join(f"{axis.name} {step_text(row, name)}" for name, axis in axes.items()),
        value=row["value"],
        plateau=row["plateau"],
        count=row["count"],
        address=row["address"],
    )


ROUTES: Final = [Route("/landscape", page)]
