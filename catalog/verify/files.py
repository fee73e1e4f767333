"""Registered trace files: there, as long as they were, and with the bytes that they had."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from catalog.traces.source import LARGEST_HELD
from catalog.verify.finding import Progress
from catalog.verify.known import Known, Raw

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass
class Looked:
    """What came of looking at files: the paths that are not as they were, and what was read."""

    suspects: list[str] = field(default_factory=list)
    files: int = 0
    read: int = 0
    size_bytes: int = 0


def look_at(
    known: Known, *, read: bool, chosen: Collection[str] | None, progress: Progress
) -> Looked:
    """
    Look at every file that is to be there.

    Args:
        read: compare the digest of its bytes, and not only size and time of change.
        chosen: read only these, where they are given.
    """
    looked = Looked()
    total = known.expected()
    for folder, rows in known.files.items():
        names = {name: row for name, row in rows.items() if row[3]}
        if not names:
            continue
        descriptor = _open_folder(folder)
        try:
            if read and chosen is None:
                differing = _read_folder(folder, names, descriptor, looked)
            else:
                differing = _stat_folder(folder, names, descriptor)
            looked.suspects += [f"{folder}/{name}" for name in differing]
            if chosen is not None:
                picked = {n: row for n, row in names.items() if f"{folder}/{n}" in chosen}
                again = _read_folder(folder, picked, descriptor, looked)
                looked.suspects += [f"{folder}/{name}" for name in again]
        finally:
            if descriptor is not None:
                os.close(descriptor)
        looked.files += len(names)
        progress(looked.files, total)
    looked.suspects = list(dict.fromkeys(looked.suspects))
    return looked


def _open_folder(folder: str) -> int | None:
    """Open a folder: what is in it is found from there faster than by its whole path."""
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None


def _stat_folder(folder: str, rows: Mapping[str, Raw], descriptor: int | None) -> list[str]:
    stat, differing = os.stat, []
    for name, (size, mtime_ns, _, _) in rows.items():
        try:
            status = stat(name if descriptor else f"{folder}/{name}", dir_fd=descriptor)
        except OSError:
            differing.append(name)
            continue
        if status.st_size != size or status.st_mtime_ns != mtime_ns:
            differing.append(name)
    return differing


def _read_folder(
    folder: str, rows: Mapping[str, Raw], descriptor: int | None, looked: Looked
) -> list[str]:
    differing = []
    prefix = "" if descriptor is not None else f"{folder}/"
    total = 0
    for name, (size, mtime_ns, digest, _) in rows.items():
        try:
            (length, changed_at), own = digest_of(prefix + name, descriptor)
        except OSError:
            differing.append(name)
            continue
        total += length
        looked.read += 1
        if own != digest or length != size or changed_at != mtime_ns:
            differing.append(name)
    looked.size_bytes += total
    return differing


def digest_of(path: str, folder: int | None = None) -> tuple[tuple[int, int], str]:
    """
    Read the bytes of a file once, and return its size and time of change, and their digest.

    Args:
        folder: the open folder that the path begins at.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(path, _OPEN, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        size = status.st_size
        if size <= LARGEST_HELD:
            # One read takes it all, and says whether it has grown since.
            data = os.read(descriptor, size + 1)
            return (len(data), status.st_mtime_ns), hashlib.sha256(data).hexdigest()
        with os.fdopen(os.dup(descriptor), "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return (size, status.st_mtime_ns), digest
    finally:
        os.close(descriptor)


def paths_of(known: Known) -> Iterator[str]:
    """Yield the paths of the files that are to be there."""
    for folder, rows in known.files.items():
        for name, row in rows.items():
            if row[3]:
                yield f"{folder}/{name}"
