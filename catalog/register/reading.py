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
from itertools import islice

from catalog.errors import NotATraceError, TraceFileError
from catalog.register.plan import FileToRead
from catalog.register.runs import Problem
from catalog.register.walk import NO_STAMP
from catalog.traces.read import read_trace_file
from catalog.traces.trace_file import TraceFile

# Starting a process takes as long as reading a thousand files.
WORTHWHILE = 4_000
MOST_PROCESSES = 8
_PIECE = 64

Outcome = TraceFile | Problem | None
"""What reading a file came to; None where it vanished since it was listed."""


def read_files(files: Iterable[FileToRead], count: int) -> Iterator[Outcome]:
    """
    Yield what reading each file came to, in their order.

    Args:
        count: how many files there are.
    """
    wanted = min(os.cpu_count() or 1, MOST_PROCESSES)
    if count < WORTHWHILE or wanted < 2:
        yield from map(read_file, files)
        return
    readers = _Readers(wanted)
    try:
        yield from readers.read(iter(files))
    finally:
        readers.close()


def read_file(file: FileToRead) -> Outcome:
    """Read one file; what is wrong with it is a problem, not an error."""
    path = f"{file.folder}/{file.name}"
    try:
        return read_trace_file(path, kind_hint=file.kind)
    except TraceFileError as error:
        status = "ignored" if isinstance(error, NotATraceError) else "quarantined"
        return _problem(file, error.reason, str(error), error.hint, status)


def _problem(
    file: FileToRead, reason: str, error: str, hint: str | None, status: str
) -> Problem | None:
    path = f"{file.folder}/{file.name}"
    if not os.path.lexists(path):
        return None
    # The stamp is that of the listing: what was written to the file since then is new. A
    # change of permissions changes no time: such a file is tried again each time.
    stamp = NO_STAMP if reason == "no permission" else file.stamp
    return Problem(path, reason, error, hint, stamp, status)


class _Readers:
    """Processes that read, each served by a thread of its own."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count)
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        # Started together, and only then asked whether they are there.
        self._processes = [_start() for _ in range(count)]
        for process in self._processes:
            self._idle.put(process)

    def read(self, files: Iterator[FileToRead]) -> Iterator[Outcome]:
        """Yield outcomes in order, a few pieces ahead of who takes them."""
        for process in self._processes:
            _await(process)
        ahead = 4 * len(self._processes)
        waiting: deque[Future[list[Outcome]]] = deque()
        while True:
            while len(waiting) < ahead and (piece := list(islice(files, _PIECE))):
                waiting.append(self._threads.submit(self._read_piece, piece))
            if not waiting:
                return
            yield from waiting.popleft().result()

    def _read_piece(self, piece: Sequence[FileToRead]) -> list[Outcome]:
        process = self._idle.get()
        try:
            outcomes = _ask(process, piece)
        except (EOFError, OSError):
            # One of these files kills whoever reads it. Which one?
            self._idle.put(self._replace(process))
            if len(piece) > 1:
                return [outcome for file in piece for outcome in self._read_piece([file])]
            path = f"{piece[0].folder}/{piece[0].name}"
            error = f"{path}: reading it ends the program"
            return [_problem(piece[0], "crashes the reader", error, None, "quarantined")]
        self._idle.put(process)
        return outcomes

    def _replace(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        fresh = _start()
        self._processes[self._processes.index(process)] = fresh
        _end(process)
        _await(fresh)
        return fresh

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
    try:
        pickle.load(process.stdout)  # noqa: S301 - from our own process
    except EOFError:
        raise RuntimeError("a process that reads trace files did not start") from None


def _ask(process: subprocess.Popen[bytes], piece: Sequence[FileToRead]) -> list[Outcome]:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
    pickle.dump(piece, process.stdin)
    process.stdin.flush()
    outcomes: list[Outcome] = pickle.load(process.stdout)  # noqa: S301 - from our own process
    return outcomes
