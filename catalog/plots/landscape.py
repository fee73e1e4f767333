"""A metric over two parameters: how good the neighbourhood of the best strategies is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import pyarrow as pa
from sqlglot import exp, parse_one

from catalog.errors import QueryError, UsageError
from catalog.plots.axes import Axis, find_axes
from catalog.plots.plateau import best_plateau
from catalog.query.parsing import parse_condition
from catalog.query.run import run_query
from catalog.statements import statement

METRICS = (
    "sharpe", "sharpe_is", "sharpe_oos", "deflated_sharpe", "total_return", "annual_return",
    "volatility", "sortino", "calmar", "max_drawdown", "exposure", "time_in_market", "turnover",
    "trades", "hit_rate", "profit_factor", "mean_holding", "breakeven_cost_bps",
    "benchmark_sharpe", "sessions",
)  # fmt: skip
"""What a landscape can be of: the figures of `leaderboard`."""

MOST_STEPS: Final = 100
STEPS: Final = 30
MOST_MAPS: Final = 24
MAPS: Final = 6
MOST_CELLS: Final = 20_000
"""What can be seen, and what a browser draws within a second."""


@dataclass(frozen=True, eq=False)
class Landscape:
    """
    A metric over two parameters, and over a third as facets.

    `cells` has a row per cell: x, y and facet (values of the parameters; facet is NULL without
    one), value (the median of the strategies behind it, NULL where none has the metric), best
    (their greatest), count (how many they are) and plateau: the median of the values of the cells
    beside it, one step of one number away, NULL where there are none.

    A step is one value, and x_last is x; but of a number that has more than `MOST_STEPS` values,
    it is a 30th of them (`STEPS`), those next to each other from x to x_last. Likewise y, and of a
    facet with more than `MOST_MAPS` values a sixth (`MAPS`).

    `x`, `y` and `facet` are the axes with their columns. `strategy_type` is the type that was
    taken because no parameters were named, else None.
    """

    cells: pa.Table
    metric: str
    x: Axis
    y: Axis
    facet: Axis | None
    strategy_type: str | None

    @property
    def strategies(self) -> int:
        """How many strategies, each on a symbol and timeframe, are behind all cells."""
        return sum(self.cells["count"].to_pylist())

    @property
    def merged(self) -> tuple[str, ...]:
        """Which axes have so many values that a step is several of them."""
        axes = {"x": self.x, "y": self.y, "facet": self.facet}
        return tuple(
            axis.name
            for name, axis in axes.items()
            if axis is not None and not self.cells[name].equals(self.cells[f"{name}_last"])
        )

    @property
    def best_plateau(self) -> float | None:
        """
        The greatest plateau.

        None where there is none, where all are alike, or where a greater figure is no better one.
        """
        row = best_plateau(self.cells, self.metric)
        return None if row is None else float(self.cells["plateau"][row].as_py())


def read_landscape(
    catalog: Path,
    *,
    metric: str = "sharpe",
    x: str | None = None,
    y: str | None = None,
    facet: str | None = None,
    where: str | None = None,
) -> Landscape:
    """
    Return a metric over two parameters; see `Landscape`.

    Args:
        metric: a figure of `leaderboard`.
        x: a parameter, by its name or column; also symbol, timeframe, strategy_type or run_id.
            Where x or y is not given, those with most values in the largest type are taken.
        y: likewise.
        facet: likewise, but none unless given.
        where: a condition on the columns of `leaderboard`.

    Raises:
        UsageError: there is no such metric or parameter.
        QueryError: the condition is none, nothing meets it, or nothing was measured.
        StoreError: the catalog cannot be used.
    """
    if metric not in METRICS:
        raise UsageError(
            f"There is no metric {metric!r} to show", hint=f"Take one of: {', '.join(METRICS)}"
        )
    axes = find_axes(catalog, metric, x=x, y=y, facet=facet, where=where)
    columns = {
        "x_column": exp.column(axes.x.column, quoted=True),
        "y_column": exp.column(axes.y.column, quoted=True),
        "facet_column": exp.column(axes.facet.column, quoted=True) if axes.facet else exp.null(),
        "metric_column": exp.column(metric, quoted=True),
    }
    tree = cast(exp.Select, parse_one(statement("plot_landscape"), dialect="duckdb"))
    _put_in(tree, columns)
    chosen = tree.ctes[0].this
    if axes.facet is not None:
        chosen.where(columns["facet_column"].is_(exp.null()).not_(), copy=False)
    if where is not None:
        chosen.where(parse_condition(where), copy=False)
    values: dict[str, object] = {
        "x_is_number": axes.x.is_number,
        "y_is_number": axes.y.is_number,
        "facet_is_number": axes.facet is not None and axes.facet.is_number,
        "steps": STEPS,
        "maps": MAPS,
    }
    if axes.strategy_type is not None:
        chosen.where("strategy_type = $strategy_type", copy=False, dialect="duckdb")
        values["strategy_type"] = axes.strategy_type
    text = tree.sql(dialect="duckdb", comments=False)
    # Where single values make too many cells, numbers are in steps at once.
    for most in ({"most_steps": MOST_STEPS, "most_maps": MOST_MAPS},
                 {"most_steps": STEPS, "most_maps": MAPS}):  # fmt: skip
        cells = run_query(catalog, text, values | most).table
        if cells.num_rows <= MOST_CELLS:
            break
    if not cells.num_rows:
        raise QueryError(
            "No strategy has "
            + " and ".join(axis.name for axis in (axes.x, axes.y, axes.facet) if axis)
            + (f" where {where}" if where else ""),
            hint='See what they have: catalog sql "from leaderboard limit 5"',
        )
    if cells.num_rows > MOST_CELLS:
        raise QueryError(
            f"There are {cells.num_rows:,} cells over "
            + " and ".join(axis.name for axis in (axes.x, axes.y, axes.facet) if axis)
            + f", and {MOST_CELLS:,} can be seen",
            hint="Choose axes with fewer values, or a condition that leaves fewer strategies",
        )
    if cells["value"].null_count == cells.num_rows:
        raise QueryError(
            f"None of these strategies has {metric} yet",
            hint="Compute it: catalog metrics"
            + (" --split 2025-01-01" if metric in ("sharpe_is", "sharpe_oos") else "")
            + " (where that was done, metrics_note in leaderboard says why there is none)",
        )
    return Landscape(cells, metric, axes.x, axes.y, axes.facet, axes.strategy_type)


def _put_in(tree: exp.Select, columns: Mapping[str, exp.Expr]) -> None:
    for column in list(tree.find_all(exp.Column)):
        if column.name in columns:
            column.replace(columns[column.name].copy())
