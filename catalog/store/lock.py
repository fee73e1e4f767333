"""One writing process at a time: an exclusive lock on a file beside the catalog."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import CatalogBusyError, StoreError
from catalog.store.paths import side_folder

WAIT_SECONDS = 10.0

_held: dict[str, int] = {}
"""Which thread of this process holds the lock of a path."""


@contextmanager
def writing_lock(catalog: Path, *, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """
    Hold the catalog's lock, so that writing processes queue instead of failing.

    The lock is on a file of its own (`catalog.d/lock`): DuckDB's own lock on
    catalog.duckdb is taken after it, and would be lost by any `open()` and
    `close()` of that file in this process. A thread that holds it may take it again, for a
    piece of work made of several.

    Raises:
        CatalogBusyError: another process held it for `wait` seconds.
        StoreError: the folder beside the catalog cannot be written.
    """
    path = side_folder(catalog) / "lock"
    key = os.path.abspath(path)
    if _held.get(key) == threading.get_ident():
        yield
        return
    descriptor = open_lock(path)
    # Until it has the lock, the descriptor belongs to who waits for it.
    _acquire(descriptor, catalog, wait)
    try:
        _held[key] = threading.get_ident()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        del _held[key]
        # Closing the descriptor gives the lock back.
        os.close(descriptor)


def open_lock(path: Path) -> int:
    """
    Open a file beside the catalog that is there to be locked, and return its descriptor.

    Raises:
        StoreError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StoreError(
            f"Cannot write beside the catalog: {path}: {error.strerror}",
            hint="Choose a catalog in a folder that you can write, with --catalog PATH",
        ) from error


def _acquire(descriptor: int, catalog: Path, wait: float) -> None:
    # The kernel hands a lock to those who wait in the order in which they came; asking
    # again and again would let the busiest process have it every time. A call that waits
    # has no timeout, so it waits in a thread. Where that is given up, the thread closes the
    # descriptor once it gets the lock: closed here, its number could be another file's by then.
    guard, state = threading.Lock(), {"given up": False, "acquired": False}

    def take() -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with guard:
            state["acquired"] = not state["given up"]
            if state["given up"]:
                os.close(descriptor)

    waiting = threading.Thread(target=take, daemon=True)
    waiting.start()
    waiting.join(wait)
    with guard:
        if state["acquired"]:
            return
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        state["given up"] = True
    raise CatalogBusyError(
        f"Another process is writing to {catalog}" + (f": process {holder}" if holder else ""),
        hint="Try again when it is done",
    )
