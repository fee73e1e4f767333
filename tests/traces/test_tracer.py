"""The tracer keeps what a backtest's events say: changes, ranges, orders, and nothing else."""

from __future__ import annotations

import json
import resource
from datetime import datetime, timedelta
from enum import Enum
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import strategy_hash
from catalog.errors import CatalogError, UsageError
from catalog.traces import pending, tracer
from catalog.traces.read import read_trace_file
from catalog.traces.tracer import Tracer
from conftest import OPEN

RSI = {"type": "rsi", "parameters": {"period": 14}}


def time_of(bar: int) -> datetime:
    return OPEN + timedelta(minutes=bar)


def event(kind: object, number: int, **payload: object) -> SimpleNamespace:
    return SimpleNamespace(event_type=kind, timestamp=time_of(number), payload=payload)


def bar(number: int, symbol: str = "SPY", **more: object) -> SimpleNamespace:
    return event("BAR", number, symbol=symbol, close=500.0 + number, timeframe="1m", **more)


def signal(number: int, direction: object, name: str = "s", **more: object) -> SimpleNamespace:
    usual = {"strategy_id": name, "symbol": "SPY", "direction": direction, "strategy_config": RSI}
    return event("SIGNAL", number, **{**usual, **more})


def files(folder) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


def traced(path) -> dict[int, object]:
    table = pq.read_table(path)
    return dict(zip(table["idx"].to_pylist(), table["val"].to_pylist(), strict=True))


@settings(max_examples=50, deadline=None)
@given(
    said=st.lists(
        st.lists(st.sampled_from(["long", "short", "flat", 0.5]), max_size=3), max_size=40
    ),
    held=st.integers(1, 12),
)
def test_what_is_said_last_of_a_bar_counts_and_changes_are_kept(tmp_path_factory, said, held):
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        # So few that they are spooled, in pieces, over and over.
        patch.setattr(tracer, "MOST_HELD", held)
        patch.setattr(pending, "ROW_GROUP", 5)
        with Tracer(folder) as watching:
            for number, directions in enumerate(said):
                watching.on_event(bar(number))
                for direction in directions:
                    watching.on_event(signal(number, direction))
    summary = watching.finalize()

    expected, before = {}, None
    for number, directions in enumerate(said):
        if directions:
            value = {"long": 1.0, "short": -1.0, "flat": 0.0, 0.5: 0.5}[directions[-1]]
            if value != before:
                expected[number] = value
            before = value
    assert summary.bars == len(said)
    assert summary.signals == sum(map(len, said))
    assert summary.changes == len(expected)
    if before is None:
        assert summary.paths == ()
    else:
        assert traced(summary.paths[0]) == expected


def test_a_trace_records_what_it_was_evaluated_on(tmp_path):
    with Tracer(tmp_path / "run", code=read_trace_file) as watching:
        for number in range(100):
            watching.on_event(bar(number))
            watching.on_event(signal(number, "long"))
            watching.on_event(signal(number, "flat", "t", strategy_config={**RSI, "x": 1}))
    summary = watching.finalize()

    found = read_trace_file(str(summary.paths[0]))
    other = read_trace_file(str(summary.paths[1]))
    assert (found.row_count, found.first_bar, found.last_bar) == (1, 0, 99)
    assert (found.symbol_raw, found.timeframe_raw, found.recorded_run_id) == ("SPY", "1m", "run")
    assert found.claimed_hash == strategy_hash(RSI)
    assert found.footer_config == RSI
    assert found.data_digest == other.data_digest is not None
    assert found.code_digest is not None
    assert pq.read_table(summary.paths[0])["px"].to_pylist() == [500.0]
    assert summary.compression == 100.0


class Kind(Enum):
    BAR = "bar"
    SIGNAL = "signal"


class Direction(Enum):
    LONG = 1
    FLAT = 0


def test_events_may_be_mappings_and_kinds_enumerations(tmp_path):
    objects = [event(Kind.BAR, 0, symbol="SPY", close=1.0)]
    objects += [event(Kind.BAR, 1, symbol="SPY", bar=SimpleNamespace(close=2.0))]
    objects += [signal(1, Direction.LONG), signal(1, Direction.LONG)]
    objects[-1].event_type = objects[-2].event_type = Kind.SIGNAL
    objects += [bar(2), signal(2, "FLAT")]
    mappings = [vars(one) for one in objects]

    for name, events in (("objects", objects), ("mappings", mappings)):
        with Tracer(tmp_path / name) as watching:
            for one in events:
                watching.on_event(one)
        assert traced(watching.finalize().paths[0]) == {1: 1.0, 2: 0.0}


