"""The file that a notebook or a report becomes: not over one that somebody may have worked on."""

from __future__ import annotations

from pathlib import Path

from catalog.errors import UsageError
from catalog.query.target import check_folder


def check_target(path: Path, *, overwrite: bool) -> None:
    """
    Refuse a file that is there, a folder, or what has no folder.

    Raises:
        UsageError: it is so.
    """
    check_folder(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="Name a file")
    if path.is_file() and not overwrite:
        raise UsageError(f"{path} is there already", hint="Name another file, or add --overwrite")
