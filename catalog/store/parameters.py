"""
The parameter columns of the table `strategy`: typed, wide, and only growing.

A parameter `x` has its numbers in `param_x` (BOOLEAN while there are only truth
values, BIGINT while all are whole, else DOUBLE) and its words and lists in
`param_x_text`, so that one `'auto'` never breaks `param_x = 20` for everybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.statements import statement
from catalog.store.parameter_types import ARROW_TYPES, WIDTH, below_root, form, narrowest, stored
from catalog.strategy import Leaf

MOST_COLUMNS = 500


@dataclass(frozen=True, slots=True)
class Parameter:
    """
    One parameter and the column that holds it.

    `path` is a JSON pointer below the parameters of a configuration; `form` is
    number or text; `column` is None for what came after the 500th column.
    """

    path: str
    name: str
    form: str
    column: str | None
    type: str


@dataclass(frozen=True)
class ParameterColumns:
    """The columns for some strategies, and what making them changed."""

    arrays: dict[str, pa.Array]
    altered: bool
    retyped: bool
    without_column: int


def parameter_columns(con: DuckDBPyConnection) -> list[str]:
    """Return the names of the parameter columns, in order of appearance."""
    return [p.column for p in _load(con) if p.column is not None]


def add_parameters(
    con: DuckDBPyConnection, leaves: Sequence[Sequence[Leaf]], types: Sequence[str | None]
) -> ParameterColumns:
    """
    Make the columns that some strategies need, and return their values.

    Args:
        leaves: the leaf parameters of each strategy.
        types: the type of each strategy, as long as `leaves`.

    Returns:
        For each column one array as long as `leaves`, NULL where a strategy lacks it.
    """
    known = {(p.path, p.form): p for p in _load(con)}
    wanted = _choose_columns(known, _widest(leaves))
    added = [p for key, p in wanted.items() if key not in known]
    retyped = [p for key, p in wanted.items() if key in known and known[key].type != p.type]
    new_columns = [p for p in added if p.column is not None]
    for parameter in new_columns:
        _add_column(con, parameter)
    wider = {p.column: p.type for p in retyped if p.column is not None}
    if wider:
        _retype(con, wider)
    _save(con, added, retyped)
    values: dict[str, list[object]] = defaultdict(lambda: [None] * len(leaves))
    of_type: set[tuple[str, str]] = set()
    for row, (strategy_leaves, strategy_type) in enumerate(zip(leaves, types, strict=True)):
        for leaf in strategy_leaves:
            parameter = wanted[below_root(leaf.path), form(leaf.value)]
            if parameter.column is None:
                continue
            values[parameter.column][row] = stored(leaf.value, parameter.type)
            if strategy_type is not None:
                of_type.add((strategy_type, parameter.column))
    _save_types(con, of_type)
    arrow_types = {p.column: ARROW_TYPES[p.type] for p in wanted.values()}
    return ParameterColumns(
        arrays={name: pa.array(column, arrow_types[name]) for name, column in values.items()},
        altered=bool(new_columns or wider),
        retyped=bool(wider),
        without_column=sum(p.column is None for p in added),
    )


def expected_parameters(
    con: DuckDBPyConnection, leaves: Sequence[Sequence[Leaf]]
) -> tuple[dict[str, pa.Array], set[int]]:
    """
    Return what the columns that there are should hold for some strategies.

    Args:
        leaves: the leaf parameters of each strategy.

    Returns:
        An array as long as `leaves` for each column, and the strategies that have a value which
        no column is made for.
    """
    known = {(p.path, p.form): p for p in _load(con)}
    values: dict[str, list[object]] = {
        p.column: [None] * len(leaves) for p in known.values() if p.column is not None
    }
    odd: set[int] = set()
    for row, strategy_leaves in enumerate(leaves):
        for leaf in strategy_leaves:
            parameter = known.get((below_root(leaf.path), form(leaf.value)))
            if parameter is None or WIDTH[narrowest(leaf.value)] > WIDTH[parameter.type]:
                odd.add(row)
            elif parameter.column is not None:
                values[parameter.column][row] = stored(leaf.value, parameter.type)
    types = {p.column: ARROW_TYPES[p.type] for p in known.values()}
    return {name: pa.array(column, types[name]) for name, column in values.items()}, odd


def count_parameters(con: DuckDBPyConnection) -> None:
    """Count anew how many strategies have a value in each parameter column."""
    columns = parameter_columns(con)
    if not columns:
        return
    query = exp.select(*(exp.Count(this=exp.column(name, quoted=True)) for name in columns)).from_(
        "strategy"
    )
    (counts,) = con.execute(query.sql(dialect="duckdb")).fetchall()
    counted = pa.table({"column_name": columns, "strategies": pa.array(counts, pa.int64())})
    con.register("counted", counted)
    con.execute(statement("update_parameter_counts"))
    con.unregister("counted")


def _load(con: DuckDBPyConnection) -> list[Parameter]:
    return [Parameter(*row) for row in con.execute(statement("select_parameters")).fetchall()]


def _widest(leaves: Iterable[Iterable[Leaf]]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the name and the narrowest sufficient type of every (path, form)."""
    widest: dict[tuple[str, str], tuple[str, str]] = {}
    for strategy_leaves in leaves:
        for leaf in strategy_leaves:
            key = below_root(leaf.path), form(leaf.value)
            narrow = narrowest(leaf.value)
            if key not in widest or WIDTH[narrow] > WIDTH[widest[key][1]]:
                widest[key] = leaf.name, narrow
    return widest


