"""Where registered files are: as they were registered, otherwise, or not there."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from catalog.errors import ObjectError
from catalog.objects import StoredObject, is_url, list_below, many_at_once
from catalog.places import exists
from catalog.statements import statement
from catalog.verify.remote import digest_of_object

PRESENT = "present"
"""As it was registered: its size and its time of change are the same."""
RETIMED = "retimed"
"""Another time of change, and the same bytes: a copy that did not keep the times."""
CHANGED = "changed"
ABSENT = "absent"
STAYED = "stayed"
"""Absent at the new place, and still at the old one."""
PACKED = "packed"
"""Absent, and its rows are in a pack."""

HERE = frozenset({PRESENT, RETIMED})


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that the catalog knows; `folder` is absolute and ends in a slash."""

    directory_id: int
    folder: str
    name: str
    size: int
    mtime_ns: int
    digest: str | None
    status: str
    has_file: bool
    is_packed: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """A file, the folder that it should be in now, and what is there."""

    file: KnownFile
    folder: str
    state: str
    mtime_ns: int

    @property
    def path(self) -> str:
        """The path that it should have now."""
        return self.folder + self.file.name


def select_files(con: DuckDBPyConnection, root: str, folder: str) -> list[KnownFile]:
    """
    Return the files that the catalog knows at and below a folder.

    Args:
        root: absolute folder of the catalog.
        folder: absolute, with a slash at its end; empty for all.
    """
    values = {"root": root, "folder": folder}
    return [
        KnownFile(*row) for row in con.execute(statement("select_files_below"), values).fetchall()
    ]


def look_for(
    files: Sequence[KnownFile],
    place: Callable[[str], str],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Placed]:
    """
    Say of each file whether it is where it should be now.

    Only files of the same size and another time are read, to compare their bytes.

    Args:
        place: returns the folder that files of a folder should be in now.
    """
    folders = {file.folder: place(file.folder) for file in files}
    listed = _list(folder for folder in folders.values() if is_url(folder))

    def look(file: KnownFile) -> Placed:
        folder = folders[file.folder]
        return Placed(file, folder, *_look(file, folder, listed))

    placed: list[Placed] = []
    is_remote = any(map(is_url, (*folders, *folders.values())))
    for done, one in enumerate(many_at_once(look, files) if is_remote else map(look, files)):
        if done % 1000 == 0:
            progress(done, len(files))
        placed.append(one)
    progress(len(files), len(files))
    return placed


def _list(folders: Iterable[str]) -> dict[str, StoredObject]:
    """Return what lies in some folders of stores, by URL: each is listed once."""
    listed: dict[str, StoredObject] = {}
    above = "\0"
    for folder in sorted(folders):
        if not folder.startswith(above):
            above = folder
            listed.update({stored.url: stored for stored in list_below(folder.rstrip("/"))})
    return listed


def count_states(placed: Sequence[Placed]) -> Counter[str]:
    """Count trace files by what became of them; those that were no traces do not count."""
    return Counter(one.state for one in placed if one.file.digest is not None)


def _look(file: KnownFile, folder: str, listed: Mapping[str, StoredObject]) -> tuple[str, int]:
    path = folder + file.name
    there = _stamp(path, listed)
    if there is None:
        if folder != file.folder and _is_there(file.folder + file.name):
            return STAYED, file.mtime_ns
        return (PACKED if file.is_packed else ABSENT), file.mtime_ns
    size, mtime_ns = there
    if file.digest is None:
        # Of what is no registered trace nothing is known that could tell a copy.
        return PRESENT, file.mtime_ns
    if size == file.size:
        if mtime_ns == file.mtime_ns:
            return PRESENT, file.mtime_ns
        if file_digest(path, size) == file.digest:
            return RETIMED, mtime_ns
    return CHANGED, file.mtime_ns


def _stamp(path: str, listed: Mapping[str, StoredObject]) -> tuple[int, int] | None:
    if is_url(path):
        stored = listed.get(path)
        return None if stored is None else (stored.size, stored.mtime_ns)
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _is_there(path: str) -> bool:
    return exists(path) if is_url(path) else os.path.lexists(path)


def file_digest(path: str, size: int) -> str | None:
    """
    Return the digest of all bytes of a file, 64 hex digits; None where it cannot be read.

    Args:
        size: how many bytes it has.

    Raises:
        ObjectStoreError: its store cannot be reached, or says no to more than this object.
    """
    try:
        if is_url(path):
            return digest_of_object(path, size)
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ObjectError):
        return None
