"""Our own trace files: sparse, self-describing, whole or not there."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import partial

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import strategy_hash
from catalog.errors import CatalogError, UsageError
from catalog.traces.read import read_trace_file
from catalog.traces.write import write_trace
from conftest import OPEN

CONFIG = {"type": "bollinger_bands", "parameters": {"period": 20, "std_dev": 2.0}}


def write(run, values, **more):
    """Write a trace of five-minute bars from its first bar on."""
    count = len(values)
    options = {
        "config": CONFIG,
        "strategy_id": "SPY_bands",
        "symbol": "SPY",
        "timeframe": "5m",
        "bar_index": range(count),
        "ts": [OPEN + bar * timedelta(minutes=5) for bar in range(count)],
        "values": values,
        "prices": [500.0] * count,
        "first_bar": 0,
        "last_bar": max(count - 1, 0),
    }
    return write_trace(run, **{**options, **more})


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5]), max_size=200))
def test_the_rows_are_the_changes_and_dense_and_sparse_input_make_the_same(
    tmp_path_factory, values
):
    run = tmp_path_factory.mktemp("run")
    kept = [bar for bar in range(len(values)) if bar == 0 or values[bar] != values[bar - 1]]
    last = max(len(values) - 1, 0)

    dense = pq.read_table(write(run, values))
    sparse = write(
        run,
        [values[bar] for bar in kept],
        bar_index=kept,
        ts=[OPEN + bar * timedelta(minutes=5) for bar in kept],
        last_bar=last,
        last_ts=OPEN + last * timedelta(minutes=5),
    )

    assert dense["idx"].to_pylist() == kept
    assert dense["val"].to_pylist() == [values[bar] for bar in kept]
    assert pq.read_table(sparse).equals(dense)


def test_a_file_reads_as_the_format_says(tmp_path):
    path = write(tmp_path, [0, 1, 1, 0])

    columns = pq.read_table(path)
    assert path == tmp_path / "traces/signals/bollinger_bands/SPY_bands.parquet"
    assert columns.column_names == [
        "idx", "ts", "sym", "val", "strat", "px", "metadata", "strategy_hash",
    ]  # fmt: skip
    assert columns.schema.field("ts").type == pa.timestamp("us", "UTC")
    assert columns.schema.field("val").type == pa.float64()
    assert columns["strategy_hash"].to_pylist() == [strategy_hash(CONFIG)] * 3
    assert columns["metadata"].to_pylist()[1:] == [None, None]


def test_query_ii_gives_every_row_in_plain_duckdb(tmp_path):
    config = {**CONFIG, "constraints": "intraday"}
    write(tmp_path, [0, 1, 0, -1], config=config)
    write(tmp_path, [1, 1, 1, 1], strategy_id="other")

    found = duckdb.sql(f"""
        select idx, val from read_parquet('{tmp_path}/traces/signals/*/*.parquet')
        where strategy_hash = '39a6426ec117'
    """).fetchall()

    assert found == [(0, 0.0), (1, 1.0), (2, 0.0), (3, -1.0)]


def test_a_signal_without_any_row_still_says_what_was_evaluated(tmp_path):
    path = write(tmp_path, [], last_bar=99, first_ts=OPEN, last_ts=OPEN + timedelta(hours=8))

    trace = read_trace_file(str(path))

    assert (trace.row_count, trace.first_bar, trace.last_bar) == (0, 0, 99)
    assert trace.knows_bar_times


def test_states_are_text_and_prices_may_be_missing(tmp_path):
    path = write(tmp_path, ["up", "up", "down"], kind="classifier", prices=[1.0, np.nan, np.nan])

    columns = pq.read_table(path)
    assert path.parts[-3] == "classifiers"
    assert columns["val"].to_pylist() == ["up", "down"]
    assert columns["px"].to_pylist() == [1.0, None]


@pytest.mark.parametrize(
    "more, message",
    [
        ({"values": [1.0, float("nan"), 0.0]}, "NaN"),
        ({"values": [1.0, None, 0.0]}, "NaN|missing"),
        ({"values": ["up", "down", "up"]}, "are numbers"),
        ({"values": [1.0, 0.0]}, "2 values for 3 bars"),
        ({"values": [1.0, 2.0, 3.0], "kind": "classifier"}, "are text"),
        ({"kind": "order"}, "a signal or a classifier"),
        ({"bar_index": [0, 2, 1]}, "ascending"),
        ({"bar_index": [0, 1, 1]}, "twice"),
        ({"bar_index": [0.0, 1.0, 2.0]}, "whole numbers"),
        ({"bar_index": [0, 1, 5]}, "beyond the range"),
        ({"first_bar": 2, "last_bar": 1}, "no range"),
        ({"ts": [datetime(2024, 1, day) for day in (1, 2, 3)]}, "know no zone"),
        ({"ts": [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 3, 2)]}, "ascend"),
        ({"ts": ["a", "b", "c"]}, "no list of times"),
        ({"prices": ["cheap", "dear", "dear"]}, "prices are numbers"),
        ({"first_ts": datetime(2024, 1, 1)}, "first_ts"),
        ({"strategy_id": "../../evil"}, "begins with a dot"),
        ({"strategy_id": "a/../../evil"}, "path separator"),
        ({"strategy_id": ""}, "empty"),
        ({"strategy_id": ".hidden"}, "begins with a dot"),
        ({"strategy_id": "x" * 201}, "longer than"),
        ({"strategy_id": "new\nline"}, "control character"),
        ({"config": {"type": "a/b", "parameters": {}}}, "path separator"),
        ({"config": {"parameters": {"x": 1}}}, "no type"),
        ({"config": {"type": "t", "parameters": {"x": float("nan")}}}, "nan"),
    ],
)
def test_what_makes_no_trace_is_refused_and_leaves_nothing(tmp_path, more, message):
    with pytest.raises(CatalogError, match=message):
        usual = {"values": [1.0, 0.0, 1.0], "bar_index": range(3), "ts": None, "last_bar": 2}
        write(tmp_path, **{**usual, "prices": [1.0] * 3, **more})

    assert os.listdir(tmp_path) == []


def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    path = write(tmp_path, [0, 1])
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("catalog.disk.os.fsync", fail)

    with pytest.raises(CatalogError, match="No space left"):
        write(tmp_path, [1, 0, 1])
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_times_may_be_numpy_in_utc_or_know_any_zone(tmp_path):
    new_york = datetime.fromisoformat("2024-03-26T09:30:00-04:00")
    as_numpy = np.array(["2024-03-26T13:30", "2024-03-26T13:35"], "datetime64[m]")

    files = [
        write(tmp_path, [0, 1], ts=times, strategy_id=str(number))
        for number, times in enumerate(([new_york, new_york + timedelta(minutes=5)], as_numpy))
    ]

    first, second = (pq.read_table(path)["ts"].to_pylist() for path in files)
    assert first == second == [OPEN, OPEN + timedelta(minutes=5)]


def test_an_unusable_kind_of_value_is_a_usage_error(tmp_path):
    make = partial(write, tmp_path)

    with pytest.raises(UsageError):
        make([object(), object()])
