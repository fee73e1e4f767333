"""Where writers of a lake say contrary things, Spark believes whom `catalog open` believes."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from catalog import Catalog, spark_views, write_signals
from catalog.lake.publish import publish
from daily import measure_daily, walks
from spark.answers import assert_equal

# Where files lie: a catalog over a lake has none of its own.
_PLACES = {
    "trace_files": ("path", "pack_path", "trace_number", "has_original"),
    "runs": ("root",),
    "price_series": ("path",),
    "strategy_index": ("trace_path",),
    "leaderboard": ("trace_path",),
}


def prices(days: int, seed: int) -> pa.Table:
    close = 100 * np.cumprod(1 + np.random.default_rng(seed).normal(0, 0.02, days))
    return pa.table({"ts": pa.array(times(days), pa.timestamp("us", "UTC")), "open": close,
                     "close": close})  # fmt: skip


def times(days: int) -> np.ndarray:
    return np.datetime64("2023-01-02", "us") + np.arange(days) * np.timedelta64(1, "D")


def without_places(name: str, table: pa.Table) -> pa.Table:
    gone = [one for one in _PLACES.get(name, ()) if one in table.column_names]
    return table.drop_columns(gone)


def assert_alike(session: Any, lake: Any, opened: Catalog) -> None:
    opened.open(lake)
    names = spark_views(session, lake)
    for name in names:
        found = session.sql(f"select * from `{name}`").toArrow()
        wanted = opened.sql(f'from "{name}"').table
        try:
            assert_equal(without_places(name, found), without_places(name, wanted))
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def test_of_contrary_figures_prices_and_splits_those_count_that_count_where_it_is_opened(
    tmp_path, sail_session
):
    signals, run = walks(80, 4), tmp_path / "run"
    first, second = (Catalog(tmp_path / name / "catalog.duckdb") for name in "ab")
    for catalog in (first, second):
        catalog.path.parent.mkdir()
    measure_daily(first, run, signals, fills=("close", "next_open"))
    first.metrics(split=date(2023, 2, 1))
    # The numbers of its sets are others, and its prices are later ones; some of its figures are
    # computed before those, and are of prices that are gone.
    second.register(run)
    second.add_prices(prices(80, 7), symbol="SPY", timeframe="1d", tz="UTC")
    second.metrics(cost_bps=5)
    second.metrics(split=date(2023, 2, 20))
    config = {"type": "pair", "strategies": [{"type": "x", "parameters": {"n": 3}}]}
    write_signals(
        tmp_path / "other", walks(80, 1), configs=[config], strategy_ids=["pair"], symbol="QQQ",
        timeframe="1d", ts=times(80), catalog=second.path,
    )  # fmt: skip
    second.add_prices(prices(80, 8), symbol="QQQ", timeframe="1d", tz="UTC")
    second.metrics()
    # Computed last, and from prices that do not count.
    first.metrics(fill="next_open")
    first.tag("walk_1", "good", note="the first")
    second.tag("walk_1", "good", note="the second")
    for catalog in (second, first):
        publish(catalog.path, tmp_path / "lake")

    assert_alike(sail_session, tmp_path / "lake", Catalog(tmp_path / "opened.duckdb"))


def test_figures_of_prices_that_do_not_count_hide_none_that_do(tmp_path, sail_session):
    run = tmp_path / "run"
    first, second = (Catalog(tmp_path / f"{name}.duckdb") for name in "ab")
    measure_daily(first, run, walks(80, 4), fills=())
    # Its prices are later ones and count; the other one computes its figures after these.
    second.register(run)
    second.add_prices(prices(80, 7), symbol="SPY", timeframe="1d", tz="UTC")
    second.metrics()
    first.metrics()
    for catalog in (second, first):
        publish(catalog.path, tmp_path / "lake")

    opened = Catalog(tmp_path / "opened.duckdb")
    assert_alike(sail_session, tmp_path / "lake", opened)

    for query in (
        "select trace_id, sharpe, computed_at from metrics order by all",
        "select trace_id, session_date, ret_gross from daily_returns order by all",
    ):
        assert opened.sql(query).fetchall() == second.sql(query).fetchall()
        assert len(opened.sql(query)) > 0


def test_who_knows_a_configuration_counts_before_who_registered_later(
    tmp_path, sail_session, write_run, write_sweep
):
    run = write_run(traces={"SPY_sma_grid_5_20": [1, 0, -1], "SPY_sma_grid_10_50": [0, 1]})
    knows, later = Catalog(tmp_path / "a.duckdb"), Catalog(tmp_path / "b.duckdb")
    knows.register(run, sweeps=[write_sweep()])
    later.register(run)
    later.tag("SPY_sma_grid_5_20", "odd", note="nobody knows it")
    for catalog in (knows, later):
        publish(catalog.path, tmp_path / "lake")

    assert_alike(sail_session, tmp_path / "lake", Catalog(tmp_path / "opened.duckdb"))

    found = sail_session.sql("select distinct config_source from strategies").collect()
    assert [one[0] for one in found] == ["sweep"]
    ((key,),) = [tuple(one) for one in sail_session.sql("select strategy_hash from tags").collect()]
    assert key is not None
