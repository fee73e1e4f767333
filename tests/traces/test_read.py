"""Reading a trace file finds the same, whatever its length, its order and its generation."""

from __future__ import annotations

import hashlib
import json
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bad_files import write_ours
from catalog.errors import TraceFileError
from catalog.traces import rows, source, table
from catalog.traces.changes import Rows, count_arrays, count_numbers
from catalog.traces.content import RowsDigest, content_digest
from catalog.traces.read import bar_spacing, read_trace_file
from conftest import old_trace

VALUES = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, -2.25, 1e300])
SERIES = st.lists(st.tuples(st.integers(1, 1_000), VALUES), min_size=1, max_size=300)


def bars_of(series) -> list[int]:
    """Return ascending bars from the steps between them."""
    return (np.cumsum([step for step, _ in series]) - 1).tolist()


def changes_of(bars, values) -> list[tuple[int, float]]:
    changes, before = [], None
    for bar, value in zip(bars, values, strict=True):
        if value != before:
            changes.append((bar, value + 0.0))
        before = value
    return changes


def digest_of(kind: str, bars, values) -> str:
    """Digest changes as the documentation of the format says, with none of its code."""
    digest = hashlib.sha256(kind.encode() + b"\0")
    for bar, value in changes_of(bars, values):
        digest.update(struct.pack("<qd", bar, value))
    return digest.hexdigest()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("traces")


@settings(max_examples=60, deadline=None)
@given(series=SERIES, data=st.data())
def test_a_trace_is_what_its_rows_say_in_any_order(place, series, data):
    bars, values = bars_of(series), [value for _, value in series]
    order = data.draw(st.permutations(range(len(bars))))
    path = place / "any.parquet"
    columns = {
        "idx": [bars[row] for row in order],
        "ts": [f"2024-03-26T00:00:00.{bars[row]:06}+00:00" for row in order],
        "sym": ["SPY"] * len(bars),
        "val": [values[row] for row in order],
        "strat": ["any"] * len(bars),
        "px": [0.0] * len(bars),
    }
    pq.write_table(pa.table(columns), path)

    trace = read_trace_file(str(path))

    held = list(zip(bars, bars[1:], values, strict=False))
    assert trace.kind == "signal"
    assert trace.row_count == len(bars)
    assert trace.change_count == len(changes_of(bars, values))
    assert (trace.first_change_bar, trace.last_change_bar) == (bars[0], bars[-1])
    assert trace.last_val == values[-1]
    assert str(trace.last_val)[0] != "-" or values[-1] < 0
    assert trace.bars_long == sum(end - begin for begin, end, value in held if value > 0)
    assert trace.bars_short == sum(end - begin for begin, end, value in held if value < 0)
    assert trace.is_flat == (not any(values))
    assert trace.rows_digest == digest_of("signal", bars, values)
    assert trace.file_digest == hashlib.sha256(path.read_bytes()).hexdigest()


@given(series=SERIES, data=st.data())
def test_it_does_not_matter_in_how_many_pieces_rows_are_counted(series, data):
    bars, values = bars_of(series), [value for _, value in series]
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(bars) - 1)), max_size=4)))
    bounds = [0, *(cut for cut in cuts if cut < len(bars)), len(bars)]
    whole, pieces, arrays = Rows(), Rows(), Rows()
    digests = [RowsDigest("signal") for _ in range(3)]

    count_numbers(whole, digests[0], bars, values)
    for begin, end in pairwise(bounds):
        count_numbers(pieces, digests[1], bars[begin:end], values[begin:end])
        count_arrays(arrays, digests[2], np.array(bars[begin:end]), np.array(values[begin:end]))

    assert whole == pieces == arrays
    assert len({digest.hexdigest() for digest in digests}) == 1
    assert digests[0].hexdigest() == digest_of("signal", bars, values)


def test_a_long_file_is_read_in_pieces_and_says_the_same(tmp_path, monkeypatch):
    signal = old_trace(tmp_path / "signals" / "a.parquet", [n % 3 - 1 for n in range(1_000)])
    states = old_trace(tmp_path / "classifiers" / "b.parquet", [f"s{n % 7}" for n in range(1_000)])
    whole = [read_trace_file(str(path)) for path in (signal, states)]

    monkeypatch.setattr(table, "WHOLE", 100)
    monkeypatch.setattr(table, "_PIECE", 64)
    monkeypatch.setattr(source, "LARGEST_HELD", 0)
    pieces = [read_trace_file(str(path)) for path in (signal, states)]

    assert pieces == whole
    assert [trace.kind for trace in whole] == ["signal", "classifier"]


