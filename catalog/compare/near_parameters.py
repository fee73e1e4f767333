"""Which strategies of a type have the parameters nearest to those of one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from catalog.compare.parameter_table import ComparedParameter, read_parameter_table
from catalog.errors import QueryError
from catalog.statements import statement

Floats = NDArray[np.float64]

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
    found = read_parameter_table(con, strategy_type, kind)
    table = found.rows
    own = table["strategy_key"].to_pylist().index(strategy_key)
    far = np.zeros(table.num_rows)
    differing = np.zeros(table.num_rows, np.int64)
    apart = []
    for parameter in found.parameters:
        one = _apart(table, parameter.number, parameter.text, own)
        if one.any():
            apart.append((parameter, one))
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
            f"{parameter.name} {_said(table, parameter, row)}"
            for parameter, one in apart
            if one[row] > 0
        )
        or "what differs is no parameter"
        for row in chosen
    ]
    place = pa.array(chosen, pa.int64())
    return pa.table(
        [
            *(table[name].take(place) for name in COLUMNS.names[:2]),
            table["strategy_type"].take(place),
            pa.array(far[chosen], pa.float64(), from_pandas=True),
            pa.array(differing[chosen], pa.int64()),
            pa.array(said, pa.string()),
        ],
        schema=COLUMNS,
    )


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


def _said(table: pa.Table, parameter: ComparedParameter, row: int) -> str:
    for name in (parameter.number, parameter.text):
        value: Any = None if name is None else table[name][row].as_py()
        if value is not None:
            return f"{value:g}" if isinstance(value, float) else str(value)
    return "none"
