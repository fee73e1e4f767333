"""Find strategies by their parameters, without writing SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from duckdb import (
    ColumnExpression,
    ConstantExpression,
    DuckDBPyConnection,
    Expression,
    FunctionExpression,
    StarExpression,
)

from catalog.errors import QueryError
from catalog.query.conditions import (
    Condition,
    all_of,
    any_of,
    as_expression,
    parse_condition,
    tagged,
)
from catalog.query.drawn import drawn
from catalog.statements import statement
from catalog.store.database import reading

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Found:
    """
    The strategies found: as many rows as were asked for, and how many there are in all.

    Beside the hash and the type stand the parameters that any of these rows has.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    """What DuckDB calls the type of each column."""
    rows: list[tuple[Any, ...]]
    total: int
    drawn: str | None = None
    """The rows as a table of text, where a width was given."""

    @cached_property
    def table(self) -> pa.Table:
        """The rows as an Arrow table."""
        import pyarrow as pa

        from catalog.store.parameter_types import ARROW_TYPES

        values = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        arrays = [
            pa.array(column, ARROW_TYPES[kind])
            for column, kind in zip(values, self.types, strict=True)
        ]
        return pa.table(arrays, names=list(self.columns))


def find(
    catalog: Path,
    conditions: Sequence[str],
    *,
    strategy_type: str | None,
    limit: int | None,
    tags: Sequence[str] = (),
    width: int | None = None,
) -> Found:
    """
    Return the strategies that meet all conditions, with the parameters that they have.

    Args:
        tags: only those that have all of these tags, or a trace that has them.
        width: also draw them as a table of so many characters.

    Raises:
        UsageError: a condition is malformed.
        QueryError: there is no such parameter.
        StoreError: the catalog cannot be used.
    """
    parsed = [parse_condition(condition) for condition in conditions]
    with reading(catalog) as con:
        columns = _parameter_columns(con)
        wanted = _wanted(parsed, columns, strategy_type, tags)
        try:
            return _find(con, columns, wanted, limit=limit, width=width)
        except duckdb.Error as error:
            raise QueryError(
                f"The conditions cannot be compared: {str(error).splitlines()[0]}",
                hint='See what the parameters are with: catalog sql "from parameters"',
            ) from error


def matching_keys(
    con: DuckDBPyConnection,
    conditions: Sequence[str],
    *,
    strategy_type: str | None = None,
    tags: Sequence[str] = (),
) -> list[str]:
    """
    Return the keys of the strategies that `find` would find.

    Raises:
        UsageError: a condition is malformed.
        QueryError: there is no such parameter.
    """
    parsed = [parse_condition(condition) for condition in conditions]
    wanted = _wanted(parsed, _parameter_columns(con), strategy_type, tags)
    query = _select([ColumnExpression("strategy_key")], wanted, "order by all")
    return [str(key) for (key,) in con.execute(query).fetchall()]


def _wanted(
    conditions: Sequence[Condition],
    columns: dict[str, dict[str, list[str]]],
    strategy_type: str | None,
    tags: Sequence[str],
) -> list[Expression]:
    wanted = [as_expression(condition, columns) for condition in conditions]
    if strategy_type is not None:
        wanted.append(ColumnExpression("strategy_type") == ConstantExpression(strategy_type))
    return wanted + [tagged(tag) for tag in tags]


def _find(
    con: DuckDBPyConnection,
    columns: Mapping[str, Mapping[str, Sequence[str]]],
    wanted: Sequence[Expression],
    *,
    limit: int | None,
    width: int | None,
) -> Found:
    strategy_type = ColumnExpression("strategy_type")
    count = FunctionExpression("count", StarExpression())
    counts: dict[str | None, int] = dict(
        con.execute(_select([strategy_type, count], wanted, "group by all")).fetchall()
    )
    # They are sorted by type: those of the last types need not be looked at.
    first = _first_types(counts, limit)
    if len(first) < len(counts):
        wanted = [*wanted, _is_one_of(strategy_type, first)]
    names = _columns_of(con, columns, first)
    shown = ["strategy_hash", "strategy_type", *names]
    keys = (ColumnExpression(name) for name in ("strategy_type", *names, "strategy_key"))
    rest = f"order by {', '.join(f'{key} nulls first' for key in keys)}"
    if limit is not None:
        rest += f" limit {limit:d}"
    rows = con.sql(_select(map(ColumnExpression, shown), wanted, rest)).materialize()
    values = rows.fetchall()
    used = [name for name, *several in zip(shown, *values, strict=True) if _is_used(name, several)]
    if used != shown:
        rows = rows.select(*map(ColumnExpression, used))
        values = rows.fetchall()
    return Found(
        columns=tuple(used),
        types=tuple(map(str, rows.types)),
        rows=values,
        total=sum(counts.values()),
        drawn=None if width is None else drawn(rows, width=width, rows=len(values)),
    )


def _select(expressions: Iterable[Expression], wanted: Sequence[Expression], rest: str) -> str:
    """
    Return a query on strategies.

    DuckDB's own expressions write their names and values: that of sqlglot alone would take as
    long to load as finding takes, of which a person should notice nothing. It reads the table
    behind the view, which is as wide as all parameters of all types together.
    """
    where = f"where {all_of(*wanted)}" if wanted else ""
    return f"select {', '.join(map(str, expressions))} from strategy {where} {rest}"


def _parameter_columns(con: DuckDBPyConnection) -> dict[str, dict[str, list[str]]]:
    """Return the columns by the parameter's name and by their form, number or text."""
    columns: dict[str, dict[str, list[str]]] = {}
    for name, form, column in con.execute(statement("select_parameter_forms")).fetchall():
        columns.setdefault(name, {}).setdefault(form, []).append(column)
    return columns


def _first_types(counts: Mapping[str | None, int], limit: int | None) -> list[str | None]:
    """Return the types, in the order of rows, that so many rows are of; NULL is the first."""
    first: list[str | None] = []
    rows = 0
    for one in sorted(counts, key=lambda one: (one is not None, one)):
        if limit is None or rows < limit:
            first.append(one)
            rows += counts[one]
    return first


def _is_one_of(column: Expression, values: Sequence[str | None]) -> Expression:
    equal = [column == ConstantExpression(value) for value in values if value is not None]
    return any_of(*equal, *([column.isnull()] if None in values else []))


def _columns_of(
    con: DuckDBPyConnection,
    columns: Mapping[str, Mapping[str, Sequence[str]]],
    types: Sequence[str | None],
) -> list[str]:
    """Return the parameter columns in which strategies of some types may have values."""
    every = [c for forms in columns.values() for several in forms.values() for c in several]
    if None in types:
        return every
    rows = con.execute(statement("select_columns_of_types"), {"types": list(types)}).fetchall()
    return [column for column in every if (column,) in rows]


def _is_used(name: str, values: Sequence[object]) -> bool:
    return not name.startswith("param_") or any(value is not None for value in values)
