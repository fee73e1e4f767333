"""The trades of traces, against what the metrics of the same traces say, and by hand."""

from __future__ import annotations

import json
import os
import subprocess

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from catalog import Catalog, TraceWriter
from catalog.errors import QueryError
from conftest import old_trace, rows
from markets import add_prices, grid_configs, price_table, write_strategies

BARS = 600
CLOSED = "case when not is_open then net end"
FIGURES = f"""
    select
        trace_id,
        count(*) as trades,
        hit_rate({CLOSED}) as hit_rate,
        profit_factor({CLOSED}) as profit_factor,
        product(1 + net) - 1 as total_return,
        avg(bars_held) as mean_holding
    from trades_at(cost_bps := $cost)
    group by trace_id
"""


def sized_signals(bars: int, strategies: int, *, seed: int = 0) -> np.ndarray:
    """Positions that are scaled, flipped and left, often at the last bars too."""
    random = np.random.default_rng(seed)
    values = random.choice([-1.5, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0, 2.0], (bars, strategies))
    stays = random.random((bars, strategies)) < np.linspace(0.2, 0.97, strategies)
    for bar in range(1, bars):
        values[bar] = np.where(stays[bar], values[bar - 1], values[bar])
    return values


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return price_table()


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory, table: pa.Table) -> Catalog:
    """Sized signals over all bars, and over some of them: those count from 100."""
    home = tmp_path_factory.mktemp("trades")
    catalog = Catalog(home / "catalog.duckdb")
    add_prices(catalog, table)
    write_strategies(catalog, sized_signals(BARS, 12), table)
    write_strategies(
        catalog, sized_signals(200, 6, seed=1), table, first=100, run="later", prefix="later_",
        configs=grid_configs(6, strategy_type="rsi"),
    )  # fmt: skip
    return catalog


def figures(catalog: Catalog, cost: float) -> dict[str, tuple[object, ...]]:
    found = catalog.sql(FIGURES, {"cost": cost}).fetchall()
    return {row[0]: row[1:] for row in found}


def measured(catalog: Catalog, cost: float) -> dict[str, tuple[object, ...]]:
    catalog.metrics(cost_bps=cost)
    query = (
        "select trace_id, trades, hit_rate, profit_factor, total_return, mean_holding from metrics "
        f"where cost_bps = {cost} and period = 'all' and regime is null and trades > 0"
    )
    return {row[0]: row[1:] for row in catalog.sql(query).fetchall()}


def assert_alike(found: dict[str, tuple[object, ...]], expected: dict[str, tuple[object, ...]]):
    assert found.keys() == expected.keys()
    for trace_id, values in expected.items():
        for one, other in zip(found[trace_id], values, strict=True):
            assert one == (other and pytest.approx(other, rel=1e-9, abs=1e-12)), trace_id


@pytest.mark.parametrize("cost", [0.0, 3.0])
def test_the_trades_of_a_trace_come_to_what_its_metrics_say(traded, cost):
    assert len(measured(traded, cost)) == 18

    assert_alike(figures(traded, cost), measured(traded, cost))


def test_without_cost_the_macro_is_the_view(traded):
    everything = "select * exclude (entry_regime) from {} order by trace_id, entry_bar"

    view, macro = (rows(traded, everything.format(one)) for one in ("trades", "trades_at()"))

    assert len(view) > 1000
    assert view == macro
    assert rows(traded, "select count(*) from trades where cost <> 0 or net <> gross") == [(0,)]


def test_prices_that_were_prepended_are_met_by_time_only(catalog, tmp_path):
    table = price_table(12)
    add_prices(catalog, table.slice(100))
    write_strategies(catalog, sized_signals(140, 4), table, first=100)
    write_strategies(catalog, sized_signals(140, 4, seed=3), None, run="blind", prefix="blind_")
    before = rows(catalog, "select * from trades order by all")
    assert len(figures(catalog, 0.0)) == 8

    add_prices(catalog, table)

    found = figures(catalog, 1.0)
    assert len(found) == 4
    assert_alike(found, measured(catalog, 1.0))
    after = rows(catalog, "select * from trades order by all")
    assert after == [row for row in before if row[0] in found]


def test_a_trace_that_lacks_bars_of_its_prices_is_met_row_by_row(catalog):
    table = price_table(6)
    kept = np.delete(np.arange(120), [17, 40, 41, 90])
    add_prices(catalog, table)
    write_strategies(catalog, sized_signals(len(kept), 5), table.take(pa.array(kept)))

    assert_alike(figures(catalog, 2.0), measured(catalog, 2.0))
    assert len(figures(catalog, 2.0)) == 5


