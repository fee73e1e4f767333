"""Work of DuckDB that stops at once on Ctrl-C, or when nobody waits for it any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import duckdb
from duckdb import DuckDBPyConnection

from catalog.abandoned import wait_for

Value = TypeVar("Value")


def interruptible(con: DuckDBPyConnection, work: Callable[[], Value]) -> Value:
    """
    Return what some work on a connection returns; Ctrl-C interrupts it, or who asked going away.

    DuckDB looks at signals between long pieces of its work only; a thread that waits in
    Python gets them at once, so the work is done in another one.
    """
    values: list[Value] = []
    done = threading.Event()
    errors: list[BaseException] = []
    # Who takes it decides: the work begins, or whoever waits for it has gone and it never does.
    turn = threading.Lock()

    def run() -> None:
        if not turn.acquire(blocking=False):
            return
        try:
            values.append(work())
        except BaseException as error:  # It is raised again, where somebody waits for it.
            errors.append(error)
        finally:
            done.set()

    try:
        # Not joined: a join that a signal breaks off takes the thread for finished.
        threading.Thread(target=run, daemon=True).start()
        wait_for(done)
    except BaseException:
        has_begun = not turn.acquire(blocking=False)
        while has_begun and not done.is_set():
            with suppress(duckdb.Error):
                con.interrupt()
            done.wait(0.05)
        raise
    if errors:
        raise errors[0]
    return values[0]
