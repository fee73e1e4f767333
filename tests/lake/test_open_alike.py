"""An opened lake answers commands and analyses as the catalog does that published it."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from same import analysis

from catalog import Catalog
from catalog.cli.main import main
from conftest import rows
from daily import measure_daily, walks

Pair = tuple[Catalog, Catalog]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """The catalog of a lake, which has forgotten some of what it tried, and one over the lake."""
    home = tmp_path_factory.mktemp("alike")
    origin, opened = Catalog(home / "origin.duckdb"), Catalog(home / "opened.duckdb")
    measure_daily(origin, home / "runs" / "walks", walks(90, 9), fills=("close", "next_open"))
    origin.metrics(cost_bps=2)
    origin.tag("walk_3", "good", note="by eye")
    origin.forget(where="param_number >= 6")
    origin.publish(home / "lake")
    opened.open(home / "lake")
    return origin, opened


def said(catalog: Catalog, *words: str) -> str:
    """Return what a command prints, on both streams."""
    done = CliRunner().invoke(main, [*words, "--catalog", str(catalog.path)])
    assert done.exit_code == 0, done.output
    return done.output.replace(catalog.path.stem, "catalog")


@pytest.mark.parametrize(
    "words",
    [
        ("find", "--type", "walk"),
        ("find", "number>=2", "tag=good"),
        ("rank",),
        ("rank", "--by", "calmar", "--cost-bps", "2", "--pbo"),
        ("rank", "--fill", "next_open", "--where", "param_number < 4", "--format", "csv"),
    ],
    ids=" ".join,
)
def test_a_command_says_the_same(pair, words):
    origin, opened = pair

    assert said(opened, *words) == said(origin, *words)


def test_a_strategy_is_shown_alike_but_for_where_its_traces_are(pair):
    pages = []
    for one in pair:
        (place,) = rows(one, "select path from trace_files where strategy_id = 'walk_3'")[0]
        pages.append(said(one, "show", "walk_3").replace(place, "PATH").split())

    assert pages[0] == pages[1]
    assert "walk_3" in pages[0]


def test_what_was_forgotten_counts_as_tried_over_a_lake_too(pair):
    origin, _ = pair

    ranked = [one.rank() for one in pair]

    assert rows(origin, "select count(*) from strategies") == [(6,)]
    (there,), (here,) = (one.verdicts for one in ranked)
    assert there.trials.trials == here.trials.trials == 9
    assert here.traces == there.traces == 6
    assert here.deflated == pytest.approx(there.deflated, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ensemble", {"n": 3, "most_correlation": 0.9}),
        ("exit_rules", {"strategy_type": "walk", "stop": 0.02, "target": 0.03, "longest": 4}),
    ],
)
def test_an_analysis_says_the_same(pair, name, values):
    origin, opened = pair

    assert analysis(opened, name, **values) == analysis(origin, name, **values) != []


def test_exits_after_bars_are_the_same(pair, tmp_path, monkeypatch):
    origin, _ = pair
    bars = origin.sql("select bar_index, close from bars order by bar_index").table
    pq.write_table(bars, tmp_path / "prices.parquet")
    monkeypatch.chdir(tmp_path)
    values = {
        "prices": str(tmp_path / "prices.parquet"),
        "strategy_type": "walk", "symbol": "SPY", "timeframe": "1d",
    }  # fmt: skip

    found = [analysis(one, "exits_after_bars", **values) for one in pair]

    assert found[0] == found[1] != []
