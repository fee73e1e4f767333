"""catalog metrics and catalog rank, as people type them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from catalog import Catalog
from catalog.cli import main
from markets import add_prices, copied, price_table, random_signals, write_strategies


@pytest.fixture
def run(tmp_path):
    """Run a command on the catalog, and return what it says."""

    def invoke(*words: str, status: int = 0):
        path = tmp_path / "home" / "catalog.duckdb"
        done = CliRunner().invoke(main, [*words, "--catalog", str(path)])
        assert done.exit_code == status, done.stderr
        return done

    return invoke


@pytest.fixture(scope="module")
def swept_once(tmp_path_factory) -> Catalog:
    made = Catalog(tmp_path_factory.mktemp("swept") / "catalog.duckdb")
    table = price_table(sessions=70, per_session=8)
    write_strategies(made, random_signals(560, 12, changes=50), table)
    add_prices(made, table)
    return made


@pytest.fixture(scope="module")
def measured_once(swept_once, tmp_path_factory) -> Catalog:
    made = copied(swept_once, tmp_path_factory.mktemp("measured"))
    made.metrics(split="2024-03-01")
    return made


@pytest.fixture
def swept(swept_once, tmp_path) -> Catalog:
    return copied(swept_once, tmp_path)


@pytest.fixture
def measured(measured_once, tmp_path) -> Catalog:
    return copied(measured_once, tmp_path)


def test_metrics_say_what_was_measured_and_how_traces_were_found(swept, run):
    said = run("metrics", "--split", "2024-03-01").stderr

    assert "measured   12 traces" in said
    assert "matched    12 traces by the time of their bars" in said
    assert "returns    840 rows in daily_returns" in said
    assert "next       catalog rank" in said
    assert "unchanged  12 traces, not measured again" in run("metrics").stderr


def test_traces_without_prices_need_attention(swept, run):
    write_strategies(
        swept, random_signals(60, 3, changes=5), None, symbol="QQQ", run="q", prefix="q"
    )

    said = run("metrics", status=3).stderr

    assert "no figures 3 traces: no prices of QQQ" in said
    assert "catalog prices add FILE --symbol QQQ --timeframe 1m" in said


def test_rank_prints_rows_on_stdout_and_the_verdict_beside_them(measured, run):
    done = run("rank", "--top", "3", "--pbo")

    assert done.stdout.count("SPY_sma_") == 3
    for column in ("param_fast", "sharpe_oos", "deflated_sharpe", "plateau", "trades"):
        assert column in run("rank", "--format", "csv").stdout.splitlines()[0].split(",")
    for label in ("data ", "terms ", "tried ", "luck ", "best ", "verdict ", "pbo "):
        assert f"\n{label}" in done.stderr


def test_quiet_shortens_the_verdict_to_a_line(measured, run):
    said = run("rank", "--quiet").stderr.splitlines()

    assert len(said) == 1
    assert said[0].startswith("tried      12 on SPY 1m, 2024-01-02 to ")
    assert "luck alone would give" in said[0] or "beats chance" in said[0]


def test_more_may_have_been_tried_than_is_registered(measured, run):
    assert "\ntried      12 traces, 12 of them distinct, " in run("rank").stderr
    measured.forget(where="param_fast = (select min(param_fast) from strategy_index)")

    (said,) = [line for line in run("rank").stderr.splitlines() if line.startswith("tried ")]

    assert said.startswith("tried      10 traces measured here, 12 distinct ones known, ")


def test_rank_writes_every_format(measured, run):
    found = json.loads(run("rank", "--format", "json", "--columns", "strategy_id,sharpe").stdout)

    assert len(found) == 12
    assert list(found[0]) == ["strategy_id", "sharpe"]
    assert run("rank", "--format", "markdown").stdout.startswith("| strategy_id |")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rank", "--by", "luck"), "cannot be ranked by luck"),
        (("rank", "--where", "nothing = 1"), "nothing"),
        (("rank", "--where", "trades > 1e9"), "No measured strategy meets the condition"),
        (("rank", "--columns", "sharp"), "There is no column sharp"),
        (("rank", "--cost-bps", "7"), "There are no figures to rank by"),
        (("metrics", "--where", "sharpe >"), "no condition"),
        (("metrics", "--by-regime", "nobody"), "There is no classifier nobody"),
        (("metrics", "--start", "2025-01-01", "--end", "2024-01-01"), "before it starts"),
    ],
)
def test_mistakes_are_said_with_what_to_do(measured, words, said):
    done = CliRunner().invoke(main, [*words, "--catalog", str(measured.path)])

    assert done.exit_code in (1, 2)
    assert said in done.stderr
    assert "hint:" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("metrics", "--cost-bps", "-1"),
        ("metrics", "--last", "soon"),
        ("metrics", "--split", "yesterday"),
        ("metrics", "--fill", "never"),
        ("rank", "--top", "0"),
    ],
)
def test_wrong_options_are_wrong_usage(run, words):
    run(*words, status=2)


def test_ranking_an_unmeasured_catalog_names_the_command(swept, run):
    said = run("rank", status=1).stderr

    assert "Compute them: catalog metrics" in said
