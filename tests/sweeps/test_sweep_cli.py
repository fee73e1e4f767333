"""What `catalog sweep` prints, where, and how it ends."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from strategies_to_sweep import positions

from catalog import Catalog
from catalog.cli import main
from markets import add_prices, copied, price_table

GRID = """
name: trends
symbols: [SPY]
timeframes: [1m]
start_date: "1999-01-01"
strategies:
  - {type: trend, params: {lookback: [1, 2, 3, 13]}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Catalog:
    """A catalog beside a sweep file, of which one configuration is done and one has failed."""
    home = tmp_path_factory.mktemp("sweep_cli") / "home"
    home.mkdir()
    (home / "grid.yaml").write_text(GRID)
    catalog = Catalog(home / "catalog.duckdb")
    add_prices(catalog, price_table(3, per_session=10))
    (home / "part.yaml").write_text(GRID.replace("[1, 2, 3, 13]", "[1, 13]"))
    catalog.run_sweep(home / "part.yaml", positions, workers=1)
    return catalog


@pytest.fixture
def sweep(made, monkeypatch):
    monkeypatch.chdir(made.path.parent)
    return lambda *words: CliRunner().invoke(main, ["sweep", *words])


def test_status_says_what_is_done_over_which_range_and_what_to_do_next(sweep):
    result = sweep("status", "grid.yaml", "--format", "jsonl")

    assert result.exit_code == 0, result.output
    (row,) = map(json.loads, result.stdout.splitlines())
    assert row == {
        "symbol": "SPY", "timeframe": "1m", "kind": "signal", "strategy_type": "trend", "total": 4,
        "done": 1, "behind": 0, "stale": 0, "failed": 1, "missing": 2,
    }  # fmt: skip
    said = result.stderr
    assert "SPY 1m from 2024-01-02 14:30 to 2024-01-04 14:39, bars 0 to 29" in said
    assert "all registered prices" in said
    assert "4 configurations of trends: 1 done, 1 failed, 2 missing" in said
    assert "catalog sweep run grid.yaml --strategy module:function" in said


def test_missing_prints_a_configuration_a_line_with_all_that_running_it_needs(sweep, made):
    result = sweep("missing", "grid.yaml", "--format", "jsonl")

    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["state"], one["config"]["parameters"]["lookback"]) for one in found] == [
        ("missing", 2), ("missing", 3), ("failed", 13),
    ]  # fmt: skip
    assert found[0] == {
        "state": "missing", "kind": "signal", "strategy_type": "trend",
        "strategy_id": "SPY_trend_2", "symbol": "SPY", "timeframe": "1m",
        "from": "2024-01-02T14:30:00+00:00", "to": "2024-01-04T14:39:00+00:00",
        "strategy_hash": found[0]["strategy_hash"], "config_key": found[0]["config_key"],
        "config": {"parameters": {"lookback": 2}, "type": "trend"}, "why": None,
    }  # fmt: skip
    assert found[2]["why"].startswith("ValueError: unlucky")
    assert "3 configurations" in result.stderr


def test_missing_can_be_a_table_or_csv_and_of_the_states_that_are_asked_for(sweep):
    table = sweep("missing", "grid.yaml", "--limit", "1")
    csv = sweep("missing", "grid.yaml", "--format", "csv", "--state", "done")
    other = sweep("missing", "grid.yaml", "--bars", "0:9", "--state", "done", "--format", "jsonl")

    assert "SPY_trend_2" in table.stdout
    assert "SPY_trend_3" not in table.stdout
    assert "of which 1 are shown" in table.stderr
    assert csv.stdout.splitlines()[0].startswith('"state","kind"')
    assert len(csv.stdout.splitlines()) == 2
    assert json.loads(other.stdout)["to"] == "2024-01-02T14:39:00+00:00"


def test_running_says_what_failed_and_ends_with_three(made, tmp_path, monkeypatch):
    catalog = copied(made, tmp_path)
    monkeypatch.chdir(catalog.path.parent)
    words = ["sweep", "run", "grid.yaml", "--strategy", "trend=strategies_to_sweep:positions"]

    result = CliRunner().invoke(main, [*words, "--workers", "1"])
    again = CliRunner().invoke(main, [*words, "--workers", "1", "--no-failed"])

    assert (result.exit_code, again.exit_code) == (3, 0), result.output
    assert result.stdout == ""
    assert "3 configurations: 1 failed, 2 missing" in result.stderr.replace("wanted     ", "")
    assert "computed   2 traces" in result.stderr
    assert "failed     SPY_trend_13: ValueError: unlucky" in result.stderr
    assert "computed   0 traces" in again.stderr


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["status", "grid.yaml", "--symbol", "QQQ"], 2, "catalog prices add FILE --symbol QQQ"),
        (["status", "grid.yaml", "--bars", "9"], 2, "write the first and the last, as 0:999"),
        (["status", "grid.yaml", "--from", "soon"], 2, "knows no zone"),
        (["status", "gird.yaml"], 2, "does not exist"),
        (["run", "grid.yaml"], 2, "Missing option '--strategy'"),
        (["run", "grid.yaml", "--strategy", "nowhere:f"], 2, "There is no module nowhere"),
        (["missing", "grid.yaml", "--state", "lost"], 2, "'lost' is not one of"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(sweep, words, status, message):
    result = sweep(*words)

    assert result.exit_code == status
    assert message in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("name", ["status", "missing", "run"])
def test_help_has_an_example(sweep, name):
    result = sweep(name, "--help")

    assert f"catalog sweep {name} grid.yaml" in result.stdout
