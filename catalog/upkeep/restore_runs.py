"""Bring back the runs of traces that are only in packs, where nothing else tells them."""

from __future__ import annotations

import os

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.paths import Prefix, absolute_prefix, stored_prefix
from catalog.store.registered import registered
from catalog.store.transactions import transaction


def runs_of(kept: pa.Table, root: str) -> dict[str, set[str]]:
    """Return the folders of each run, as its traces lie in it."""
    names = ("run_id", "run_path", "prefix", "is_relative", "file_name")
    runs: dict[str, set[str]] = {}
    for run_id, run_path, prefix, is_relative, name in zip(
        *(kept[column].to_pylist() for column in names), strict=True
    ):
        path = absolute_prefix(Prefix(prefix, is_relative), root) + name
        if path.endswith(f"/{run_path}"):
            runs.setdefault(run_id, set()).add(path.removesuffix(f"/{run_path}") or "/")
    return runs


def restore_runs(con: DuckDBPyConnection, root: str, runs: dict[str, set[str]]) -> None:
    """Bring back runs that nothing else says anything about any more: where they lay."""
    pairs = [(run_id, folder) for run_id, own in runs.items() for folder in sorted(own)]
    places = [stored_prefix(folder, root) for _, folder in pairs]
    table = pa.table(
        {
            "run_id": pa.array([run_id for run_id, _ in pairs], pa.string()),
            "name": pa.array(
                [os.path.basename(folder) or "root" for _, folder in pairs], pa.string()
            ),
            "prefix": pa.array([place.prefix for place in places], pa.string()),
            "is_relative": pa.array([place.is_relative for place in places], pa.bool_()),
        }
    )
    with transaction(con), registered(con, incoming_run=table):
        for part in con.extract_statements(statement("restore_packed_runs")):
            con.execute(part)
