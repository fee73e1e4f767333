"""Where registered files are: as they were registered, otherwise, or not there."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from catalog.statements import statement

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
    placed = []
    for done, file in enumerate(files):
        if done % 1000 == 0:
            progress(done, len(files))
        folder = place(file.folder)
        state, mtime_ns = _look(file, folder)
        placed.append(Placed(file, folder, state, mtime_ns))
    progress(len(files), len(files))
    return placed


def count_states(placed: Sequence[Placed]) -> Counter[str]:
    """Count trace files by what became of them; those that were no traces do not count."""
    return Counter(one.state for one in placed if one.file.digest is not None)


def _look(file: KnownFile, folder: str) -> tuple[str, int]:
    path = folder + file.name
    try:
        status = os.stat(path)
    except OSError:
        if folder != file.folder and os.path.lexists(file.folder + file.name):
            return STAYED, file.mtime_ns
        return (PACKED if file.is_packed else ABSENT), file.mtime_ns
    if file.digest is None:
        # Of what is no registered trace nothing is known that could tell a copy.
        return PRESENT, file.mtime_ns
    if status.st_size == file.size:
        if status.st_mtime_ns == file.mtime_ns:
            return PRESENT, file.mtime_ns
        if file_digest(path) == file.digest:
            return RETIMED, status.st_mtime_ns
    return CHANGED, file.mtime_ns


def file_digest(path: str) -> str | None:
    """Return the digest of all bytes of a file, 64 hex digits; None where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