def test_a_wall_clock_trace_is_met_by_bar(catalog, tmp_path):
    table = price_table(6)
    run = tmp_path / "old" / "traces" / "SPY_1m" / "signals" / "grid"
    old_trace(run / "a.parquet", [1, -1, 0, 1, 0], bars=[3, 9, 30, 31, 60], wall_clock=True)
    add_prices(catalog, table)
    catalog.register(tmp_path / "old")

    found = rows(catalog, "select side, entry_bar, exit_bar, entry_price from trades order by 2")

    close = table["close"].to_pylist()
    assert found == [
        ("long", 3, 9, close[3]),
        ("short", 9, 30, close[9]),
        ("long", 31, None, close[31]),
    ]
    assert_alike(figures(catalog, 1.0), measured(catalog, 1.0))
    assert rows(catalog, "select count(*) from trades where entry_ts < '2024-01-03'") == [(2,)]


def test_traces_without_prices_have_no_trades(catalog, table):
    write_strategies(catalog, sized_signals(50, 2), table)
    assert rows(catalog, "from trades") == rows(catalog, "from trades_at(cost_bps := 1)") == []

    add_prices(catalog, table.slice(10))

    assert rows(catalog, "from trades") == []


CLOSE = [100.0, 102.0, 101.0, 99.0, 103.0, 103.0, 100.0, 98.0]
LOW = [99.0, 100.5, 98.0, 97.0, 98.5, 101.0, 99.0, 97.5]
HIGH = [101.0, 103.0, 104.0, 101.5, 105.0, 104.0, 103.5, 100.5]


def small_market(catalog: Catalog, **columns: list[float | None]) -> pa.Table:
    """Eight bars in two sessions of four."""
    table = price_table(2, per_session=4)
    values = {"open": CLOSE, "high": HIGH, "low": LOW, "close": CLOSE} | columns
    for name, column in values.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(column, pa.float64()))
    add_prices(catalog, table)
    return table


def one_trace(catalog: Catalog, table: pa.Table, values: list[float]) -> None:
    write_strategies(catalog, np.array([values]).T, table)


COLUMNS = "side, size, entry_bar, exit_bar, bars_held, gross, mae, mfe, is_overnight, is_open"


def test_excursions_by_hand(catalog):
    table = small_market(catalog)
    one_trace(catalog, table, [0, 1, 1, 0, -0.5, -1, 0, 0])

    long, short = rows(catalog, f"select {COLUMNS} from trades order by entry_bar")

    assert long[:5] == ("long", 1.0, 1, 3, 2)
    # Bar 2 reaches 98 to 104, bar 3 goes from 101 to 97.
    assert long[5:8] == pytest.approx((99 / 102 - 1, 97 / 102 - 1, 104 / 102 - 1))
    assert long[8:] == (False, False)
    assert short[:5] == ("short", 0.75, 4, 6, 2)
    # Half at 103, which stays at 103; then all of it down to 100. Its worst is the high of 104.
    first = 1 - 0.5 * (103 / 103 - 1)
    assert short[5] == pytest.approx(first * (1 - (100 / 103 - 1)) - 1)
    assert short[6] == pytest.approx(
        min(-0.5 * (104 / 103 - 1), first * (1 - (103.5 / 103 - 1)) - 1)
    )
    assert short[7] == pytest.approx(first * (1 - (99 / 103 - 1)) - 1)
    assert short[8:] == (False, False)


def test_without_highs_and_lows_excursions_are_those_of_closes(catalog):
    table = small_market(catalog, low=[None] * 8, high=[None] * 8)
    one_trace(catalog, table, [0, 1, 1, 1, 1, 0, 0, 0])

    (trade,) = rows(catalog, f"select {COLUMNS} from trades")

    assert trade[5:8] == pytest.approx((103 / 102 - 1, 99 / 102 - 1, 103 / 102 - 1))
    assert trade[8:] == (True, False)


def test_a_trade_that_only_wins_has_no_adverse_excursion(catalog):
    close = [100.0, 101, 102, 103, 104, 105, 106, 107]
    table = small_market(catalog, low=close, high=close, close=close, open=close)
    one_trace(catalog, table, [1, 1, 0, -1, -1, 0, 0, 0])

    found = rows(catalog, "select mae = 0, mfe > 0 from trades order by entry_bar")

    assert found == [(True, True), (False, False)]