def test_the_configuration_is_taken_from_what_the_payload_has(tmp_path):
    parts = {"strategy_type": "rsi", "parameters": {"period": 14}, "constraints": "intraday"}
    payloads = [
        {"strategy_config": RSI}, {"strategy_config": json.dumps(RSI)},
        {**parts, "threshold": 0.5, "strategy_config": None},
    ]  # fmt: skip
    with Tracer(tmp_path) as watching:
        watching.on_event(bar(0))
        for number, payload in enumerate(payloads):
            watching.on_event(signal(0, "long", str(number), **payload))

    found = [read_trace_file(str(path)) for path in watching.finalize().paths]
    assert [one.footer_config for one in found] == [
        RSI, RSI,
        {"type": "rsi", "parameters": {"period": 14}, "constraints": "intraday", "threshold": 0.5},
    ]  # fmt: skip


def test_states_orders_fills_and_positions_are_kept(tmp_path):
    with Tracer(tmp_path / "run") as watching:
        take = watching.on_event
        take(bar(0))
        take(event("CLASSIFICATION", 0, classifier_id="c", symbol="SPY", regime="up",
                   strategy_type="trend", parameters={"n": 5}))  # fmt: skip
        take(signal(0, "long"))
        common = {"symbol": "SPY", "strategy_id": "s", "order_id": "o1", "position_id": "p1"}
        take(event("ORDER", 0, **common, side="BUY", quantity="100", order_type="market", price=5))
        take(event("FILL", 0, **common, fill_id="f1", side="BUY", quantity=100, price="5.1"))
        take(event("POSITION_OPEN", 0, **common, quantity=100, entry_price=5.1))
        take(bar(1))
        take(event("POSITION_CLOSE", 1, **common, exit_price=6, realized_pnl=90, exit_type="stop"))
        take(event("HEARTBEAT", 1))
    summary = watching.finalize()

    tables = {path.parent.name: pq.read_table(path).to_pylist() for path in summary.paths}
    assert (summary.orders, summary.fills, summary.classifications) == (1, 1, 1)
    assert summary.positions == 1
    assert tables["orders"][0]["quantity"] == 100.0
    assert tables["fills"][0]["price"] == 5.1
    assert [row["event"] for row in tables["positions"]] == ["open", "close"]
    assert tables["positions"][1]["idx"] == 1
    assert tables["trend"][0]["val"] == "up"


def test_metadata_says_what_the_run_is_and_processes_add_to_it(tmp_path):
    for name in ("a", "b"):
        with Tracer(tmp_path / "run") as watching:
            watching.on_event(bar(0))
            watching.on_event(signal(0, "long", name))

    document = json.loads((tmp_path / "run/metadata.json").read_text())
    assert document["run_id"] == "run"
    assert document["total_signals"] == 2
    assert sorted(document["components"]) == ["a", "b"]
    assert document["components"]["a"]["full_config"] == RSI
    assert (tmp_path / "run" / document["components"]["a"]["trace_path"]).exists()
    assert document["data_source"] == {"symbols": ["SPY"], "timeframes": ["1m"]}


@pytest.mark.parametrize(
    "document",
    [
        {"data_source": "SPY.csv"}, {"data_source": None}, {"components": []},
        {"total_bars": None}, {"total_signals": "12"}, {"data_source": {"symbols": "SPY"}},
        {"writers": [1]}, {"writers": {"x": 5}},
    ],
)  # fmt: skip
def test_metadata_of_any_shape_is_completed(tmp_path, document):
    (tmp_path / "metadata.json").write_text(json.dumps(document))

    with Tracer(tmp_path) as watching:
        watching.on_event(bar(0))
        watching.on_event(signal(0, "long"))

    found = json.loads((tmp_path / "metadata.json").read_text())
    assert found["data_source"]["symbols"] == ["SPY"]
    assert found["total_signals"] == 1


def test_a_run_that_is_traced_again_replaces_what_it_wrote(tmp_path):
    for _ in range(2):
        with Tracer(tmp_path / "run") as watching:
            for number in range(3):
                watching.on_event(bar(number))
                watching.on_event(signal(number, number % 2))
                order = {"symbol": "SPY", "strategy_id": "s", "order_id": str(number)}
                watching.on_event(event("ORDER", number, **order))

    assert len(files(tmp_path / "run/traces")) == 2
    assert json.loads((tmp_path / "run/metadata.json").read_text())["total_orders"] == 3


def test_an_id_of_another_type_or_configuration_is_refused(tmp_path):
    other = {"type": "macd", "parameters": {"n": 1}}
    with Tracer(tmp_path / "run") as watching:
        watching.on_event(bar(0))
        watching.on_event(signal(0, "long"))
        watching.on_event(signal(0, "flat", strategy_config=dict(RSI)))
        with pytest.raises(UsageError, match="now with another"):
            watching.on_event(signal(0, "long", strategy_config=other))

    again = Tracer(tmp_path / "run")
    again.on_event(bar(0))
    with pytest.raises(UsageError, match="already, of the type rsi"):
        again.on_event(signal(0, "long", strategy_config=other))


