"""The public names of a lake in a Spark session are what they are in the catalog."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog import Catalog, spark_views
from catalog.errors import LakeError, UsageError
from catalog.lake.lake import read_lake
from catalog.lake.publish import publish
from catalog.spark.sql import spark_sql
from catalog.spark.views import LakeViews
from catalog.traces.signals import write_signals
from daily import measure_daily, walks
from spark.answers import assert_equal

NAMES = {
    *("strategies", "runs", "trace_files", "components", "metrics", "price_series", "tags"),
    *("signals", "classifications", "orders", "fills", "positions", "bars"),
    *("daily_returns", "daily_returns_next_open"),
    *("strategy_index", "leaderboard", "twins", "lineage", "holdings", "trades"),
}


def walked(folder: Path, signals: np.ndarray, config: dict[str, object], **more: object) -> Path:
    """Write a run of one strategy."""
    write_signals(
        folder, signals, configs=[config], strategy_ids=[config["type"]], symbol="SPY",
        timeframe="1d", **more,
    )  # fmt: skip
    return folder


def make(session: Any, lake: Path) -> None:
    """Make the views that the tests ask, and no others."""
    LakeViews(read_lake(lake)).make(session, " ".join([*NAMES - {"trades"}]))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalog, Path]:
    """A catalog with prices, figures, composites and twins, and the lake of it."""
    home = tmp_path_factory.mktemp("made")
    catalog = Catalog(home / "catalog.duckdb")
    measure_daily(catalog, home / "walks", walks(80, 6), fills=("close", "next_open"))
    rsi = {"type": "rsi", "parameters": {"period": 7, "smooth it": 1.5}}
    pair = {"type": "pair", "strategies": [rsi, {"type": "sma-x", "parameters": {"n": 3}}]}
    top = {"type": "top", "strategies": [pair, rsi]}
    for number, config in enumerate((rsi, pair, top)):
        catalog.register(walked(home / f"run_{number}", walks(80, 1), config))
    publish(catalog.path, home / "lake")
    return catalog, home / "lake"


def test_every_name_has_the_columns_types_and_rows_of_the_catalog(made, sail_session):
    catalog, lake = made

    names = spark_views(sail_session, lake)

    types = {"type_walk", "type_rsi", "type_pair", "type_top", "type_sma-x"}
    assert set(names) == {*NAMES, *types}
    for name in names:
        found = sail_session.sql(f"select * from `{name}`").toArrow()
        assert_equal(found, catalog.sql(f'from "{name}"').table)
    assert catalog.sql("select max(depth) from lineage").fetchall() == [(2,)]


def test_strategies_of_several_catalogs_have_the_columns_of_all(tmp_path, sail_session):
    lake, whole = tmp_path / "lake", Catalog(tmp_path / "whole.duckdb")
    grids = ({"n": 3}, {"n": 2.5}, {"word": "auto", "n": 10})
    for number, parameters in enumerate(grids):
        catalog = Catalog(tmp_path / f"{number}.duckdb")
        config = {"type": "sma", "parameters": parameters}
        catalog.register(walked(tmp_path / f"run_{number}", walks(9, 1, seed=number), config))
        publish(catalog.path, lake)
        whole.register(tmp_path / f"run_{number}")

    make(sail_session, lake)

    query = "select param_n, param_word_text, strategy_hash, config from strategies"
    assert_equal(sail_session.sql(query).toArrow(), whole.sql(query).table)
    assert whole.sql("select typeof(param_n) from strategies limit 1").fetchall() == [("DOUBLE",)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_two_writers_published_is_there_once_whatever_the_order(tmp_path, sail_session, order):
    run, lake = tmp_path / "run", tmp_path / "lake"
    signals = walks(60, 4)
    first, second = Catalog(tmp_path / "a" / "a.duckdb"), Catalog(tmp_path / "b" / "b.duckdb")
    for catalog in (first, second):
        catalog.path.parent.mkdir()
    measure_daily(first, run, signals)
    second.register(run)
    for number in order:
        publish((first, second)[number].path, lake)

    make(sail_session, lake)

    def ask(query: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in sail_session.sql(query).collect()]

    for name in (
        "strategies",
        "runs",
        "trace_files",
        "signals",
        "daily_returns",
        "bars",
        "metrics",
    ):
        assert (
            ask(f"select count(*) from {name}")
            == first.sql(f"select count(*) from {name}").fetchall()
        )
    # The second registered it later; the first alone measured it.
    later = second.sql("select max(registered_at) from trace_files").table[0][0].as_py()
    ((found,),) = ask("select max(registered_at) from trace_files")
    assert found.astimezone(later.tzinfo).replace(tzinfo=None) == later.replace(tzinfo=None)
    assert ask("select count(*) from strategy_index where is_latest and sharpe is not null") == [
        (4,)
    ]


def test_the_latest_traces_are_told_over_all_writers(tmp_path, sail_session):
    config = {"type": "sma", "parameters": {"n": 3}}
    days = np.datetime64("2024-01-01", "us") + np.arange(60) * np.timedelta64(1, "D")
    for number, length in enumerate((60, 40)):
        run = walked(tmp_path / f"run_{length}", walks(60, 1)[:length], config, ts=days[:length])
        catalog = Catalog(tmp_path / f"{number}.duckdb")
        catalog.register(run)
        assert catalog.sql("select is_latest from trace_files").fetchall() == [(True,)]
        publish(catalog.path, tmp_path / "lake")

    make(sail_session, tmp_path / "lake")

    found = sail_session.sql("select run_id, is_latest from trace_files order by run_id").collect()
    assert [tuple(row) for row in found] == [("run_40", False), ("run_60", True)]


def test_symbols_and_folders_of_any_name_are_read(tmp_path, sail_session):
    catalog = Catalog(tmp_path / "catalog.duckdb")
    lake = tmp_path / "a lake [1] %20"
    symbols = ["BTC/USD", "a b%2Fc", "x[1]{2}*?", "..", "é;#&+,=\\"]
    for number, symbol in enumerate(symbols):
        write_signals(
            tmp_path / "runs" / f"run_{number}", walks(9, 1, seed=number),
            configs=[{"type": "sma", "parameters": {"n": 3}}], strategy_ids=["sma"],
            symbol=symbol, timeframe="1m",
        )  # fmt: skip
    catalog.register(tmp_path / "runs")
    publish(catalog.path, lake)

    make(sail_session, lake)

    query = "select symbol, bar_index, val from signals"
    found = sail_session.sql(query).toArrow()
    assert set(found["symbol"].to_pylist()) == set(symbols)
    assert_equal(found, catalog.sql(query).table)


def test_a_lake_in_a_store_is_read(tmp_path, bucket, monkeypatch):
    from pysail.spark import SparkConnectServer

    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    catalog, lake = Catalog(tmp_path / "catalog.duckdb"), f"{bucket}/a lake %20"
    config = {"type": "sma", "parameters": {"n": 3}}
    write_signals(
        tmp_path / "run", walks(60, 1), configs=[config], strategy_ids=["sma"], symbol="BTC/USD",
        timeframe="1m",
    )  # fmt: skip
    catalog.register(tmp_path / "run")
    publish(catalog.path, lake)
    # The other server was started where the environment knew of no store.
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    query = "select symbol, bar_index, val from signals"

    try:
        _, port = server.listening_address
        found = spark_sql(query, remote=f"sc://127.0.0.1:{port}", lake=lake)
    finally:
        server.stop()

    assert_equal(found.table, catalog.sql(query).table)


def test_a_file_that_the_server_does_not_find_is_said(made, tmp_path, sail_session):
    import shutil

    lake = tmp_path / "lake"
    shutil.copytree(made[1], lake)
    next((lake / "signals").rglob("*.parquet")).unlink()

    with pytest.raises(LakeError, match=r"The server finds 0 of .* rows of signals in"):
        spark_views(sail_session, lake)


def test_files_are_read_at_once_and_not_one_by_one(tmp_path, sail_session, monkeypatch):
    from pyspark.sql.connect.readwriter import DataFrameReader

    lake, reads = tmp_path / "lake", []
    for number in range(3):
        catalog = Catalog(tmp_path / f"{number}.duckdb")
        config = {"type": "sma", "parameters": {"n": number}}
        catalog.register(walked(tmp_path / f"run_{number}", walks(9, 1, seed=number), config))
        publish(catalog.path, lake)
    plain = DataFrameReader.parquet
    monkeypatch.setattr(
        DataFrameReader, "parquet", lambda self, *of: reads.append(of) or plain(self, *of)
    )

    make(sail_session, lake)

    assert [len(of) for of in reads if "/signals/" in of[0]] == [3]


def test_a_lake_that_is_not_there_or_out_of_reach_is_said(tmp_path, sail_session, monkeypatch):
    with pytest.raises(LakeError, match=re.escape(f"There is no lake at {tmp_path}")):
        spark_views(sail_session, tmp_path)

    catalog = Catalog(tmp_path / "catalog.duckdb")
    catalog.register(walked(tmp_path / "run", walks(9, 1), {"type": "sma"}))
    publish(catalog.path, "memory://lake")
    with pytest.raises(UsageError, match="Spark cannot read memory://lake"):
        spark_views(sail_session, "memory://lake")
