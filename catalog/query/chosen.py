"""Which signal traces somebody means: those of a run, or that meet a condition."""

from __future__ import annotations

from pathlib import Path

from sqlglot import exp

from catalog.errors import QueryError
from catalog.query.parsing import parse_condition
from catalog.query.run import run_query


def chosen_ids(catalog: Path, *, run: str | None, where: str | None) -> list[str] | None:
    """
    Return the ids of the signal traces of a run, or that meet a condition; None for all.

    Args:
        where: a condition on the columns of `strategy_index`.

    Raises:
        QueryError: the condition is none, or nothing meets it.
    """
    if run is None and where is None:
        return None
    query = exp.select("trace_id").from_("strategy_index")
    values: dict[str, object] = {}
    if run is not None:
        query, values = query.where("run_id = $run"), {"run": run}
    if where is not None:
        query = query.where(parse_condition(where))
    found = [row[0] for row in run_query(catalog, query.sql("duckdb"), values).fetchall()]
    if not found:
        raise QueryError(
            "No signal trace is meant by that",
            hint='See the runs with: catalog sql "from runs"',
        )
    return found
