"""Remove the files of a writer that nobody reads any more. Only on request."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import timedelta

from catalog.lake.contents import name_of
from catalog.lake.layout import CONTENTS, MANIFESTS, TABLES
from catalog.lake.manifest import read_manifest
from catalog.places import list_files, remove

AFTER = timedelta(days=1)
"""A reader that began before a publish may read the files of before so long."""


@dataclass
class Garbage:
    """The files that were removed, their size in bytes, and how many were too young."""

    removed: list[str] = field(default_factory=list)
    size: int = 0
    younger: int = 0


def collect(place: str, writer: str, *, older: timedelta) -> Garbage:
    """
    Remove files of a writer that its manifest does not name, and unfinished ones.

    Those of other writers, and whatever else lies in the lake, are left alone.

    Args:
        older: only files that were written so long ago.

    Raises:
        OSError, ObjectStoreError: a file cannot be removed.
    """
    manifest = read_manifest(place, writer)
    named: set[str] = set()
    for files in manifest.tables.values() if manifest is not None else ():
        named |= {one.path for one in files} | {name_of(one.path).contents for one in files}
    ours = re.compile(
        rf"({CONTENTS}/)?({'|'.join(TABLES)})/(.+/)?"
        rf"({writer}-[0-9a-f]{{16}}\.parquet|\.{writer}-[0-9a-f]{{16}}\.parquet\.[\w-]+\.tmp)"
        rf"|{MANIFESTS}/\.{writer}\.json\.[\w-]+\.tmp"
    )
    found = Garbage()
    before = time.time_ns() - older // timedelta(microseconds=1) * 1000
    for file in list_files(place):
        path = file.place[len(place.rstrip("/")) + 1 :]
        if path in named or ours.fullmatch(path) is None:
            continue
        if file.mtime_ns > before:
            found.younger += 1
            continue
        remove(file.place)
        found.removed.append(path)
        found.size += file.size
    return found
