"""Which columns a landscape is drawn over: those that were named, else those with most values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp, parse_one

from catalog.errors import QueryError, UsageError
from catalog.query.parsing import parse_condition
from catalog.query.result import Result
from catalog.query.rows import Row
from catalog.query.run import execute, run_query
from catalog.statements import statement
from catalog.store.database import reading

Ask = Callable[[str, dict[str, object]], Result]

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
    Return the axes that are meant; where x or y is None, one with most values in the largest type.

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
            raise UsageError("Two axes are the same parameter", hint="Name others, or fewer")
        if given[0] is not None and given[1] is not None:
            return Axes(given[0], given[1], given[2], None)
        pairs = execute(con, statement("plot_type_columns")).fetchall()
        of_types: dict[str, list[Axis]] = {strategy_type: [] for strategy_type, _ in pairs}
        axes = {row["column_name"]: _of(row) for row in known}
        for strategy_type, column in pairs:
            of_types[strategy_type].append(axes[column])
        if where is None:
            # That needs no join with what each of them earned.
            tree = parse_one(statement("plot_measured"), dialect="duckdb")
            measured = exp.select().from_(exp.Subquery(this=tree, alias=exp.to_identifier("m")))
            return _fill(lambda *asked: execute(con, *asked), measured, given, of_types)
    meeting = exp.select().from_("leaderboard").where(parse_condition(where))
    for more in ("strategy_type is not null", exp.column(metric).is_(exp.null()).not_()):
        meeting = meeting.where(more)
    return _fill(lambda *asked: run_query(catalog, *asked), meeting, given, of_types)


def _fill(
    ask: Ask, source: exp.Select, given: list[Axis | None], of_types: Mapping[str, list[Axis]]
) -> Axes:
    """
    Return axes with those that are lacking, which vary in the type of most strategies.

    Args:
        source: a query on strategies that were measured, which selects nothing yet.
        of_types: the parameters of each type.
    """
    taken = [axis.column for axis in given if axis is not None and axis.column not in OTHERS]
    for name in taken:
        source = source.where(exp.column(name, quoted=True).is_(exp.null()).not_())
    query = source.select("strategy_type", "count(*) as strategies", dialect="duckdb")
    query = query.group_by("strategy_type").order_by("strategies desc", "strategy_type").limit(1)
    found = ask(query.sql("duckdb"), {}).fetchall()
    if not found:
        raise QueryError(
            "None of these strategies was measured, or their parameters are not known",
            hint="Measure them: catalog metrics (it needs prices: catalog prices add FILE)",
        )
    strategy_type = str(found[0][0])
    axes = [axis for axis in of_types.get(strategy_type, []) if axis.column not in taken]
    varied = _varied(ask, source, strategy_type, axes)
    lacking = [place for place in (0, 1) if given[place] is None]
    if len(varied) < len(lacking):
        raise QueryError(
            f"Of the strategies of type {strategy_type}, too few parameters vary for two axes",
            hint="Name them with x and y, or choose another type: strategy_type = '…'",
        )
    filled = [*given]
    for place, axis in zip(lacking, varied, strict=False):
        filled[place] = axis
    first, second, third = filled
    assert first is not None and second is not None  # noqa: S101 - both were just filled
    return Axes(first, second, third, strategy_type)


def _varied(ask: Ask, source: exp.Select, strategy_type: str, axes: list[Axis]) -> list[Axis]:
    """Return the parameters that have two values or more: numbers first, the most values first."""
    if not axes:
        return []
    names = (exp.column(axis.column, quoted=True) for axis in axes)
    counts = (exp.Count(this=exp.Distinct(expressions=[name])) for name in names)
    query = source.select(*counts).where("strategy_type = $strategy_type", dialect="duckdb")
    (row,) = ask(query.sql("duckdb"), {"strategy_type": strategy_type}).fetchall()
    counted = [(axis, count) for axis, count in zip(axes, row, strict=True) if count > 1]
    counted.sort(key=lambda one: (not one[0].is_number, -one[1], one[0].name))
    return [axis for axis, _ in counted]


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
