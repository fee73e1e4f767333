"""The page Landscape: a metric over two parameters, and a way to the strategies behind a cell."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from web_catalog import IMAGE


def test_the_page_takes_the_largest_type_and_its_parameters(client):
    text = client.get("/landscape?symbol=SPY").text

    assert "20 strategies in 20 cells" in text
    assert r'"address": "/?strategy_type=ma_crossover\u0026symbol=SPY\u0026param_fast=' in text
    assert "Best plateaus" in text


def test_a_cell_leads_to_as_many_strategies_as_it_counts(client, web_catalog):
    text = client.get("/landscape?symbol=SPY&x=fast&y=slow").text

    links = [unescape(one) for one in re.findall(r'<th scope="row"><a href="(/\?[^"]+)"', text)]
    assert len(links) == 12
    for link in links[:3]:
        found = dict(re.findall(r"param_(\w+)=([\d.]+)", link))
        count = web_catalog.sql(
            "select count(*) from leaderboard where symbol = 'SPY' "
            "and param_fast = $fast::int and param_slow = $slow::double",
            found,
        ).fetchall()
        assert count == [(1,)]


def test_a_third_parameter_makes_a_map_of_each_of_its_values(client):
    text = client.get("/landscape?x=fast&y=slow&facet=mode").text

    assert r"\u0026param_mode_text=ema" in text and '"facet":' in unescape(text)


def test_the_median_of_a_cell_and_its_neighbours_are_said(client, web_catalog):
    from catalog.plots.landscape import read_landscape

    found = read_landscape(
        web_catalog.path,
        metric="sharpe",
        x="fast",
        y="slow",
        where="strategy_type = 'ma_crossover' and symbol = 'QQQ'",
    )

    text = client.get("/landscape?x=fast&y=slow&symbol=QQQ").text

    assert f"The best plateau is {found.best_plateau:.2f}." in text


def test_words_have_no_plateaus_to_draw(client):
    text = client.get("/landscape?x=symbol&y=timeframe").text

    assert "40 strategies in 2 cells" in text
    assert 'id="values"' in text and 'id="plateaus"' not in text
    assert "Best cells" in text


def test_of_more_maps_than_can_be_seen_those_with_the_best_cells_are_drawn(client, monkeypatch):
    def best(text: str) -> list[str]:
        return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', text)

    whole = client.get("/landscape?x=fast&y=slow&facet=symbol").text
    monkeypatch.setattr("catalog.web.pages.landscape.MOST_MAPS", 1)

    text = client.get("/landscape?x=fast&y=slow&facet=symbol").text

    first = re.search("symbol (SPY|QQQ)", best(whole)[0])[1]
    other = {"SPY": "QQQ", "QQQ": "SPY"}[first]
    charts = re.findall('"facet_shown": "(SPY|QQQ)"', text)
    assert "1 more values of symbol are not drawn" in text
    assert set(charts) == {first} and other not in charts
    assert best(text) == best(whole)


@pytest.mark.parametrize(
    ("metric", "heading", "first"),
    [("sharpe", "Best plateaus", None), ("volatility", "Least", min), ("trades", "Greatest", max)],
)
def test_the_first_cells_are_the_best_ones(client, web_catalog, metric, heading, first):
    text = client.get(f"/landscape?x=fast&y=slow&symbol=SPY&metric={metric}").text

    assert f"<h2>{heading}</h2>" in text
    if first is not None:
        values = web_catalog.sql(
            f"select {metric} from leaderboard where strategy_type = 'ma_crossover' "
            "and symbol = 'SPY'"
        ).fetchall()
        shown = re.findall(r'</a></th><td class="number">([-\d.,]+)</td>', text)[0]
        expected = first(one for (one,) in values)
        assert float(shown.replace(",", "")) == pytest.approx(expected, rel=1e-3)


def test_a_map_of_plateaus_tells_the_median_of_a_cell_all_the_same(client):
    text = client.get("/landscape?x=fast&y=slow").text

    charts = [json.loads(one) for one in re.findall(r'json">(.+?)</script>', text)]
    values, plateaus = (chart["data"]["values"] for chart in charts)
    assert values == plateaus
    colours = [chart["layer"][0]["encoding"]["color"]["field"] for chart in charts]
    assert colours == ["value", "plateau"]


def test_a_click_on_a_cell_of_a_run_shows_what_the_cell_counts(client):
    text = client.get("/landscape?strategy_type=ma_crossover&x=symbol&y=run_id").text

    links = re.findall(r'<th scope="row"><a href="([^"]+)">[^<]*</a>.*?(\d+)</td></tr>', text)
    assert len(links) == 3
    for link, count in links:
        listed = client.get(unescape(link)).text
        assert re.search(rf"<strong>{count}</strong>", listed), link


def test_axes_that_a_type_lacks_go_with_the_type(client):
    text = client.get(
        "/landscape?strategy_type=rsi&x=fast&y=threshold&symbol=SPY&metric=trades"
    ).text

    assert "3 strategies in 3 cells" in text and 'role="alert"' not in text


def test_a_wrong_axis_leaves_the_form(client):
    answer = client.get("/landscape?x=fast&y=fast")

    assert answer.status_code == 400
    assert '<select name="metric">' in answer.text and "the same parameter" in answer.text


def test_what_cannot_be_drawn_says_why_and_leaves_the_form(client):
    text = client.get(f"/landscape?strategy_type={IMAGE}").text

    assert 'role="alert"' in text and '<select name="metric">' in text
    assert "<img" not in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("metric=beauty", "metric=beauty"),
        ("strategy_type=nothing", "strategy_type=nothing"),
        ("x=nothing", "nothing"),
        ("x=fast&y=fast", "the same parameter"),
        ("symbol=NOPE", "There are: SPY, QQQ"),
        ("symbol=' or true --", "symbol="),
    ],
)
def test_a_wrong_address_is_said_to_be_one(client, query, said):
    answer = client.get(f"/landscape?{query}")

    assert answer.status_code == 400 and said in answer.text


def test_a_click_on_a_cell_shows_the_strategies_behind_it(browser_page):
    browser_page.goto("/landscape?symbol=SPY&x=fast&y=slow")
    browser_page.wait_for_selector("#plateaus[data-drawn]")
    # The form changes what is drawn, and the address with it.
    browser_page.get_by_label("figure").select_option("sortino")
    browser_page.wait_for_url("**metric=sortino**")
    browser_page.wait_for_selector("#values[data-drawn]")
    assert "sortino over fast and slow" in browser_page.inner_text("#values figcaption")

    box = browser_page.locator("#values canvas").bounding_box()
    browser_page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.45)

    browser_page.wait_for_url("**/?strategy_type=ma_crossover&symbol=SPY&param_fast=*")
