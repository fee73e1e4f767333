"""In which state configurations are: what is done, behind, stale, failed and missing, and why."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from strategies_to_sweep import positions

from catalog import Catalog, Strategy, Sweep, write_signals
from catalog.errors import SweepFileError, UsageError
from catalog.sweeps.ranges import STATES
from markets import add_prices, copied, price_table

TABLE = price_table(5, per_session=10)
LATER = price_table(6, per_session=10)
assert LATER.slice(0, 50)["timestamp"].equals(TABLE["timestamp"])


def appended() -> pa.Table:
    """Return the prices of one more day, behind those that were known."""
    return pa.concat_tables([TABLE, LATER.slice(50)])


def changed(bar: int) -> pa.Table:
    """Return the prices with another close at one bar."""
    close = TABLE["close"].to_numpy().copy()
    close[bar] *= 1.001
    return TABLE.set_column(TABLE.column_names.index("close"), "close", pa.array(close))


def grid(*lookbacks, **said) -> Sweep:
    return Sweep.declare(
        strategies={"type": "trend", "params": {"lookback": list(lookbacks)}, **said},
        symbols="SPY",
        timeframes="1m",
    )


def trace_by_hand(catalog: Catalog, lookback: int, bars: int = 50) -> None:
    """Write a trace that does not say when its bars are, on which prices, and of which code."""
    write_signals(
        catalog.path.parent / "runs" / f"by_hand_{lookback}",
        np.ones((bars, 1)),
        configs=[{"type": "trend", "parameters": {"lookback": lookback}}],
        strategy_ids=[f"t{lookback}"],
        symbol="SPY",
        timeframe="1m",
        catalog=catalog.path,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Catalog:
    """
    A catalog with prices of five days, and traces of the lookbacks 1 and 2 over them.

    The lookback 4 was traced over the last three days only, and 9 by somebody who said little.
    """
    home = tmp_path_factory.mktemp("states") / "home"
    home.mkdir()
    catalog = Catalog(home / "catalog.duckdb")
    add_prices(catalog, TABLE)
    run = catalog.run_sweep(grid(1, 2, 13), positions, workers=1)
    assert (run.computed, run.failed) == (2, 1)
    catalog.run_sweep(grid(4), positions, bars=(20, 49), workers=1)
    trace_by_hand(catalog, 9)
    return catalog


@pytest.fixture(scope="module")
def grown(made, tmp_path_factory) -> Catalog:
    """That catalog when a day has passed."""
    catalog = copied(made, tmp_path_factory.mktemp("grown"))
    add_prices(catalog, appended())
    return catalog


@pytest.fixture(scope="module")
def corrected(made, tmp_path_factory) -> Catalog:
    """That catalog with another price on the first day."""
    catalog = copied(made, tmp_path_factory.mktemp("corrected"))
    add_prices(catalog, changed(7))
    return catalog


@pytest.fixture
def catalog(made, tmp_path) -> Catalog:
    return copied(made, tmp_path)


def states_of(catalog: Catalog, sweep: Sweep, **options) -> dict[object, str]:
    """Return the state of each lookback."""
    tables = catalog.sweep_missing(sweep, states=STATES, **options)
    return {
        json.loads(row["config"])["parameters"]["lookback"]: row["state"]
        for table in tables
        for row in table.to_pylist()
    }


def why(catalog: Catalog, sweep: Sweep, **options) -> str | None:
    (table,) = catalog.sweep_missing(sweep, states=STATES, **options)
    return table["why"].to_pylist()[0]


def test_what_has_a_trace_over_all_prices_is_done_and_the_rest_is_missing(made):
    assert states_of(made, grid(1, 2, 3)) == {1: "done", 2: "done", 3: "missing"}
    # Numbers count by value.
    assert states_of(made, grid(1.0, 2.5)) == {1.0: "done", 2.5: "missing"}
    assert why(made, grid(1)) is None


def test_an_appended_day_makes_nothing_stale(grown):
    assert states_of(grown, grid(1, 3)) == {1: "behind", 3: "missing"}
    assert "there are more bars" in (why(grown, grid(1)) or "")
    configs = [{"type": "trend", "parameters": {"lookback": n}} for n in (1, 2, 9)]
    assert grown.missing(configs, symbol="SPY", timeframe="1m") == []


def test_another_price_within_the_range_of_a_trace_makes_it_stale(corrected):
    assert states_of(corrected, grid(1, 3)) == {1: "stale", 3: "missing"}
    assert why(corrected, grid(1)) == "the registered prices differ from those that it saw"


def test_prices_outside_the_range_of_a_trace_do_not_matter_to_it(corrected):
    assert states_of(corrected, grid(1, 4)) == {1: "stale", 4: "missing"}
    assert states_of(corrected, grid(1, 4), bars=(20, 49)) == {1: "stale", 4: "done"}


@pytest.mark.parametrize("column", ["high", "volume"])
def test_another_value_of_any_column_within_the_range_makes_a_trace_stale(made, tmp_path, column):
    catalog = copied(made, tmp_path)
    values = TABLE[column].to_numpy().astype(float)
    values[7] += 1.0
    number = TABLE.column_names.index(column)
    add_prices(catalog, TABLE.set_column(number, column, pa.array(values)))

    assert states_of(catalog, grid(1, 4, 9)) == {1: "stale", 4: "missing", 9: "done"}
    assert why(catalog, grid(1)) == "columns beside the close differ from those that it saw"
    # That bar is none of these.
    assert states_of(catalog, grid(1, 4), bars=(20, 49)) == {1: "stale", 4: "done"}
    assert catalog.run_sweep(grid(1), positions, workers=1).computed == 1
    assert states_of(catalog, grid(1)) == {1: "done"}


def test_prices_that_lack_the_bars_of_a_trace_make_it_stale(catalog):
    add_prices(catalog, TABLE.slice(5))

    assert why(catalog, grid(1)) == "the registered prices lack its first or its last bar"


def test_a_given_range_must_be_covered(made):
    day = TABLE["timestamp"][25].as_py().date()

    assert states_of(made, grid(1), start=day, end=day) == {1: "done"}
    assert states_of(made, grid(1), bars=(0, 49)) == {1: "done"}


def test_a_trace_of_another_range_than_the_given_one_is_as_good_as_missing(made):
    assert states_of(made, grid(4), bars=(10, 29)) == {4: "missing"}
    assert "only other ranges are there" in (why(made, grid(4), bars=(10, 29)) or "")
    assert states_of(made, grid(4), bars=(30, 39)) == {4: "done"}


def test_other_code_makes_a_trace_stale_where_the_code_is_named(catalog, tmp_path, monkeypatch):
    module = tmp_path / "my_code_for_states.py"
    text = "SIZE = 1.0\n\ndef positions(config, bars):\n    return [SIZE] * len(bars)\n"
    module.write_text(text)
    monkeypatch.chdir(tmp_path)
    code = "my_code_for_states:positions"
    catalog.run_sweep(grid(3), code, workers=1)
    before = states_of(catalog, grid(1, 3), strategy=code)

    module.write_text(text.replace("SIZE = 1.0", "SIZE = 0.25"))

    assert before == {1: "stale", 3: "done"}
    assert states_of(catalog, grid(1, 3), strategy=code) == {1: "stale", 3: "stale"}
    assert why(catalog, grid(3), strategy=code) == "the code of its strategy has changed"
    assert states_of(catalog, grid(1, 3), strategy={"other": code}) == {1: "done", 3: "done"}


def test_what_nobody_knows_of_a_trace_is_said_and_not_held_against_it(made):
    status = made.sweep_status(grid(1, 9), strategy=positions)

    assert status["done"] == 2
    assert status.notes == {
        "it does not say which prices it saw": 1,
        "it does not say which code it was made with": 1,
    }


def test_what_nobody_knows_of_a_trace_that_is_behind_is_said_as_well(grown):
    status = grown.sweep_status(grid(1, 9))

    assert status["behind"] == 2
    assert status.notes == {"it does not say which prices it saw": 1}
    assert (why(grown, grid(9)) or "").endswith("; it does not say which prices it saw")


def test_a_trial_over_a_few_bars_computes_nothing_of_all_prices(catalog):
    catalog.run_sweep(grid(5), positions, bars=(0, 24), workers=1)

    assert states_of(catalog, grid(5)) == {5: "missing"}
    assert why(catalog, grid(5)) == "only bars 0 to 24 of 50 are computed"
    assert catalog.run_sweep(grid(5), positions, workers=1).computed == 1
    assert states_of(catalog, grid(5)) == {5: "done"}


def test_what_reaches_as_far_as_the_prices_once_did_is_behind_however_often_they_grow(
    grown, tmp_path
):
    catalog = copied(grown, tmp_path)
    catalog.run_sweep(grid(5), positions, workers=1)
    catalog.run_sweep(grid(6), positions, bars=(0, 54), workers=1)
    add_prices(catalog, pa.concat_tables([appended(), price_table(7, per_session=10).slice(60)]))

    assert states_of(catalog, grid(1, 5, 6)) == {1: "behind", 5: "behind", 6: "missing"}
    # What failed to the end of then is as good as failed.
    assert states_of(catalog, grid(13)) == {13: "failed"}


def test_a_trace_whose_file_is_gone_is_missing(catalog):
    query = "select trace_path from strategy_index where param_lookback = 1"
    ((path,),) = catalog.sql(query).fetchall()
    Path(path).unlink()
    catalog.register(catalog.path.parent / "runs")

    assert states_of(catalog, grid(1)) == {1: "missing"}
    assert why(catalog, grid(1)) == "the file of its trace is gone"


def test_a_component_with_other_parameters_makes_a_composite_stale(catalog):
    def votes(period: int) -> Sweep:
        return Sweep.declare(
            strategies=[
                {"type": "rsi", "name": "fast", "params": {"period": period}},
                {"type": "vote", "params": {"threshold": [1, 2]}, "components": ["fast"]},
            ],
            symbols="SPY",
            timeframes="1m",
        )

    catalog.run_sweep(votes(7), positions, workers=1)
    assert catalog.sweep_status(votes(7))["done"] == 3

    status = catalog.sweep_status(votes(14))

    counts = {one.strategy_type: (one.stale, one.missing) for one in status.counts}
    assert counts == {"rsi": (0, 1), "vote": (2, 0)}
    tables = list(catalog.sweep_missing(votes(14), states=["stale"]))
    assert tables[0]["why"][0].as_py() == "its component rsi has changed: period 7 → 14"


def test_a_failure_counts_where_it_happened_until_there_is_a_newer_trace(grown, tmp_path):
    assert states_of(grown, grid(1, 13)) == {1: "behind", 13: "failed"}
    assert (why(grown, grid(13)) or "").startswith("ValueError: unlucky (strategies_to_sweep.py:")
    # What failed on other bars did not fail on these.
    assert states_of(grown, grid(13), bars=(50, 59)) == {13: "missing"}

    catalog = copied(grown, tmp_path)
    trace_by_hand(catalog, 13, bars=60)

    assert states_of(catalog, grid(13)) == {13: "done"}


def test_a_failure_counts_where_it_covers_the_range_and_no_trace_of_another_undoes_it(catalog):
    def only_short(config, bars):
        if len(bars) > 10:
            raise ValueError("too long")
        return [1.0] * len(bars)

    def never(config, bars):
        raise ValueError("never")

    catalog.run_sweep(grid(5), only_short, bars=(20, 49), workers=1)
    catalog.run_sweep(grid(5), only_short, bars=(0, 9), workers=1)
    catalog.run_sweep(grid(6), never, bars=(3, 4), workers=1)

    assert states_of(catalog, grid(5, 6), bars=(20, 49)) == {5: "failed", 6: "missing"}
    assert states_of(catalog, grid(5, 6), bars=(25, 30)) == {5: "failed", 6: "missing"}
    assert states_of(catalog, grid(5, 6), bars=(0, 9)) == {5: "done", 6: "missing"}
    assert states_of(catalog, grid(5, 6)) == {5: "missing", 6: "missing"}
    assert states_of(catalog, grid(6), bars=(3, 4)) == {6: "failed"}


# --- In a loop, and by symbol ------------------------------------------------------------------


def test_missing_returns_what_is_not_computed_as_it_was_given_and_in_order(made):
    configs = [
        {"type": "trend", "parameters": {"lookback": n}} for n in (5, 1, 3, 2, 5.0)
    ] + [Strategy("trend", {"lookback": 6}), Strategy("trend", {"lookback": 2.0})]  # fmt: skip

    found = made.missing(configs, symbol="SPY", timeframe="1min")

    assert [one is configs[place] for one, place in zip(found, (0, 2, 5), strict=True)] == [
        True
    ] * 3
    assert made.missing(grid(1, 6, 4, 9), symbol="SPY", timeframe="1m") == [
        {"type": "trend", "parameters": {"lookback": n}} for n in (6, 4)
    ]
    assert len(made.missing(configs, symbol="SPY", timeframe="1m", kind="classifier")) == 5
    assert made.missing(iter(configs), symbol="SPY", timeframe="1m", states=["done"]) == [
        configs[1], configs[3],
    ]  # fmt: skip


def test_a_catalog_that_is_not_there_yet_lacks_everything(tmp_path):
    catalog = Catalog(tmp_path / "none.duckdb")

    found = catalog.missing(
        [{"type": "a"}], symbol="SPY", timeframe="1d", start=date(2024, 1, 1), end="2024-02-01"
    )

    assert found == [{"type": "a"}]
    assert catalog.sweep_status(grid(1, 2), bars=(0, 9))["missing"] == 2


def test_every_symbol_and_timeframe_is_looked_at_by_itself(catalog):
    add_prices(catalog, TABLE, symbol="QQQ")

    status = catalog.sweep_status(grid(1, 3), symbols=["SPY", "QQQ_1m"])

    assert [(one.symbol, one.done, one.missing) for one in status.counts] == [
        ("SPY", 1, 1), ("QQQ", 0, 2),
    ]  # fmt: skip
    assert (status.total, status["missing"]) == (4, 3)
    assert status.table.to_pylist()[0]["strategy_type"] == "trend"


def test_without_prices_given_days_are_compared_with_those_of_the_traces(tmp_path):
    (tmp_path / "home").mkdir()
    catalog = Catalog(tmp_path / "home" / "catalog.duckdb")
    write_signals(
        tmp_path / "run",
        np.ones((50, 1)),
        configs=[{"type": "trend", "parameters": {"lookback": 1}}],
        strategy_ids=["t"],
        symbol="SPY",
        timeframe="1m",
        ts=TABLE["timestamp"].to_numpy(),
        prices=TABLE["close"].to_numpy(),
        catalog=catalog.path,
    )
    first, last = (TABLE["timestamp"][n].as_py().date() for n in (0, -1))

    assert states_of(catalog, grid(1), start=first, end=last) == {1: "done"}
    assert states_of(catalog, grid(1), start=first, end="2024-02-01") == {1: "missing"}
    assert states_of(catalog, grid(1), bars=(0, 49)) == {1: "done"}
    assert states_of(catalog, grid(1), bars=(0, 50)) == {1: "missing"}
    assert why(catalog, grid(1), bars=(0, 9)) == (
        "there are no registered prices to compare its own with"
    )


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"symbols": ["QQQ"]}, "no prices of QQQ 1m", "catalog prices add FILE --symbol QQQ"),
        ({"timeframes": ["soon"]}, "'soon' is no timeframe", "1m, 5m"),
        ({"start": "2030-01-01"}, "SPY 1m has no bars in that range", "another range"),
        ({"start": "2024-01-05", "end": "2024-01-02"}, "is after", "earlier one first"),
        ({"bars": (50, 60)}, "SPY 1m has no bars in that range", "another range"),
        ({"bars": (5, 4)}, "no bars from 5 to 4", "counted from 0"),
        ({"bars": (1, 2), "end": "2024-01-02"}, "not by both", None),
        ({"start": "noon"}, "noon knows no zone", "tzinfo"),
        ({"strategy": "strategies_to_sweep"}, "names no function", "module:function"),
        ({"strategy": "strategies_to_sweep:nothing"}, "There is no nothing", "module:function"),
        ({"strategy": "no_such_module:f"}, "There is no module no_such_module", "current folder"),
        ({"strategy": ["json:dumps", "json:loads"]}, "both for all strategies", "type=module"),
        ({"strategy": "json:__name__"}, "is no function", "module:function"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_what_to_do(made, options, message, hint):
    with pytest.raises(UsageError, match=message.replace("(", r"\(")) as caught:
        made.sweep_status(grid(1), **options)

    assert (hint is None) or hint in (caught.value.hint or "")


def test_a_sweep_that_says_no_symbol_or_timeframe_needs_one(made):
    silent = Sweep.declare(strategies={"type": "trend"})

    with pytest.raises(UsageError, match="says no symbols"):
        made.sweep_status(silent)
    with pytest.raises(UsageError, match="says no timeframes"):
        made.sweep_status(silent, symbols=["SPY"])
    with pytest.raises(SweepFileError, match="cannot be read"):
        made.sweep_status("no_such_file.yaml")
    with pytest.raises(UsageError, match="no list of states"):
        made.sweep_missing(grid(1), states=["gone"])
    with pytest.raises(UsageError, match="one configuration"):
        made.missing({"type": "a"}, symbol="SPY", timeframe="1m")
    with pytest.raises(UsageError, match="not a str"):
        made.missing(["a"], symbol="SPY", timeframe="1m")