def test_what_happens_at_the_last_bar_ends_nothing_and_begins_nothing(catalog):
    table = small_market(catalog)
    configs = grid_configs(3)
    signals = np.zeros((8, 3))
    signals[7, 0] = signals[4:7, 1] = signals[2:, 2] = 1
    write_strategies(catalog, signals, table, configs=configs)

    found = rows(
        catalog,
        "select entry_bar, exit_bar, exit_ts, exit_local, exit_price, bars_held, is_open, gross, "
        "is_overnight from trades order by entry_bar",
    )

    held = (None, None, None, None)
    assert [row[:7] for row in found] == [(2, *held, 5, True), (4, *held, 3, True)]
    assert [row[7] for row in found] == pytest.approx([98 / 101 - 1, 98 / 103 - 1])
    assert [row[8] for row in found] == [True, False]
    assert_alike(figures(catalog, 2.0), measured(catalog, 2.0))


def test_a_flip_pays_for_both_trades_and_each_pays_its_own(catalog):
    table = small_market(catalog)
    one_trace(catalog, table, [0, 1, -2, -2, 0, 0, 0, 0])

    long, short = rows(
        catalog, "select gross, net, cost from trades_at(cost_bps := 100) order by entry_bar"
    )

    r2, r3, r4 = 101 / 102 - 1, 99 / 101 - 1, 103 / 99 - 1
    assert long[0] == pytest.approx(r2)
    assert long[1] == pytest.approx((1 + r2 - 0.01) * (1 - 0.01) - 1)
    opened = (1 - 2 * r3 - 0.03) / (1 - 0.01)
    assert short[0] == pytest.approx((1 - 2 * r3) * (1 - 2 * r4) - 1)
    assert short[1] == pytest.approx(opened * (1 - 2 * r4) * (1 - 0.02) - 1)
    assert [row[0] - row[1] for row in (long, short)] == pytest.approx([long[2], short[2]])


def test_times_and_prices_are_those_of_the_bars(catalog):
    table = small_market(catalog)
    one_trace(catalog, table, [0, 0, 1, 1, 1, 0, 0, 0])

    query = "select entry_ts, entry_local, entry_price, exit_ts, exit_local, exit_price from trades"
    ((entry, entry_local, bought, exited, exit_local, sold),) = rows(catalog, query)

    times = table["timestamp"].to_pylist()
    assert (entry, exited) == (times[2], times[5])
    assert str(entry_local) == "2024-01-02 09:32:00"
    assert str(exit_local) == "2024-01-03 09:31:00"
    assert (bought, sold) == (101.0, 103.0)


def test_where_a_price_is_missing_or_all_is_lost_returns_are_null(catalog):
    close = [100.0, 102, None, 99, 99, 200, 100, 98]
    table = small_market(catalog, close=close, low=close, high=close, open=close)
    one_trace(catalog, table, [1, 1, 0, 0, -2, 0, 1, 1])

    found = rows(catalog, "select entry_bar, gross, cost, net, mae, mfe from trades order by 1")

    nothing = (None,) * 5
    assert found[:2] == [(0, *nothing), (4, *nothing)]
    assert found[2][:2] == (6, pytest.approx(-0.02))


