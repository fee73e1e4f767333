"""Progress on stderr, for work that takes longer than two seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

PATIENCE = 2.0

_SECONDS = 10.0
"""Between two lines on a terminal that cannot write over one."""
_WIDTH, _LEAST_WIDTH, _WORDS = 40, 8, 55
"""Columns of the bar at most and at least, and of the words beside it."""


@contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Iterator[Progress]:
    """
    Show how far the work of the block is, and yield what is told about it.

    It appears after two seconds and only in a terminal, and is gone at the end: a spinner with
    the elapsed time, and once there is something to count a bar, the rate and the time that
    remains. A terminal that knows no more (`TERM=dumb`) gets a line every ten seconds.

    Args:
        what: the work, in a word or two.
        quiet: show nothing.
    """
    progress = Progress(what)
    if quiet or not _is_terminal():
        yield progress
        return
    with progress.shown():
        yield progress


class Progress:
    """How far some work is. Call it with how much is done, and how much there is."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = self._since = self._told = time.monotonic()
        self._done, self._total = 0, 0
        self._timer: threading.Timer | None = None
        self._live: Live | None = None
        self._is_shown = False

    def __call__(self, done: int, total: int) -> None:
        """Take how much is done, and how much there is; other work begins from none again."""
        if done == self._total == 0:
            self._since = time.monotonic()  # What went before was not counted.
        elif done < self._done or (total != self._total and self._done >= self._total):
            self._since = self._told
        self._told = time.monotonic()
        self._done, self._total = done, total

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it during a block, as soon as that takes too long."""
        self._start()
        try:
            yield
        finally:
            self._stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Show nothing during a block, in which somebody is asked or told something."""
        was_shown, waited = self._is_shown, time.monotonic()
        self._stop()
        try:
            yield
        finally:
            # The time in which somebody made up his mind is not that of the work.
            self._began, self._since, self._told = (
                one + time.monotonic() - waited for one in (self._began, self._since, self._told)
            )
            if was_shown:
                self._start()

    def _start(self) -> None:
        self._is_shown = True
        self._timer = threading.Timer(PATIENCE, self._appear)
        self._timer.daemon = True
        self._timer.start()

    def _stop(self) -> None:
        self._is_shown = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        if self._live is not None:
            self._live.stop()
        self._timer = self._live = None

    def _appear(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        if Console(stderr=True).is_dumb_terminal:
            self._say_plainly()
            return
        # Of ASCII characters, which every terminal can show.
        self._spinner = Spinner("line")
        # stdout stays as it is: it may be a file or a pipe, and rich would write it to stderr.
        self._console = Console(stderr=True, force_terminal=True)
        self._live = Live(
            get_renderable=self._picture,
            console=self._console,
            refresh_per_second=10,
            transient=True,
            redirect_stdout=False,
        )
        self._live.start(refresh=True)

    def _say_plainly(self) -> None:
        """Say it in a line every few seconds, where a line cannot be written over."""
        if not self._is_shown:
            return
        now = time.monotonic()
        figures = self._figures(now) if self._total else duration(now - self._began)
        print(f"{self._what}  {figures}", file=sys.stderr, flush=True)
        self._timer = threading.Timer(_SECONDS, self._say_plainly)
        self._timer.daemon = True
        self._timer.start()

    def _picture(self) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        row = Table.grid(padding=(0, 1))
        now = time.monotonic()
        width = min(_WIDTH, self._console.width - _WORDS)
        if self._total and width >= _LEAST_WIDTH:
            bar = ProgressBar(total=self._total, completed=self._done, width=width)
            row.add_row(self._what, bar, self._figures(now))
        elif self._total:
            row.add_row(self._figures(now))  # There is no room for more.
        else:
            row.add_row(self._what, self._spinner, duration(now - self._began))
        return row

    def _figures(self, now: float) -> str:
        """Return what stands beside the bar."""
        count, elapsed = f"{self._done:,} of {self._total:,}", duration(now - self._began)
        took = self._told - self._since
        if not self._done or took <= 0:
            return f"{count}  {elapsed}"
        a_second = self._done / took
        if self._done >= self._total:
            # What was counted is done, and something may still be written.
            return f"{count}  {rate(a_second)}  {elapsed} so far"
        left = (self._total - self._done) / a_second - (now - self._told)
        return f"{count}  {rate(a_second)}  {duration(max(left, 0))} left"


def _is_terminal() -> bool:
    return sys.stderr.isatty()


def rate(a_second: float) -> str:
    """Return how much is done in a time, as a person says it: `310/s`, `2.5/s`, `12/min`."""
    if a_second >= 1:
        return f"{a_second:,.0f}/s" if a_second >= 10 else f"{a_second:.1f}/s"
    return f"{a_second * 60:.0f}/min" if a_second * 60 >= 1 else f"{a_second * 3600:.1f}/h"


def duration(seconds: float) -> str:
    """Return a time as minutes and seconds, `0:09`, or with hours, `1:02:03`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
