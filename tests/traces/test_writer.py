"""A trace that is written bar by bar: sparse, bounded in memory, whole or not there."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import CatalogError, UsageError
from catalog.traces import writer
from catalog.traces.read import read_trace_file
from catalog.traces.write import write_trace
from catalog.traces.writer import TraceWriter
from conftest import OPEN

CONFIG = {"type": "sma_crossover", "parameters": {"fast": 5, "slow": 20}}


def time_of(bar: int) -> datetime:
    return OPEN + timedelta(minutes=bar)


@pytest.fixture
def begin(tmp_path):
    """Begin a trace below a folder of its own."""

    def begin(**more: object) -> TraceWriter:
        options = {"config": CONFIG, "strategy_id": "s", "symbol": "SPY", "timeframe": "1m"}
        return TraceWriter(tmp_path / "run", **{**options, **more})

    return begin


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5]), min_size=1, max_size=60),
    row_group=st.integers(1, 10),
)
def test_bar_by_bar_gives_what_all_at_once_gives(tmp_path_factory, values, row_group):
    folder = tmp_path_factory.mktemp("run")
    about = {"config": CONFIG, "strategy_id": "s", "symbol": "SPY", "timeframe": "1m"}
    bars = range(len(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "ROW_GROUP", row_group)
        with TraceWriter(folder / "a", **about) as trace:
            for bar, value in enumerate(values):
                trace.append(bar, time_of(bar), value, 500.0)

    whole = write_trace(
        folder / "b", **about, bar_index=bars, ts=[*map(time_of, bars)], values=values,
        prices=[500.0] * len(values), first_bar=0, last_bar=len(values) - 1,
    )  # fmt: skip

    assert pq.read_table(trace.path).equals(pq.read_table(whole))
    parts, one = read_trace_file(str(trace.path)), read_trace_file(str(whole))
    same = ("rows_digest", "first_bar", "last_bar", "first_ts", "last_ts", "bars_long")
    assert [getattr(parts, name) for name in same] == [getattr(one, name) for name in same]


def test_rows_go_to_the_disk_as_they_come(begin, monkeypatch):
    monkeypatch.setattr(writer, "ROW_GROUP", 100)
    trace = begin()
    sizes = []

    for bar in range(1_000):
        trace.append(bar, time_of(bar), bar % 2, float(bar))
        assert len(trace._rows) < 100
        unfinished = list(trace.path.parent.glob(".*.tmp")) if trace.path.parent.exists() else []
        sizes += [path.stat().st_size for path in unfinished]
    trace.finalize()

    assert sizes == sorted(sizes) and sizes[-1] > sizes[0]
    assert pq.ParquetFile(trace.path).num_row_groups == 10
    assert pq.read_table(trace.path)["metadata"].null_count == 999


def test_a_block_that_raises_leaves_nothing(begin, tmp_path):
    with pytest.raises(ZeroDivisionError):
        with begin() as trace:
            trace.append(0, time_of(0), 1.0)
            raise ZeroDivisionError

    assert [path for path in (tmp_path / "run").rglob("*") if path.is_file()] == []


def test_it_is_finalized_once_and_then_closed(begin):
    finalized = []
    with begin(on_finalized=finalized.extend) as trace:
        trace.append(0, time_of(0), 1.0)
        assert trace.finalize() == trace.path

    assert finalized == [trace.path]
    with pytest.raises(UsageError, match="is finalized"):
        trace.append(1, time_of(1), 0.0)


def test_the_range_reaches_to_the_last_bar_whether_or_not_the_value_changed(begin):
    with begin() as trace:
        for bar in range(10, 50):
            trace.append(bar, time_of(bar), 1.0)

    found = read_trace_file(str(trace.path))
    assert (found.row_count, found.first_bar, found.last_bar) == (1, 10, 49)
    assert found.last_ts - found.first_ts == 39 * 60 * 1_000_000


def test_without_any_bar_it_is_a_trace_of_which_nobody_knows_the_range(begin):
    with begin() as trace:
        pass

    found = read_trace_file(str(trace.path))
    assert (found.row_count, found.first_bar, found.last_bar) == (0, None, None)


def test_a_range_may_be_said_and_must_hold_the_rows(begin):
    trace = begin()
    trace.append(5, time_of(5), 1.0)
    with pytest.raises(UsageError, match="does not hold the rows"):
        trace.finalize(first_bar=6, last_bar=9)

    trace.finalize(first_bar=0, last_bar=9, first_ts=time_of(0), last_ts=time_of(9))

    found = read_trace_file(str(trace.path))
    assert (found.first_bar, found.last_bar) == (0, 9)


@pytest.mark.parametrize(
    "second, message",
    [
        ((0, time_of(1), 1.0), "comes after bar 0"),
        ((-1, time_of(1), 1.0), "is no bar"),
        ((1.5, time_of(1), 1.0), "is no bar"),
        ((1, time_of(0), 1.0), "is not after"),
        ((1, None, 1.0), "some have none"),
        ((1, datetime(2024, 3, 27), 1.0), "knows no zone"),
        ((1, "2024-03-27T00:00:00", 1.0), "knows no zone"),
        ((1, np.datetime64("nat"), 1.0), "NaT"),
        ((1, 17, 1.0), "is no time"),
        ((1, time_of(1), float("nan")), "is none"),
        ((1, time_of(1), float("inf")), "is none"),
        ((1, time_of(1), "long"), "is none"),
        ((1, time_of(1), None), "is none"),
        ((1, time_of(1), "1.0"), "is none"),
    ],
)
def test_what_is_no_row_is_refused_and_the_trace_goes_on(begin, second, message):
    trace = begin()
    trace.append(0, time_of(0), 0.0)

    with pytest.raises(UsageError, match=message):
        trace.append(*second)
    trace.append(2, time_of(2), 1.0)
    trace.finalize()

    assert pq.read_table(trace.path)["idx"].to_pylist() == [0, 2]


def test_times_may_be_of_any_sort_that_knows_its_zone(begin):
    times = [time_of(0), np.datetime64("2024-03-26T13:31"), "2024-03-26T09:32:00-04:00"]
    with begin() as trace:
        for bar, time in enumerate(times):
            trace.append(bar, time, bar)

    assert pq.read_table(trace.path)["ts"].to_pylist() == [time_of(bar) for bar in range(3)]


def test_bars_may_be_whole_numbers_of_any_type(begin):
    with begin() as trace:
        for bar in (0.0, np.float64(1.0), np.int32(2), 3):
            trace.append(bar, None, float(bar))

    found = read_trace_file(str(trace.path))
    assert (found.first_bar, found.last_bar, found.row_count) == (0, 3, 4)


def test_a_price_that_is_none_and_a_range_that_ends_first_are_refused(begin):
    trace = begin()
    with pytest.raises(UsageError, match="price is 'cheap'"):
        trace.append(0, time_of(0), 1.0, "cheap")
    trace.append(0, time_of(0), 1.0)
    with pytest.raises(UsageError, match="ends before it begins"):
        trace.finalize(first_ts=time_of(9), last_ts=time_of(0))
    with pytest.raises(UsageError, match="no bar"):
        trace.finalize(first_bar=0.5)
    with pytest.raises(UsageError, match="no symbol"):
        begin(symbol="")

    trace.finalize()

    assert pq.read_table(trace.path)["idx"].to_pylist() == [0]


def test_states_of_a_classifier_are_text(begin):
    with begin(kind="classifier") as trace:
        trace.append(0, None, "up")
        trace.append(1, None, "up")
        with pytest.raises(UsageError, match="is text"):
            trace.append(2, None, 1.0)
        trace.append(2, None, "down", float("nan"))

    assert pq.read_table(trace.path)["val"].to_pylist() == ["up", "down"]
    assert pq.read_table(trace.path)["px"].null_count == 2


@pytest.mark.parametrize("strategy_id", ["../x", "a/b", "", ".x", "x" * 201, "a\nb"])
def test_an_id_that_would_lead_elsewhere_is_refused_at_once(begin, tmp_path, strategy_id):
    with pytest.raises(UsageError):
        begin(strategy_id=strategy_id)

    assert os.listdir(tmp_path) == []


def test_a_file_that_cannot_be_written_is_an_error_and_leaves_nothing(begin, tmp_path, monkeypatch):
    trace = begin()
    trace.append(0, time_of(0), 1.0)
    monkeypatch.setattr(
        "catalog.disk.os.fsync", lambda *_: (_ for _ in ()).throw(OSError(28, "full"))
    )

    with pytest.raises(CatalogError, match="full"):
        trace.finalize()

    assert [path for path in (tmp_path / "run").rglob("*") if path.is_file()] == []
