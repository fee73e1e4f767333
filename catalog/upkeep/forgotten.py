"""
What was forgotten, as facts beside the catalog, so that it stays forgotten.

A fact says of a trace that it is to be forgotten, that its file is to be deleted or has been, or
that it was brought back. The last ones hold. A trace is known again by its id and the bytes of
its file, or by its place in a pack: what was written anew since is another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.places import look_at, remove
from catalog.statements import statement
from catalog.store.database import writing
from catalog.store.journal import append_facts, journal_path, read_facts
from catalog.store.parameters import count_parameters
from catalog.store.paths import catalog_root
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.store.views import refresh_views
from catalog.upkeep.spare import remove_spare

_NAME = "forgotten"
FORGET, DELETE, DELETED, BACK = "forget", "delete", "deleted", "back"


@dataclass(frozen=True, slots=True)
class ForgottenTrace:
    """
    A trace that is forgotten, and whether its file and its rows in packs are not wanted either.

    `is_pending` says that they are still to be deleted.
    """

    trace_id: str
    file_digest: str | None
    pack_path: str | None
    trace_number: int | None
    is_unwanted: bool
    is_pending: bool


@dataclass(frozen=True, slots=True)
class ForgottenFile:
    """A file of a forgotten trace that a scan passes over."""

    directory_id: int
    path: str
    name: str
    size: int
    mtime_ns: int
    trace_id: str
    is_copy: bool


def note(catalog: Path, what: str, facts: Iterable[dict[str, object]]) -> None:
    """
    Note what became of traces; it is on the disk when this returns.

    Args:
        facts: the trace_id of each, and what tells it again.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    append_facts(catalog, _NAME, ({"what": what, "at": now, **fact} for fact in facts))


def read_forgotten(catalog: Path) -> dict[str, ForgottenTrace]:
    """
    Return the traces that are forgotten, by their ids.

    Raises:
        StoreError: the facts cannot be read.
    """
    found: dict[str, ForgottenTrace] = {}
    for fact in read_facts(catalog, _NAME):
        trace_id, what = fact.get("trace_id"), fact.get("what")
        if not isinstance(trace_id, str):
            continue
        if what == BACK:
            found.pop(trace_id, None)
        elif what == DELETED:
            if trace_id in found:
                found[trace_id] = replace(found[trace_id], is_pending=False)
        elif what in (FORGET, DELETE):
            found[trace_id] = ForgottenTrace(
                trace_id,
                fact.get("file_digest"),
                fact.get("pack_path"),
                fact.get("trace_number"),
                is_unwanted=what == DELETE,
                is_pending=what == DELETE,
            )
    return found


def write_forgotten(con: DuckDBPyConnection, catalog: Path, trace_ids: Sequence[str]) -> None:
    """
    Take traces out of the tables, in one transaction.

    Their files are there, and passed over by scans as long as they are unchanged. The ledger of
    trials stays as it is.
    """
    ids = pa.table({"trace_id": pa.array(trace_ids, pa.string())})
    with transaction(con):
        with registered(con, incoming_id=ids):
            for part in con.extract_statements(statement("forget_traces")):
                con.execute(part)
        con.execute(statement("finish_latest"))
        con.execute(statement("delete_unused_strategies"))
        count_parameters(con)
        refresh_views(con, catalog_root(catalog))


def replay_forgotten(con: DuckDBPyConnection, catalog: Path) -> int:
    """
    Forget again what was forgotten and has been registered since as it was; return how many.

    It belongs behind a registration, on a connection for writing, outside of transactions.

    Raises:
        StoreError: the facts cannot be read.
    """
    if not journal_path(catalog, _NAME).exists():
        return 0
    forgotten = list(read_forgotten(catalog).values())
    table = pa.table(
        {
            "trace_id": pa.array([one.trace_id for one in forgotten], pa.string()),
            "file_digest": pa.array([one.file_digest for one in forgotten], pa.string()),
            "pack_path": pa.array([one.pack_path for one in forgotten], pa.string()),
            "trace_number": pa.array([one.trace_number for one in forgotten], pa.int64()),
        }
    )
    with registered(con, incoming_forgotten=table):
        rows = con.execute(statement("select_forgotten_again")).fetchall()
    if rows:
        again = {trace_id for (trace_id,) in rows}
        write_forgotten(con, catalog, sorted(again))
        unwanted = [one for one in forgotten if one.is_unwanted and one.trace_id in again]
        remove_emptied(con, catalog, {one.pack_path for one in unwanted})
    return len(rows)


