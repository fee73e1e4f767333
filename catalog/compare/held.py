"""What traces hold at each bar, read from packs and files: positions, or a classifier's states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.compare.overlap import Held
from catalog.errors import TraceFileError
from catalog.metrics.changes import read_changes, row_times
from catalog.metrics.traces import Trace
from catalog.traces.lake_file import read_lake_rows
from catalog.traces.registered_columns import read_columns

NO_STATE = ""
"""The state of a classifier before its first row."""


def read_positions(wanted: Sequence[Trace], unread: dict[str, str]) -> dict[str, Held]:
    """
    Return the positions of signal traces by trace id.

    Args:
        unread: gets the traces that cannot be read, each with the reason.
    """
    distinct = {one.trace_id: one for one in wanted}.values()
    in_order = sorted(distinct, key=lambda one: (one.pack_path or "", one.trace_number or 0))
    changes = read_changes(in_order, with_times=True)
    unread |= changes.failed
    held = {}
    for place, trace in enumerate(in_order):
        if trace.trace_id not in changes.failed:
            rows = slice(changes.offsets[place], changes.offsets[place + 1])
            held[trace.trace_id] = _held(
                trace, changes.bars[rows], changes.values[rows], changes.times[rows]
            )
    return held


def read_states(
    wanted: Sequence[Trace], unread: dict[str, str]
) -> tuple[dict[str, Held], list[str]]:
    """
    Return the states of classifier traces by trace id, as numbers, and the names of these.

    Number 0 is NO_STATE, which none of them has said.

    Args:
        unread: gets the traces that cannot be read, each with the reason.
    """
    read = {}
    for trace in wanted:
        try:
            read[trace.trace_id] = trace, *_state_rows(trace)
        except TraceFileError as error:
            unread[trace.trace_id] = error.reason
    names = [NO_STATE, *sorted({name for _, _, states, _ in read.values() for name in states})]
    number = {name: float(place) for place, name in enumerate(names)}
    held = {
        trace_id: _held(trace, bars, np.array([number[name] for name in states]), times)
        for trace_id, (trace, bars, states, times) in read.items()
    }
    return held, names


def _state_rows(trace: Trace) -> tuple[Any, list[str], Any]:
    """Return the bars, states and times of the rows of a classifier, in bar order."""
    table = _state_table(trace)
    bars = table["idx"].to_numpy().astype(np.int64) - trace.idx_base
    order = np.argsort(bars, kind="stable")
    column = table["ts"].combine_chunks()
    times = row_times(column) if trace.knows_bar_times else np.zeros(len(bars), np.int64)
    states = table["val"].cast(pa.string()).to_pylist()
    return bars[order], [str(states[row]) for row in order.tolist()], times[order]


def _state_table(trace: Trace) -> pa.Table:
    if trace.pack_path is not None:
        return read_lake_rows(trace.pack_path, [trace.trace_id])
    stamp = trace.size, trace.mtime_ns
    return read_columns(trace.path, ["idx", "val", "ts"], stamp=stamp).combine_chunks()


def _held(trace: Trace, bars: Any, values: Any, times: Any) -> Held:
    assert trace.first_bar is not None and trace.last_bar is not None  # noqa: S101
    if not trace.knows_bar_times:
        nothing = np.zeros(0, np.int64)
        return Held(bars, values, trace.first_bar, trace.last_bar, nothing, nothing)
    ends = [
        (bar, us)
        for bar, us in ((trace.first_bar, trace.first_us), (trace.last_bar, trace.last_us))
        if us is not None
    ]
    known_bars = np.concatenate((bars, np.array([bar for bar, _ in ends], np.int64)))
    known_times = np.concatenate((times, np.array([us for _, us in ends], np.int64)))
    known_bars, first = np.unique(known_bars, return_index=True)
    return Held(bars, values, trace.first_bar, trace.last_bar, known_bars, known_times[first])
