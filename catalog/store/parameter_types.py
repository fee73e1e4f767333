"""What a parameter's value is to a column: its form, the narrowest type, and what is stored."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

_INT64 = range(-(2**63), 2**63)
# What a column can hold, from narrow to wide.
WIDTH = {"BOOLEAN": 0, "BIGINT": 1, "DOUBLE": 2, "VARCHAR": 3}
ARROW_TYPES = {
    "BOOLEAN": pa.bool_(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
}


def form(value: object) -> str:
    """Return number or text: which of its parameter's two columns a value belongs to."""
    if not isinstance(value, bool | int | float):
        return "text"
    try:
        float(value)
    except OverflowError:  # An integer of more than 308 digits fits no column of numbers.
        return "text"
    return "number"


def narrowest(value: object) -> str:
    """Return the narrowest type of column that holds a value."""
    if form(value) == "text":
        return "VARCHAR"
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int):
        return "BIGINT" if value in _INT64 else "DOUBLE"
    if isinstance(value, float):
        return "BIGINT" if value.is_integer() and int(value) in _INT64 else "DOUBLE"
    raise AssertionError(f"{value!r} is neither a number nor text")


def below_root(path: str) -> str:
    """Return a pointer below the parameters: /parameters/x, /params/x and /x are one."""
    for root in ("/parameters/", "/params/"):
        if path.startswith(root):
            return path[len(root) - 1 :]
    return path


def stored(value: Any, column_type: str) -> object:
    """Return what a column of a type holds of a value: lists are JSON text."""
    if column_type == "BOOLEAN":
        return value
    if column_type == "BIGINT":
        return int(value)
    if column_type == "DOUBLE":
        return float(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
