"""The page of one strategy: the same figures as the catalog's, and whatever is missing is said."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape

import pytest

from catalog import Catalog
from web_catalog import IMAGE, SCRIPT, client_of


@pytest.fixture
def of(client):
    """Return the text of the page of a strategy, and of one of its traces."""

    def of(name: str, **query: object) -> str:
        answer = client.get(f"/strategies/{name}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.text

    return of


def charts_of(text: str) -> dict[str, dict]:
    found = re.findall(
        r'<figure class="chart" id="(\w+)".*?<script type="application/json">(.*?)</script>',
        text,
        re.DOTALL,
    )
    return {name: json.loads(unescape(chart)) for name, chart in found}


def test_the_page_shows_what_a_strategy_is_and_what_it_earned(of, web_catalog):
    text = of("SPY_ma_10_80.0")

    ((sharpe, trades, hash_),) = web_catalog.sql(
        "select sharpe, trades, strategy_hash from leaderboard where strategy_id = 'SPY_ma_10_80.0'"
    ).fetchall()
    assert f"{sharpe:.4g}" in text and hash_ in text
    assert "<summary>parameters</summary>" in text and "80.0</li>" in text
    assert f"{trades} trades, the newest first" in text
    assert 'href="/?tag=good"' in text
    assert "out of sample</th>" in text and "trend: up</th>" in text
    assert list(charts_of(text)) == ["equity", "drawdown", "position"]


def test_the_months_of_a_year_compound_to_it(of, web_catalog):
    text = of("SPY_ma_10_80.0")

    rows = web_catalog.sql(
        "select year(session_date) as y, product(1 + ret_gross) - 1 from daily_returns "
        "join strategy_index using (trace_id) "
        "where strategy_id = 'SPY_ma_10_80.0' and is_latest group by y order by y"
    ).fetchall()
    for year, total in rows:
        found = re.search(
            rf'<th scope="row">{year}</th>.*?total[^>]*>([^<]+)</td>', text, re.DOTALL
        )
        assert found is not None and found[1] == f"{100 * total:,.1f} %"


def test_the_latest_trace_is_shown_and_another_one_where_it_is_chosen(of, web_catalog):
    rows = web_catalog.sql(
        "select trace_id, run_id, strategy_hash from trace_files "
        "where strategy_id = 'SPY_ma_5_50.0' order by is_latest desc"
    ).fetchall()
    (latest, run, key), (older, older_run, _) = rows

    assert f"run {run}" in of(key)
    assert f"run {older_run}" in of(key, trace=older)
    assert (run, older_run) == ("later", "sweep")
    assert latest in of(key) and older in of(key)


def test_a_composite_says_what_it_is_made_of_and_its_parts_who_uses_them(of, web_catalog):
    keys = dict(
        web_catalog.sql(
            "select strategy_id, any_value(strategy_hash) from trace_files "
            "where symbol = 'SPY' group by all"
        ).fetchall()
    )

    whole, part = of("SPY_both"), of(keys["SPY_ma_5_50.0"])

    assert f'href="/strategies/{keys["SPY_ma_5_50.0"]}"' in whole and "weight 0.5" in whole
    assert "Used by" in part and f'href="/strategies/{keys["SPY_both"]}"' in part


def test_twins_name_each_other(of):
    text = of("SPY_twin_a")

    assert "Behaved alike" in text and ">SPY_twin_b</a>" in text
    assert "holds up" in text


def test_a_strategy_that_was_never_in_the_market_has_no_trades(of):
    text = of("SPY_flat")

    assert "never in the market" in text and "There are none." in text


def test_pages_of_trades_are_turned(of, monkeypatch):
    monkeypatch.setattr("catalog.web.pages.strategy.TRADES", 2)

    first, second = of("SPY_ma_5_50.0"), of("SPY_ma_5_50.0", trades=2)

    assert ">older</a>" in first and ">newer</a>" not in first
    assert ">newer</a>" in second
    entered = [
        re.findall(r"<tr><td>\w+</td><td[^>]*>1</td><td>([\d-]+)</td>", one)
        for one in (first, second)
    ]
    assert [len(one) for one in entered] == [2, 2]
    assert min(entered[0]) > max(entered[1])


def test_a_strategy_without_prices_says_what_would_tell_what_it_earned(of, web_catalog):
    text = of("SPY_grid_1")

    assert "catalog metrics" in text and "catalog prices add" in text
    assert charts_of(text) == {}


def test_a_strategy_whose_configuration_is_unknown_says_so(tmp_path, write_run):
    catalog = Catalog(tmp_path / "catalog.duckdb")
    catalog.register(write_run(traces={"mystery": [1, 0, -1]}))
    ((key,),) = catalog.sql("select strategy_key from strategies").fetchall()

    answer = client_of(catalog).get(f"/strategies/{key}")

    assert answer.status_code == 200
    assert "It is unknown" in answer.text and "--sweep grid.yaml" in answer.text


def test_a_file_that_is_gone_is_said_and_the_rest_is_shown(web_catalog, tmp_path):
    home = shutil.copytree(web_catalog.path.parent, tmp_path / "home")
    catalog = Catalog(home / "catalog.duckdb")
    path = (
        home / "runs" / "sweep" / "traces" / "signals" / "ma_crossover" / "SPY_ma_25_120.0.parquet"
    )
    path.unlink()
    catalog.register(home / "runs")

    answer = client_of(catalog).get("/strategies/SPY_ma_25_120.0")

    assert answer.status_code == 200
    assert "The file of this trace is gone" in answer.text and str(path) in answer.text
    assert "<summary>parameters</summary>" in answer.text


def test_names_that_would_do_harm_are_only_text(client, web_catalog):
    keys = web_catalog.sql(
        "select strategy_key from strategies where strategy_type in ($a, $b)",
        {"a": IMAGE, "b": SCRIPT},
    ).fetchall()
    assert len(keys) == 2

    for (key,) in keys:
        text = client.get(f"/strategies/{key}").text
        assert "<img" not in text and "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text or "&lt;img src=x" in text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nothing_like_it", "Nothing in the catalog goes by"),
        ("SPY_flat?trace=0123456789abcdef", "no trace 0123456789abcdef"),
        ("SPY_flat?trades=first", "no number"),
        ("SPY_flat?trades=0", "no page 0"),
    ],
)
def test_a_wrong_address_is_said_to_be_one(client, path, said):
    answer = client.get(f"/strategies/{path}")

    assert answer.status_code == 400 and said in answer.text


def test_charts_are_drawn_in_a_browser(browser_page):
    browser_page.goto("/strategies/SPY_ma_10_80.0")
    browser_page.wait_for_selector("#position[data-drawn]")

    assert browser_page.locator("figure.chart[data-drawn] canvas").count() == 3
    browser_page.get_by_role("link", name="Compare it with others").click()
    assert "/compare?s=" in browser_page.url
