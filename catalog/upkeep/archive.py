"""A folder as one ZIP archive, in the same order whenever it is made."""

from __future__ import annotations

import os
import shutil
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from catalog.disk import sync

# Packed already; what is around their pages is little.
_STORED = frozenset({".zip", ".gz", ".zst"})
_EARLIEST, _LATEST = 315_532_800, 4_354_819_198  # What the format knows: 1980 to 2107.


def write_archive(
    folder: Path, target: Path, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """
    Write the files of a folder into an archive, below the folder's own name.

    Times of change are in it in UTC, for those who unpack them. More than 65,535 files, and more
    than 4 GB, are no matter.
    """
    with zipfile.ZipFile(target, "x", allowZip64=True) as archive:
        paths = sorted(one for one in folder.rglob("*") if one.is_file())
        for done, path in enumerate(paths):
            if done % 64 == 0:
                progress(done, len(paths))
            name = path.relative_to(folder.parent).as_posix()
            status = path.stat()
            seconds = min(max(int(status.st_mtime), _EARLIEST), _LATEST)
            entry = zipfile.ZipInfo(name, date_time=time.gmtime(seconds)[:6])
            entry.external_attr = (0o100644 & 0xFFFF) << 16
            entry.compress_type = (
                zipfile.ZIP_STORED if path.suffix in _STORED else zipfile.ZIP_DEFLATED
            )
            if seconds < 1 << 31:
                # The extended timestamp: seconds since 1970, whatever the time zone.
                entry.extra = struct.pack("<HHBl", 0x5455, 5, 1, seconds)
            entry.file_size = status.st_size
            with path.open("rb") as source, archive.open(entry, "w") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
        progress(len(paths), len(paths))
    sync(target)
    os.utime(target)
