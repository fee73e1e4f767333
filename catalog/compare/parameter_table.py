"""The parameters of the strategies of a type as a table, a row a strategy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.compare.parameters import leaves
from catalog.statements import statement

IDENTITY = ("strategy_key", "strategy_hash", "strategy_type", "config_key", "constraints")


@dataclass(frozen=True, slots=True)
class ComparedParameter:
    """A parameter's name, and the columns of its numbers (or truth values) and of its words."""

    name: str
    number: str | None
    text: str | None


@dataclass(frozen=True, eq=False)
class ParameterTable:
    """
    The strategies of a type whose configurations are known.

    `rows` has the columns `IDENTITY` and those of `parameters`: a number's is BOOLEAN, BIGINT or
    DOUBLE, words and lists are text, and each is NULL in a strategy that lacks it. Constraints are
    the last parameter. Those of a composite's components count like its own.
    """

    rows: pa.Table
    parameters: tuple[ComparedParameter, ...]

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Which row each strategy is, by its strategy_key."""
        return {key: row for row, key in enumerate(self.rows["strategy_key"].to_pylist())}


def read_parameter_table(
    con: DuckDBPyConnection, strategy_type: str, kind: str = "signal"
) -> ParameterTable:
    """Return the parameters of the strategies of a type."""
    values = {"strategy_type": strategy_type}
    ((by_leaves,),) = con.execute(
        statement("select_has_leaves"), values | {"kind": kind}
    ).fetchall()
    parameters: list[ComparedParameter] = []
    if not by_leaves:
        found = con.execute(statement("select_parameters_of_type"), values).fetchall()
        parameters = [ComparedParameter(*row[1:]) for row in found]
    columns = [one for p in parameters for one in (p.number, p.text) if one is not None]
    columns += ["config"] if by_leaves else []
    query = (
        exp.select(*(exp.column(name, quoted=True) for name in (*IDENTITY, *columns)))
        .from_(exp.table_("strategy", db="internal"))
        .where("strategy_type = $strategy_type and kind = $kind and config_key is not null")
    )
    rows = con.sql(query.sql("duckdb"), params=values | {"kind": kind}).to_arrow_table()
    if by_leaves:
        rows, parameters = _with_leaves(rows)
    constraints = ComparedParameter("constraints", None, "constraints")
    return ParameterTable(rows, (*parameters, constraints))


def _with_leaves(rows: pa.Table) -> tuple[pa.Table, list[ComparedParameter]]:
    """Return strategies with a column for each parameter that their configurations have."""
    numbers: dict[str, list[float | None]] = {}
    texts: dict[str, list[str | None]] = {}
    for place, config in enumerate(rows["config"].to_pylist()):
        for name, value in leaves(json.loads(config)):
            is_position = name.rpartition(".")[2].startswith("_")
            if value is None or is_position or name.partition(".")[0] == "constraints":
                continue
            if isinstance(value, int | float):
                column = numbers.setdefault(name, [None] * rows.num_rows)
                column[place] = value
            else:
                words = texts.setdefault(name, [None] * rows.num_rows)
                words[place] = value if isinstance(value, str) else json.dumps(_plain(value))
    rows = rows.drop_columns(["config"])
    parameters: list[ComparedParameter] = []
    for name in sorted({*numbers, *texts}):
        number, text = (f"{form} {name}" for form in ("number", "text"))
        if name in numbers:
            rows = rows.append_column(number, _numbers(numbers[name]))
        if name in texts:
            rows = rows.append_column(text, pa.array(texts[name], pa.string()))
        both = number if name in numbers else None, text if name in texts else None
        parameters.append(ComparedParameter(name, *both))
    return rows, parameters


def _numbers(values: Sequence[float | None]) -> pa.Array:
    """Return truth values as such where there is nothing else, else numbers."""
    if all(value is None or isinstance(value, bool) for value in values):
        return pa.array(values, pa.bool_())
    return pa.array([None if value is None else float(value) for value in values], pa.float64())


def _plain(value: Any) -> Any:
    """Return a list with whole numbers as such: 20 is 20.0."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
