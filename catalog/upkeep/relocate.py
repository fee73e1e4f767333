"""
Tell the catalog that folders of traces were moved, or that it was moved itself.

What is at the new place is compared with what was registered, by size and time of change, and by
its bytes where only the time differs. Then the catalog is changed in one transaction. Traces stay
what they are, with their ids, and are not read again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.errors import StoreError, UsageError
from catalog.objects import is_url, list_below
from catalog.places import absolute
from catalog.query.parsing import bound
from catalog.register.files import Problem
from catalog.register.folders import SeenFolder, record_folders
from catalog.register.record import Batch, record_changes, write_batch
from catalog.register.runs import run_folder
from catalog.statements import statement
from catalog.store.database import reading, writing
from catalog.store.facts import noting
from catalog.store.paths import catalog_root, stored_prefix
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.store.views import refresh_views
from catalog.upkeep.places import (
    ABSENT,
    CHANGED,
    HERE,
    PACKED,
    STAYED,
    Placed,
    look_for,
    select_files,
)
from catalog.upkeep.relocation import KnownFolder, Move, Relocation, make_report, root_of

Progress = Callable[[int, int], None]


def relocate(
    catalog: Path,
    old: str | os.PathLike[str] | None = None,
    new: str | os.PathLike[str] | None = None,
    *,
    progress: Progress = lambda done, total: None,
) -> Relocation:
    """
    Let the catalog know that what was in one folder is in another, or where it is itself now.

    Args:
        old: the folder as it was called; it need not exist. Without it, the catalog's own
            folder was moved or copied, with what lies below it.
        new: the folder that it is now.

    Raises:
        ObjectStoreError: a store cannot be reached, or says no.
        UsageError: nothing is known in the one folder, or nothing of it is in the other, or
            traces would lie elsewhere below their run.
        StoreError: the catalog cannot be used.
    """
    if (old is None) != (new is None):
        raise UsageError(
            "The old folder and the new one belong together",
            hint="Write: catalog relocate OLD NEW",
        )
    root = catalog_root(catalog)
    move = _move(old, new)
    with reading(catalog) as con:
        files = select_files(con, root, move.old)
        folders = _folders(con, root, move.old)
    if move.old:
        _check(move, [path for _, path, _, _ in folders])
    placed = look_for(files, move, progress)
    if move.old and files and not any(one.state in (*HERE, PACKED) for one in placed):
        raise UsageError(
            f"None of the {len(files):,} files that were in {move.old} is in {move.new}",
            hint="Name the folders that correspond to each other",
        )
    with writing(catalog) as con:
        taken = _write(con, root, move, placed, folders)
    return make_report(move, placed, folders, taken)


def _move(old: str | os.PathLike[str] | None, new: str | os.PathLike[str] | None) -> Move:
    if old is None or new is None:
        return Move("", "")
    move = Move(*(absolute(one).rstrip("/") + "/" for one in (old, new)))
    if move.old == move.new:
        raise UsageError(
            f"{move.old} is the same folder as {move.new}",
            hint="If the catalog itself was moved, write: catalog relocate",
        )
    if not _is_folder(move.new):
        raise UsageError(f"There is no folder {move.new}", hint="Name where the traces are now")
    return move


def _is_folder(place: str) -> bool:
    """Say whether a folder is there; of a store, whether anything is in it."""
    return bool(list_below(place.rstrip("/"))) if is_url(place) else os.path.isdir(place)


def _folders(con: DuckDBPyConnection, root: str, old: str) -> list[KnownFolder]:
    values = {"root": root, "folder": old}
    return con.execute(statement("select_folders_below"), values).fetchall()


def _check(move: Move, folders: Sequence[str]) -> None:
    if not folders:
        raise UsageError(
            f"The catalog knows nothing in {move.old}",
            hint="See which folders it knows with: catalog info",
        )
    for folder in folders:
        if _below_run(folder) != _below_run(move(folder)):
            raise UsageError(
                f"{move.old} is a part of the run {run_folder(folder.rstrip('/'))}, and a trace is "
                "known by its path below its run",
                hint=f"Move whole runs, or register it as another one: catalog register {move.new}",
            )


def _below_run(folder: str) -> str:
    return folder[len(run_folder(folder.rstrip("/"))) :]


def _write(
    con: DuckDBPyConnection,
    root: str,
    move: Move,
    placed: Sequence[Placed],
    folders: Sequence[KnownFolder],
) -> list[str]:
    """Write where the files are, and return the paths of those whose new place is taken."""
    try:
        return _write_all(con, root, move, placed, folders)
    except duckdb.Error as error:
        if "/packs/" in str(error):
            raise StoreError(
                f"A pack of the catalog is gone: {str(error).splitlines()[0]}",
                hint="Bring it back, or read its traces from their files: catalog compact",
            ) from error
        if ".parquet" not in str(error):
            raise
    # Files elsewhere are gone, and DuckDB makes no view over them.
    record_changes(con, root)
    return _write_all(con, root, move, placed, folders)


def _write_all(
    con: DuckDBPyConnection,
    root: str,
    move: Move,
    placed: Sequence[Placed],
    folders: Sequence[KnownFolder],
) -> list[str]:
    moving = [one for one in placed if one.state != STAYED]
    staying = {one.file.directory_id for one in placed if one.state == STAYED}
    moved = [
        (number, move(path))
        for number, path, _, _ in folders
        # What has no files may still be a run's own folder.
        if number not in staying or _is_folder(move(path))
    ]
    seen = [
        SeenFolder(move(path).rstrip("/"), root_of(move, path, above), linked)
        for _, path, above, linked in folders
    ]
    values = {"root": root, "folder": move.old}
    with transaction(con), noting(con, "roots", "runs"):
        record_folders(con, root, seen)
        with registered(
            con,
            incoming_placed=_placed_table(moving, root),
            incoming_moved_folder=_folder_table(moved, root),
        ):
            for part in con.extract_statements(statement("relocate_files")):
                con.execute(part, bound(part.query, values))
        taken = con.execute(statement("select_taken"), {"root": root}).fetchall()
        write_batch(con, root, _batch(moving, taken))
        con.execute(statement("touch_found_again"))
        con.execute(statement("finish_latest"))
        refresh_views(con, root)
    return [f"{folder}/{name}" for folder, name in taken]


def _batch(moving: Sequence[Placed], taken: Sequence[tuple[str, str]]) -> Batch:
    """Say which files are missing or changed where they should be, for the rest to follow."""
    without = set(taken)
    batch = Batch(gone=list(taken))
    for one in moving:
        folder = one.folder.rstrip("/")
        if (one.file.folder.rstrip("/"), one.file.name) in without:
            continue
        if one.state in (ABSENT, PACKED) and one.file.has_file and one.file.status != "missing":
            batch.gone.append((folder, one.file.name))
        elif one.state == CHANGED and not one.file.is_packed:
            why = f"{one.path}: it is not the file that was registered"
            hint = f"Run: catalog register {folder}"
            batch.problems.append(Problem(one.path, "changed", why, hint))
    return batch


def _placed_table(placed: Sequence[Placed], root: str) -> pa.Table:
    places = {folder: stored_prefix(folder, root) for folder in {one.folder for one in placed}}
    return pa.table(
        {
            "directory_id": pa.array([one.file.directory_id for one in placed], pa.int32()),
            "file_name": pa.array([one.file.name for one in placed], pa.string()),
            "mtime_ns": pa.array([one.file.mtime_ns for one in placed], pa.int64()),
            "new_mtime_ns": pa.array([one.mtime_ns for one in placed], pa.int64()),
            "is_there": pa.array([one.state in HERE for one in placed], pa.bool_()),
            "prefix": pa.array([places[one.folder].prefix for one in placed], pa.string()),
            "is_relative": pa.array([places[one.folder].is_relative for one in placed], pa.bool_()),
        }
    )


def _folder_table(folders: Sequence[tuple[int, str]], root: str) -> pa.Table:
    places = [stored_prefix(path, root) for _, path in folders]
    return pa.table(
        {
            "directory_id": pa.array([number for number, _ in folders], pa.int32()),
            "prefix": pa.array([place.prefix for place in places], pa.string()),
            "is_relative": pa.array([place.is_relative for place in places], pa.bool_()),
        }
    )
