"""What DuckDB would call the columns of a lake's public names: asked of it, over empty tables."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from catalog.lake.lake import Lake
from catalog.spark.columns import public_columns, spark_type, type_of
from catalog.spark.derived import TABLES

_OF_SPARK = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
}
_JSON = {"config", "data_source"}


def lake_shape(lake: Lake, queries: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """
    Return the columns of each public name with their DuckDB types.

    Args:
        queries: the derived names, each with its query in DuckDB's SQL.
    """
    shape = {table: _columns(table, lake) for table in TABLES}
    with duckdb.connect() as con:
        for table, columns in shape.items():
            con.execute(_create(table, columns))
        for name, query in queries.items():
            con.execute(f"create view {_quoted(name)} as {query}")
            found = con.execute(f"describe {_quoted(name)}").fetchall()
            shape[name] = {column: kind for column, kind, *_ in found}
    return shape


def _columns(table: str, lake: Lake) -> dict[str, str]:
    schema = lake.schema(table)
    columns = {}
    for name in public_columns(table, schema):
        known = schema.get_field_index(name) >= 0
        kind = spark_type(schema.field(name).type) if known else type_of(table, name)
        columns[name] = "JSON" if name in _JSON else _OF_SPARK[kind]
    return columns


def _create(table: str, columns: Mapping[str, str]) -> str:
    listed = ", ".join(f"{_quoted(name)} {kind}" for name, kind in columns.items())
    return f"create table {_quoted(table)} ({listed})"


def _quoted(name: str) -> str:
    # Of hundreds of columns sqlglot would take longer than all else.
    return '"' + name.replace('"', '""') + '"'
