"""How far apart the bars of a trace lie."""

from __future__ import annotations

import numpy as np

from catalog.traces.rows import index_of
from catalog.traces.source import open_source
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
    with open_source(path) as source:
        for batch in source.parquet.iter_batches(
            batch_size=_ROWS_ENOUGH, columns=["idx", "ts"], use_threads=False
        ):
            if len(batch) < 2:
                return None
            ts = batch["ts"]
            times = [bar_time(ts, row) for row in range(len(batch))]
            if None in times:
                return None
            bars = np.diff(index_of(batch["idx"]))
            seconds = np.diff(np.array(times, np.int64)) / 1e6
            spacings = (seconds / bars)[(bars > 0) & (seconds > 0)]
            return float(spacings.min()) if spacings.size else None
    return None
