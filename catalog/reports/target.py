"""The file that a notebook or a report becomes: not over one that somebody may have worked on."""

from __future__ import annotations

from pathlib import Path

from catalog.errors import UsageError


def check_target(path: Path, *, overwrite: bool) -> None:
    """
    Refuse a file that is there, or a folder.

    Raises:
        UsageError: it is so.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="Name a file")
    if path.is_file() and not overwrite:
        raise UsageError(f"{path} is there already", hint="Name another file, or add --overwrite")