def test_a_metadata_file_that_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "metadata.json").write_text("my notes, and no JSON")

    with Tracer(tmp_path) as watching:
        watching.on_event(bar(0))
        watching.on_event(signal(0, "long"))

    assert watching.finalize().traces == 1
    assert (tmp_path / "metadata.json").read_text() == "my notes, and no JSON"


@pytest.mark.parametrize(
    "wrong, message",
    [
        (signal(0, "sideways"), "direction is 'sideways'"),
        (signal(0, float("nan")), "direction is nan"),
        (signal(0, None), "direction is None"),
        (signal(0, "long", "new", strategy_config=None), "says no configuration"),
        (signal(0, "long", "../new"), "begins with a dot"),
        (signal(0, "long", 5), "is no text"),
        (signal(0, "long", "new", symbol="QQQ"), "before any BAR of QQQ"),
        (signal(0, "short", "known", symbol="QQQ"), "came with SPY, and now with QQQ"),
        (event("SIGNAL", 0, symbol="SPY", direction="long"), "no strategy_id"),
        (event("BAR", 0, close=1.0), "no symbol"),
        (bar(0), "is not after"),
        (event("ORDER", 0, symbol="SPY", quantity="many"), "quantity of an event is 'many'"),
        (event("ORDER", 0, symbol="QQQ"), "before any BAR of QQQ"),
        (SimpleNamespace(event_type="BAR", timestamp=datetime(2024, 1, 1),
                         payload={"symbol": "SPY"}), "knows no zone"),
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_is_refused_and_the_run_goes_on(tmp_path, wrong, message):
    with Tracer(tmp_path / "run") as watching:
        watching.on_event(bar(0))
        watching.on_event(signal(0, "long", "known"))

        with pytest.raises(
            (UsageError, KeyError), match=message.replace("no strategy_id", "strategy_id")
        ):
            watching.on_event(wrong)
        watching.on_event(bar(1))
        watching.on_event(signal(1, "flat", "known"))

    (path, *_) = watching.finalize().paths
    assert traced(path) == {0: 1.0, 1: 0.0}


def test_without_bars_a_signal_says_where_it_is(tmp_path):
    with Tracer(tmp_path) as watching:
        watching.on_event(signal(0, 1, bar_index=7, price=5.0))
        watching.on_event(signal(1, 0, bar_index=9))

    (path,) = watching.finalize().paths
    assert traced(path) == {7: 1.0, 9: 0.0}
    assert pq.read_table(path)["px"].to_pylist() == [5.0, None]


def test_a_block_that_raises_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), Tracer(tmp_path / "run") as watching:
        watching.on_event(bar(0))
        watching.on_event(signal(0, "long"))
        watching.on_event(event("ORDER", 0, symbol="SPY", strategy_id="s"))
        raise ZeroDivisionError

    assert files(tmp_path) == []
    with pytest.raises(UsageError, match="takes no more events"):
        watching.on_event(bar(1))


def test_a_run_without_signals_is_no_file(tmp_path):
    with Tracer(tmp_path / "run") as watching:
        watching.on_event(bar(0))

    assert watching.finalize().traces == 0
    assert files(tmp_path) == []


def test_a_file_that_cannot_be_written_is_an_error_and_leaves_no_temporary_file(
    tmp_path, monkeypatch
):
    watching = Tracer(tmp_path / "run")
    watching.on_event(bar(0))
    for number in range(5):
        watching.on_event(signal(0, "long", str(number)))
    replaced = []

    def replace(self, target):
        replaced.append(target)
        if len(replaced) > 2:
            raise OSError(28, "No space left on device")
        return original(self, target)

    original = type(tmp_path).replace
    monkeypatch.setattr(type(tmp_path), "replace", replace)

    with pytest.raises(CatalogError, match="No space left"):
        watching.finalize()

    assert all(name.endswith(".parquet") for name in files(tmp_path)), files(tmp_path)


def test_very_many_strategies_need_few_open_files(tmp_path, monkeypatch):
    monkeypatch.setattr(tracer, "MOST_HELD", 500)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        with Tracer(tmp_path) as watching:
            for number in range(6):
                watching.on_event(bar(number))
                for name in range(400):
                    watching.on_event(signal(number, (number + name) % 3, f"s{name}"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    summary = watching.finalize()
    assert (summary.traces, summary.changes) == (400, 2_400)
    assert all(len(traced(path)) == 6 for path in summary.paths)
