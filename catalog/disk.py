"""What has to be on the disk before anybody relies on it."""

from __future__ import annotations

import os
import re
from pathlib import Path


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_unfinished(path: Path) -> None:
    """
    Remove what processes that were killed left of a file, `.NAME.PID.tmp` beside it.

    Only who alone may write the file may do that: what others are writing goes, too.
    """
    left = re.compile(rf"\.{re.escape(path.name)}\.\d+\.tmp(\.wal)?")
    for name in os.listdir(path.parent):
        if left.fullmatch(name):
            (path.parent / name).unlink(missing_ok=True)
