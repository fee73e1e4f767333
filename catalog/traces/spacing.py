"""How far apart the bars of a trace lie."""

from __future__ import annotations

import numpy as np

from catalog.traces.columns import check_columns
from catalog.traces.rows import int64_index, numpy_of
from catalog.traces.source import UNREADABLE, close_source, open_source, trace_file_error
from catalog.traces.table import Table
from catalog.traces.times import bar_time

_ROWS_ENOUGH = 4096


def bar_spacing(path: str) -> float | None:
    """
    Estimate the seconds from one bar to the next, from the first rows of a trace file.

    It is the least distance in time over distance in bars of two rows, because nights and
    weekends only ever lengthen it. None where the file knows no bar times, or has one row.

    Raises:
        TraceFileError: the file cannot be read.
    """
    try:
        source = open_source(path)
        try:
            return spacing_of(Table(source.reader))
        finally:
            close_source(source)
    except UNREADABLE as error:
        raise trace_file_error(path, error) from error


def spacing_of(table: Table) -> float | None:
    """
    Return what `bar_spacing` does of a file that is open.

    Raises:
        UNREADABLE: see `catalog.traces.source`.
    """
    check_columns(table, is_event=True)
    for piece in table.pieces(["idx", "ts"]):
        ts = piece["ts"]
        index = numpy_of(int64_index(piece["idx"]))[:_ROWS_ENOUGH]
        times = [bar_time(ts, row) for row in range(len(index))]
        if len(index) < 2 or None in times:
            return None
        bars, seconds = np.diff(index), np.diff(np.array(times, np.int64)) / 1e6
        forwards = (bars > 0) & (seconds > 0)
        return float((seconds[forwards] / bars[forwards]).min()) if forwards.any() else None
    return None