def remove_emptied(
    con: DuckDBPyConnection, catalog: Path, pack_paths: Collection[str | None]
) -> None:
    """Delete those of some packs that hold no trace any more which anybody wants."""
    rows = con.execute(statement("select_packed_known")).fetchall()
    emptied = set(pack_paths) - {pack_path for _, _, pack_path in rows} - {None}
    # What a catalog that was lost knew of them, this one may not.
    remove_spare(con, catalog, filter(None, emptied), unwanted=unwanted_ids(catalog))


def unwanted_ids(catalog: Path) -> set[str]:
    """
    Return the traces whose rows in packs nobody wants: they are forgotten.

    One that was in packs only is forgotten with all that holds it; the others have files.

    Raises:
        StoreError: the facts cannot be read.
    """
    return set(read_forgotten(catalog))


def forget_again(catalog: Path) -> int:
    """
    Do what `replay_forgotten` does, on a connection of its own.

    Raises:
        StoreError: the catalog cannot be used.
    """
    if not journal_path(catalog, _NAME).exists():
        return 0
    with writing(catalog) as con:
        return replay_forgotten(con, catalog)


def bring_back(catalog: Path, folders: Sequence[str]) -> int:
    """
    Let the next registration read what was forgotten at and below some folders.

    Returns:
        How many traces those are.

    Raises:
        StoreError: the catalog cannot be used.
    """
    if not catalog.exists() or not journal_path(catalog, _NAME).exists():
        return 0
    with writing(catalog) as con:
        files = {
            file.path: file for folder in folders for file in forgotten_files(con, catalog, folder)
        }
        ids = sorted({file.trace_id for file in files.values()})
        if not ids:
            return 0
        note(catalog, BACK, ({"trace_id": trace_id} for trace_id in ids))
        with transaction(con):
            pass_over_no_more(con, list(files.values()))
            back = pa.table({"trace_id": pa.array(ids, pa.string())})
            with registered(con, incoming_id=back):
                con.execute(statement("restore_copies"))
    return len(ids)


def forgotten_files(
    con: DuckDBPyConnection, catalog: Path, folder: str = ""
) -> list[ForgottenFile]:
    """Return the files of forgotten traces at and below a folder, or all of them."""
    values = {
        "root": catalog_root(catalog),
        "folder": folder.rstrip("/") + "/" if folder else "",
    }
    rows = con.execute(statement("select_forgotten_files"), values).fetchall()
    return [ForgottenFile(*row) for row in rows]


class ChangedError(Exception):
    """A file is not the one that was registered."""


def delete_unchanged(file: ForgottenFile) -> int:
    """
    Delete a file, and return how many that were: none where it is gone.

    Raises:
        ChangedError: it is another one than was registered.
        OSError: it cannot be deleted.
        ObjectStoreError: its store cannot be reached, or says no.
    """
    there = look_at(file.path)
    if there is None:
        return 0
    if (there.size, there.mtime_ns) != (file.size, file.mtime_ns):
        raise ChangedError
    remove(file.path)
    return 1


def pass_over_no_more(con: DuckDBPyConnection, files: Sequence[ForgottenFile]) -> None:
    """Take files of forgotten traces out of what scans pass over."""
    table = pa.table(
        {
            "directory_id": pa.array([file.directory_id for file in files], pa.int32()),
            "file_name": pa.array([file.name for file in files], pa.string()),
        }
    )
    with registered(con, incoming_file=table):
        con.execute(statement("delete_others"))
