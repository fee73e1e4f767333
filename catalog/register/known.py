"""What the catalog already holds of the folders that are to be scanned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from duckdb import DuckDBPyConnection

from catalog.register.walk import Stamp
from catalog.statements import statement


class KnownFile(NamedTuple):
    """A file as it was when it was seen last."""

    stamp: Stamp
    status: str
    lacks_config: bool
    from_sweep: bool


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run as it was when it was registered last."""

    run_id: str
    records_stamp: str
    sweep_digest: str | None


@dataclass(frozen=True)
class Known:
    """Files by folder and name, and runs by their folder; all paths absolute."""

    files: dict[str, dict[str, KnownFile]] = field(default_factory=dict)
    runs: dict[str, KnownRun] = field(default_factory=dict)


def load_known(con: DuckDBPyConnection, folders: Iterable[str], root: str) -> Known:
    """
    Return what the catalog holds at and below some absolute folders.

    Args:
        root: absolute folder of the catalog.
    """
    known = Known()
    for folder in folders:
        values = {"folder": folder.rstrip("/") + "/", "root": root}
        rows = con.execute(statement("select_known_folders"), values).fetchall()
        by_id = {row[0]: known.files.setdefault(row[1].rstrip("/"), {}) for row in rows}
        for directory_id, name, size, mtime_ns, *known_by in con.execute(
            statement("select_known_files"), values
        ).fetchall():
            by_id[directory_id][name] = KnownFile(Stamp(size, mtime_ns), *known_by)
    known.runs.update(known_runs(con, root))
    return known


def known_runs(con: DuckDBPyConnection, root: str) -> dict[str, KnownRun]:
    """
    Return the runs of the catalog by their absolute folders.

    Args:
        root: absolute folder of the catalog.
    """
    rows = con.execute(statement("select_known_runs"), {"root": root}).fetchall()
    return {path.rstrip("/"): KnownRun(run_id, *stamps) for run_id, path, *stamps in rows}
