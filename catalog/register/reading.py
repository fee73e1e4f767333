"""
Read many trace files: here, or in processes beside this one where there are many.

A process of ours is a plain `python -m catalog.register.reader`, which is sent
lists of files and sends back what it found. multiprocessing would run a caller's
script again in every child. A file that kills its reader is quarantined like any
other bad file.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import groupby, islice

from catalog.errors import ObjectStoreError
from catalog.filesystems import is_given
from catalog.objects import AT_ONCE, is_url, many_at_once
from catalog.register.files import FileToRead, Outcome, problem_of, read_file
from catalog.register.reader import receive, send

# Starting a process takes as long as reading a thousand files,
WORTHWHILE = 4_000
# or two hundred objects: a request takes milliseconds of processor in the libraries of a store.
OBJECTS_WORTHWHILE = 1_000
MOST_PROCESSES = 8
_PIECE = 64
_OBJECTS_PIECE = 4 * AT_ONCE
# Pieces that are read, and not taken yet: while this process writes a batch, they go on.
_AHEAD = 192


def read_files(
    files: Iterable[FileToRead], *, here: int, there: int = 0, is_stated_enough: bool = False
) -> Iterator[Outcome]:
    """
    Yield what reading each file came to, in their order; those in a store many at a time.

    Args:
        here: how many of them lie on this machine.
        there: how many lie in a store.
        is_stated_enough: leave the rows of objects where they are whose footers speak for them.

    Raises:
        ObjectStoreError: a store cannot be reached, or says no to more than one object.
    """
    for scheme, some in groupby(files, key=_scheme):
        if scheme is None:
            yield from _read_here(some, here)
        # What was given to read a scheme through is known in this process only.
        elif (wanted := _wanted(there, OBJECTS_WORTHWHILE)) and not is_given(scheme):
            yield from _read_beside(some, wanted, _OBJECTS_PIECE, is_stated_enough=is_stated_enough)
        else:
            yield from many_at_once(partial(read_file, is_stated_enough=is_stated_enough), some)


def _read_here(files: Iterable[FileToRead], count: int) -> Iterator[Outcome]:
    wanted = _wanted(count, WORTHWHILE)
    return _read_beside(files, wanted, _PIECE) if wanted else map(read_file, files)


def _scheme(file: FileToRead) -> str | None:
    return file.folder.partition("://")[0] if is_url(file.folder) else None


def _wanted(count: int, worthwhile: int) -> int:
    """Return how many processes are to read so many files, 0 for none but this one."""
    cores = min(os.cpu_count() or 1, MOST_PROCESSES)
    return cores if count >= worthwhile and cores > 1 else 0


def _read_beside(
    files: Iterable[FileToRead], processes: int, piece: int, *, is_stated_enough: bool = False
) -> Iterator[Outcome]:
    readers = _Readers(processes, is_stated_enough=is_stated_enough)
    try:
        yield from readers.read(iter(files), piece)
    finally:
        readers.close()


class _Readers:
    """Processes that read, each served by a thread of its own."""

    def __init__(self, count: int, *, is_stated_enough: bool) -> None:
        self._is_stated_enough = is_stated_enough
        self._threads = ThreadPoolExecutor(count)
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        # Started together, and only then asked whether they are there.
        self._processes = [_start() for _ in range(count)]
        for process in self._processes:
            self._idle.put(process)

    def read(self, files: Iterator[FileToRead], size: int) -> Iterator[Outcome]:
        """Yield outcomes in order, some pieces of so many files behind those being read."""
        for process in self._processes:
            _await(process)
        waiting: deque[Future[bytes]] = deque()
        while True:
            while len(waiting) < _AHEAD and (piece := list(islice(files, size))):
                waiting.append(self._threads.submit(self._read_piece, piece))
            if not waiting:
                return
            yield from _taken(waiting.popleft().result())

    def _read_piece(self, piece: Sequence[FileToRead]) -> bytes:
        """Return the pickled outcomes: so they take little room, and the thread little time."""
        process = self._idle.get()
        answer = self._ask(process, piece)
        if answer is not None:
            self._idle.put(process)
            return answer
        # One of these files kills whoever reads it. Which one?
        self._idle.put(self._replace(process))
        return pickle.dumps([outcome for file in piece for outcome in self._read_alone(file)])

    def _read_alone(self, file: FileToRead) -> list[Outcome]:
        process = self._idle.get()
        answer = self._ask(process, [file])
        if answer is None:
            self._idle.put(self._replace(process))
            error = f"{file.folder}/{file.name}: reading it ends the program"
            return [problem_of(file, "crashes the reader", error, None, "quarantined")]
        self._idle.put(process)
        return _taken(answer)

    def _replace(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        fresh = _start()
        self._processes[self._processes.index(process)] = fresh
        _end(process)
        _await(fresh)
        return fresh

    def _ask(self, process: subprocess.Popen[bytes], piece: Sequence[FileToRead]) -> bytes | None:
        """Return a process's answer, None where it has ended."""
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both pipes
        question = (piece, self._is_stated_enough)
        try:
            send(process.stdin, pickle.dumps(question, pickle.HIGHEST_PROTOCOL))
        except OSError:
            return None
        return receive(process.stdout)

    def close(self) -> None:
        """End the processes."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self._processes:
            _end(process)


def _start() -> subprocess.Popen[bytes]:
    # Ctrl-C is for the process that was called: it ends these by closing their input.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "catalog.register.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
    with suppress(OSError):  # what was not sent yet can no longer be sent
        process.stdin.close()
    process.stdout.close()
    process.wait()


def _await(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process is there: one that cannot start says nothing about any file."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    if receive(process.stdout) is None:
        raise RuntimeError("a process that reads trace files did not start")


def _taken(answer: bytes) -> list[Outcome]:
    """Return what a process found; raise what kept it from finding anything."""
    found: list[Outcome] | ObjectStoreError = pickle.loads(answer)  # noqa: S301 - from our own
    if isinstance(found, ObjectStoreError):
        raise found
    return found
