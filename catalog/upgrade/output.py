"""The folder that upgraded traces go to: nothing but them, and one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import CatalogError, UsageError
from catalog.traces import format as layout
from catalog.traces.finalize import make_folder, write_whole, writing_errors
from catalog.upkeep.packs import is_alive

MARK = "upgrade.json"
_PID = re.compile(r"\.(\d+)-[0-9a-f]{8}\.tmp$")
_HERE = "Give a folder that does not exist yet, or one that this command made from the same folder"


@contextmanager
def opened(output: Path, folder: Path, *, dry_run: bool) -> Iterator[None]:
    """
    Let this process alone write to the output; it is made, and marked as what it is.

    Args:
        output: absolute.
        folder: where the traces are read from, absolute.
        dry_run: look only.

    Raises:
        UsageError: the output lies in the folder, or holds something else.
        CatalogError: it cannot be written, or another process is upgrading into it.
    """
    check(output, folder)
    if dry_run:
        yield
        return
    with writing_errors(output):
        make_folder(output)
        descriptor = os.open(output, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CatalogError(
                f"Another process is upgrading into {output}", hint="Wait until it is done"
            ) from None
        _remove_unfinished(output)
        if not (output / MARK).exists():
            text = json.dumps({"upgraded_from": os.fspath(folder)}) + "\n"
            write_whole(output / MARK, lambda temporary: write_text(temporary, text))
        yield
    finally:
        os.close(descriptor)


def check(output: Path, folder: Path) -> None:
    """
    Refuse an output that is not for this.

    Raises:
        UsageError: the folder is none, or the output lies in it, or holds something else.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise UsageError(f"The folder {folder} {what}", hint="Give the folder of the old traces")
    inner, outer = os.path.realpath(output), os.path.realpath(folder)
    if f"{inner}/".startswith(f"{outer.rstrip('/')}/"):
        raise UsageError(
            f"The output {output} is the folder of the old traces, or lies in it",
            hint="Give a folder beside it: the old traces are left alone",
        )
    if not output.exists():
        return
    if not output.is_dir():
        raise UsageError(f"The output {output} is a file", hint=_HERE)
    names = [name for name in os.listdir(output) if not layout.unfinished(name)]
    if not names:
        return
    source = _marked(output / MARK)
    if source is None:
        raise UsageError(f"The output {output} holds something else, {min(names)}", hint=_HERE)
    if source != os.fspath(folder):
        raise UsageError(f"The output {output} holds what was made from {source}", hint=_HERE)


def origin_of(path: Path) -> dict[str, Any] | None:
    """Return what the footer of a file says that it was made from; None where it says nothing."""
    try:
        keys = pq.read_metadata(path).metadata or {}
        origin = json.loads(keys.get(layout.UPGRADED_FROM_KEY, b"null"))
    except (OSError, pa.ArrowException, ValueError):
        return None
    return origin if isinstance(origin, dict) else None


def write_text(path: str, text: str) -> None:
    """Write a text file."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _marked(path: Path) -> str | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    source = document.get("upgraded_from") if isinstance(document, dict) else None
    return source if isinstance(source, str) else None


def _remove_unfinished(output: Path) -> None:
    """Remove what a process that was killed left; no other one upgrades into this now."""
    for folder, _, names in os.walk(output):
        for name in names:
            found = _PID.search(name) if layout.unfinished(name) else None
            if found is not None and not is_alive(int(found[1])):
                (Path(folder) / name).unlink(missing_ok=True)
