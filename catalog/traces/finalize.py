"""Files that appear under their name whole, and survive a crash once they have."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from catalog.errors import CatalogError
from catalog.traces.format import temporary_name


def write_whole(path: Path, write: Callable[[str], None]) -> None:
    """
    Let `write` fill a temporary file, and give it its name when it is on the disk.

    A failure leaves neither the temporary file nor a changed file under the name.

    Raises:
        CatalogError: the folder or the file cannot be written.
    """
    temporary = path.with_name(temporary_name(path.name))
    try:
        _make_folder(path.parent)
        try:
            write(str(temporary))
            _sync(temporary)
            temporary.replace(path)
            _sync(path.parent)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CatalogError(
            f"Cannot write {path}: {error.strerror or error}",
            hint="Check the folder's permissions and the space on its disk",
        ) from error


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each of which must reach the disk for the file to."""
    missing = [above for above in (folder, *folder.parents) if not above.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _sync(made.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
