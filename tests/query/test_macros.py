"""The catalog's macros, against what can be worked out bar by bar."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import Catalog, write_signals
from catalog.statements import statement
from catalog.store.macros import MACROS
from conftest import rows

BARS = 30
TS = np.datetime64("2024-03-26T13:30", "us") + np.arange(BARS) * np.timedelta64(60, "s")


@pytest.fixture(scope="module")
def dense() -> np.ndarray:
    values = np.random.default_rng(11).integers(-1, 2, (BARS, 6)).astype(float)
    values[:7, 0] = 0
    values[:, 5] = 0
    return values


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, dense: np.ndarray) -> Catalog:
    home = tmp_path_factory.mktemp("macros")
    configs = {f"s{n}": {"type": "sma", "parameters": {"fast": n % 2, "slow": n // 2}}
               for n in range(6)}  # fmt: skip
    catalog = Catalog(home / "catalog.duckdb")
    write_signals(
        home / "run", dense, configs=configs, symbol="SPY", timeframe="1m", ts=TS,
        catalog=catalog.path,
    )  # fmt: skip
    return catalog


@given(bar=st.integers(0, BARS - 1))
@settings(deadline=None, max_examples=12)
def test_holdings_at_a_bar_are_the_dense_values_there(swept, dense, bar):
    query = f"select position from holdings_at(bar := {bar}) order by strategy_id"

    assert [row[0] for row in swept.sql(query).fetchall()] == list(dense[bar])


@given(bar=st.integers(0, BARS - 1), seconds=st.integers(0, 59))
@settings(deadline=None, max_examples=12)
def test_holdings_at_a_time_are_those_of_the_bar_before(swept, dense, bar, seconds):
    moment = TS[bar] + np.timedelta64(seconds if bar < BARS - 1 else 0, "s")
    query = f"select position from holdings_at(moment := '{moment}+00') order by strategy_id"

    assert [row[0] for row in swept.sql(query).fetchall()] == list(dense[bar])


def test_holdings_beyond_the_range_are_not_known(swept):
    assert rows(swept, f"from holdings_at(bar := {BARS})") == []
    assert rows(swept, "from holdings_at()") == []


def test_holdings_at_opens_only_the_files_that_matter(swept):
    plan = swept.explain("from holdings_at(bar := 3) where strategy_id = 's1'")

    assert [choice.traces for choice in plan.choices] == [1]


def test_last_signals_open_no_file(swept, dense):
    assert swept.explain("from last_signals()").choices == ()

    found = rows(swept, "select val from last_signals() order by strategy_id")

    assert [value for (value,) in found][:5] == list(dense[-1, :5])


def test_a_dense_signal_has_every_bar(swept, dense):
    ((trace_id, strategy_hash),) = rows(
        swept, "select trace_id, strategy_hash from strategy_index where strategy_id = 's0'"
    )
    expected = [(bar, dense[bar, 0]) for bar in range(BARS)]

    for name in (trace_id, strategy_hash):
        query = f"select bar_index, val from dense_signal('{name}') order by bar_index"
        assert rows(swept, query) == expected
    query = "select strategy_hash from strategy_index where strategy_id = 's5'"
    flat = rows(swept, query)[0][0]
    assert rows(swept, f"select sum(val), count(*) from dense_signal('{flat}')") == [(0, BARS)]


@given(a=st.integers(0, 5), b=st.integers(0, 5))
@settings(deadline=None, max_examples=15)
def test_agreement_is_the_share_of_equal_signs(swept, dense, a, b):
    ids = [i for (i,) in rows(swept, "select trace_id from strategy_index order by strategy_id")]
    query = (
        f"select bars, same_bars, opposite_bars, both_in_market_bars, agreement "
        f"from agreement('{ids[a]}', '{ids[b]}')"
    )
    x, y = np.sign(dense[:, a]), np.sign(dense[:, b])

    ((bars, same, opposite, both, share),) = rows(swept, query)

    assert (bars, same) == (BARS, (x == y).sum())
    assert (opposite, both) == (((x == -y) & (x != 0)).sum(), ((x != 0) & (y != 0)).sum())
    assert share == pytest.approx((x == y).mean())


def test_param_effect_compares_traces_that_differ_in_one_parameter(swept):
    counts = dict(rows(swept, "select strategy_id, change_count from strategy_index"))
    effect = dict(
        rows(swept, "select value_number, effect from param_effect(change_count, 'fast')")
    )

    differences = [(counts[f"s{2 * k + 1}"] - counts[f"s{2 * k}"]) / 2 for k in range(3)]
    assert effect[1.0] == pytest.approx(statistics.mean(differences))
    assert effect[0.0] == pytest.approx(-statistics.mean(differences))


RETURNS = st.lists(st.one_of(st.none(), st.floats(-0.5, 0.5).map(lambda x: round(x, 4))))


@given(returns=RETURNS)
@settings(deadline=None, max_examples=60)
def test_ratios_are_what_their_definition_says_or_null(returns):
    known = [one for one in returns if one is not None]
    with duckdb.connect() as con:
        for name in MACROS[MACROS.index("total_return") :]:
            con.execute(statement(f"macro_{name}"))
        values = ", ".join(f"({'null' if x is None else repr(x)}::double)" for x in returns)
        source = f"(values {values}) t(r)" if returns else "(select 1.0 as r where false)"
        (found,) = con.sql(
            "select sharpe(r, 252), sortino(r, 252), volatility(r, 252), total_return(r), "
            f"annual_return(r, 252), hit_rate(r), profit_factor(r) from {source}"
        ).fetchall()

    assert all(one is None or math.isfinite(one) for one in found)
    sharpe, sortino, volatility, total, annual, hits, factor = found
    varied = len(set(known)) > 1
    deviation = statistics.stdev(known) if varied else 0
    mean = statistics.mean(known) if known else 0
    losses = [one for one in known if one < 0]
    wins = [one for one in known if one > 0]
    year = math.sqrt(252)
    _same(sharpe, mean / deviation * year if varied else None)
    _same(volatility, deviation * year if len(known) > 1 else None)
    down = math.sqrt(sum(x * x for x in losses) / len(known)) if losses else 0
    _same(sortino, mean / down * year if losses else None)
    growth = math.prod(1 + one for one in known)
    _same(total, growth - 1 if known else None)
    _same(annual, growth ** (252 / len(known)) - 1 if known else None)
    _same(hits, len(wins) / len(known) if known else None)
    _same(factor, sum(wins) / -sum(losses) if losses else None)


def _same(found: float | None, expected: float | None) -> None:
    assert (found is None) == (expected is None)
    if expected is not None:
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_ruin_compounds_to_nothing_that_can_be_said():
    with duckdb.connect() as con:
        con.execute(statement("macro_total_return"))
        con.execute(statement("macro_annual_return"))
        query = "select total_return(r), annual_return(r, 252) from (values (0.1), (-1.0)) t(r)"

        assert con.sql(query).fetchall() == [(None, None)]


RECIPE = """
set variable files = trace_paths('{hash}');
select count(*), sum(val) from trace(getvariable('files')) where strategy_hash = '{hash}'
"""


@pytest.mark.parametrize("packed", [False, True])
def test_the_recipe_reads_a_strategy_in_plain_clients(swept, tmp_path, packed, dense):
    home = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(swept.path.parent), str(home)], check=True)
    catalog = Catalog(home / "catalog.duckdb")
    catalog.register(home / "run")
    if packed:
        catalog.compact(delete_originals=True)
    query = "select strategy_hash from strategy_index where strategy_id = 's1'"
    recipe = RECIPE.format(hash=rows(catalog, query)[0][0])
    (expected,) = rows(catalog, "select count(*), sum(val) from signals where strategy_id = 's1'")

    with duckdb.connect(str(catalog.path), read_only=True) as con:
        first, second = recipe.strip().split(";\n")
        con.execute(first)
        assert con.sql(second).fetchall() == [expected]

    older = os.environ.get("CATALOG_TEST_OLD_PYTHON")
    if older and Path(older).exists():
        code = (
            "import sys, duckdb; con = duckdb.connect(sys.argv[1], read_only=True)\n"
            "for part in sys.argv[2].strip().split(';\\n'): found = con.execute(part)\n"
            "print(*found.fetchall()[0])\n"
            "print(con.execute('select count(*) from holdings_at(bar := 3)').fetchall()[0][0])"
        )
        done = subprocess.run(
            [older, "-c", code, str(catalog.path), recipe],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.split() == [str(expected[0]), str(expected[1]), "6"]
