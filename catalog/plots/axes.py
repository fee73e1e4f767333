"""Which columns a landscape is drawn over: those that were named, else those with most values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from catalog.errors import QueryError, UsageError
from catalog.query.parsing import parse_condition
from catalog.query.rows import Row
from catalog.query.run import execute, run_query
from catalog.statements import statement
from catalog.store.database import reading

OTHERS = ("symbol", "timeframe", "strategy_type", "run_id")
"""What can be an axis beside parameters."""


@dataclass(frozen=True)
class Axis:
    """What an axis shows: a name for people, its column, whether its values are numbers."""

    name: str
    column: str
    is_number: bool


@dataclass(frozen=True)
class Axes:
    """The axes of a landscape, and the type that was taken because no parameters were named."""

    x: Axis
    y: Axis
    facet: Axis | None
    strategy_type: str | None


def find_axes(
    catalog: Path,
    metric: str,
    *,
    x: str | None,
    y: str | None,
    facet: str | None,
    where: str | None,
) -> Axes:
    """
    Return the axes that are meant; where x or y is None, a parameter with as many values as any.

    Raises:
        UsageError: there is no such parameter, or one of them twice.
        QueryError: the condition is none, or nothing meets it; or no two parameters vary.
        StoreError: the catalog cannot be used.
    """
    with reading(catalog) as con:
        known = execute(con, statement("view_parameters")).table.to_pylist()
    given = [None if name is None else _axis(name, known) for name in (x, y, facet)]
    columns = [axis.column for axis in given if axis is not None]
    if len(set(columns)) < len(columns):
        raise UsageError(
            "An axis and another one are the same parameter", hint="Name two that differ"
        )
    if given[0] is not None and given[1] is not None:
        return Axes(given[0], given[1], given[2], None)
    strategy_type = _largest_type(catalog, metric, columns, where)
    varied = [
        axis for axis in _varied(catalog, strategy_type, known, where) if axis.column not in columns
    ]
    lacking = [place for place in (0, 1) if given[place] is None]
    if len(varied) < len(lacking):
        raise QueryError(
            f"Among the strategies of type {strategy_type}, too few parameters vary for two axes",
            hint="Name them with --x and --y, or another type with --where \"strategy_type = '…'\"",
        )
    # The one with more values lies along the longer side.
    for place, axis in zip(lacking, varied, strict=False):
        given[place] = axis
    first, second, third = given
    assert first is not None and second is not None  # noqa: S101 - both were just filled
    return Axes(first, second, third, strategy_type)


def _axis(name: str, known: list[Row]) -> Axis:
    wanted = name.lower()
    if wanted in OTHERS:
        return Axis(wanted, wanted, False)
    for exactly in ("column_name", "parameter"):
        # Numbers before words, where a parameter has both.
        for form in ("number", "text"):
            for row in known:
                if row["column_name"] and row["form"] == form and row[exactly].lower() == wanted:
                    return _of(row)
    names = sorted({row["parameter"] for row in known if row["column_name"]})
    there = f"There are: {', '.join(names[:30])}" if names else "No strategy has parameters"
    more = f" and {len(names) - 30} more" if len(names) > 30 else ""
    raise UsageError(f"There is no parameter {name!r}", hint=f"{there}{more}")


def _of(row: Row) -> Axis:
    is_number = row["form"] == "number" and row["column_type"] != "BOOLEAN"
    return Axis(row["parameter"], row["column_name"], is_number)


def _largest_type(catalog: Path, metric: str, columns: list[str], where: str | None) -> str:
    """Return the type of most strategies that meet a condition; of those measured if any are."""
    measured = exp.column(metric, quoted=True)
    query = (
        exp.select("strategy_type")
        .from_("leaderboard")
        .where("strategy_type is not null")
        .group_by("strategy_type")
        .order_by(exp.Ordered(this=exp.Count(this=measured), desc=True))
        .order_by("count(*) desc", "strategy_type", dialect="duckdb")
        .limit(1)
    )
    for name in columns:
        query = query.where(exp.column(name, quoted=True).is_(exp.null()).not_())
    if where is not None:
        query = query.where(parse_condition(where))
    found = run_query(catalog, query.sql("duckdb")).fetchall()
    if not found:
        raise QueryError(
            "No strategy whose parameters are known" + (f" meets: {where}" if where else ""),
            hint='See what there is: catalog sql "from leaderboard limit 5"',
        )
    return str(found[0][0])


def _varied(catalog: Path, strategy_type: str, known: list[Row], where: str | None) -> list[Axis]:
    """Return the parameters of a type that have two values or more, the most first."""
    values = {"types": [strategy_type]}
    with reading(catalog) as con:
        own = {
            row[0] for row in con.execute(statement("select_columns_of_types"), values).fetchall()
        }
    axes = [_of(row) for row in known if row["column_name"] in own]
    if not axes:
        return []
    counts = (
        exp.Count(this=exp.Distinct(expressions=[exp.column(axis.column, quoted=True)]))
        for axis in axes
    )
    query = (
        exp.select(*counts)
        .from_("leaderboard")
        .where("strategy_type = $strategy_type", dialect="duckdb")
    )
    if where is not None:
        query = query.where(parse_condition(where))
    (row,) = run_query(catalog, query.sql("duckdb"), {"strategy_type": strategy_type}).fetchall()
    counted = [(axis, count) for axis, count in zip(axes, row, strict=True) if count > 1]
    counted.sort(key=lambda one: (not one[0].is_number, -one[1], one[0].name))
    return [axis for axis, _ in counted]
