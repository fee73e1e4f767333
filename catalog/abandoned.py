"""Work that nobody waits for any more: it stops, and gives free what it holds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from catalog.errors import AbandonedError

STEP = 0.05
"""Seconds after which work that waits looks whether it is still wanted."""

_signal: ContextVar[threading.Event | None] = ContextVar("abandoned", default=None)


@contextmanager
def abandoned_by(signal: threading.Event) -> Iterator[None]:
    """Let an event, once it is set, stop what is done within the block and its context."""
    before = _signal.set(signal)
    try:
        yield
    finally:
        _signal.reset(before)


def wait_for(done: threading.Event) -> None:
    """
    Wait for an event.

    Raises:
        AbandonedError: nobody wants what it stands for any more.
    """
    signal = _signal.get()
    if signal is None:
        done.wait()
        return
    while not done.wait(STEP):
        _check(signal)


def acquire(lock: threading.RLock, *, timeout: float) -> bool:
    """
    Take a lock, and say whether it was had within a number of seconds; -1 waits for as long.

    Raises:
        AbandonedError: nobody wants what it is for any more.
    """
    signal = _signal.get()
    if signal is None or timeout >= 0:
        return lock.acquire(timeout=timeout)
    _check(signal)
    while not lock.acquire(timeout=STEP):
        _check(signal)
    return True


def _check(signal: threading.Event) -> None:
    if signal.is_set():
        raise AbandonedError("Nobody waits for this any more")
