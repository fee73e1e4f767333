"""The analyses in sql/, on real data, against the files read one by one."""

from __future__ import annotations

import bisect
import json
from collections import Counter, defaultdict
from pathlib import Path
from statistics import mean

import numpy as np
import pyarrow.parquet as pq
import pytest

from catalog import Catalog
from catalog.statements import statement
from conftest import SHARED, rows
from daily import measure_daily, walks

TYPE = "simple_momentum"
LONGEST = 60


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    if not SHARED.is_dir():
        pytest.skip("the real data is not beside this repository")
    catalog = Catalog(tmp_path_factory.mktemp("analyses") / "catalog.duckdb")
    sweeps = sorted((SHARED / "data" / "sweeps").glob("*.yaml"))
    catalog.register(SHARED / "data" / "old_traces", sweeps=sweeps)
    catalog.add_prices(
        SHARED / "data/prices/SPY_1m.parquet", symbol="SPY", timeframe="1m", tz="America/New_York"
    )
    return catalog


@pytest.fixture(scope="module")
def files(real: Catalog) -> dict[str, tuple[list[int], list[object]]]:
    """Bars (from 0) and values of the traces of the type, by path."""
    query = f"select path, idx_base from trace_files where strategy_type = '{TYPE}'"
    found = {}
    for path, base in rows(real, query):
        table = pq.read_table(path, columns=["idx", "val"]).to_pydict()
        found[str(path)] = ([i - int(base) for i in table["idx"]], table["val"])
    assert len(found) > 50
    return found


def holdings(bars: list[int], values: list[object], last: int) -> list[tuple[int, int, float]]:
    ends = [*bars[1:], last + 1]
    return [(a, b, float(v)) for a, b, v in zip(bars, ends, values, strict=True)]  # type: ignore[arg-type]


def analyse(catalog: Catalog, name: str, **values: object) -> list[dict[str, object]]:
    return catalog.sql(statement(f"analysis_{name}"), values).arrow().to_pylist()


def test_parameter_sensitivity_counts_signals_by_value(real, files):
    query = (
        "select path, config from trace_files join strategies s using (strategy_key) "
        f"where s.strategy_type = '{TYPE}'"
    )
    ((name,),) = rows(
        real,
        "select parameter from parameters p where column_name in (select column_name "
        f"from internal.type_parameter where strategy_type = '{TYPE}') order by 1 limit 1",
    )
    changes, traces = Counter(), Counter()
    for path, config in rows(real, query):
        value = float(json.loads(config)["parameters"][name])
        changes[value] += len(files[path][0])
        traces[value] += 1

    found = analyse(real, "parameter_sensitivity", strategy_type=TYPE, parameter=name)

    assert {row["value"]: row["changes"] for row in found} == changes
    assert {row["value"]: row["traces"] for row in found} == traces


def test_the_regime_of_a_signal_is_the_last_state_known(real, files):
    ((classifier, path, base),) = rows(
        real,
        "select trace_id, path, idx_base from trace_files where kind = 'classifier' and "
        f"run_id = (select any_value(run_id) from trace_files where strategy_type = '{TYPE}' "
        "and run_id like '%73511fd8%') and change_count > 3 order by trace_id limit 1",
    )
    table = pq.read_table(path, columns=["idx", "val"]).to_pydict()
    known = [i - base for i in table["idx"]]
    signals, longs = Counter(), Counter()
    for bars, values in files.values():
        for bar, value in zip(bars, values, strict=True):
            place = bisect.bisect_right(known, bar) - 1
            if place >= 0:
                signals[table["val"][place]] += 1
                longs[table["val"][place]] += value > 0

    found = analyse(real, "regime_at_signal", strategy_type=TYPE, classifier=classifier)

    assert {row["regime"]: row["signals"] for row in found} == signals
    assert {row["regime"]: row["long_entries"] for row in found} == longs


@pytest.fixture(scope="module")
def trades(real, files) -> list[dict[str, float | bool]]:
    """The trades of the type from its files and the prices; all positions are 1, 0 or -1."""
    prices = pq.read_table(SHARED / "data/prices/SPY_1m.parquet").to_pydict()
    last = dict(
        rows(real, f"select path, last_bar from trace_files where strategy_type = '{TYPE}'")
    )
    made = []
    for path, (bars, values) in files.items():
        for start, end, value in holdings(bars, values, last[path]):
            if value and start < last[path]:
                made.append(_trade(prices, start, min(end, last[path]), value))
                made[-1]["is_open"] = end >= last[path]
    return made


