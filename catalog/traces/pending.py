"""The changes of many traces before they are files: in memory, and beyond a bound in one spool."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from catalog.traces import format as layout
from catalog.traces.finalize import make_folder, writing_errors
from catalog.traces.sink import ROW_GROUP, Header, Range, Sink
from catalog.traces.target import Target

NO_TIME = -(2**63)
_ROW = 32  # bytes: bar, time, value and price, eight each

Columns = tuple[Any, ...]
"""Bars, times, values and prices, as numpy arrays."""


class Pending:
    """
    The changes of one trace. `value` is the one in force, and no other class changes it.

    States of a classifier are kept as their number in `states`.
    """

    __slots__ = (
        "bars",
        "config",
        "header",
        "prices",
        "series",
        "spilled",
        "states",
        "times",
        "value",
        "values",
    )

    def __init__(self, header: Header, series: Any, config: Any) -> None:
        self.header = header
        self.config = config
        self.series = series
        self.value: Any = None
        self.bars, self.times = array("q"), array("q")
        self.values, self.prices = array("d"), array("d")
        self.states: dict[str, int] = {}
        self.spilled: list[tuple[int, int]] = []

    def add(self, bar: int, ts: int, value: Any, price: float) -> None:
        """Keep a change; what is said twice about a bar counts as it was said last."""
        self.value = value
        if self.header.kind == layout.CLASSIFIER:
            value = self.states.setdefault(value, len(self.states))
        if self.bars and self.bars[-1] == bar:
            self.values[-1] = value
            return
        self.bars.append(bar)
        self.times.append(ts)
        self.values.append(value)
        self.prices.append(price)

    def __len__(self) -> int:
        return len(self.bars)


class Spool:
    """
    One file for what does not fit into memory: any number of traces, one open file.

    It has no name where the system allows it, so that nothing is left of it whatever happens.
    """

    def __init__(self, run_directory: Target) -> None:
        # That of a run in a store is in the folder for temporary files.
        self._folder = (
            run_directory if isinstance(run_directory, Path) else Path(tempfile.gettempdir())
        )
        self._file: BinaryIO | None = None

    def spill(self, pending: Pending) -> None:
        """Write out the changes of a trace but the last, which may still be said otherwise."""
        count = len(pending) - 1
        if count < 1:
            return
        with writing_errors(self._folder):
            if self._file is None:
                make_folder(self._folder)
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - see `close`
            place = self._file.seek(0, os.SEEK_END)
            for column in (pending.bars, pending.times, pending.values, pending.prices):
                self._file.write(memoryview(column)[:count])
            self._file.flush()
        pending.spilled.append((place, count))
        for column in (pending.bars, pending.times, pending.values, pending.prices):
            del column[:count]

    def spill_all(self, traces: Sequence[Pending]) -> int:
        """Write out the changes of traces, and return how many are still in memory."""
        for one in traces:
            self.spill(one)
        return sum(map(len, traces))

    def read(self, pending: Pending) -> Iterator[Columns]:
        """Yield the changes of a trace, piece by piece, as numpy arrays."""
        for place, count in pending.spilled:
            assert self._file is not None  # noqa: S101 - it was written
            data = os.pread(self._file.fileno(), count * _ROW, place)
            numbers = np.frombuffer(data, np.int64).reshape(4, count)
            yield numbers[0], numbers[1], numbers[2].view(np.float64), numbers[3].view(np.float64)
        if len(pending):
            yield (
                np.frombuffer(pending.bars, np.int64),
                np.frombuffer(pending.times, np.int64),
                np.frombuffer(pending.values, np.float64),
                np.frombuffer(pending.prices, np.float64),
            )

    def close(self) -> None:
        """Forget what was spilled."""
        if self._file is not None:
            self._file.close()
            self._file = None


def write_pending(pending: Pending, spool: Spool, evaluated: Range) -> tuple[Sink, int]:
    """Write a trace's changes into a file that only lacks its name; return it, and how many."""
    sink, count = Sink(pending.header), 0
    states = pa.array(list(pending.states), pa.string())
    try:
        for bars, times, values, prices in _row_groups(_changes(spool.read(pending))):
            is_text = pending.header.kind == layout.CLASSIFIER
            sink.write(
                bars,
                pa.array(times, mask=times == NO_TIME).view(pa.timestamp("us", "UTC")),
                states.take(pa.array(values.astype(np.int64))) if is_text else values,
                pa.array(prices, mask=np.isnan(prices)),
            )
            count += len(bars)
        sink.complete(evaluated)
    except BaseException:
        sink.discard()
        raise
    return sink, count


def _changes(pieces: Iterator[Columns]) -> Iterator[Columns]:
    """Drop what is no change: said otherwise within one bar, a value may be the one before."""
    before = None
    for columns in pieces:
        values = columns[2]
        kept = np.empty(len(values), np.bool_)
        kept[0] = before is None or values[0] != before
        np.not_equal(values[1:], values[:-1], out=kept[1:])
        before = values[-1]
        if kept.any():
            yield tuple(column[kept] for column in columns)


def _row_groups(pieces: Iterator[Columns]) -> Iterator[Columns]:
    """Put small pieces together: a row group of a few rows costs more than the rows."""
    gathered: list[Columns] = []
    rows = 0
    for piece in pieces:
        gathered.append(piece)
        rows += len(piece[0])
        if rows >= ROW_GROUP:
            yield tuple(map(np.concatenate, zip(*gathered, strict=True)))
            gathered, rows = [], 0
    if gathered:
        yield tuple(map(np.concatenate, zip(*gathered, strict=True)))
