"""DuckDB's types by name, and the Spark type that holds the values of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

INTEGERS: Final = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})
UNSIGNED: Final = frozenset({"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"})
FLOATS: Final = frozenset({"FLOAT", "DOUBLE"})
TEXTS: Final = frozenset({"VARCHAR", "JSON"})
TIMESTAMPTZ: Final = "TIMESTAMP WITH TIME ZONE"
TIMES: Final = frozenset({"DATE", "TIMESTAMP", TIMESTAMPTZ})

_SPARK: Final = {
    "BOOLEAN": "BOOLEAN",
    "TINYINT": "TINYINT",
    "SMALLINT": "SMALLINT",
    "INTEGER": "INT",
    "BIGINT": "BIGINT",
    # Spark has no wider integer: 38 digits hold what sums of 64 bits make.
    "HUGEINT": "DECIMAL(38, 0)",
    "UTINYINT": "SMALLINT",
    "USMALLINT": "INT",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(20, 0)",
    "FLOAT": "FLOAT",
    "DOUBLE": "DOUBLE",
    "VARCHAR": "STRING",
    "JSON": "STRING",
    "DATE": "DATE",
    # Spark's own TIMESTAMP is an instant, DuckDB's is a wall clock.
    "TIMESTAMP": "TIMESTAMP_NTZ",
    TIMESTAMPTZ: "TIMESTAMP",
    '"NULL"': "VOID",
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


def spark_type(name: str) -> str | None:
    """Return the Spark type for a type of DuckDB, None where there is none."""
    if name in _SPARK:
        return _SPARK[name]
    if digits := _DECIMAL.fullmatch(name):
        return f"DECIMAL({digits[1]}, {digits[2]})"
    if is_list(name):
        inner = spark_type(element(name))
        return f"ARRAY<{inner}>" if inner else None
    if name.startswith("MAP(") or name.startswith("STRUCT("):
        parts = list(_parts(name))
        inside = [spark_type(kind) for _, kind in parts]
        if None in inside:
            return None
        if name.startswith("MAP("):
            return f"MAP<{inside[0]}, {inside[1]}>"
        fields = zip((field for field, _ in parts), inside, strict=True)
        return "STRUCT<" + ", ".join(f"`{field}`: {kind}" for field, kind in fields) + ">"
    return None


def is_list(name: str) -> bool:
    """Whether the values are lists of any length."""
    return name.endswith("[]")


def element(name: str) -> str:
    """Return the type of a list's elements."""
    return name.removesuffix("[]")


def is_map(name: str) -> bool:
    """Whether the values are maps."""
    return name.startswith("MAP(") and name.endswith(")")


def is_struct(name: str) -> bool:
    """Whether the values are structs."""
    return name.startswith("STRUCT(") and name.endswith(")")


def is_nested(name: str) -> bool:
    """Whether the values hold other values."""
    return is_list(name) or is_map(name) or is_struct(name) or name.endswith("]")


def is_decimal(name: str) -> bool:
    """Whether the values have a fixed number of decimal digits."""
    return name.startswith("DECIMAL(")


def is_number(name: str) -> bool:
    """Whether the values are numbers of any kind."""
    return name in INTEGERS or name in UNSIGNED or name in FLOATS or is_decimal(name)


def decimal_digits(name: str) -> tuple[int, int]:
    """Return how many digits a DECIMAL has, and how many of them behind the point."""
    found = _DECIMAL.fullmatch(name)
    if found is None:
        raise ValueError(name)
    return int(found[1]), int(found[2])


def fields(name: str) -> dict[str, str]:
    """Return the fields of a struct with their types."""
    return dict(_parts(name))


def map_types(name: str) -> tuple[str, str]:
    """Return the types of a map's keys and values."""
    (_, key), (_, value) = _parts(name)
    return key, value


def _parts(name: str) -> Iterator[tuple[str, str]]:
    """Yield field and type of a struct, '' and type of a map."""
    depth, is_quoted, start = 0, False, 0
    inside = name[name.index("(") + 1 : -1]
    pieces = []
    for at, sign in enumerate(inside):
        is_quoted ^= sign == '"'
        if not is_quoted:
            depth += (sign in "([") - (sign in ")]")
            if sign == "," and depth == 0:
                pieces.append(inside[start:at])
                start = at + 1
    pieces.append(inside[start:])
    for piece in (one.strip() for one in pieces):
        if name.startswith("MAP("):
            yield "", piece
            continue
        if found := re.match(r'"((?:[^"]|"")*)"\s+(.*)', piece):
            yield found[1].replace('""', '"'), found[2]
        else:
            field, _, kind = piece.partition(" ")
            yield field, kind
