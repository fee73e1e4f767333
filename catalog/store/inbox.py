"""Notes of writers that could not get into the catalog: the files that they finalized."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from catalog.disk import sync
from catalog.errors import StoreError
from catalog.store.paths import side_folder

_ENDING = ".json"


@dataclass(frozen=True)
class Note:
    """One note: where it is, and the absolute paths of the files that it names."""

    path: Path
    files: tuple[str, ...]


def leave_note(catalog: Path, files: Iterable[str]) -> Path:
    """
    Leave a note for the next writer, which is on the disk when this returns.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    inbox = _folder(catalog)
    # Sorted by name they are in the order in which they came.
    name = f"{time.time_ns():020}-{os.getpid()}-{secrets.token_hex(4)}"
    note, unfinished = inbox / f"{name}{_ENDING}", inbox / f".{name}.tmp"
    try:
        inbox.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump({"files": list(files)}, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(note)
        sync(inbox)
        sync(inbox.parent)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise StoreError(
            f"Cannot leave a note in {inbox}: {error.strerror}",
            hint="The trace files are complete: register their folder with catalog register",
        ) from error
    return note


def waiting_notes(catalog: Path) -> int:
    """Count the notes that wait for the next writer."""
    return len(_names(catalog))


def read_notes(catalog: Path) -> list[Note]:
    """Return the notes, oldest first; what is no note is passed over."""
    notes = []
    for path in _names(catalog):
        with suppress(OSError, ValueError, KeyError, TypeError):
            files = json.loads(path.read_text(encoding="utf-8"))["files"]
            notes.append(Note(path, tuple(map(str, files))))
    return notes


def remove_notes(notes: Sequence[Note]) -> None:
    """Remove notes whose files are in the catalog; another writer may have been quicker."""
    for note in notes:
        with suppress(OSError):
            note.path.unlink(missing_ok=True)


def _folder(catalog: Path) -> Path:
    return side_folder(catalog) / "inbox"


def _names(catalog: Path) -> list[Path]:
    try:
        names = os.listdir(_folder(catalog))
    except OSError:
        return []
    return sorted(
        _folder(catalog) / name
        for name in names
        if name.endswith(_ENDING) and not name.startswith(".")
    )
