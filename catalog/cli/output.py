"""Rows as text: a table that fits the terminal, CSV, JSON, Markdown; or as Parquet."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import StoreError
from catalog.query.result import Result

MOST_ROWS = 40


def write_rows(result: Result, form: str, output: Path | None) -> None:
    """
    Write rows in one of the forms table, csv, json, jsonl, markdown and parquet.

    A file appears whole or not at all.

    Raises:
        StoreError: the file cannot be written.
    """
    if output is None:
        for piece in _pieces(result, form, wide=False):
            click.echo(piece, nl=False)
        return
    unfinished = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        if form == "parquet":
            pq.write_table(result.table, unfinished, compression="zstd")
        else:
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                file.writelines(_pieces(result, form, wide=True))
        unfinished.replace(output)
    except OSError as error:
        raise StoreError(
            f"Cannot write {output}: {error.strerror or error}",
            hint="Check the folder, its permissions and its space",
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _pieces(result: Result, form: str, *, wide: bool) -> Iterator[str]:
    table = result.table
    if form == "csv":
        yield from _csv(table)
    elif form == "json":
        yield json.dumps(list(_objects(result)), indent=1, default=str, ensure_ascii=False) + "\n"
    elif form == "jsonl":
        for row in _objects(result):
            yield json.dumps(row, default=str, ensure_ascii=False) + "\n"
    elif form == "markdown":
        yield from _markdown(table)
    else:
        yield box(
            table, width=None if wide else _width(), rows=table.num_rows if wide else MOST_ROWS
        )


def box(table: pa.Table, *, width: int | None, rows: int = MOST_ROWS) -> str:
    """
    Return rows as DuckDB draws them, with how many there are.

    Args:
        width: columns of text; columns of data that do not fit are left out. None for all.
        rows: how many rows are shown at most.
    """
    text = io.StringIO()
    with redirect_stdout(text), duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        con.from_arrow(table).show(max_width=width or 1_000_000, max_rows=max(rows, 1))
    return text.getvalue().rstrip("\n") + "\n"


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 200


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


def _objects(result: Result) -> Iterator[dict[str, Any]]:
    """Yield rows by column name; what is JSON becomes what it says."""
    documents = [
        name for name, kind in zip(result.columns, result.types, strict=True) if kind == "JSON"
    ]
    for batch in result.table.to_batches():
        for row in batch.to_pylist():
            for name in documents:
                row[name] = json.loads(row[name]) if row[name] is not None else None
            yield row


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _flat(value: object) -> object:
    return json.dumps(value, default=str) if isinstance(value, dict | list) else value


def _cell(value: object) -> str:
    text = "" if value is None else str(_flat(value))
    return text.replace("|", "\\|").replace("\n", " ")
