"""The folders that scans have seen, and the roots that people registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.facts import catalog_of
from catalog.store.journal import append_facts
from catalog.store.paths import stored_prefix
from catalog.store.registered import registered


@dataclass(frozen=True, slots=True)
class SeenFolder:
    """
    A folder of a scan, with the root that was given; absolute paths.

    `is_linked` is None where only the walk knows whether a link leads to it.
    """

    path: str
    root: str
    is_linked: bool | None = None


def record_folders(con: DuckDBPyConnection, root: str, folders: Sequence[SeenFolder]) -> None:
    """
    Record folders, each under the outermost registered root that it lies below.

    A new root is noted beside the catalog, which nothing else there names.

    Args:
        root: absolute folder of the catalog.
    """
    if not folders:
        return
    root_ids = {given: _root_id(con, root, given) for given in {f.root for f in folders}}
    by_path: dict[str, SeenFolder] = {}
    for folder in folders:
        if folder.path not in by_path or folder.is_linked is not None:
            by_path[folder.path] = folder
    distinct = by_path.values()
    places = [stored_prefix(folder.path, root) for folder in distinct]
    table = pa.table(
        {
            "prefix": pa.array([place.prefix for place in places], pa.string()),
            "is_relative": pa.array([place.is_relative for place in places], pa.bool_()),
            "root_id": pa.array([root_ids[folder.root] for folder in distinct], pa.int32()),
            "is_linked": pa.array([folder.is_linked for folder in distinct], pa.bool_()),
        }
    )
    with registered(con, incoming_folder=table):
        con.execute(statement("insert_folders"))


def _root_id(con: DuckDBPyConnection, root: str, given: str) -> int:
    """Return the root that a given one lies in, or make it one that takes over what it holds."""
    wanted = given.rstrip("/") + "/"
    roots = con.execute(statement("select_roots"), {"root": root}).fetchall()
    for root_id, path in roots:
        if wanted.startswith(path):
            return int(root_id)
    place = stored_prefix(given, root)
    values = {"prefix": place.prefix, "is_relative": place.is_relative}
    append_facts(catalog_of(con), "roots", [values])
    ((new_id,),) = con.execute(statement("insert_root"), values).fetchall()
    for root_id, path in roots:
        if path.startswith(wanted):
            con.execute(statement("move_to_root"), {"root_id": root_id, "into": new_id})
            con.execute(statement("delete_root"), {"root_id": root_id})
    return int(new_id)