def _choose_columns(
    known: dict[tuple[str, str], Parameter], needed: dict[tuple[str, str], tuple[str, str]]
) -> dict[tuple[str, str], Parameter]:
    chosen = dict(known)
    taken = {p.column.lower() for p in known.values() if p.column is not None}
    for key, (name, narrow) in needed.items():
        if key in chosen:
            current = chosen[key]
            if WIDTH[narrow] > WIDTH[current.type]:
                chosen[key] = replace(current, type=narrow)
            continue
        column = None
        if len(taken) < MOST_COLUMNS:
            # DuckDB's names are case-insensitive: a clash gets a number, nothing is dropped.
            # Arrow's end at a NUL.
            base = f"param_{name}_text" if key[1] == "text" else f"param_{name}"
            base = base.replace("\0", "_")
            column, number = base, 1
            while column.lower() in taken:
                number += 1
                column = f"{base}_{number}"
            taken.add(column.lower())
        chosen[key] = Parameter(key[0], name, key[1], column, narrow)
    return chosen


def _add_column(con: DuckDBPyConnection, parameter: Parameter) -> None:
    alter = exp.Alter(
        this=exp.to_table("internal.strategy"),
        kind="TABLE",
        actions=[
            exp.ColumnDef(
                this=exp.to_identifier(parameter.column, quoted=True),
                kind=exp.DataType.build(parameter.type, dialect="duckdb"),
            )
        ],
    )
    con.execute(alter.sql(dialect="duckdb"))


def _retype(con: DuckDBPyConnection, types: Mapping[str, str]) -> None:
    """
    Rebuild the table with wider columns.

    `alter … type` is not used: a WAL that holds one keeps older clients from opening.
    Every widening is exact, or rounds as reading the number from `config` would.
    """
    wider = exp.Star(
        replace=[
            exp.alias_(
                exp.cast(exp.column(name, quoted=True), kind, dialect="duckdb"), name, quoted=True
            )
            for name, kind in types.items()
        ]
    )
    rebuilt = exp.select(wider).from_("strategy")
    con.execute(
        exp.Create(this=exp.to_table("internal.rebuilt"), kind="TABLE", expression=rebuilt).sql(
            dialect="duckdb"
        )
    )
    con.execute("drop table internal.strategy")
    con.execute("alter table internal.rebuilt rename to strategy")


def _save(
    con: DuckDBPyConnection, added: Sequence[Parameter], retyped: Sequence[Parameter]
) -> None:
    if added:
        # In one statement: 5,000 different parameters are 5,000 rows.
        incoming = pa.table(
            {
                "path": [p.path for p in added],
                "name": [p.name for p in added],
                "form": [p.form for p in added],
                "column_name": pa.array([p.column for p in added], pa.string()),
                "column_type": [p.type for p in added],
            }
        )
        con.register("incoming", incoming)
        con.execute(statement("insert_parameters"))
        con.unregister("incoming")
    for parameter in retyped:
        con.execute(
            statement("update_parameter_type"),
            {"path": parameter.path, "form": parameter.form, "column_type": parameter.type},
        )


def _save_types(con: DuckDBPyConnection, of_type: set[tuple[str, str]]) -> None:
    if not of_type:
        return
    rows = sorted(of_type)
    con.register(
        "incoming",
        pa.table(
            {"strategy_type": [row[0] for row in rows], "column_name": [row[1] for row in rows]}
        ),
    )
    con.execute(statement("insert_type_parameters"))
    con.unregister("incoming")
