"""A progress bar on stderr, for work that takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 2.0


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """
    Yield a function that takes how much is done and how much there is.

    The bar appears after two seconds and only in a terminal; it shows the rate and
    the time that remains, and is gone at the end.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    started = time.monotonic()
    bar = Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(what, total=None, rate="")
    shown = False

    def advance(done: int, total: int) -> None:
        nonlocal shown
        elapsed = time.monotonic() - started
        if elapsed < PATIENCE:
            return
        if not shown:
            bar.start()
            shown = True
        bar.update(task, completed=done, total=total, rate=f"{done / elapsed:,.0f}/s")

    try:
        yield advance
    finally:
        if shown:
            bar.stop()
