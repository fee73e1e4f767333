"""Registered trace files: there, as long as they were, and with the bytes that they had."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

from catalog.objects import is_url
from catalog.verify.digests import Compared, Task, compare, open_folder
from catalog.verify.finding import Progress
from catalog.verify.known import Known, Raw
from catalog.verify.remote import Listing, look_at_objects


def look_at(
    known: Known,
    listing: Listing,
    *,
    read: bool,
    chosen: Collection[str] | None,
    progress: Progress,
) -> Compared:
    """
    Look at every file that is to be there.

    Args:
        listing: what is there of those that are objects of a store.
        read: compare the digest of its bytes, and not only size and time of change.
        chosen: read only these, where they are given.
    """
    total = known.expected()
    folders = [
        (folder, names)
        for folder, rows in known.files.items()
        if (names := {name: raw for name, raw in rows.items() if raw[3]})
    ]
    here = [one for one in folders if not is_url(one[0])]
    looked = _look_here(here, total, read=read, chosen=chosen, progress=progress)
    before = looked.files
    if len(here) < len(folders):
        looked.add(
            look_at_objects(
                [one for one in folders if is_url(one[0])],
                listing,
                read_bytes=lambda url: read and (chosen is None or url in chosen),
                progress=lambda done: progress(before + done, total),
            )
        )
    return looked


def _look_here(
    folders: Task,
    total: int,
    *,
    read: bool,
    chosen: Collection[str] | None,
    progress: Progress,
) -> Compared:
    if read and chosen is None:
        progress(0, total)
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
