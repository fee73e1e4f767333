"""The entries of each table as the catalog has them now, and the rows of the small tables."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
from sqlglot import exp

from catalog.lake.layout import Table, folder_name
from catalog.lake.snapshot import Snapshot
from catalog.statements import statement

RETURNS = {"daily_returns": "close", "daily_returns_next_open": "next_open"}
"""The tables of session returns, and which fill each of them is for."""
_BETWEEN = exp.func("chr", exp.Literal.number(31))


def wanted_entries(snapshot: Snapshot, table: Table) -> pa.Table:
    """
    Return the entries of a table: key, digest, folder, rows and place in the order.

    The digest of an entry tells all that its rows in the lake depend on.
    """
    con = snapshot.con
    if table.kind is not None:
        rows = con.sql(_named("rows"), params={"kind": table.kind})
    elif table.name in RETURNS:
        rows = con.sql(_named("returns"), params={"fill": RETURNS[table.name]})
    elif table.has_folders:
        rows = con.sql(_named("bars"))
    else:
        columns = con.sql(f"select * from {table.name} limit 0").columns
        rows = con.sql(_entries_of(table, tuple(columns)))
    found = rows.to_arrow_table()
    if not table.has_folders:
        return found
    pairs = zip(found["symbol"].to_pylist(), found["timeframe"].to_pylist(), strict=True)
    folders = pa.array([_folder(*pair) for pair in pairs], pa.string())
    return found.drop_columns(["symbol", "timeframe"]).append_column("folder", folders)


def key_of(table: Table) -> exp.Expr:
    """Return the key of an entry, as an expression over the columns of its table."""
    columns = [exp.cast(exp.column(name, quoted=True), "varchar") for name in table.keys]
    if len(columns) == 1:
        return columns[0]
    known = [exp.func("coalesce", column, exp.Literal.string("")) for column in columns]
    return exp.Anonymous(this="concat_ws", expressions=[_BETWEEN.copy(), *known])


def _named(rows: str) -> str:
    return statement(f"publish_entries_of_{rows}").strip().rstrip(";")


@cache
def _folder(symbol: str | None, timeframe: str | None) -> str:
    return f"{folder_name(symbol)}/{folder_name(timeframe)}"


@cache
def _entries_of(table: Table, columns: tuple[str, ...]) -> str:
    """
    Return the query of the entries of a small table, whose digest is over all of its columns.

    Of a row the columns that have no value say nothing: a parameter that other strategies have
    changes nothing about this one.
    """
    said = [_said(name) for name in columns]
    # As a function that sqlglot knows, it would be NULL where one part is.
    text = exp.Anonymous(this="concat", expressions=said)
    digest = exp.func("md5_number_lower", text, dialect="duckdb")
    order = exp.column(table.order[0], quoted=True)
    place = exp.func(
        "coalesce", exp.func("min", exp.cast(order, "varchar")), exp.Literal.string("~")
    )
    query = exp.select(
        exp.alias_(key_of(table), "key"),
        exp.alias_(exp.func("bit_xor", digest, dialect="duckdb"), "digest"),
        exp.alias_(exp.Literal.string(""), "folder"),
        exp.alias_(exp.func("count", exp.Star()), "rows"),
        exp.alias_(place, "place"),
    )
    return query.from_(table.name).group_by("key").sql(dialect="duckdb")


def _said(name: str) -> exp.Expr:
    value = exp.cast(exp.column(name, quoted=True), "varchar")
    text = exp.DPipe(this=exp.Literal.string(f"{name}="), expression=value)
    return exp.DPipe(this=text, expression=_BETWEEN.copy())