def _trade(prices: dict[str, list[float]], start: int, end: int, side: float):
    close, equity, worst, best = prices["close"], 1.0, 0.0, 0.0
    for bar in range(start + 1, end + 1):
        reached = [
            equity * (1 + side * (prices[name][bar] / close[bar - 1] - 1)) - 1
            for name in ("low", "high", "close")
        ]
        worst, best = min(worst, *reached), max(best, *reached)
        equity = 1 + reached[2]
    by_then = side * (close[start + LONGEST] / close[start] - 1)
    return {
        "side": side, "bars": end - start, "gross": equity - 1, "mae": worst, "mfe": best,
        "by_then": by_then,
    }  # fmt: skip


def test_trades_are_summed_up_by_side(real, trades):
    found = analyse(real, "trades", strategy_type=TYPE)

    for side, sign in (("long", 1), ("short", -1)):
        own = [one for one in trades if one["side"] == sign]
        those = [row for row in found if row["side"] == side]
        assert sum(row["trades"] for row in those) == len(own) > 100
        assert sum(row["still_open"] for row in those) == sum(one["is_open"] for one in own)
        total = sum(row["mean_return"] * row["trades"] for row in those)
        assert total == pytest.approx(sum(one["gross"] for one in own))


def test_exit_rules_are_tried_on_closed_trades(real, trades):
    stop, target = 0.001, 0.0015

    found = analyse(
        real, "exit_rules", strategy_type=TYPE, stop=stop, target=target, longest=LONGEST
    )

    closed = [one for one in trades if not one["is_open"]]
    by_rule = {row["rule"]: row for row in found}
    assert {row["trades"] for row in found} == {len(closed)}
    for rule, ends in {
        "as signalled": [],
        "stop": [("mae", -stop)],
        "target": [("mfe", target)],
        "stop and target": [("mae", -stop), ("mfe", target)],
    }.items():
        made, changed = [], 0
        for one in closed:
            levels = [level for name, level in ends if abs(one[name]) >= abs(level)]
            made.append(levels[0] if levels else one["gross"])
            changed += bool(levels)
        assert by_rule[rule]["mean_return"] == pytest.approx(mean(made))
        assert by_rule[rule]["other_exits"] == changed
    made = [one["by_then"] if one["bars"] > LONGEST else one["gross"] for one in closed]
    assert by_rule["longest"]["mean_return"] == pytest.approx(mean(made))
    assert 0 < by_rule["longest"]["other_exits"] < len(closed)


def test_exits_after_bars_are_read_from_the_prices(real, files, monkeypatch):
    monkeypatch.chdir(SHARED)
    prices = pq.read_table(SHARED / "data/prices/SPY_1m.parquet")["close"].to_pylist()
    after, signalled = defaultdict(list), defaultdict(list)
    last = dict(
        rows(real, f"select path, last_bar from trace_files where strategy_type = '{TYPE}'")
    )
    for path, (bars, values) in files.items():
        for start, end, value in holdings(bars, values, last[path]):
            if value:
                side = 1.0 if value > 0 else -1.0
                after[side].append(side * (prices[start + 5] / prices[start] - 1))
                if end <= last[path]:
                    signalled[side].append(side * (prices[end] / prices[start] - 1))

    found = analyse(
        real, "exits_after_bars", strategy_type=TYPE, symbol="SPY", timeframe="1m",
        prices=str(Path("data/prices/SPY_1m.parquet")),
    )  # fmt: skip

    assert len(found) == len(after) > 0
    for row in found:
        assert row["entries"] == len(after[row["side"]])
        assert row["after_5_bars"] == pytest.approx(mean(after[row["side"]]))
        assert row["as_signalled"] == pytest.approx(mean(signalled[row["side"]]))


