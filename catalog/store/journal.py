"""
What people and history told the catalog and no trace file says, as JSON lines beside it.

`catalog.d/NAME.jsonl` has one fact a line and only grows. A fact is on the disk here before it
is in catalog.duckdb, so that a catalog which is made anew knows it too.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from catalog.disk import sync
from catalog.errors import StoreError
from catalog.store.paths import side_folder

Fact = dict[str, Any]


def journal_path(catalog: Path, name: str) -> Path:
    """Return where the facts of a name are kept."""
    return side_folder(catalog) / f"{name}.jsonl"


def append_facts(catalog: Path, name: str, facts: Iterable[Mapping[str, Any]]) -> None:
    """
    Add facts of plain JSON values, which are on the disk when this returns.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    lines = b"".join(
        json.dumps(fact, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"
        for fact in facts
    )
    if not lines:
        return
    path = journal_path(catalog, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        with path.open("ab+") as file:
            # Whoever was killed while writing left half a line, which must not eat this one.
            if file.tell() and not _ends_a_line(file.fileno(), file.tell()):
                lines = b"\n" + lines
            # One write: processes that append at once do not mix their lines.
            if os.write(file.fileno(), lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
        if is_new:
            sync(path.parent)
    except OSError as error:
        raise StoreError(
            f"Cannot write {path}: {error.strerror}",
            hint="Free some space, or check the permissions of the folder",
        ) from error


def read_facts(catalog: Path, name: str) -> Iterator[Fact]:
    """
    Yield the facts of a name, oldest first; a line that is none is passed over.

    Raises:
        StoreError: the file cannot be read.
    """
    yield from facts_in(read_lines(catalog, name))


def read_lines(catalog: Path, name: str) -> list[bytes]:
    """
    Return the lines of a name's facts, oldest first, none where there is no file.

    Raises:
        StoreError: the file cannot be read.
    """
    path = journal_path(catalog, name)
    try:
        return path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(
            f"Cannot read {path}: {error.strerror}", hint="Check its permissions"
        ) from error


def facts_in(lines: Iterable[bytes]) -> Iterator[Fact]:
    """Yield the facts of lines; a line that is none is passed over."""
    for line in lines:
        try:
            fact = json.loads(line)
        except ValueError:
            continue
        if isinstance(fact, dict):
            yield fact


def _ends_a_line(descriptor: int, size: int) -> bool:
    return os.pread(descriptor, 1, size - 1) == b"\n"
