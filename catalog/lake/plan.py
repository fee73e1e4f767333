"""What of a table is in the lake as it should be, and which files are to be written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa

from catalog.lake.contents import read_held
from catalog.lake.entries import wanted_entries
from catalog.lake.layout import Table
from catalog.lake.manifest import ManifestFile
from catalog.lake.snapshot import Snapshot
from catalog.statements import statement
from catalog.store.registered import registered

MOST_ROWS = 2_000_000
"""In one file, unless one trace alone has more."""
MOST_ENTRIES = 100_000
"""In one file: traces or strategies."""
SMALL = 25_000
"""A file of fewer rows and entries is small."""
MANY_SMALL = 16
"""So many small files may be in one folder; with one more they are written into one."""


@dataclass(frozen=True)
class Part:
    """
    A file that is to be written, in a folder of its table.

    `entries` has a row an entry, in order: key, digest, rows, place; `file`, which has its rows as
    they should be, or none; `old_file` and `old_digest`, which has them as they were.
    """

    folder: str
    entries: pa.Table


@dataclass(frozen=True)
class TablePlan:
    """The files of a table that stay, and those that are to be written."""

    table: Table
    kept: tuple[ManifestFile, ...]
    parts: tuple[Part, ...]

    @property
    def entries(self) -> int:
        """How many entries are to be written."""
        return sum(part.entries.num_rows for part in self.parts)


def plan_table(
    snapshot: Snapshot,
    table: Table,
    lake: str,
    files: Sequence[ManifestFile],
    *,
    keep_all: bool,
    left: Collection[str] = (),
) -> TablePlan:
    """
    Compare what the catalog has with what the writer's files hold.

    Args:
        files: what the writer's manifest names.
        keep_all: what the lake has and the catalog's choice has not stays.
        left: traces that cannot be read: what the lake has of them stays as it is.

    Raises:
        LakeError: it cannot be told what is in a file of the lake.
        ObjectStoreError: the store cannot be reached, or says no.
    """
    con = snapshot.con
    wanted = wanted_entries(snapshot, table)
    if not wanted.num_rows and not files:
        con.execute(statement("publish_no_entries"))
        return TablePlan(table, (), ())
    missing = con.execute("select trace_id from missing").fetchall()
    kept = {trace_id for (trace_id,) in missing} | set(left)
    by_trace = table.keys == ("trace_id",)
    named = {
        "incoming_entry": wanted,
        "held": read_held(lake, files),
        "held_file": _as_table(files, table),
        "incoming_left": _keys(left if by_trace else ()),
        "incoming_kept": _keys(kept if by_trace else ()),
    }
    con.execute("set variable keep_all = $keep_all", {"keep_all": keep_all})
    with registered(con, **named):
        con.execute(statement("publish_compare"))
        rows = con.execute(statement("publish_worn"), {"small": SMALL, "many": MANY_SMALL})
        worn = {path for (path,) in rows.fetchall()}
        with registered(con, worn=pa.table({"file": pa.array(sorted(worn), pa.string())})):
            limits = {"most_rows": MOST_ROWS, "most_keys": MOST_ENTRIES}
            con.execute(statement("publish_parts"), limits)
    parts = tuple(
        Part(
            folder,
            con.sql(statement("publish_part"), params={"part": part}).to_arrow_table(),
        )
        for folder, part in con.execute(statement("publish_list_parts")).fetchall()
    )
    return TablePlan(table, tuple(one for one in files if one.path not in worn), parts)


def _as_table(files: Sequence[ManifestFile], table: Table) -> pa.Table:
    depth = 2 if table.has_folders else 0
    return pa.table(
        {
            "file": pa.array([one.path for one in files], pa.string()),
            "folder": pa.array(
                ["/".join(one.path.split("/")[1 : 1 + depth]) for one in files], pa.string()
            ),
            "rows": pa.array([one.rows for one in files], pa.int64()),
            "keys": pa.array([one.keys for one in files], pa.int64()),
        }
    )


def _keys(keys: Collection[str]) -> pa.Table:
    return pa.table({"key": pa.array(sorted(keys), pa.string())})