def test_pairwise_agreement_is_the_share_of_bars_with_equal_signs(real, files):
    query = (
        "select path, strategy_id, first_bar, last_bar from trace_files "
        f"where strategy_type = '{TYPE}' and is_latest order by trace_id"
    )
    chosen = rows(real, query)
    dense = {}
    for path, name, first, last in chosen:
        bars, values = files[path]
        at = [bisect.bisect_right(bars, bar) - 1 for bar in range(first, last + 1)]
        signs = [0 if place < 0 else values[place] for place in at]
        dense[name] = [(one > 0) - (one < 0) for one in signs]

    found = analyse(real, "pairwise_agreement", strategy_type=TYPE)

    assert len(found) == len(chosen) * (len(chosen) - 1) // 2
    for row in found[::37]:
        a, b = dense[row["strategy_a"]], dense[row["strategy_b"]]
        same = sum(x == y for x, y in zip(a, b, strict=True))
        assert (row["bars"], row["agreement"]) == (len(a), pytest.approx(same / len(a)))


def greedy(catalog: Catalog, returns: np.ndarray, most: float, count: int) -> list[str]:
    """Return the ids that a greedy choice takes, one look at a time."""
    query = (
        "select strategy_id from leaderboard where sharpe is not null "
        "order by deflated_sharpe desc nulls last, sharpe desc, trace_id"
    )
    correlation = np.corrcoef(returns, rowvar=False)
    chosen: list[int] = []
    for (name,) in rows(catalog, query):
        number = int(str(name).split("_")[1])
        if len(chosen) < count and all(correlation[number, other] <= most for other in chosen):
            chosen.append(number)
    return [f"walk_{number}" for number in chosen]


@pytest.mark.parametrize("days", [50, 150])
def test_an_ensemble_takes_the_best_that_are_not_alike(catalog, tmp_path, days):
    signals = walks(days, 40)
    signals[:, 20:] = np.where(walks(days, 20, seed=2, hold=1) < 0, 0, signals[:, :20])
    returns, _ = measure_daily(catalog, tmp_path / "run", signals)
    # Fewer than sixty days are too few to deflate a Sharpe ratio.
    deflated = rows(catalog, "select count(deflated_sharpe) from leaderboard")
    assert deflated == [(0 if days < 60 else 40,)]

    for most, count in ((0.3, 8), (0.0, 100), (1.1, 5), (-1.1, 3)):
        found = analyse(catalog, "ensemble", n=count, most_correlation=most)

        names = [row["strategy_id"] for row in found]
        assert names == greedy(catalog, returns, most, count)
        assert [row["number"] for row in found] == list(range(1, len(found) + 1))
        numbers = [int(name.split("_")[1]) for name in names]
        correlation = np.corrcoef(returns[:, numbers], rowvar=False).reshape(len(found), -1)
        for place, row in enumerate(found):
            most_found = max(correlation[place, :place], default=None)
            assert row["most_correlation"] == pytest.approx(most_found)


def test_an_ensemble_leaves_out_what_never_holds_a_position(catalog, tmp_path):
    signals = walks(100, 3)
    signals[:, 1] = 0
    measure_daily(catalog, tmp_path / "run", signals)

    found = analyse(catalog, "ensemble", n=3, most_correlation=1.0)

    assert {row["strategy_id"] for row in found} == {"walk_0", "walk_2"}


def test_the_months_of_a_strategy_compound_its_sessions(catalog, tmp_path):
    returns, _ = measure_daily(catalog, tmp_path / "run", walks(500, 2), first="2022-11-20")
    ((strategy_hash,),) = rows(
        catalog, "select strategy_hash from leaderboard where strategy_id = 'walk_1'"
    )
    days = np.datetime64("2022-11-20") + np.arange(500)

    found = analyse(catalog, "monthly_returns", strategy_hash=strategy_hash)

    assert [row["year"] for row in found] == [2022, 2023, 2024]
    names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    for row in found:
        own = returns[days.astype("datetime64[Y]") == np.datetime64(str(row["year"])), 1]
        assert row["total"] == pytest.approx(np.prod(1 + own) - 1)
        for number, name in enumerate(names, 1):
            month = np.datetime64(f"{row['year']}-{number:02}")
            own = returns[days.astype("datetime64[M]") == month, 1]
            expected = np.prod(1 + own) - 1 if len(own) else None
            assert row[name] == pytest.approx(expected)
