"""Rows as text: a table that fits the terminal, CSV, JSON, Markdown; or as Parquet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

import click
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from catalog.cli.options import terminal_width
from catalog.query.drawn import drawn
from catalog.query.result import Result
from catalog.query.target import written_whole

MOST_ROWS = 40

# Types whose values Python cannot hold, or would write in words of its own.
_IN_WORDS = re.compile(r"TIME|DATE|INTERVAL|BLOB|UUID|BIT|ENUM", re.IGNORECASE)


def write_rows(result: Result, form: str, output: Path | None, *, catalog: Path) -> None:
    """
    Write rows in one of the forms table, csv, json, jsonl, markdown and parquet.

    A file appears whole or not at all.

    Raises:
        UsageError: the file is the catalog itself, or a registered trace file.
        StoreError: the file cannot be written.
    """
    if output is None:
        for piece in _pieces(result, form, wide=False):
            click.echo(piece, nl=False)
        return
    with written_whole(catalog, output) as file_path:
        if form == "parquet":
            pq.write_table(result.table, file_path, compression="zstd")
        else:
            with file_path.open("w", encoding="utf-8", newline="") as file:
                file.writelines(_pieces(result, form, wide=True))


def print_table(table: pa.Table, form: str, *, rows: int = MOST_ROWS) -> None:
    """
    Print rows of ours on stdout, in a form that `write_rows` knows and that is text.

    Args:
        rows: how many rows a table shows at most.
    """
    if form == "table":
        click.echo(box(table, width=terminal_width(), rows=rows), nl=False)
        return
    with duckdb.connect() as con:
        types = tuple(str(kind) for kind in con.from_arrow(table).types)
    for piece in _pieces(Result(table, types), form, wide=False):
        click.echo(piece, nl=False)


def _pieces(result: Result, form: str, *, wide: bool) -> Iterator[str]:
    table = result.table
    if form == "table":
        yield box(
            table,
            width=None if wide else terminal_width(),
            rows=table.num_rows if wide else MOST_ROWS,
        )
        return
    table = _in_words(result)
    if form == "csv":
        yield from _csv(table)
    elif form == "json":
        yield json.dumps(list(_objects(result, table)), indent=1, ensure_ascii=False) + "\n"
    elif form == "jsonl":
        for row in _objects(result, table):
            yield json.dumps(row, ensure_ascii=False) + "\n"
    else:
        yield from _markdown(table)


def _in_words(result: Result) -> pa.Table:
    """Return rows with a name for every column, and as text what only DuckDB can write as text."""
    names: list[str] = []
    for name in result.columns:
        # As DuckDB does where it draws a table: two columns may have one name.
        number = sum(one == name or one.startswith(f"{name}_") for one in names)
        names.append(name if name not in names else f"{name}_{number}")
    table = result.table.rename_columns(names)
    columns = [
        exp.cast(column, "varchar").as_(name, quoted=True) if _IN_WORDS.match(kind) else column
        for name, kind in zip(names, result.types, strict=True)
        for column in [exp.column(name, quoted=True)]
    ]
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        con.register("found", table)
        return con.sql(exp.select(*columns).from_("found").sql("duckdb")).to_arrow_table()


def box(table: pa.Table, *, width: int | None, rows: int = MOST_ROWS) -> str:
    """
    Return rows as DuckDB draws them, with how many there are.

    Args:
        width: columns of text; columns of data that do not fit are left out. None for all.
        rows: how many rows are shown at most.
    """
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        return drawn(con.from_arrow(table), width=width, rows=rows)


def _csv(table: pa.Table) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    for batch in table.to_batches():
        for row in _rows(batch):
            writer.writerow(_flat(value) for value in row)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _markdown(table: pa.Table) -> Iterator[str]:
    yield f"| {' | '.join(_cell(name) for name in table.column_names)} |\n"
    yield f"|{'---|' * table.num_columns}\n"
    for batch in table.to_batches():
        for row in _rows(batch):
            yield f"| {' | '.join(_cell(value) for value in row)} |\n"


def _objects(result: Result, table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield rows by column name; what is JSON becomes what it says."""
    documents = [
        name for name, kind in zip(table.column_names, result.types, strict=True) if kind == "JSON"
    ]
    for batch in table.to_batches():
        for row in batch.to_pylist():
            for name in documents:
                row[name] = json.loads(row[name]) if row[name] is not None else None
            yield {name: _json(value) for name, value in row.items()}


def _json(value: Any) -> Any:
    """Return a value as JSON has it: no NaN, no decimals, nothing but text for times."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): _json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    return value if isinstance(value, bool | int | str | None) else str(value)


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _flat(value: object) -> object:
    return json.dumps(_json(value)) if isinstance(value, dict | list) else value


def _cell(value: object) -> str:
    text = "" if value is None else str(_flat(value))
    return text.replace("|", "\\|").replace("\n", " ")
