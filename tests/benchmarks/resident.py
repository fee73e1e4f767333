"""How much memory a process and those that it starts hold together, at most (on Linux)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PAUSE = 0.05


@contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """
    Sample the memory of a process and of all below it for as long as a block lasts.

    Yields a list that holds the largest sum of their proportional set sizes so far, in bytes:
    a page that several of them share, such as one of a library, counts once.
    """
    peak, stopped = [0], threading.Event()

    def sample() -> None:
        while not stopped.wait(_PAUSE):
            peak[0] = max(peak[0], sum(map(_proportional_set_size, _with_children(pid))))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stopped.set()
        thread.join()


def _with_children(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _with_children(int(child))


def _proportional_set_size(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
