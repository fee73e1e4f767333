"""Curves: what they end at is what was measured, and what is left out of them is not seen."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import Catalog, write_signals
from catalog.errors import QueryError
from catalog.metrics.sets import make_set
from catalog.plots.curves import read_curves
from catalog.plots.thin import thin
from web_catalog import DAYS

EVERY = 10**6


def measured(catalog: Catalog) -> list[dict[str, object]]:
    """Return what was measured of each trace over its whole range, without cost."""
    query = (
        "select m.*, t.symbol from metrics as m join strategy_index as t using (trace_id) "
        "where m.is_default and period = 'all' and regime is null and m.total_return is not null "
        "order by trace_id"
    )
    return catalog.sql(query).table.to_pylist()


def curve(curves: pa.Table, trace_id: object) -> list[dict[str, object]]:
    """Return the rows of a trace; of buy and hold for None."""
    own = curves["trace_id"]
    return curves.filter(own.is_null() if trace_id is None else pc.equal(own, trace_id)).to_pylist()


@pytest.fixture(scope="module")
def minutes(tmp_path_factory) -> Catalog:
    """A catalog of three sessions by the minute, with strategies of random positions."""
    catalog = Catalog(tmp_path_factory.mktemp("minutes") / "catalog.duckdb")
    random = np.random.default_rng(3)
    days = np.array(["2024-03-26", "2024-03-27", "2024-03-28"], "datetime64[us]")
    times = (days[:, None] + (13 * 60 + 30 + np.arange(120)) * np.timedelta64(60, "s")).ravel()
    close = 100 * np.cumprod(1 + random.normal(0, 0.002, len(times)))
    prices = pa.table({"ts": pa.array(times, pa.timestamp("us", "UTC")), "close": close})
    catalog.add_prices(prices, symbol="SPY", timeframe="1m", tz="America/New_York")
    held = np.repeat(random.choice([-1.0, 0.0, 0.5, 1.0], (len(times) // 8, 4)), 8, axis=0)
    write_signals(
        catalog.path.parent / "runs" / "minutes",
        held,
        configs={f"r_{n}": {"type": "random", "parameters": {"n": n}} for n in range(4)},
        symbol="SPY",
        timeframe="1m",
        ts=times,
        prices=close,
        catalog=catalog.path,
    )
    catalog.metrics()
    return catalog


def test_a_curve_ends_at_the_total_return_and_falls_as_far_as_was_measured(web_catalog):
    traces = measured(web_catalog)
    ids = [str(trace["trace_id"]) for trace in traces]

    curves = read_curves(web_catalog.path, ids, points=EVERY).curves

    for trace in traces:
        rows = curve(curves, trace["trace_id"])
        assert len(rows) == trace["sessions"]
        assert rows[-1]["equity"] - 1 == pytest.approx(trace["total_return"], abs=1e-9)
        # Bars of a day are sessions, so the deepest fall is that of the bars.
        assert min(row["drawdown"] for row in rows) == pytest.approx(
            trace["max_drawdown"], abs=1e-9
        )


def test_drawdown_is_below_the_highest_equity_so_far_which_is_one_at_first(web_catalog):
    (trace_id,) = web_catalog.sql(
        "select trace_id from strategy_index where strategy_id = 'SPY_ma_5_50.0' and is_latest"
    ).fetchall()[0]

    rows = curve(read_curves(web_catalog.path, [trace_id], points=EVERY).curves, trace_id)

    peak = 1.0
    for row in rows:
        peak = max(peak, row["equity"])
        assert row["drawdown"] == pytest.approx(row["equity"] / peak - 1, abs=1e-12)


def test_buy_and_hold_is_the_prices_from_the_first_bar_on(web_catalog):
    for trace in measured(web_catalog)[::15]:
        found = read_curves(web_catalog.path, [trace["trace_id"]], points=EVERY, position=False)
        held = curve(found.curves, None)

        assert found.labels[1] == f"buy and hold {trace['symbol']}"
        assert held[-1]["equity"] - 1 == pytest.approx(trace["benchmark_return"], abs=1e-9)
        closes = web_catalog.sql(
            "select session_date, close from bars where symbol = $symbol order by bar_index",
            {"symbol": trace["symbol"]},
        ).fetchall()[: len(held)]
        assert [(row["date"], row["equity"]) for row in held] == [
            (date, pytest.approx(close / closes[0][1], abs=1e-12)) for date, close in closes
        ]


def test_from_a_date_on_everything_grows_from_one_and_buy_and_hold_has_been_bought(web_catalog):
    trace = measured(web_catalog)[0]
    start = "2020-09-01"

    wanted = make_set(start=start, cost_bps=0)
    found = read_curves(web_catalog.path, [trace["trace_id"]], points=EVERY, wanted=wanted)

    returns = web_catalog.sql(
        "select product(1 + ret_gross) from daily_returns "
        f"where trace_id = $id and session_date >= '{start}'",
        {"id": trace["trace_id"]},
    ).fetchall()
    own, held = curve(found.curves, trace["trace_id"]), curve(found.curves, None)
    assert str(own[0]["date"]) == str(held[0]["date"]) == start
    assert own[-1]["equity"] == pytest.approx(returns[0][0], abs=1e-9)
    closes = dict(
        web_catalog.sql(
            "select session_date, close from bars where symbol = $symbol",
            {"symbol": trace["symbol"]},
        ).fetchall()
    )
    before = max(date for date in closes if str(date) < start)
    assert held[-1]["equity"] == pytest.approx(closes[held[-1]["date"]] / closes[before], abs=1e-9)


def test_cost_is_paid_on_every_change(web_catalog):
    trace_id = measured(web_catalog)[0]["trace_id"]

    found = read_curves(
        web_catalog.path, [trace_id], points=EVERY, wanted=make_set(cost_bps=20)
    ).curves

    net = web_catalog.sql(
        "select product(1 + ret_gross - 0.002 * turnover) from daily_returns where trace_id = $id",
        {"id": trace_id},
    ).fetchall()[0][0]
    free = curve(read_curves(web_catalog.path, [trace_id], points=EVERY).curves, trace_id)
    own = curve(found, trace_id)
    assert own[-1]["equity"] == pytest.approx(net, abs=1e-9)
    assert own[-1]["equity"] < free[-1]["equity"]


def test_of_few_sessions_a_curve_goes_from_bar_to_bar(minutes):
    traces = measured(minutes)
    ids = [str(trace["trace_id"]) for trace in traces]

    found = read_curves(minutes.path, ids, points=EVERY)

    assert found.by_bar
    for trace in traces:
        rows = curve(found.curves, trace["trace_id"])
        assert len(rows) == trace["bar_count"] == 360
        assert trace["total_return"] != 0
        assert rows[-1]["equity"] - 1 == pytest.approx(trace["total_return"], abs=1e-9)
        assert min(row["drawdown"] for row in rows) == pytest.approx(
            trace["max_drawdown"], abs=1e-9
        )
    held = curve(found.curves, None)
    assert held[-1]["equity"] - 1 == pytest.approx(traces[0]["benchmark_return"], abs=1e-9)
    assert f"{held[0]['date']:%H:%M}" == "09:30"  # In New York.


def test_without_its_trace_file_a_strategy_still_has_a_curve_of_sessions(minutes, tmp_path):
    import shutil

    shutil.copytree(minutes.path.parent, tmp_path / "copy")
    copy = Catalog(tmp_path / "copy" / "catalog.duckdb")
    trace = measured(copy)[0]
    for file in (tmp_path / "copy" / "runs").rglob("*.parquet"):
        file.unlink()

    found = read_curves(copy.path, [trace["trace_id"]], position=False)

    assert not found.by_bar
    rows = curve(found.curves, trace["trace_id"])
    assert len(rows) == 3
    assert rows[-1]["equity"] - 1 == pytest.approx(trace["total_return"], abs=1e-9)


def test_one_trace_comes_with_its_price_and_what_it_held(web_catalog):
    (trace_id,) = web_catalog.sql(
        "select trace_id from strategy_index where strategy_id = 'SPY_twin_a'"
    ).fetchall()[0]

    found = read_curves(web_catalog.path, [trace_id])

    assert found.price is not None and found.held is not None
    assert found.price.num_rows == DAYS
    holdings = web_catalog.sql(
        "select position, bars from holdings where trace_id = $id order by from_bar",
        {"id": trace_id},
    ).fetchall()
    assert found.held["position"].to_pylist() == [position for position, _ in holdings]
    times = set(found.price["ts"].to_pylist())
    assert all(row["from_ts"] in times and row["to_ts"] in times for row in found.held.to_pylist())


def test_two_traces_of_one_id_have_labels_that_tell_them_apart(web_catalog):
    ids = [
        trace_id
        for (trace_id,) in web_catalog.sql(
            "select trace_id from strategy_index where strategy_id = 'SPY_ma_5_50.0'"
        ).fetchall()
    ]

    labels = read_curves(web_catalog.path, ids).labels

    assert len(ids) == 2
    assert len(set(labels)) == 3


def test_a_curve_ends_where_everything_is_lost(web_catalog):
    (trace_id,) = web_catalog.sql(
        "select trace_id from strategy_index where strategy_id = 'SPY_ma_5_50.0' and is_latest"
    ).fetchall()[0]

    found = read_curves(web_catalog.path, [trace_id], wanted=make_set(cost_bps=9_000))

    own = curve(found.curves, trace_id)
    assert [row["equity"] for row in own[:-1]] == pytest.approx(
        [abs(row["equity"]) for row in own[:-1]]
    )
    assert all(row["equity"] > 0 for row in own[:-1])
    assert (own[-1]["equity"], own[-1]["drawdown"]) == (0.0, -1.0)
    # Buying and holding goes on, and costs nothing.
    assert curve(found.curves, None)[-1]["date"] > own[-1]["date"]


def test_a_range_without_sessions_is_said_to_be_one(web_catalog):
    (trace_id,) = web_catalog.sql(
        "select trace_id from strategy_index where strategy_id = 'SPY_ma_5_50.0' and is_latest"
    ).fetchall()[0]

    with pytest.raises(QueryError, match="no session returns in those sessions") as told:
        read_curves(web_catalog.path, [trace_id], wanted=make_set(start="2030-01-01"))
    assert "catalog show" in str(told.value.hint)


def test_what_was_not_measured_is_said_with_what_to_do(web_catalog):
    unmeasured = web_catalog.sql(
        "from strategy_index select trace_id "
        "where trace_id not in (select trace_id from daily_returns)"
    ).fetchall()[0][0]

    with pytest.raises(QueryError, match="no session returns") as told:
        read_curves(web_catalog.path, [unmeasured])
    assert "catalog metrics" in str(told.value.hint)
    with pytest.raises(QueryError, match="There is no signal trace 0000000000000000"):
        read_curves(web_catalog.path, ["0" * 16])
    with pytest.raises(QueryError, match="no strategy"):
        read_curves(web_catalog.path, [])


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400),
    st.integers(6, 120),
)
def test_the_extremes_of_a_curve_stay_whatever_is_left_out(values, points):
    one = np.array(values)
    other = -np.abs(one)

    kept = thin(points, one, other)

    assert len(kept) <= max(points, 6)
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert {0, len(one) - 1} <= set(kept.tolist())
    for curve in (one, other):
        assert curve[kept].max() == curve.max()
        assert curve[kept].min() == curve.min()


def test_a_long_curve_is_thinned_to_the_points_that_are_asked_for(web_catalog):
    trace = measured(web_catalog)[0]

    rows = curve(
        read_curves(web_catalog.path, [trace["trace_id"]], points=60).curves, trace["trace_id"]
    )

    assert len(rows) <= 60
    assert rows[-1]["equity"] - 1 == pytest.approx(trace["total_return"], abs=1e-9)
    assert min(row["drawdown"] for row in rows) == pytest.approx(trace["max_drawdown"], abs=1e-9)
