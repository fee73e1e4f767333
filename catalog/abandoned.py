"""Work that nobody waits for any more, or that takes too long: it stops and frees what it holds."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from catalog.errors import AbandonedError, QueryError

STEP = 0.05
"""Seconds after which work that waits looks whether it is still wanted."""


@dataclass(frozen=True)
class _Bound:
    signal: threading.Event
    seconds: float


_bound: ContextVar[_Bound | None] = ContextVar("bound", default=None)


@contextmanager
def abandoned_by(signal: threading.Event, *, seconds: float = math.inf) -> Iterator[None]:
    """
    Let an event, once it is set, stop what is done within the block and its context.

    Args:
        seconds: how long one query may take there.
    """
    before = _bound.set(_Bound(signal, seconds))
    try:
        yield
    finally:
        _bound.reset(before)


def wait_for(done: threading.Event) -> None:
    """
    Wait for the end of a query.

    Raises:
        AbandonedError: nobody wants it any more.
        QueryError: it takes too long.
    """
    bound = _bound.get()
    if bound is None:
        done.wait()
        return
    deadline = time.monotonic() + bound.seconds
    while not done.wait(STEP):
        _check(bound.signal)
        if time.monotonic() > deadline:
            raise QueryError(
                f"This takes more than {bound.seconds:g} seconds, for which nobody could write",
                hint="Ask for less; on a terminal there is no such bound",
            )


def acquire(lock: threading.RLock, *, timeout: float) -> bool:
    """
    Take a lock, and say whether it was had within a number of seconds; -1 waits for as long.

    Raises:
        AbandonedError: nobody wants what it is for any more.
    """
    bound = _bound.get()
    if bound is None or timeout >= 0:
        return lock.acquire(timeout=timeout)
    _check(bound.signal)
    while not lock.acquire(timeout=STEP):
        _check(bound.signal)
    return True


@contextmanager
def one_at_a_time(lock: threading.RLock) -> Iterator[None]:
    """
    Let one thread at a time do what is done within the block.

    Raises:
        AbandonedError: nobody wants it any more.
    """
    acquire(lock, timeout=-1)
    try:
        yield
    finally:
        lock.release()


def _check(signal: threading.Event) -> None:
    if signal.is_set():
        raise AbandonedError("Nobody waits for this any more")
