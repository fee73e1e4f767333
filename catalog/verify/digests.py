"""
Read the bytes of files once and compare their digests: here, and in processes beside this one.

    python -m catalog.verify.digests

Threads do not help with many small files. This module loads nothing but what Python has, so that
such a process is there at once.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from threading import Thread
from typing import IO, Any, Final

HELD: Final = 64 << 20
"""Larger files are read piece by piece, so that memory stays bounded."""
WORTHWHILE: Final = 10_000
MOST_PROCESSES: Final = 4
_PIECE: Final = 1_000
_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK

Rows = Mapping[str, tuple[int, int, str | None, bool]]
"""Size, time of change and digest by name, as the catalog has them."""
Task = Sequence[tuple[str, Rows]]


@dataclass
class Compared:
    """The paths of files that are not as they were, and what was read."""

    differing: list[str] = field(default_factory=list)
    files: int = 0
    read: int = 0
    size_bytes: int = 0

    def add(self, other: Compared) -> None:
        """Add what came of other files."""
        self.differing += other.differing
        self.files += other.files
        self.read += other.read
        self.size_bytes += other.size_bytes


def compare(folders: Task, progress: Callable[[int], None]) -> Compared:
    """
    Read all files of some folders, and compare size, time of change and digest with the rows.

    Args:
        progress: called with how many files were read.
    """
    count = sum(len(rows) for _, rows in folders)
    tasks = _tasks(folders)
    helpers = min(os.cpu_count() or 1, MOST_PROCESSES) - 1 if count >= WORTHWHILE else 0
    found = [Compared() for _ in range(helpers + 1)]
    threads = [Thread(target=_serve, args=(tasks, own), daemon=True) for own in found[1:]]
    for thread in threads:
        thread.start()
    try:
        while tasks or any(thread.is_alive() for thread in threads):
            try:
                task = tasks.popleft()
            except IndexError:
                # What a process took that then ended comes back.
                for thread in threads:
                    thread.join(0.05)
                continue
            found[0].add(compare_here(task))
            progress(sum(own.files for own in found))
    finally:
        tasks.clear()
    for own in found[1:]:
        found[0].add(own)
    return found[0]


def _tasks(folders: Task) -> deque[Task]:
    tasks: deque[Task] = deque()
    waiting: list[tuple[str, Rows]] = []
    count = 0
    for folder, rows in folders:
        for piece in _pieces(rows):
            waiting.append((folder, piece))
            count += len(piece)
            if count >= _PIECE:
                tasks.append(waiting)
                waiting, count = [], 0
    if waiting:
        tasks.append(waiting)
    return tasks


def _pieces(rows: Rows) -> Iterator[Rows]:
    if len(rows) <= _PIECE:
        yield rows
        return
    items = iter(rows.items())
    while piece := dict(islice(items, _PIECE)):
        yield piece


def _serve(tasks: deque[Task], found: Compared) -> None:
    """Let a process of its own do tasks; what it cannot do goes back."""
    try:
        # Ctrl-C is for the process that was called: it ends these by closing their input.
        process = subprocess.Popen(
            [sys.executable, "-m", "catalog.verify.digests"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError:
        return
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
    task: Task | None = None
    try:
        while tasks:
            task = tasks.popleft()
            _send(process.stdin, task)
            found.add(Compared(*pickle.load(process.stdout)))  # noqa: S301 - from our own process
            task = None
    except (IndexError, EOFError, OSError, pickle.UnpicklingError):
        if task is not None:
            tasks.append(task)
    finally:
        process.communicate()


def _send(target: IO[bytes], message: Any) -> None:
    pickle.dump(message, target, pickle.HIGHEST_PROTOCOL)
    target.flush()


def compare_here(folders: Task) -> Compared:
    """Read all files of some folders in this process."""
    found = Compared()
    for folder, rows in folders:
        descriptor = open_folder(folder)
        prefix = "" if descriptor is not None else f"{folder}/"
        try:
            for name, (size, mtime_ns, digest, _) in rows.items():
                try:
                    (length, changed_at), own = digest_of(prefix + name, descriptor)
                except OSError:
                    found.differing.append(f"{folder}/{name}")
                    continue
                found.read += 1
                found.size_bytes += length
                if own != digest or length != size or changed_at != mtime_ns:
                    found.differing.append(f"{folder}/{name}")
        finally:
            if descriptor is not None:
                os.close(descriptor)
        found.files += len(rows)
    return found


def open_folder(folder: str) -> int | None:
    """Open a folder: what is in it is found from there faster than by its whole path."""
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None


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
        if size <= HELD:
            # One read takes it all, and says whether it has grown since.
            data = os.read(descriptor, size + 1)
            return (len(data), status.st_mtime_ns), hashlib.sha256(data).hexdigest()
        with os.fdopen(os.dup(descriptor), "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return (size, status.st_mtime_ns), digest
    finally:
        os.close(descriptor)


def main() -> None:
    """Do tasks until the other process closes its end, or is gone."""
    while True:
        try:
            task: Task = pickle.load(sys.stdin.buffer)  # noqa: S301 - from who started this
        except EOFError:
            return
        found = compare_here(task)
        answer = (found.differing, found.files, found.read, found.size_bytes)
        _send(sys.stdout.buffer, answer)


if __name__ == "__main__":
    main()
