"""The page Compare: two to ten strategies, what of them differs, and what cannot be compared."""

from __future__ import annotations

import re

import pytest

from catalog import Catalog
from catalog.web.compared import compare_figure
from markets import price_table, random_signals, write_strategies
from web_catalog import IMAGE, client_of


@pytest.fixture
def of(client):
    """Return the text of a comparison of some names."""

    def of(*names: str) -> str:
        answer = client.get("/compare", params={"s": list(names)})
        assert answer.status_code == 200, answer.text
        return answer.text

    return of


def test_two_strategies_stand_side_by_side(of, web_catalog):
    text = of("SPY_ma_10_80.0", "SPY_ma_20_80.0")

    signals = web_catalog.diff("SPY_ma_10_80.0", "SPY_ma_20_80.0").signals.to_pylist()
    (signals,) = [row for row in signals if row["symbol"] == "SPY"]
    assert f"{100 * signals['agreement']:,.1f} %" in text
    assert f"{signals['first_ts']:%Y-%m-%d}" in text
    assert re.search(r">fast</th><td[^>]*>10</td><td[^>]*>20</td>", text)
    assert "alike in all" in text and '>slow</th><td class="number">80.0</td>' in text
    assert re.findall(r'class="chart" id="(\w+)"', text) == ["equity", "drawdown", "correlation"]


def test_more_than_three_are_each_compared_with_the_first(of):
    text = of(*(f"SPY_ma_{fast}_80.0" for fast in (10, 15, 20, 25)))

    assert re.findall(r"<tr><td>(\w[^<]*)</td><td>([^<]*)</td>", text) == [
        ("SPY_ma_10_80.0", f"SPY_ma_{fast}_80.0") for fast in (15, 20, 25)
    ]


def test_other_data_is_said_to_be_other_data(of):
    text = of("SPY_ma_10_80.0", "QQQ_ma_20_80.0")

    assert "SPY 1d is other data than QQQ 1d" in text
    assert "buy and hold QQQ" in text and "buy and hold SPY" in text


def test_what_was_not_measured_says_so_and_the_rest_is_shown(of):
    text = of("SPY_ma_10_80.0", "SPY_grid_1")

    assert "catalog metrics" in text
    assert "What differs" in text and "period</th>" in text


def test_a_strategy_is_found_by_its_trace_too(of, web_catalog):
    ids = web_catalog.sql(
        "select trace_id from trace_files where strategy_id = 'SPY_ma_5_50.0' order by run_id"
    ).fetchall()

    text = of(*(one for (one,) in ids))

    assert ", later</span>" in text and ", sweep</span>" in text


def test_one_strategy_is_not_compared_and_more_can_be_added(client):
    alone = client.get("/compare?s=SPY_flat").text
    two = client.get("/compare?s=SPY_flat&add=SPY_twin_a SPY_twin_a").text

    assert "Two strategies or more" in alone
    assert "What they earned" in two and two.count('name="s"') == 2


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["nothing_like_it", "SPY_flat"], "Nothing in the catalog goes by"),
        ([f"SPY_ma_{n}_80.0" for n in range(11)], "11 strategies cannot be compared"),
        (["SPY_trend", "SPY_flat"], "no trace of signals"),
        ([IMAGE + "x", "SPY_flat"], "&lt;img"),
    ],
)
def test_a_wrong_address_is_said_to_be_one(client, names, said):
    answer = client.get("/compare", params={"s": names})

    assert answer.status_code == 400 and said in answer.text
    assert "<img" not in answer.text


def test_the_best_of_a_figure_is_marked_where_one_is_better():
    assert compare_figure("sharpe", [1.0, None, 2.0]).best == {2}
    assert compare_figure("volatility", [0.1, 0.3]).best == {0}
    assert compare_figure("max_drawdown", [-0.5, -0.1]).best == {1}
    assert compare_figure("trades", [5, 7]).best == set()
    assert compare_figure("sharpe", [1.0, 1.0]).best == set()


def test_two_traces_of_one_strategy_are_compared_but_for_how_alike_they_earn(client, web_catalog):
    ids = web_catalog.sql(
        "select trace_id from trace_files where strategy_id = 'SPY_ma_5_50.0' and symbol = 'SPY'"
    ).fetchall()
    assert len(ids) == 2

    text = client.get("/compare", params={"s": [one for (one,) in ids]}).text

    assert "of which only the latest counts here" in text
    assert "No parameter does." in text


def test_components_of_composites_differ_as_their_own_parameters_do(tmp_path):
    made = Catalog(tmp_path / "catalog.duckdb")
    table = price_table(20, per_session=5)

    def ensemble(fast: int, period: float) -> dict:
        parts = [{"type": "sma", "parameters": {"fast": fast}, "weight": 1}]
        return {"type": "ensemble", "parameters": {"period": period}, "strategies": parts}

    configs = {"one": ensemble(5, 20), "other": ensemble(10, 20.0)}
    write_strategies(made, random_signals(len(table), 2, changes=9), table, configs=configs)

    with client_of(made) as client:
        text = client.get("/compare", params={"s": ["one", "other"]}).text

    differs, common = text.split("What differs")[1].split("alike in all")
    assert "strategies.0.parameters.fast" in differs
    assert "period" not in differs.split("<details>")[0] and "period" in common


def test_what_an_unknown_configuration_has_is_not_said_to_be_alike(tmp_path, write_run):
    made = Catalog(tmp_path / "catalog.duckdb")
    made.register(write_run(traces={"SPY_a_1": [1, 0], "SPY_b_2": [0, 1]}))

    with client_of(made) as client:
        text = client.get("/compare", params={"s": ["SPY_a_1", "SPY_b_2"]}).text

    assert "The configuration of SPY_a_1, SPY_b_2 is not known." in text
    assert "No parameter" not in text and "alike in all" not in text


def test_a_figure_on_other_data_is_no_better_or_worse():
    assert compare_figure("sharpe", [1.0, 2.0], is_same_data=False).best == set()
