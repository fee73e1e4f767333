"""Export the strategy index, to share it without the catalog."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from sqlglot import exp, parse_one

from catalog.errors import QueryError
from catalog.query.parsing import parse_condition
from catalog.query.run import run_query
from catalog.query.target import written_whole
from catalog.statements import statement


def export_strategy_index(catalog: Path, path: Path, *, where: str | None = None) -> int:
    """
    Write the strategy index to a file that appears whole, and return its number of rows.

    `trace_path` is relative to the file's folder where the trace lies below it, so that
    the folder can be shared with the file in it.

    Args:
        path: ends in .parquet, .csv, .json (one array) or .jsonl (an object a line).
        where: a condition on the columns of `strategy_index`.

    Raises:
        QueryError: the condition is none, or the file's name ends in something else.
        UsageError: the file is the catalog itself, or a registered trace file.
        StoreError: the catalog cannot be used, or the file cannot be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise QueryError(
            f"Cannot tell the format of {path}",
            hint=f"End its name in one of: {', '.join(_WRITERS)}",
        )
    query = _with_condition(statement("export_strategy_index"), where)
    folder = os.path.dirname(os.path.abspath(path)).rstrip("/") + "/"
    table = run_query(catalog, query, {"folder": folder}).table
    with written_whole(catalog, path) as unfinished:
        write(table, unfinished)
    return int(table.num_rows)


def _with_condition(query: str, where: str | None) -> str:
    if where is None:
        return query
    tree = parse_one(query, dialect="duckdb")
    assert isinstance(tree, exp.Select)  # noqa: S101 - sql/export_strategy_index.sql is one
    return tree.where(parse_condition(where)).sql(dialect="duckdb", comments=False)


def _write_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd", write_page_checksum=True)


def _write_csv(table: pa.Table, path: Path) -> None:
    pa_csv.write_csv(_plain(table), path)


def _write_json(table: pa.Table, path: Path) -> None:
    path.write_text(json.dumps(_objects(table), indent=1, default=str) + "\n", encoding="utf-8")


def _write_jsonl(table: pa.Table, path: Path) -> None:
    lines = (json.dumps(row, default=str) + "\n" for row in _objects(table))
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines)


def _objects(table: pa.Table) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = table.to_pylist()
    for row in rows:
        if row["config"] is not None:
            row["config"] = json.loads(str(row["config"]))
    return rows


def _plain(table: pa.Table) -> pa.Table:
    """Return a table whose JSON column is plain text, which CSV can hold."""
    index = table.column_names.index("config")
    return table.set_column(index, "config", table.column(index).cast(pa.string()))


_WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".parquet": _write_parquet,
    ".csv": _write_csv,
    ".json": _write_json,
    ".jsonl": _write_jsonl,
}
