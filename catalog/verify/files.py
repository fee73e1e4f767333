"""Registered trace files: there, as long as they were, and with the bytes that they had."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

from catalog.verify.digests import Compared, compare, open_folder
from catalog.verify.finding import Progress
from catalog.verify.known import Known, Raw


def look_at(
    known: Known, *, read: bool, chosen: Collection[str] | None, progress: Progress
) -> Compared:
    """
    Look at every file that is to be there.

    Args:
        read: compare the digest of its bytes, and not only size and time of change.
        chosen: read only these, where they are given.
    """
    total = known.expected()
    folders = [
        (folder, names)
        for folder, rows in known.files.items()
        if (names := {name: raw for name, raw in rows.items() if raw[3]})
    ]
    if read and chosen is None:
        return compare(folders, lambda done: progress(done, total))
    looked = Compared()
    for folder, names in folders:
        looked.differing += _stat_folder(folder, names)
        looked.files += len(names)
        progress(looked.files, total)
    if chosen is not None:
        picked = [
            (folder, own)
            for folder, names in folders
            if (own := {name: raw for name, raw in names.items() if f"{folder}/{name}" in chosen})
        ]
        again = compare(picked, lambda done: progress(done, total))
        looked.differing = list(dict.fromkeys(looked.differing + again.differing))
        looked.read, looked.size_bytes = again.read, again.size_bytes
    return looked


def _stat_folder(folder: str, rows: Mapping[str, Raw]) -> list[str]:
    """Return the files that are not there, or have another size or time of change."""
    stat, differing = os.stat, []
    descriptor = open_folder(folder)
    try:
        for name, (size, mtime_ns, _, _) in rows.items():
            try:
                path = f"{folder}/{name}" if descriptor is None else name
                status = stat(path, dir_fd=descriptor)
            except OSError:
                differing.append(f"{folder}/{name}")
                continue
            if status.st_size != size or status.st_mtime_ns != mtime_ns:
                differing.append(f"{folder}/{name}")
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return differing


def paths_of(known: Known) -> Iterator[str]:
    """Yield the paths of the files that are to be there."""
    for folder, rows in known.files.items():
        for name, row in rows.items():
            if row[3]:
                yield f"{folder}/{name}"
