"""What a report and a notebook say of a run: what it holds, its best strategies, its landscapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from catalog.compare.rank import Ranking, rank
from catalog.errors import CatalogError, QueryError
from catalog.metrics.sets import MetricSet
from catalog.plots.landscape import Landscape, read_landscape
from catalog.query.rows import Row
from catalog.query.runs import find_run, list_runs
from catalog.reports.rows import ask
from catalog.statements import statement
from catalog.store.database import reading

LISTED = 10
"""Runs that an error names."""
TYPES = 6
"""Types of strategies that have a landscape of their own: those of most strategies."""


@dataclass(frozen=True, eq=False)
class Surface:
    """
    How a metric lies over two parameters of a type; in the place of it, why it is not known.

    Of the `strategies` of a run, those that a later one traced again (`superseded`) are not in it.
    """

    strategy_type: str
    strategies: int
    superseded: int
    where: str
    landscape: Landscape | None
    why_not: CatalogError | None


def read_run(catalog: Path, reference: str) -> Row:
    """
    Return the row of the run that somebody means, as `Catalog.runs` has it.

    Args:
        reference: its run_id, the beginning or end of that, its name or its folder.

    Raises:
        QueryError: nothing, or more than one run, goes by that name.
        StoreError: the catalog cannot be used.
    """
    runs: list[Row] = list_runs(catalog).table.to_pylist()
    try:
        with reading(catalog) as con:
            run_id = find_run(con, reference)
    except QueryError as error:
        if not runs:
            raise QueryError(
                f"{error}: there are no runs", hint="Register some: catalog register FOLDER"
            ) from None
        names = ", ".join(run["run_id"] for run in runs[:LISTED])
        more = f" and {len(runs) - LISTED:,} more: catalog runs" if len(runs) > LISTED else ""
        raise QueryError(str(error), hint=f"Runs there are: {names}{more}") from None
    return next(run for run in runs if run["run_id"] == run_id)


def only(run_id: str, strategy_type: str | None = None) -> str:
    """Return the condition that something is of a run, and of a type."""
    condition: exp.Expr = exp.column("run_id").eq(exp.Literal.string(run_id))
    if strategy_type is not None:
        of_type = exp.column("strategy_type").eq(exp.Literal.string(strategy_type))
        condition = exp.and_(condition, of_type)
    return condition.sql("duckdb")


def rank_run(catalog: Path, run_id: str, *, top: int) -> tuple[Ranking | None, CatalogError | None]:
    """Return the best strategies of a run; in the place of them, why they are not known."""
    try:
        return rank(catalog, MetricSet(), where=only(run_id), top=top), None
    except QueryError as error:
        return None, error


def curved(catalog: Path, trace_ids: Sequence[str]) -> list[str]:
    """Return those of some traces whose equity is known, the best by Sharpe ratio first."""
    with reading(catalog) as con:
        values = {"fill": "close", "only": list(trace_ids)}
        return [str(row[0]) for row in con.execute(statement("plot_best"), values).fetchall()]


def why_no_curves() -> QueryError:
    """Return why no equity is known where strategies were ranked."""
    return QueryError(
        "There are no session returns of these strategies", hint="Compute them: catalog metrics"
    )


def read_surfaces(catalog: Path, run_id: str) -> list[Surface]:
    """
    Return the Sharpe ratio over the two parameters with most values, of each type of a run.

    Raises:
        StoreError: the catalog cannot be used.
    """
    made = []
    for row in ask(catalog, "run_types", run=run_id)[:TYPES]:
        strategy_type, where = row["strategy_type"], only(run_id, row["strategy_type"])
        counts = row["strategies"], row["superseded"]
        landscape, why_not = None, None
        try:
            if counts[0] == counts[1]:
                raise QueryError(
                    "A later run traced all of them again, and a landscape is of the latest traces"
                )
            landscape = read_landscape(catalog, where=where)
        except QueryError as error:
            why_not = error
        made.append(Surface(strategy_type, *counts, where, landscape, why_not))
    return made
