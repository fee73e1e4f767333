"""Two answers to one question, compared: exactly, and floats to a billionth."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

# Sums of whole numbers have more digits in DuckDB than elsewhere.
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL(38,0)"}


def assert_equal(found: pa.Table, wanted: pa.Table, *, ordered: bool = False) -> None:
    """
    Compare the rows of two engines: names and types of columns, and values.

    Args:
        ordered: whether the query says all of the order.
    """
    assert found.column_names == wanted.column_names
    assert found.num_rows == wanted.num_rows
    with duckdb.connect() as con:
        con.register("found", found)
        con.register("wanted", wanted)
        assert _types(con, "found") == _types(con, "wanted")
        if not ordered:
            count = "select count(*) from (from {} except all from {})"
            ((differ,),) = con.execute(count.format("found", "wanted")).fetchall()
            if not differ:
                return
    ours, theirs = ([_row(row) for row in table.to_pylist()] for table in (found, wanted))
    if not ordered:
        ours.sort(key=_sorting)
        theirs.sort(key=_sorting)
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        for name, a, b in zip(found.column_names, one, other, strict=True):
            assert _same(a, b), f"row {number}, {name}: {a!r} and {b!r}"


def _types(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    kinds = (str(kind) for kind in con.table(table).types)
    return ["whole" if kind in _WHOLE else kind.replace("JSON", "VARCHAR") for kind in kinds]


def _row(row: dict[str, Any]) -> list[Any]:
    return [int(value) if isinstance(value, Decimal) else value for value in row.values()]


def _sorting(row: list[Any]) -> list[tuple[bool, str]]:
    # What differs in the last digits only must not change places.
    return [
        (value is None, f"{value:.9e}" if isinstance(value, float) else str(value)) for value in row
    ]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other