def test_a_long_file_that_is_out_of_order_is_refused(tmp_path, monkeypatch):
    bars = [*range(500), 1_000, *range(500, 999)]
    path = old_trace(tmp_path / "a.parquet", [n % 2 for n in range(1_000)], bars=bars)
    assert read_trace_file(str(path)).row_count == 1_000

    monkeypatch.setattr(table, "WHOLE", 100)

    with pytest.raises(TraceFileError) as refused:
        read_trace_file(str(path))
    assert refused.value.reason == "rows out of order"


def test_a_file_that_is_written_to_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = old_trace(tmp_path / "a.parquet", [1, 0])
    read = source.os.read

    def write_and_read(descriptor, length):
        with path.open("ab") as file:
            file.write(b"more")
        return read(descriptor, length)

    monkeypatch.setattr(source.os, "read", write_and_read)

    with pytest.raises(TraceFileError) as refused:
        read_trace_file(str(path))
    assert refused.value.reason == "changed while it was read"


def test_the_same_signals_have_the_same_content_in_old_files_and_in_ours(tmp_path):
    ours = read_trace_file(str(write_ours(tmp_path, [1, 0, -1])))
    bars = [0, 1, 2]
    indexed = read_trace_file(str(old_trace(tmp_path / "a.parquet", [1, 0, -1], bars=bars)))
    clocked = old_trace(tmp_path / "b.parquet", [1, 0, -1], bars=bars, wall_clock=True)

    assert ours.generation == "G5" and indexed.generation == "G1"
    assert ours.rows_digest == indexed.rows_digest
    assert read_trace_file(str(clocked)).rows_digest == ours.rows_digest


def test_what_changes_the_content_is_its_digest_and_nothing_else():
    digest = RowsDigest("signal")
    digest.add_numbers([0], [1.0])
    rows_digest = digest.hexdigest()

    contents = {
        content_digest("SPY", "5m", "signal", rows_digest),
        content_digest("QQQ", "5m", "signal", rows_digest),
        content_digest("SPY", "1m", "signal", rows_digest),
        content_digest("SPY", "5m", "classifier", rows_digest),
        content_digest(None, "5m", "signal", rows_digest),
        content_digest("SPY", "5m", "signal", digest_of("signal", [1], [1.0])),
    }

    assert len(contents) == 6


def test_states_that_run_into_each_other_have_different_contents():
    digests = set()
    for states in (["ab", "c"], ["a", "bc"], ["abc", ""]):
        digest = RowsDigest("classifier")
        digest.add_states([0, 1], states)
        digests.add(digest.hexdigest())

    assert len(digests) == 3


def test_the_spacing_of_bars_does_not_count_nights(tmp_path):
    path = tmp_path / "a.parquet"
    times = ["2024-03-26T19:50:00+00:00", "2024-03-26T19:55:00+00:00", "2024-03-27T13:30:00+00:00"]
    columns = {"idx": [10, 11, 12], "ts": times, "sym": ["SPY"] * 3, "val": [1, 0, 1]}
    pq.write_table(pa.table({**columns, "strat": ["a"] * 3}), path)

    assert bar_spacing(str(path)) == 300.0


def test_numbers_are_read_without_loading_pandas(tmp_path):
    import subprocess
    import sys

    path = old_trace(tmp_path / "a.parquet", list(range(300)), bars=[*range(299, -1, -1)])
    code = f"""
import sys
from catalog.traces.read import bar_spacing, read_trace_file
read_trace_file({str(path)!r}), bar_spacing({str(path)!r})
print("pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
    assert rows.FEW < 300


def test_the_footer_of_ours_is_a_whole_catalog_entry(tmp_path):
    config = {"type": "rsi", "parameters": {"period": 14}}
    path = write_ours(tmp_path, [1, 0, -1], config=config)

    trace = read_trace_file(str(path))

    assert trace.footer_config == config
    assert (trace.strategy_id, trace.strategy_type) == ("ours", "rsi")
    assert (trace.symbol_raw, trace.timeframe_raw) == ("SPY", "1m")
    assert (trace.first_bar, trace.last_bar) == (0, 13)
    footer = pq.read_metadata(path).metadata
    assert json.loads(footer[b"strategy_config"]) == config
    assert footer[b"config_digest"].decode().startswith(footer[b"strategy_hash"].decode())
    assert {b"kind", b"creation_time", b"content_digest", b"first_ts"} <= footer.keys()
