"""The processes that compute a sweep, each served by a thread that gives it chunks."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, Final

import numpy as np

from catalog.errors import CatalogError
from catalog.register.reader import receive, send
from catalog.sweeps.compute import Broken, Chunk, Computer, Done, Job, failure_of, id_of
from catalog.sweeps.failures import record_failures

MOST_TOGETHER: Final = 500
"""Configurations in a chunk: so many are registered in one transaction."""

OnDone = Callable[[Done], None]


class Chunks:
    """What is left to compute, in chunks. Threads may share it."""

    def __init__(self, tasks: Sequence[Chunk], workers: int) -> None:
        self._tasks = [task for task in reversed(tasks) if len(task.numbers)]
        self._left = sum(len(task.numbers) for task in tasks)
        self._workers = workers
        self._alone: list[Chunk] = []
        self._lock = threading.Lock()

    def take(self) -> Chunk | None:
        """Return the next chunk, None where nothing is left."""
        with self._lock:
            if self._alone:
                return self._alone.pop()
            if not self._tasks:
                return None
            # At the end all of several should be done at about the same time.
            parts = 2 * self._workers if self._workers > 1 else 1
            count = min(MOST_TOGETHER, -(-self._left // parts))
            task = self._tasks.pop()
            taken = Chunk(task.place, task.grid, task.numbers[:count])
            if len(rest := task.numbers[count:]):
                self._tasks.append(Chunk(task.place, task.grid, rest))
            self._left -= len(taken.numbers)
            return taken

    def give_back(self, chunk: Chunk, done: Done) -> None:
        """Give back what of a chunk was not begun."""
        if done.left is not None:
            with self._lock:
                self._tasks.append(Chunk(chunk.place, chunk.grid, done.left))
                self._left += len(done.left)

    def one_by_one(self, chunk: Chunk) -> None:
        """Give a chunk back, in chunks of one."""
        with self._lock:
            self._alone += [
                Chunk(chunk.place, chunk.grid, np.array([number])) for number in chunk.numbers
            ]


def compute_here(job: Job, codes: Mapping[str, Any], tasks: Sequence[Chunk], note: OnDone) -> bool:
    """Compute everything in this process. Returns whether it was interrupted."""
    computer = Computer(job, dict(codes))
    chunks = Chunks(tasks, 1)
    before = _on_interrupt(lambda: setattr(computer, "is_stopping", True))
    try:
        while not computer.is_stopping and (chunk := chunks.take()) is not None:
            done = computer.compute(chunk)
            chunks.give_back(chunk, done)
            note(done)
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
    return computer.is_stopping


def compute_beside(
    job: Job, names: Mapping[str, str], tasks: Sequence[Chunk], note: OnDone, *, workers: int
) -> bool:
    """
    Compute everything in processes beside this one. Returns whether it was interrupted.

    Ctrl-C lets each process finish the configuration it is at, and register what it has; once
    more ends them at once.
    """
    crew, interrupted = _Crew(job, names, Chunks(tasks, workers), note), False
    threads = ThreadPoolExecutor(workers)
    try:
        waiting = {threads.submit(crew.serve) for _ in range(workers)}
        try:
            done, _ = wait(waiting, return_when=FIRST_EXCEPTION)
        except KeyboardInterrupt:
            interrupted = True
            crew.stop()
            done, _ = wait(waiting)
        if any(one.exception() is not None for one in done):
            crew.stop()
            wait(waiting)
        for one in done:
            one.result()
    finally:
        crew.kill()
        threads.shutdown(wait=True, cancel_futures=True)
    return interrupted


class _Crew:
    def __init__(self, job: Job, names: Mapping[str, str], chunks: Chunks, note: OnDone) -> None:
        # Pickled twice: a process sets its path before it reads what needs it.
        inner = pickle.dumps(job, pickle.HIGHEST_PROTOCOL)
        self._hello = pickle.dumps((sys.path, dict(names), inner), pickle.HIGHEST_PROTOCOL)
        self._job, self._chunks, self._note = job, chunks, note
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self.is_stopping = False

    def serve(self) -> None:
        """Give chunks to a process of its own until nothing is left."""
        process: subprocess.Popen[bytes] | None = None
        try:
            while not self.is_stopping and (chunk := self._chunks.take()) is not None:
                process = process or self._start()
                answer = _ask(process, chunk)
                if answer is None:
                    self._end(process)
                    process = None
                    self._lost(chunk, "it ended the process that computed it")
                    continue
                if isinstance(answer, Broken):
                    self._lost(chunk, answer.why)
                    continue
                if isinstance(answer, CatalogError):
                    raise answer
                if not isinstance(answer, Done):
                    raise RuntimeError(f"a process that computes strategies failed:\n{answer}")
                self._chunks.give_back(chunk, answer)
                with self._lock:
                    self._note(answer)
        finally:
            if process is not None:
                self._end(process)

    def stop(self) -> None:
        """Let every process finish the configuration it is at, and then end."""
        self.is_stopping = True
        with self._lock:
            for process in self._processes:
                process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End every process at once."""
        self.is_stopping = True
        with self._lock:
            for process in self._processes:
                process.kill()

    def _lost(self, chunk: Chunk, error: str) -> None:
        """Find out which strategy of a chunk ends its process, or all; alone, it is known."""
        if self.is_stopping:
            return
        if len(chunk.numbers) > 1:
            self._chunks.one_by_one(chunk)
            return
        number = int(chunk.numbers[0])
        name = id_of(self._job, chunk, number)
        failure = failure_of(self._job, chunk, number, name, error)
        record_failures(self._job.catalog, [failure])
        with self._lock:
            self._note(Done(failed=[(name, error)]))

    def _start(self) -> subprocess.Popen[bytes]:
        # Ctrl-C is for the process that was called, which tells these.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "catalog.sweeps.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        with self._lock:
            self._processes.add(process)
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        with suppress(OSError):  # a process that is gone is noticed when it is asked
            send(process.stdin, self._hello)
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._processes.discard(process)
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                assert pipe is not None  # noqa: S101 - both are pipes
                pipe.close()
        process.wait()


def _ask(process: subprocess.Popen[bytes], chunk: Chunk) -> Any:
    """Return a process's answer, None where it has ended."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
    try:
        send(process.stdin, pickle.dumps(chunk, pickle.HIGHEST_PROTOCOL))
    except OSError:
        return None
    answer = receive(process.stdout)
    return None if answer is None else pickle.loads(answer)  # noqa: S301 - from our own process


def _on_interrupt(stop: Callable[[], None]) -> Any:
    """Let the first Ctrl-C stop, and the second interrupt; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        return None

    def first(*_: Any) -> None:
        stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    return signal.signal(signal.SIGINT, first)


def default_workers() -> int:
    """Return how many processes compute where nobody says: one a core."""
    return os.cpu_count() or 1
