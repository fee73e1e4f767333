"""One file of a scan: what is to be read, and what reading it came to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from catalog.errors import NotATraceError, TraceFileError
from catalog.objects import StoredObject, is_url
from catalog.register.walk import NO_STAMP, Stamp
from catalog.traces.read import read_trace_file
from catalog.traces.source import VANISHED
from catalog.traces.tail import read_stated
from catalog.traces.trace_file import TraceFile


@dataclass(frozen=True, slots=True)
class FileToRead:
    """A file that is new or has changed; `kind` is what its folder stands for."""

    folder: str
    name: str
    kind: str | None
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be used, and why."""

    path: str
    reason: str
    error: str
    hint: str | None = None
    stamp: tuple[int, int] = NO_STAMP
    status: str = "quarantined"


NO_PERMISSION: Final = "no permission"
"""The reason of files that may not be read."""

Outcome = TraceFile | Problem | None
"""What reading a file came to; None where it vanished since it was listed."""


def read_file(file: FileToRead, *, is_stated_enough: bool = False) -> Outcome:
    """
    Read one file; what is wrong with it is a problem, not an error.

    Args:
        is_stated_enough: leave the rows of an object where they are if its footer speaks for them.

    Raises:
        ObjectStoreError: its store cannot be reached, or says no to more than this object.
    """
    try:
        path = f"{file.folder}/{file.name}"
        listed = StoredObject(path, *file.stamp) if is_url(path) else None
        if listed is not None and is_stated_enough:
            return read_stated(listed, kind_hint=file.kind)
        return read_trace_file(path, kind_hint=file.kind, listed=listed)
    except TraceFileError as error:
        status = "ignored" if isinstance(error, NotATraceError) else "quarantined"
        return problem_of(file, error.reason, str(error), error.hint, status)


def problem_of(
    file: FileToRead, reason: str, error: str, hint: str | None, status: str
) -> Problem | None:
    """Return the problem with a file, None where it has vanished."""
    path = f"{file.folder}/{file.name}"
    is_gone = reason == VANISHED if is_url(path) else not os.path.lexists(path)
    if is_gone:
        return None
    # The stamp is that of the listing: what was written to the file since then is new. A
    # change of permissions changes no time: such a file is tried again each time.
    stamp = NO_STAMP if reason == NO_PERMISSION else file.stamp
    return Problem(path, reason, error, hint, stamp, status)
