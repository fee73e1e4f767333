"""The files of a whole run: its changes and events are written, and get their names together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Final

from catalog.traces.event_rows import EventRows, names_digest
from catalog.traces.finalize import appear
from catalog.traces.pending import Pending, Spool, write_pending
from catalog.traces.sink import Sink, finalize_all
from catalog.traces.target import Target

_TOGETHER: Final = 256
"""Files that are open at once."""


def write_files(
    pending: Sequence[Pending], spool: Spool, events: Collection[EventRows]
) -> tuple[tuple[Target, ...], int]:
    """
    Write a file for each trace and each kind of event, and return their paths and all changes.

    Raises:
        CatalogError: a file cannot be written. Those that have their names by then are whole, and
            the others leave nothing.
    """
    ranges = {one.series: one.series.range() for one in pending}
    paths: list[Target] = []
    changes = 0
    sinks: list[Sink] = []
    try:
        for several in _chunks(pending):
            sinks = []
            for one in several:
                sink, count = write_pending(one, spool, ranges[one.series])
                sinks.append(sink)
                changes += count
            paths += finalize_all(sinks)
    except BaseException:
        for sink in sinks:
            sink.discard()
        raise
    owner = names_digest(one.header.strategy_id for one in pending)
    completed = (rows.complete(owner) for rows in events)
    paths += appear([one for one in completed if one is not None])
    return tuple(paths), changes


def _chunks(pending: Sequence[Pending]) -> Iterator[list[Pending]]:
    waiting = iter(pending)
    while several := list(islice(waiting, _TOGETHER)):
        yield several
