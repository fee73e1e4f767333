"""catalog plot: what is meant is drawn, and what cannot be drawn is said."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner, Result

from catalog import Catalog
from catalog.cli import main
from catalog.errors import QueryError, UsageError
from pictures import texts


def run(catalog: Catalog, *arguments: object) -> Result:
    return CliRunner().invoke(
        main, ["plot", *map(str, arguments), "--catalog", str(catalog.path)], catch_exceptions=False
    )


def test_a_strategy_is_drawn_beside_buy_and_hold(web_catalog, tmp_path):
    file = tmp_path / "equity.svg"

    done = run(web_catalog, "equity", "SPY_ma_10_80.0", "-o", file)

    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert "Equity of SPY_ma_10_80.0" in done.stderr
    assert {"Equity of SPY_ma_10_80.0", "SPY_ma_10_80.0", "buy and hold SPY"} <= texts(file)
    assert [one.name for one in tmp_path.iterdir()] == ["equity.svg"]


def test_a_hash_is_the_strategy_on_every_symbol_and_an_id_its_latest_trace(web_catalog, tmp_path):
    rows = web_catalog.sql(
        "select strategy_hash, trace_id from strategy_index "
        "where strategy_id = 'SPY_ma_5_50.0' order by is_latest desc"
    ).fetchall()
    (strategy_hash, latest), (_, older) = rows
    drawn = {}
    for name in (strategy_hash, "SPY_ma_5_50.0", older):
        made = web_catalog.plot("equity", name, tmp_path / "plot.svg")
        drawn[name] = made.chart["data"]["values"], made.strategies

    assert drawn[strategy_hash][1] == 2
    labels = {row["label"] for row in drawn[strategy_hash][0]}
    assert labels == {"SPY_ma_5_50.0", "QQQ_ma_5_50.0", "buy and hold SPY", "buy and hold QQQ"}
    ends = {}
    for name, trace_id in (("SPY_ma_5_50.0", latest), (older, older)):
        rows = [row for row in drawn[name][0] if not row["label"].startswith("buy")]
        ends[name] = rows[-1]["date"]
        ((date,),) = web_catalog.sql(
            "select max(session_date) from daily_returns where trace_id = $id", {"id": trace_id}
        ).fetchall()
        assert ends[name] == str(date)
    assert ends["SPY_ma_5_50.0"] > ends[older]


def test_the_best_that_meet_a_condition_are_drawn(web_catalog, tmp_path):
    best = web_catalog.sql(
        "select strategy_id from strategy_index where symbol = 'QQQ' order by sharpe desc limit 3"
    ).fetchall()

    made = web_catalog.plot("drawdown", (), tmp_path / "plot.svg", where="symbol = 'QQQ'", top=3)

    labels = list(dict.fromkeys(row["label"] for row in made.chart["data"]["values"]))
    assert labels == [*(one for (one,) in best), "buy and hold QQQ"]


def test_curves_that_lie_on_each_other_are_named(web_catalog, tmp_path):
    made = web_catalog.plot("equity", ["SPY_twin_a", "SPY_twin_b"], tmp_path / "plot.svg")

    assert "one line: SPY_twin_a, SPY_twin_b" in made.notes


def test_whose_equity_ends_at_nothing_is_named(web_catalog, tmp_path):
    made = web_catalog.plot("drawdown", "SPY_ma_5_50.0", tmp_path / "p.svg", cost_bps=9_000)

    assert any(re.fullmatch(r"SPY_ma_5_50\.0 lost everything on 20\d\d-.*", n) for n in made.notes)


def test_a_heat_map_is_of_all_that_meet_the_condition(web_catalog, tmp_path):
    file = tmp_path / "heat.svg"

    done = run(web_catalog, "heat-map", "-o", file, "--where", "symbol = 'SPY'", "--facet", "mode")

    assert done.exit_code == 0, done.output
    assert {"fast", "slow", "mode", "sma", "ema", "60.5", "sharpe"} <= texts(file)
    assert any("where symbol = 'SPY'" in one for one in texts(file))
    assert any("framed: the best plateau" in one for one in texts(file))


def test_a_correlation_is_that_of_catalog_correlate(web_catalog, tmp_path):
    expected = web_catalog.correlate(top=6)

    made = web_catalog.plot("correlation", (), tmp_path / "plot.svg", top=6)

    drawn = {(row["a"], row["b"]): row["correlation"] for row in made.chart["data"]["values"]}
    assert len(drawn) == 36
    for row in expected.pairs().to_pylist():
        for pair in ((row["a"], row["b"]), (row["b"], row["a"])):
            assert drawn[pair] == pytest.approx(row["correlation"], abs=1e-4)
    named = web_catalog.plot("correlation", expected.names[:2], tmp_path / "two.svg")
    assert named.strategies == 2


def test_what_cannot_be_drawn_is_said_with_what_to_do(web_catalog, tmp_path):
    file = tmp_path / "plot.svg"
    wrong: list[tuple[str, object, dict[str, object], str, str]] = [
        ("pie", "SPY_ma_5_50.0", {}, "no kind of plot 'pie'", "heat-map"),
        ("equity", (), {}, "not said which", "--top"),
        ("equity", (), {"where": "true"}, "room for 10", "--top 10"),
        ("equity", (), {"top": 11}, "best 11", "from 1 to 10"),
        ("equity", "SPY_ma_5_50.0", {"metric": "sharpe"}, "--metric: not for equity", "away"),
        ("heat-map", "SPY_ma_5_50.0", {}, "not of single ones", "--where"),
        ("heat-map", (), {"cost_bps": 1}, "--cost-bps", "away"),
        ("correlation", (), {"top": 1}, "best 1", "from 2"),
        ("correlation", (), {"top": 41}, "best 41", "to 40"),
    ]
    with pytest.raises(UsageError, match="no folder"):
        web_catalog.plot("equity", "SPY_ma_5_50.0", tmp_path / "nowhere" / "plot.svg")
    side = web_catalog.path.with_suffix(".d") / "plot.svg"
    with pytest.raises(UsageError, match="belongs to the catalog"):
        web_catalog.plot("equity", "SPY_ma_5_50.0", side)
    assert not side.exists()
    for kind, selection, options, what, hint in wrong:
        with pytest.raises(UsageError, match=re.escape(what)) as told:
            web_catalog.plot(kind, selection, file, **options)
        assert hint in str(told.value.hint), kind
    for selection, options, what in (
        ("nobody", {}, "Nothing in the catalog goes by 'nobody'"),
        ("SPY_trend", {}, "SPY_trend has no signal trace"),
        ("sweep", {}, "'sweep' is a run, and no strategy"),
        ("SPY_ma_5_50.0", {"where": "symbol = 'QQQ'"}, "None of the strategies that were named"),
        ((), {"where": "symbol = 'NONE'"}, "No signal trace is meant"),
        ((), {"where": "symbol ="}, "condition"),
        ((), {"top": 2, "fill": "next_open"}, "no session returns"),
        ("SPY_ma_5_50.0", {"start": "2030-01-01"}, "no session returns in those sessions"),
    ):
        with pytest.raises(QueryError, match=what):
            web_catalog.plot("equity", selection, file, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_trace_file_and_the_catalog_are_not_drawn_over(web_catalog, tmp_path):
    link = tmp_path / "plot.svg"
    link.symlink_to(web_catalog.path)

    done = run(web_catalog, "equity", "SPY_ma_5_50.0", "-o", link)

    assert done.exit_code == 2
    assert "is the catalog itself" in done.stderr
    assert web_catalog.info()


def test_names_from_files_are_text_in_what_is_drawn(web_catalog, tmp_path):
    from web_catalog import IMAGE

    file = tmp_path / "plot.html"
    made = web_catalog.plot("equity", f"SPY_{IMAGE}", file)

    page = file.read_text()
    assert IMAGE in made.title
    assert IMAGE not in re.sub(r"<script.*?</script>", "", page, flags=re.S)
    (held,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert any(row["label"] == f"SPY_{IMAGE}" for row in json.loads(held)["data"]["values"])


def test_a_page_draws_itself_in_a_browser_without_the_network(web_catalog, chromium, tmp_path):
    file = tmp_path / "plot.html"
    web_catalog.plot("equity", ["SPY_ma_5_50.0", "QQQ_ma_5_50.0"], file, theme="dark")
    context = chromium.new_context(viewport={"width": 900, "height": 700}, offline=True)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(file.as_uri())
    page.wait_for_selector("body[data-drawn]", timeout=20_000)

    shown = page.locator("#chart svg.marks").text_content()
    heading = page.locator("h1").inner_text()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()
    assert said == []
    assert asked == [file.as_uri()]
    assert heading == "Equity of 2 traces"
    assert "buy and hold QQQ" in shown and "growth of 1" in shown
    assert background == "rgb(22, 24, 29)"
