"""Find strategies by their parameters, without writing SQL."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.errors import QueryError, UsageError
from catalog.query.run import execute
from catalog.statements import statement
from catalog.store.database import reading

_CONDITION = re.compile(r"\s*([^<>=!]+?)\s*(>=|<=|!=|=|>|<)\s*(.*?)\s*", re.DOTALL)
_OPERATORS = {
    "=": exp.EQ, "!=": exp.NEQ, ">": exp.GT, ">=": exp.GTE, "<": exp.LT, "<=": exp.LTE,
}  # fmt: skip
_PLAIN = ("strategy_hash", "strategy_type", "kind", "config_source", "constraints")


@dataclass(frozen=True)
class Found:
    """The strategies found: those that were asked for, and how many there are in all."""

    table: pa.Table
    total: int


def find(
    catalog: Path, conditions: Sequence[str], *, strategy_type: str | None, limit: int | None
) -> Found:
    """
    Return the strategies that meet all conditions, with the parameters that they have.

    Raises:
        UsageError: a condition is malformed.
        QueryError: there is no such parameter.
        StoreError: the catalog cannot be used.
    """
    parsed = [_parse(condition) for condition in conditions]
    with reading(catalog) as con:
        columns = _parameter_columns(con)
        matching = exp.select("*").from_("strategies")
        for name, operator, value in parsed:
            matching = matching.where(_compare(columns, name, operator, value))
        if strategy_type is not None:
            matching = matching.where(exp.column("strategy_type").eq(strategy_type))
        # Temporary tables are in memory, also on a read-only connection.
        try:
            con.execute(f"create temp table found as {matching.sql(dialect='duckdb')}")
        except duckdb.Error as error:
            raise QueryError(
                f"The conditions cannot be compared: {str(error).splitlines()[0]}",
                hint='See what the parameters are with: catalog sql "from parameters"',
            ) from error
        used = [exp.column(name, quoted=True) for name in _used(con, columns)]
        shown = (
            exp.select("strategy_hash", "strategy_type", *used)
            .from_("found")
            .order_by("strategy_type", *used, "strategy_key")
        )
        if limit is not None:
            shown = shown.limit(limit)
        table = execute(con, shown.sql(dialect="duckdb")).table
        ((total,),) = con.execute("select count(*) from found").fetchall()
    return Found(table, total)


def _parse(condition: str) -> tuple[str, type[exp.Binary], str]:
    found = _CONDITION.fullmatch(condition)
    if found is None:
        raise UsageError(
            f"This is no condition: {condition!r}",
            hint="Write KEY=VALUE, or in quotes 'KEY>=VALUE', with one of = != < <= > >=",
        )
    return found[1], _OPERATORS[found[2]], found[3]


def _parameter_columns(con: DuckDBPyConnection) -> dict[str, dict[str, list[str]]]:
    """Return the columns by the parameter's name and by their form, number or text."""
    columns: dict[str, dict[str, list[str]]] = {}
    for name, form, column in con.execute(statement("select_parameter_forms")).fetchall():
        columns.setdefault(name, {}).setdefault(form, []).append(column)
    return columns


def _compare(
    columns: dict[str, dict[str, list[str]]], name: str, operator: type[exp.Binary], value: str
) -> exp.Condition:
    name = name.removeprefix("param_") if name not in columns else name
    if name not in columns and name not in _PLAIN:
        # DuckDB's names are case-insensitive, and people say type for strategy_type.
        name = {"type": "strategy_type"}.get(name, name)
        name = next((one for one in columns if one.lower() == name.lower()), name)
    if name in columns:
        number = _number(value)
        form = "text" if number is None else "number"
        if form not in columns[name]:
            other = "numbers" if form == "text" else "words"
            raise QueryError(
                f"{name} is {other} in every strategy, and {value!r} is not",
                hint=f'See its values with: catalog sql "select distinct '
                f'{next(iter(columns[name].values()))[0]} from strategies"',
            )
        wanted = exp.Literal.string(value) if number is None else number
        if operator is exp.NEQ:
            return _differs(columns[name], form, wanted)
        return exp.or_(
            *(
                operator(this=exp.column(column, quoted=True), expression=wanted.copy())
                for column in columns[name][form]
            )
        )
    if name in _PLAIN:
        return operator(this=exp.column(name), expression=exp.Literal.string(value))
    close = difflib.get_close_matches(name, [*columns, *_PLAIN], n=3)
    raise QueryError(
        f"There is no parameter {name!r}",
        hint=f"Did you mean {' or '.join(close)}?"
        if close
        else 'List them with: catalog sql "from parameters"',
    )


def _differs(columns: dict[str, list[str]], form: str, wanted: exp.Condition) -> exp.Condition:
    """Meet the strategies that have the parameter, in whichever form, and not with this value."""
    every = [exp.column(name, quoted=True) for several in columns.values() for name in several]
    has = exp.or_(*(column.copy().is_(exp.null()).not_() for column in every))
    equal = exp.or_(*(exp.column(name, quoted=True).eq(wanted.copy()) for name in columns[form]))
    return exp.and_(has, exp.func("coalesce", equal, exp.false()).not_())


def _number(value: str) -> exp.Condition | None:
    """Return a value as a number, where it is one; true and false are 1 and 0 to DuckDB."""
    if value.lower() in ("true", "false"):
        return exp.Boolean(this=value.lower() == "true")
    try:
        number = float(value)
    except ValueError:
        return None
    return exp.Literal.number(value.strip()) if isfinite(number) and value.isascii() else None


def _used(con: DuckDBPyConnection, columns: dict[str, dict[str, list[str]]]) -> list[str]:
    """Return the parameter columns in which what was found has any value."""
    names = [c for forms in columns.values() for several in forms.values() for c in several]
    if not names:
        return []
    counts = exp.select(*(exp.Count(this=exp.column(name, quoted=True)) for name in names)).from_(
        "found"
    )
    (row,) = con.execute(counts.sql(dialect="duckdb")).fetchall()
    return [name for name, count in zip(names, row, strict=True) if count]
