"""The rows of another catalog, as those that this one takes in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.lake.taken import Taken, column_of
from catalog.register.folders import SeenFolder
from catalog.statements import statement
from catalog.store.paths import catalog_root

_STATEMENTS: Final = {
    "strategies": "merge_strategies",
    "runs": "merge_runs",
    "traces": "merge_traces",
    "others": "merge_others",
    "returns": "merge_returns",
}
_TABLES: Final = {
    "components": "component",
    "events": "event_strategy",
    "sets": "metric_set",
    "metrics": "metric",
    "trials": "trial",
    "figures": "trial_figure",
    "ranges": "metric_range",
    "prices": "price_series",
    "tags": "tag",
}


def rows_of(con: DuckDBPyConnection, other: Path) -> Taken:
    """
    Return all that another catalog, which is open, says of its traces.

    A trace whose file is gone by now is missing, unless it is in a pack.
    """
    root = catalog_root(other)
    tables = {}
    for name, text in _STATEMENTS.items():
        query = statement(text)
        values = {"root": root} if "$root" in query else None
        tables[name] = con.sql(query, params=values).to_arrow_table()
    for name, table in _TABLES.items():
        tables[name] = con.sql(f"from internal.{table}").to_arrow_table()
    tables["traces"] = _as_found(tables["traces"])
    # Lakes have other numbers there, and it stays here whatever they say.
    figures = tables["metrics"]
    tables["metrics"] = column_of(figures, "lake_id", [None] * figures.num_rows)
    return Taken(**tables)


def folders_of(con: DuckDBPyConnection, other: Path) -> list[SeenFolder]:
    """Return the folders that scans of another catalog, which is open, have seen."""
    values = {"root": catalog_root(other)}
    rows = con.execute(statement("merge_folders"), values).fetchall()
    return [
        SeenFolder(folder.rstrip("/") or "/", root.rstrip("/") or "/", is_linked)
        for folder, root, is_linked in rows
    ]


def _as_found(traces: pa.Table) -> pa.Table:
    """Return traces as their files are by now; those whose files are here are read from there."""
    columns = ("folder", "file_name", "status", "has_original", "trace_number", "pack_path")
    rows: list[tuple[object, ...]] = []
    for folder, name, status, has_original, number, pack in zip(
        *(traces[one].to_pylist() for one in columns), strict=True
    ):
        is_there = has_original is not False and os.path.lexists(folder + name)
        if is_there:
            rows.append((status, None, None, None))
        elif number is None:
            rows.append(("missing", has_original, None, None))
        else:
            rows.append((status, False, number, pack))
    for place, name in enumerate(columns[2:]):
        traces = column_of(traces, name, [row[place] for row in rows])
    return traces
