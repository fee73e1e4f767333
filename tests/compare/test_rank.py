"""Ranking tells luck from skill, and nothing that narrows what is shown narrows what was tried."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.catalog import Catalog
from catalog.compare.parameter_table import ComparedParameter, ParameterTable
from catalog.compare.plateau import Grid
from catalog.errors import QueryError, UsageError
from catalog.metrics.deflation import expected_best_sharpe, probabilistic_sharpe
from catalog.metrics.holdings import holdings_of_changes
from catalog.metrics.market import Market
from catalog.metrics.measure import measure
from catalog.metrics.terms import Terms
from catalog.prices.series import load_series
from catalog.store.database import reading
from conftest import rows
from markets import (
    add_prices,
    copied,
    grid_configs,
    price_table,
    random_signals,
    write_strategies,
)

SEEDS = int(os.environ.get("CATALOG_SOAK_SEEDS", "15"))
SESSIONS = 120
PER_SESSION = 10


@pytest.fixture(scope="module")
def noise(tmp_path_factory) -> Catalog:
    """Forty strategies that trade at random over 120 sessions, two of them alike and one flat."""
    folder = tmp_path_factory.mktemp("noise")
    made = Catalog(folder / "catalog.duckdb")
    table = price_table(SESSIONS, per_session=PER_SESSION)
    signals = random_signals(SESSIONS * PER_SESSION, 40, changes=60)
    signals[:, 1] = signals[:, 0]
    signals[:, 2] = 0
    write_strategies(made, signals, table)
    add_prices(made, table)
    made.metrics(split=date(2024, 4, 1))
    return made


@pytest.fixture(scope="module")
def dozen_once(tmp_path_factory) -> Catalog:
    made = Catalog(tmp_path_factory.mktemp("dozen") / "catalog.duckdb")
    table = price_table(SESSIONS, per_session=PER_SESSION)
    write_strategies(made, random_signals(len(table), 12, changes=60), table)
    add_prices(made, table)
    made.metrics()
    return made


@pytest.fixture
def dozen(dozen_once, tmp_path) -> Catalog:
    """Twelve strategies that trade at random, measured, and all that is theirs."""
    return copied(dozen_once, tmp_path)


def files(catalog: Catalog) -> list[Path]:
    return [Path(path) for (path,) in rows(catalog, "select path from trace_files order by path")]


def best_deflated(market: Market, seed: int, *, strategies: int = 300) -> float:
    random = np.random.default_rng(seed)
    bars = len(market.returns)
    at = [np.unique(random.choice(bars, 200)) for _ in range(strategies)]
    values = [random.choice([-1.0, 0.0, 1.0], len(one)) for one in at]
    holdings = holdings_of_changes(
        np.concatenate(at),
        np.concatenate(values),
        offsets=np.concatenate(([0], np.cumsum([len(one) for one in at]))),
        first=np.zeros(strategies, int),
        last=np.full(strategies, bars - 1),
    )
    found = measure(holdings, market, Terms()).figures
    sharpe = found["sharpe_session"]
    luck = expected_best_sharpe(
        float(np.var(sharpe, ddof=1)), strategies, mean=float(found["drift_sharpe"].mean())
    )
    deflated = probabilistic_sharpe(
        sharpe, luck, sessions=found["sessions"], skew=found["skew"], kurtosis=found["kurtosis"]
    )
    return float(deflated[np.argmax(sharpe)])


def test_the_best_of_pure_noise_is_a_coin_toss_on_real_prices(shared, catalog):
    """Over 100 seeds its median lies between 0.4 and 0.6; of fewer it varies more."""
    prices = shared / "prices" / "SPY_1m.parquet"
    catalog.add_prices(prices, symbol="SPY", timeframe="1m", tz="America/New_York")
    with reading(catalog.path) as con:
        market = Market(load_series(con, catalog.path)["SPY", "1m"])

    found = median(best_deflated(market, seed) for seed in range(SEEDS))

    slack = 0.0 if SEEDS >= 100 else 0.1
    assert 0.4 - slack <= found <= 0.6 + slack


def test_noise_beats_nothing_and_is_told_so(noise):
    ranking = noise.rank(pbo=True)

    (verdict,) = ranking.verdicts
    assert verdict.sentence.startswith("Nothing here beats chance: luck alone would give the best")
    assert (verdict.trials.tried, verdict.trials.flat, verdict.trials.trials) == (39, 1, 38)
    assert verdict.beats_luck == 0
    assert verdict.independent == pytest.approx(38, abs=8)
    assert verdict.overfitting is not None
    assert verdict.overfitting.trials == 38


def test_a_planted_edge_is_recognised(noise, tmp_path):
    made = Catalog(tmp_path / "catalog.duckdb")
    table = price_table(SESSIONS, per_session=PER_SESSION)
    signals = random_signals(SESSIONS * PER_SESSION, 40, changes=60)
    close = table["close"].to_numpy()
    ahead = np.append(np.sign(close[1:] - close[:-1]), 0)
    knows = np.random.default_rng(3).random(len(close)) < 0.3
    signals[:, 7] = np.where(knows, ahead, 0)
    write_strategies(made, signals, table)
    add_prices(made, table)
    made.metrics()

    ranking = made.rank()

    (verdict,) = ranking.verdicts
    best = ranking.rows.table.to_pylist()[0]
    assert best["strategy_id"] == "SPY_sma_7_0"
    assert best["deflated_sharpe"] > 0.99
    assert verdict.beats_luck == 1
    assert "1 strategy does better than luck explains" in verdict.sentence


def test_a_condition_narrows_what_is_shown_and_never_how_many_were_tried(noise):
    everything, narrow = noise.rank(), noise.rank(where="param_fast = 9 and trades > 3")

    assert narrow.total < everything.total == 39
    assert narrow.verdicts[0].trials == everything.verdicts[0].trials
    assert narrow.verdicts[0].luck == everything.verdicts[0].luck


def test_deflated_ratios_are_those_of_the_formula(noise):
    ((variance, trials, drift),) = rows(
        noise,
        "select var_samp(sharpe_session), count(*), avg(drift_sharpe) from ("
        "select any_value(sharpe_session) as sharpe_session, "
        "any_value(drift_sharpe) as drift_sharpe from metrics join trace_files using (trace_id) "
        "where period = 'all' and not is_flat group by content_digest)",
    )
    luck = expected_best_sharpe(variance, trials, mean=drift)

    for sharpe, sessions, skew, kurtosis, deflated in rows(
        noise,
        "select sharpe_session, sessions, skew, kurtosis, deflated_sharpe from metrics "
        "where period = 'all' and sharpe_session is not null",
    ):
        wanted = probabilistic_sharpe(sharpe, luck, sessions=sessions, skew=skew, kurtosis=kurtosis)
        assert deflated == pytest.approx(float(wanted), rel=1e-9)


def test_forgetting_does_not_lower_how_many_were_tried(dozen):
    made = dozen
    before = made.rank().verdicts[0]
    for path in files(made)[:6]:
        path.unlink()
    made.register(made.path.parent / "runs")

    made.metrics()

    after = made.rank()
    assert after.total == 6
    assert after.verdicts[0].trials.trials == before.trials.trials == 12
    assert after.verdicts[0].luck == pytest.approx(before.luck)


def test_traces_that_were_not_measured_count_as_tried(tmp_path):
    made = Catalog(tmp_path / "catalog.duckdb")
    table = price_table(SESSIONS, per_session=PER_SESSION)
    write_strategies(made, random_signals(SESSIONS * PER_SESSION, 12, changes=60), table)
    add_prices(made, table)

    made.metrics(where="param_fast <= 8")

    ranking = made.rank()
    assert (ranking.total, ranking.unmeasured) == (6, 6)
    assert ranking.verdicts[0].trials.trials == 12
    assert ranking.verdicts[0].trials.waiting == 6
    # Of a choice of them luck cannot be told: their variance would be anything.
    assert ranking.verdicts[0].luck is None
    assert "6 of 12 distinct strategies are not" in ranking.verdicts[0].sentence
    assert rows(made, "select count(deflated_sharpe) from metrics") == [(0,)]
    made.metrics()
    assert rows(made, "select count(deflated_sharpe) from metrics") == [(12,)]


def test_traces_with_the_same_content_are_one_row(noise):
    ranking = noise.rank(top=100)

    ids = ranking.rows.table["strategy_id"].to_pylist()
    assert len({"SPY_sma_0_0", "SPY_sma_1_0"} & set(ids)) == 1
    assert sorted(ranking.rows.table["alike"].to_pylist())[-1] == 2


def test_rows_come_in_order_and_what_has_no_figure_comes_last(noise):
    for by in ("sharpe", "calmar", "sharpe_oos", "max_drawdown"):
        values = noise.rank(by=by, top=100).rows.table[by].to_pylist()
        known = [one for one in values if one is not None]
        assert known == sorted(known, reverse=True)
        assert values[len(known) :] == [None] * (len(values) - len(known))


def test_the_columns_are_those_asked_for(noise):
    shown = noise.rank(columns=["strategy_hash", "sortino", "plateau"], top=3).rows

    assert shown.columns == ["strategy_hash", "sortino", "plateau"]
    with pytest.raises(UsageError):
        noise.rank(columns=["nothing"])
    with pytest.raises(UsageError):
        noise.rank(by="sharpe; drop table x")


def test_a_condition_is_a_condition_and_reaches_nothing(noise):
    for wrong in ("1 = 1) union (select 1", "sharpe >", "read_text('/etc/passwd') is null"):
        with pytest.raises(QueryError):
            noise.rank(where=wrong)


def test_ranking_before_measuring_says_what_to_run(noise):
    with pytest.raises(QueryError) as refused:
        noise.rank(cost_bps=3.0, fill="next_open", last_days=90)

    hint = refused.value.hint or ""
    assert "catalog metrics --cost-bps 3 --fill next_open --last 90d" in hint


def test_each_data_has_a_verdict_of_its_own(tmp_path):
    made = Catalog(tmp_path / "catalog.duckdb")
    for number, symbol in enumerate(("SPY", "QQQ")):
        table = price_table(SESSIONS, per_session=PER_SESSION, seed=number)
        signals = random_signals(len(table), 10 + number, changes=60, seed=number)
        write_strategies(made, signals, table, run=symbol, symbol=symbol, prefix=symbol)
        add_prices(made, table, symbol=symbol)
    made.metrics()

    tried = {one.trials.symbol: one.trials.trials for one in made.rank().verdicts}

    assert tried == {"SPY": 10, "QQQ": 11}


@given(
    fast=st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True),
    slow=st.lists(st.integers(10, 90), min_size=1, max_size=6, unique=True),
)
def test_neighbours_are_one_step_away_in_one_parameter(fast, slow):
    points = [(a, b) for a in fast for b in slow]
    grid = Grid(a_table(points), names(points), [100.0 * a + b for a, b in points])
    a, b = fast[0], slow[0]
    near = [(one, b) for one in steps(fast, a)] + [(a, one) for one in steps(slow, b)]

    found = grid.neighbours(names([(a, b)])[0])

    assert sorted(found) == sorted(100.0 * one + two for one, two in near)


def names(points: list[tuple[object, ...]]) -> list[str]:
    return [str(point) for point in points]


def a_table(points: list[tuple[object, ...]]) -> ParameterTable:
    columns = {f"param_{place}": values for place, values in enumerate(zip(*points, strict=True))}
    rows = pa.table({"strategy_key": names(points), **{n: list(v) for n, v in columns.items()}})
    parameters = (
        ComparedParameter(name, None, name)
        if pa.types.is_string(rows[name].type)
        else ComparedParameter(name, name, None)
        for name in columns
    )
    return ParameterTable(rows, tuple(parameters))


def steps(values: list[int], own: int) -> list[int]:
    ordered = sorted(values)
    at = ordered.index(own)
    return [ordered[one] for one in (at - 1, at + 1) if 0 <= one < len(ordered)]


def test_words_truth_values_and_missing_numbers_are_no_steps_to_take():
    points = [(1, "a", True), (2, "a", True), (2, "b", True), (2, "a", False), (None, "a", True)]
    grid = Grid(a_table(points), names(points), [1.0, 2.0, 3.0, 4.0, 5.0])

    assert [grid.neighbours(name) for name in names(points)] == [[2.0], [1.0], [], [], []]


def test_a_value_that_was_tried_without_a_figure_is_a_step_all_the_same():
    points = [(1,), (2,), (3,)]
    grid = Grid(a_table(points), names(points), [1.0, None, 3.0])

    assert grid.plateau(str((1,))) is None
    assert grid.plateau(str((2,))) == 2.0


def test_what_is_unknown_has_no_neighbours():
    grid = Grid(a_table([(1,), (2,)]), ["nobody", str((1,))], [1.0, 2.0])

    assert grid.plateau("nobody") is None
    assert grid.plateau(str((1,))) is None  # Its neighbour was not tried on this data.
    assert Grid(a_table([(1,)]), [], []).plateau(str((1,))) is None


def test_a_plateau_of_composites_is_over_the_parameters_of_their_components(tmp_path):
    made = Catalog(tmp_path / "catalog.duckdb")
    table = price_table(SESSIONS, per_session=PER_SESSION)
    signals = random_signals(len(table), 4, changes=60)
    configs = {
        f"c_{fast}_{slow}": {
            "type": "ensemble",
            "parameters": {"threshold": 1},
            "strategies": [{"type": "sma", "parameters": {"fast": fast, "slow": slow}}],
        }
        for fast in (5, 10)
        for slow in (50, 100)
    }
    write_strategies(made, signals, table, configs=configs)
    add_prices(made, table)
    made.metrics()

    shown = made.rank(columns=["strategy_id", "sharpe", "plateau"]).rows.table.to_pylist()

    sharpe = {row["strategy_id"]: row["sharpe"] for row in shown}
    plateau = {row["strategy_id"]: row["plateau"] for row in shown}
    assert plateau["c_5_50"] == pytest.approx((sharpe["c_10_50"] + sharpe["c_5_100"]) / 2)


def test_a_measured_choice_does_not_fool_the_deflated_ratio(noise):
    (best,) = noise.rank(top=1).rows.table["strategy_id"].to_pylist()

    noise.metrics(cost_bps=0.001, where=f"strategy_id = '{best}'")

    ranking = noise.rank(cost_bps=0.001)
    assert ranking.rows.table["deflated_sharpe"].to_pylist() == [None]
    assert "37 of 38 distinct strategies are not" in ranking.verdicts[0].sentence


def test_deleting_does_not_lower_how_many_were_tried_on_other_terms(dozen):
    made, table = dozen, price_table(SESSIONS, per_session=PER_SESSION)
    before = made.rank().verdicts[0]
    for path in files(made)[1:]:
        path.unlink()
    made.register(made.path.parent / "runs")

    made.metrics(cost_bps=0.003)

    after = made.rank(cost_bps=0.003).verdicts[0]
    assert after.trials.trials == 12
    assert after.luck == pytest.approx(before.luck, rel=0.05)
    # Nor do prices whose bars have other numbers.
    add_prices(made, table.slice(0))
    add_prices(made, pa.concat_tables([price_table(2, first=date(2023, 12, 1)), table]))
    made.metrics()
    assert made.rank().verdicts[0].trials.trials == 12


def test_drift_is_granted_where_a_price_is_missing_somewhere(tmp_path):
    table = price_table(SESSIONS, per_session=PER_SESSION, drift=3e-4)
    signals = np.abs(random_signals(len(table), 40, changes=60))
    signals[595:605] = 0
    luck = []
    for name, missing in (("whole", []), ("missing", [600])):
        made = Catalog(tmp_path / name / "catalog.duckdb")
        (tmp_path / name).mkdir()
        close = table["close"].to_numpy().copy()
        close[missing] = np.nan
        write_strategies(made, signals, table)
        add_prices(made, table.set_column(4, "close", pa.array(close)))
        made.metrics()
        luck.append(made.rank().verdicts[0].luck)

    assert luck[1] == pytest.approx(luck[0], rel=0.05)


def test_twins_of_another_type_hide_nobody(tmp_path):
    made = Catalog(tmp_path / "catalog.duckdb")
    table = price_table(SESSIONS, per_session=PER_SESSION)
    signals = random_signals(len(table), 10, changes=60)
    for kind in ("sma", "other"):
        write_strategies(
            made, signals, table, run=kind, configs=grid_configs(10, strategy_type=kind)
        )
    add_prices(made, table)
    made.metrics()

    for kind in ("sma", "other"):
        assert made.rank(where=f"strategy_type = '{kind}'").total == 10
    assert made.rank().total == 10
    assert made.rank().verdicts[0].beats_luck <= 10


def test_what_is_told_is_about_the_rows(tmp_path):
    made = Catalog(tmp_path / "catalog.duckdb")
    for number in range(4):
        table = price_table(SESSIONS, per_session=PER_SESSION, seed=number)
        signals = random_signals(len(table), 2 + number, changes=60, seed=number)
        name = f"S{number}"
        write_strategies(made, signals, table, run=name, symbol=name, prefix=name)
        add_prices(made, table, symbol=name)
    made.metrics()

    ranking = made.rank(top=2, columns=["symbol"])

    shown = list(dict.fromkeys(ranking.rows.table["symbol"].to_pylist()))
    assert [one.trials.symbol for one in ranking.verdicts] == shown
    assert ranking.other_data == 4 - len(shown) > 0


def test_others_over_overlapping_ranges_are_told(tmp_path):
    made = Catalog(tmp_path / "catalog.duckdb")
    table = price_table(SESSIONS, per_session=PER_SESSION)
    signals = random_signals(len(table), 8, changes=60)
    write_strategies(made, signals[:, :3], table)
    write_strategies(made, signals[:-1, 3:], table, run="shorter", prefix="shorter")
    add_prices(made, table)
    made.metrics()

    found = {one.trials.trials: one.overlapping for one in made.rank().verdicts}

    assert found == {3: 5, 5: 3}


def test_what_is_tried_on_other_terms_counts_on_all(dozen):
    made, table = dozen, price_table(SESSIONS, per_session=PER_SESSION)
    signals = random_signals(len(table), 15, changes=60)
    write_strategies(made, signals[:, 12:], table, run="more", prefix="more_")

    made.metrics(cost_bps=1.0)

    (verdict,) = made.rank().verdicts
    assert (verdict.trials.trials, verdict.trials.waiting) == (15, 3)
    assert (verdict.luck, verdict.independent) == (None, None)
    deflated = "select count(deflated_sharpe) from metrics where is_default"
    assert rows(made, deflated) == [(0,)]
    made.metrics()
    assert rows(made, deflated) == [(15,)]


@pytest.mark.parametrize(("sessions", "deflated"), [(59, 0), (60, 5)])
def test_below_sixty_sessions_nothing_is_deflated(tmp_path, sessions, deflated):
    made = Catalog(tmp_path / "catalog.duckdb")
    table = price_table(sessions, per_session=PER_SESSION)
    write_strategies(made, random_signals(len(table), 5, changes=60), table)
    add_prices(made, table)

    made.metrics()

    assert rows(made, "select count(sharpe), count(deflated_sharpe) from metrics") == [
        (5, deflated)
    ]
    assert ("too few sessions (59)" in made.rank().verdicts[0].sentence) == (sessions == 59)