def classify(catalog: Catalog, table: pa.Table, states: list[str], name: str, timeframe: str):
    times = table["timestamp"].to_pylist()
    with TraceWriter(
        catalog.path.parent / "runs" / "classified",
        config={"type": "trend", "parameters": {"name": name}},
        strategy_id=name, symbol="SPY", timeframe=timeframe, kind="classifier",
        catalog=catalog.path,
    ) as writer:  # fmt: skip
        for bar, state in enumerate(states):
            writer.append(bar, times[bar], state)


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Trades entered at bars 3, 4, 8, 9, 14 and 20 of one minute; states of five minutes."""
    catalog = Catalog(tmp_path_factory.mktemp("classified") / "catalog.duckdb")
    table = price_table(1, per_session=30)
    add_prices(catalog, table)
    slow = table.take(pa.array(np.arange(0, 30, 5)))
    add_prices(catalog, slow, timeframe="5m")
    values = np.zeros((30, 6))
    for column, bar in enumerate([3, 4, 8, 9, 14, 20]):
        values[bar : bar + 2, column] = 1.0
    write_strategies(catalog, values, table)
    classify(catalog, slow, ["calm", "wild", "wild", "calm"], "slow", "5m")
    classify(catalog, table, ["up"] * 14 + ["down"] * 16, "fast", "1m")
    return catalog


@pytest.mark.parametrize(
    ("name", "states"),
    [
        # The first bar of five minutes is known when bar 4 of one minute ends, the last one at 19.
        ("slow", [None, "calm", "calm", "wild", "wild", None]),
        ("fast", ["up", "up", "up", "up", "down", "down"]),
    ],
)
def test_the_regime_of_an_entry_is_the_state_known_at_its_fill(classified, name, states):
    query = f"select entry_regime from trades_at(classifier := '{name}') order by entry_bar"
    assert [state for (state,) in rows(classified, query)] == states

    ((trace_id, key),) = rows(
        classified,
        f"select trace_id, strategy_hash from trace_files where strategy_id = '{name}'",
    )
    for other in (trace_id, key, key[:8]):
        assert rows(classified, query.replace(name, other)) == rows(classified, query)
    assert rows(classified, "select count(entry_regime) from trades") == [(0,)]


def test_a_classifier_that_is_none_or_several_is_said(classified):
    with pytest.raises(QueryError, match="There is no classifier nobody"):
        classified.sql("from trades_at(classifier := 'nobody')")
    with pytest.raises(QueryError, match="Several classifiers of SPY go by trend"):
        classified.sql("from trades_at(classifier := 'trend')")


PRUNED = {
    "from trades where strategy_id = 'SPY_sma_3_0'": [1],
    "from trades t join strategies s using (strategy_hash) where s.param_fast = 8": [2],
    "from trades where symbol = 'QQQ'": [0],
    "from trades where entry_bar > 700": [0],
    "from trades where entry_ts < '2024-01-01'": [0],
    "from trades_at(cost_bps := 2) where strategy_id = 'SPY_sma_3_0'": [0, 1],
    "from trades_at(2) t join strategies s using (strategy_hash) where s.param_fast = 8": [0, 2],
    "from trades_at(2, 'x') where trace_id = (select min(trace_id) from trace_files)": [0, 1],
}


@pytest.mark.parametrize("query", PRUNED)
def test_only_the_traces_that_can_matter_are_read(traded, query):
    plan = traded.explain(query)

    assert [choice.traces for choice in plan.choices] == PRUNED[query]


def test_a_trade_is_read_alike_planned_and_as_the_view_is_stored(traded):
    queries = [
        "from trades",
        "from trades where strategy_id = 'SPY_sma_3_0' and entry_bar between 40 and 300",
        "from trades where entry_ts >= '2024-01-10 15:00:00+00' and side = 'short'",
        "select strategy_id, sum(net) from trades_at(cost_bps := 4) group by all",
        "from trades_at(1) where strategy_id = 'later_SPY_rsi_0_0'",
    ]
    planned = [sorted(map(plain, rows(traded, query))) for query in queries]

    with duckdb.connect(str(traded.path), read_only=True) as con:
        assert [sorted(map(plain, con.sql(query).fetchall())) for query in queries] == planned


def plain(row: tuple[object, ...]) -> str:
    return repr([f"{one:.10g}" if isinstance(one, float) else str(one) for one in row])


def test_packed_traces_have_the_same_trades(traded, tmp_path):
    subprocess.run(["cp", "-r", str(traded.path.parent), str(tmp_path / "copy")], check=True)
    copy = Catalog(tmp_path / "copy" / "catalog.duckdb")
    copy.register(tmp_path / "copy" / "runs")
    queries = [f"from {one} order by trace_id, entry_bar" for one in ("trades", "trades_at(2)")]
    expected = [list(map(plain, rows(copy, query))) for query in queries]

    copy.compact(delete_originals=True)

    assert [list(map(plain, rows(copy, query))) for query in queries] == expected


OLDER = """
import json, sys
import duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
print(json.dumps([con.sql(query).fetchall() for query in sys.argv[2:]]))
"""


def test_an_older_client_has_the_same_trades(classified, traded):
    older = os.environ.get("CATALOG_TEST_OLD_PYTHON")
    if older is None:
        pytest.skip("CATALOG_TEST_OLD_PYTHON names no Python with duckdb 1.2.2")
    figures = (
        "trace_id, entry_bar, exit_bar, side, size, entry_price, exit_price, gross, net, mae, mfe, "
        "is_overnight, is_open, epoch_us(entry_ts)::double, entry_regime"
    )
    regimes = "trades_at(cost_bps := 1, classifier := 'slow')"
    for catalog, sources in (
        (traded, ("trades", "trades_at(cost_bps := 3)")),
        (classified, (regimes, regimes.replace("slow", "fast"))),
    ):
        queries = [f"select {figures} from {one} order by trace_id, entry_bar" for one in sources]
        done = subprocess.run(
            [older, "-c", OLDER, str(catalog.path), *queries],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert done.returncode == 0, done.stderr
        for theirs, query in zip(json.loads(done.stdout), queries, strict=True):
            assert list(map(plain, theirs)) == list(map(plain, rows(catalog, query)))


def test_the_trades_of_real_traces_come_to_their_metrics(shared, tmp_path):
    catalog = Catalog(tmp_path / "catalog.duckdb")
    catalog.register(shared / "old_traces")
    add_prices(catalog, pa.parquet.read_table(shared / "prices/SPY_1m.parquet"))

    expected = measured(catalog, 2.0)

    assert len(expected) > 1000
    assert_alike(figures(catalog, 2.0), expected)
