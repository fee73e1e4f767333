"""Traces that are written to object storage: whole or not at all, and registered after that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from catalog import Tracer, TraceWriter, objects, write_signals
from catalog.errors import ObjectStoreError, UsageError
from catalog.store.database import writing
from catalog.store.inbox import read_notes
from catalog.traces.writer import TraceWriter as PlainWriter
from conftest import OPEN, rows
from s3 import environment

CONFIG = {"type": "sma_crossover", "parameters": {"fast": 5, "slow": 20}}


def names_below(url: str) -> list[str]:
    return [stored.url.removeprefix(url) for stored in objects.list_below(url)]


def test_a_trace_written_to_a_bucket_is_there_whole_and_registered(catalog, bucket):
    run = f"{bucket}/runs/r1"

    with TraceWriter(
        run, config=CONFIG, strategy_id="s", symbol="SPY", timeframe="1m", catalog=catalog.path
    ) as trace:
        for bar, value in enumerate([0, 1, 1, -1]):
            trace.append(bar, OPEN.replace(minute=30 + bar), value, 500.0)

    assert trace.path == f"{run}/traces/signals/sma_crossover/s.parquet"
    assert names_below(bucket) == ["/runs/r1/traces/signals/sma_crossover/s.parquet"]
    assert rows(catalog, "select path, row_count, strategy_hash from trace_files") == [
        (trace.path, 3, trace.strategy_hash)
    ]


def test_a_trace_that_is_given_up_leaves_nothing_in_the_bucket_nor_here(
    catalog, bucket, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with (
        pytest.raises(RuntimeError),
        PlainWriter(f"{bucket}/r", config=CONFIG, strategy_id="s", symbol="SPY") as trace,
    ):
        monkeypatch.setattr("catalog.traces.writer.ROW_GROUP", 1)
        trace.append(0, None, 1.0)
        assert [*tmp_path.glob(".s.parquet.*.tmp")]
        raise RuntimeError

    assert names_below(bucket) == []
    assert not [*tmp_path.glob(".*")]


def test_many_signals_are_sent_and_registered_together(catalog, bucket):
    values = np.where(np.arange(60).reshape(20, 3) % 5 > 2, 1.0, 0.0)
    configs = {f"s{i}": {"type": "sma", "parameters": {"fast": i}} for i in range(3)}

    paths = write_signals(
        f"{bucket}/r", values, configs=list(configs.values()), strategy_ids=list(configs),
        symbol="SPY", timeframe="1m", catalog=catalog.path,
    )  # fmt: skip

    assert paths == [f"{bucket}/r/traces/signals/sma/s{i}.parquet" for i in range(3)]
    assert rows(catalog, "select count(*), count(distinct path) from trace_files") == [(3, 3)]
    for number, path in enumerate(paths):
        column = values[:, number]
        changes = 1 + int((column[1:] != column[:-1]).sum())
        query = f"select count(*) from signals where strategy_id = 's{number}'"
        assert rows(catalog, query) == [(changes,)], path


def test_a_run_refuses_a_second_type_for_a_strategy_in_a_bucket_too(bucket):
    def write(strategy_type: str, strategy_id: str) -> None:
        config = {"type": strategy_type, "parameters": {}}
        with PlainWriter(f"{bucket}/r", config=config, strategy_id=strategy_id, symbol="SPY") as to:
            to.append(0, None, 1.0)

    write("sma", "a")
    write("sma", "a")
    write("rsi", "b")

    with pytest.raises(UsageError, match="trace of a already, of the type sma"):
        write("rsi", "a")
    assert names_below(bucket) == [
        "/r/traces/signals/rsi/b.parquet", "/r/traces/signals/sma/a.parquet"
    ]  # fmt: skip


def test_a_tracer_writes_signals_states_events_and_what_the_run_is_to_a_bucket(catalog, bucket):
    run = f"{bucket}/runs/r7"
    events = [
        {
            "event_type": kind,
            "timestamp": OPEN,
            "payload": {"symbol": "SPY", "bar_index": 0, **more},
        }
        for kind, more in (
            ("BAR", {"close": 500.0, "timeframe": "1m"}),
            ("SIGNAL", {"strategy_id": "s", "direction": "long", "strategy_config": CONFIG}),
            (
                "CLASSIFICATION",
                {"classifier_id": "c", "regime": "calm", "strategy_type": "vol", "parameters": {}},
            ),
            ("FILL", {"strategy_id": "s", "quantity": 1, "price": 500.0, "side": "buy"}),
        )
    ]  # fmt: skip

    with Tracer(run, catalog=catalog.path) as tracer:
        for event in events:
            tracer.on_event(event)

    assert [name.rpartition("-")[0] or name for name in names_below(run)] == [
        "/metadata.json",
        "/traces/classifiers/vol/c.parquet",
        "/traces/fills/fills",
        "/traces/signals/sma_crossover/s.parquet",
    ]
    assert rows(catalog, "select kind, run_id from trace_files order by kind") == [
        ("classifier", "r7"), ("fill", "r7"), ("signal", "r7")
    ]  # fmt: skip
    assert rows(catalog, "select strategy_id, price from fills") == [("s", 500.0)]
    assert rows(catalog, "select val from classifications") == [("calm",)]


def test_the_inbox_keeps_urls_whole_and_the_next_writer_takes_them_in(catalog, bucket, monkeypatch):
    from catalog.register import written

    monkeypatch.setattr(written, "_PATIENCE", 0.05)
    monkeypatch.setattr(written, "_busy_until", {})
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(catalog.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout.readline() == "held\n"
        with TraceWriter(
            f"{bucket}/r", config=CONFIG, strategy_id="s", symbol="SPY", catalog=catalog.path
        ) as trace:
            trace.append(0, None, 1.0)
        (note,) = read_notes(catalog.path)
        assert note.files == (trace.path,)
    finally:
        holder.communicate("")

    with TraceWriter(
        f"{bucket}/r", config=CONFIG, strategy_id="t", symbol="SPY", catalog=catalog.path
    ) as other:
        other.append(0, None, 1.0)

    assert rows(catalog, "select path from trace_files order by path") == [
        (trace.path,), (other.path,)
    ]  # fmt: skip
    assert read_notes(catalog.path) == []


_HOLD = """
import sys
from pathlib import Path
from catalog.store.database import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_bucket_that_is_not_there_is_one_clear_error_and_registers_nothing(catalog, bucket):
    with writing(catalog.path):
        pass

    with (
        pytest.raises(ObjectStoreError, match="s3://no-such-bucket"),
        TraceWriter(
            "s3://no-such-bucket/r", config=CONFIG, strategy_id="s", symbol="SPY",
            catalog=catalog.path,
        ) as trace,
    ):  # fmt: skip
        trace.append(0, None, 1.0)

    assert rows(catalog, "select count(*) from trace_files") == [(0,)]


