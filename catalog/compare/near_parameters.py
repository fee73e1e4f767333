"""Which strategies of a type have the parameters nearest to those of one."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray
from sqlglot import exp

from catalog.compare.parameters import leaves
from catalog.errors import QueryError
from catalog.statements import statement

Floats = NDArray[np.float64]

_ALWAYS = ("strategy_key", "strategy_hash", "strategy_type", "config_key", "constraints")
COLUMNS = pa.schema(
    {
        "strategy_hash": pa.string(),
        "strategy_key": pa.string(),
        "strategy_type": pa.string(),
        "distance": pa.float64(),
        "differing": pa.int64(),
        "parameters": pa.string(),
    }
)


def nearest_parameters(
    con: DuckDBPyConnection,
    strategy_key: str,
    *,
    among: Collection[str] | None = None,
    limit: int,
) -> pa.Table:
    """
    Return the strategies of the same type in order of the distance of their parameters.

    The distance is Gower's (1971), with ranks: the mean over the parameters that vary within the
    type (constraints count as one) of how far apart two values are, from 0 to 1. Two numbers are
    as many steps apart as there are values between them among those that occur, of all the
    steps there are, so that 10, 20, 50, 100 are equally spaced, and neighbours in a grid are near.
    Words, lists, or a value and none are 0 apart where they are equal, else 1. The parameters of
    the components of a composite count like its own.

    A row has strategy_hash, strategy_key, strategy_type, distance, how many parameters are
    differing, and what these are in the text `parameters`. The distance of one that differs in no
    parameter, and yet means something else, is NULL.

    Args:
        among: the keys of those that may be returned. All count for the distance.

    Raises:
        QueryError: the configuration is unknown.
    """
    values = {"strategy_key": strategy_key}
    rows = con.execute(statement("select_likeness"), values).fetchall()
    if not rows or rows[0][3] is None or rows[0][1] is None:
        raise QueryError(
            f"The configuration of {strategy_key} is unknown, and so what is near to it",
            hint="Compare by behaviour: catalog find --like HASH --by behaviour",
        )
    _, strategy_type, kind, config_key = rows[0]
    table, parameters = _read(con, strategy_type, kind)
    own = table["strategy_key"].to_pylist().index(strategy_key)
    far = np.zeros(table.num_rows)
    differing = np.zeros(table.num_rows, np.int64)
    apart = []
    for name, number, text in parameters:
        one = _apart(table, number, text, own)
        if one.any():
            apart.append((name, number, text, one))
            far += one
            differing += one > 0
    if apart:
        # What summing leaves in the last digits would put equal distances in any order.
        far = np.round(far / len(apart), 12)
    others = pc.invert(pc.equal(table["config_key"], config_key)).to_numpy(zero_copy_only=False)
    if among is not None:
        wanted = pa.array(list(among), pa.string())
        others &= pc.is_in(table["strategy_key"], wanted).to_numpy(zero_copy_only=False)
    # One of several hashes that mean the same is enough.
    keys = np.array(table["config_key"].to_pylist(), object)
    far = np.where(differing > 0, far, np.nan)
    order = [row for row in np.lexsort((keys, far)).tolist() if others[row]]
    chosen: list[int] = []
    seen: set[str] = set()
    for row in order:
        if len(chosen) < limit and keys[row] not in seen:
            chosen.append(row)
            seen.add(keys[row])
    said = [
        ", ".join(
            f"{name} {_said(table, number, text, row)}"
            for name, number, text, one in apart
            if one[row] > 0
        )
        or "what differs is no parameter"
        for row in chosen
    ]
    place = pa.array(chosen, pa.int64())
    return pa.table(
        [
            *(table[name].take(place).combine_chunks() for name in _ALWAYS[1:2] + _ALWAYS[:1]),
            table["strategy_type"].take(place),
            pa.array(far[chosen], pa.float64(), from_pandas=True),
            pa.array(differing[chosen], pa.int64()),
            pa.array(said, pa.string()),
        ],
        schema=COLUMNS,
    )


def _read(
    con: DuckDBPyConnection, strategy_type: str, kind: str
) -> tuple[pa.Table, list[tuple[str, str | None, str | None]]]:
    """Return the strategies of a type, and its parameters, each with its columns."""
    values = {"strategy_type": strategy_type}
    ((by_leaves,),) = con.execute(
        statement("select_has_leaves"), values | {"kind": kind}
    ).fetchall()
    found = con.execute(statement("select_parameters_of_type"), values).fetchall()
    parameters = [(name, number, text) for _, name, number, text in found if not by_leaves]
    columns = [column for _, *both in parameters for column in both if column is not None]
    columns += ["config"] if by_leaves else []
    query = (
        exp.select(*(exp.column(name, quoted=True) for name in (*_ALWAYS, *columns)))
        .from_(exp.table_("strategy", db="internal"))
        .where("strategy_type = $strategy_type and kind = $kind and config_key is not null")
    )
    rows = con.sql(query.sql("duckdb"), params=values | {"kind": kind}).to_arrow_table()
    if by_leaves:
        rows, parameters = _with_leaves(rows)
    return rows, [*parameters, ("constraints", None, "constraints")]


def _with_leaves(rows: pa.Table) -> tuple[pa.Table, list[tuple[str, str | None, str | None]]]:
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
                column[place] = float(value)
            else:
                words = texts.setdefault(name, [None] * rows.num_rows)
                words[place] = value if isinstance(value, str) else json.dumps(_plain(value))
    rows = rows.drop_columns(["config"])
    parameters: list[tuple[str, str | None, str | None]] = []
    for name in sorted({*numbers, *texts}):
        number, text = (f"{form} {name}" for form in ("number", "text"))
        if name in numbers:
            rows = rows.append_column(number, pa.array(numbers[name], pa.float64()))
        if name in texts:
            rows = rows.append_column(text, pa.array(texts[name], pa.string()))
        both = number if name in numbers else None, text if name in texts else None
        parameters.append((name, *both))
    return rows, parameters


def _plain(value: Any) -> Any:
    """Return a list with whole numbers as such: 20 is 20.0."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _apart(table: pa.Table, number: str | None, text: str | None, own: int) -> Floats:
    """Return how far the value of each strategy is from that of one, from 0 to 1."""
    count = table.num_rows
    has = np.zeros(count, bool)
    far = np.zeros(count)
    if number is not None:
        column = table[number].cast(pa.float64()).to_numpy()
        has_number = table[number].is_valid().to_numpy(zero_copy_only=False)
        steps, place = np.unique(column[has_number], return_inverse=True)
        rank = np.full(count, np.nan)
        rank[has_number] = place / max(len(steps) - 1, 1)
        far = np.abs(rank - rank[own])
        has |= has_number
    if text is not None:
        words = table[text].dictionary_encode().combine_chunks().indices
        code = words.fill_null(-1).to_numpy(zero_copy_only=False)
        has_words = code >= 0
        if number is None or has_words[own]:
            far = (code != code[own]).astype(float)
        else:
            far = np.where(has_words, 1.0, far)
        has |= has_words
    far = np.where(np.isnan(far), 1.0, far)
    neither = ~has & ~has[own]
    return np.where(neither, 0.0, np.where(has != has[own], 1.0, far))


def _said(table: pa.Table, number: str | None, text: str | None, row: int) -> str:
    for name in (number, text):
        value: Any = None if name is None else table[name][row].as_py()
        if value is not None:
            return f"{value:g}" if isinstance(value, float) else str(value)
    return "none"