def test_a_url_that_was_made_a_path_is_refused(tmp_path):
    with pytest.raises(UsageError, match="was a URL before"):
        PlainWriter(Path("s3://bucket/run"), config=CONFIG, strategy_id="s", symbol="SPY")


_WRITE = """
import sys
from catalog import TraceWriter
bucket, catalog, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
for number in range(first, first + 50):
    config = {"type": "sma", "parameters": {"fast": number}}
    with TraceWriter(f"{bucket}/r", config=config, strategy_id=f"s{number}", symbol="SPY",
                     catalog=catalog) as trace:
        for bar in range(200):
            trace.append(bar, None, float(bar % 3))
    print(trace.path, flush=True)
"""


def test_what_a_killed_writer_had_finalized_is_registered_and_nothing_is_half_there(
    catalog, bucket, s3_endpoint
):
    said: list[str] = []
    for turn in range(2):
        child = subprocess.Popen(
            [sys.executable, "-c", _WRITE, bucket, str(catalog.path), str(50 * turn)],
            stdout=subprocess.PIPE, text=True, env={**os.environ, **environment(s3_endpoint)},
        )  # fmt: skip
        said += [child.stdout.readline().strip() for _ in range(3)]
        time.sleep(0.03 + 0.05 * turn)
        child.send_signal(signal.SIGKILL)
        said += child.communicate()[0].split()

    registered = {path for (path,) in rows(catalog, "select path from trace_files")}
    there = {stored.url for stored in objects.list_below(bucket)}
    # A line may be cut where the writer was killed; what was said in full was finalized.
    assert {path for path in said if path.endswith(".parquet")} <= registered <= there
    assert all(objects.read(url)[-4:] == b"PAR1" for url in there)
    assert rows(catalog, "select count(*) from signals") == [(200 * len(registered),)]
