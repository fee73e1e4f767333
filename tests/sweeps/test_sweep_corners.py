"""Corners of sweeps: odd strategies, odd arguments, runs that begin at once, large sweeps."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies_to_sweep import positions

from catalog import Catalog, Sweep
from catalog.cli import main
from catalog.errors import UsageError
from catalog.store.journal import facts_in
from catalog.sweeps import composites, compute, failures, known
from catalog.sweeps import run as running
from catalog.sweeps.compute import Broken, Chunk, Job, id_of
from catalog.sweeps.conditions import parse_condition
from catalog.sweeps.grid import Grid
from catalog.sweeps.members import key_batches
from catalog.sweeps.names import StrategyNames, _starts_that_are_shared
from catalog.sweeps.places import Wanted, make_place
from markets import add_prices, copied, price_table

TABLE = price_table(3, per_session=10)


def grid(*lookbacks, **said) -> Sweep:
    return Sweep.declare(
        name="trends",
        strategies={"type": "trend", "params": {"lookback": list(lookbacks)}},
        symbols="SPY",
        timeframes="1m",
        **said,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Catalog:
    """A catalog of prices."""
    home = tmp_path_factory.mktemp("corners") / "home"
    home.mkdir()
    catalog = Catalog(home / "catalog.duckdb")
    add_prices(catalog, TABLE)
    return catalog


@pytest.fixture
def catalog(made, tmp_path) -> Catalog:
    return copied(made, tmp_path)


# --- Runs --------------------------------------------------------------------------------------


def test_runs_that_begin_in_the_same_second_have_folders_of_their_own(tmp_path):
    together, found = threading.Barrier(8), []

    def claim():
        together.wait()
        found.append(running._new_folder(tmp_path / "runs", "trends", make=True))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 8
    assert all(folder.is_dir() for folder in found)


def test_a_run_registers_only_what_earlier_runs_of_the_sweep_left(catalog, monkeypatch):
    monkeypatch.setattr(compute, "register_finalized", lambda catalog, paths: True)
    folder = catalog.run_sweep(grid(1), positions, workers=1).run_directory
    monkeypatch.undo()
    folder.rename(folder.parent / "trends_discarded")

    run = catalog.run_sweep(grid(1), positions, workers=1)

    assert (run.recovered, run.computed) == (0, 1)


def test_a_run_of_which_nothing_comes_leaves_no_folder(catalog):
    run = catalog.run_sweep(grid(13), positions, workers=1)

    assert (run.computed, run.failed) == (0, 1)
    assert not run.run_directory.exists()


def test_a_run_says_of_itself_what_was_swept_on_which_prices(catalog):
    run = catalog.run_sweep(grid(1, 2, 13), positions, workers=1, bars=(3, 29))

    said = json.loads((run.run_directory / "metadata.json").read_text())
    assert said["run_id"] == run.run_directory.name
    assert (said["sweep"]["name"], said["total_bars"]) == ("trends", 27)
    (series,) = said["data_source"]["series"]
    assert (series["symbol"], series["first_bar"], series["last_bar"]) == ("SPY", 3, 29)
    ((run_id, created, source, bars),) = catalog.sql(
        "select run_id, created_at, data_source, total_bars from runs"
    ).fetchall()
    assert (run_id, created.isoformat()[:19], bars) == (said["run_id"], said["timestamp"][:19], 27)
    assert json.loads(source) == said["data_source"]


# --- Strategies that go wrong ------------------------------------------------------------------


class SilentError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


def odd(config, bars):
    """Raise what is hard to tell."""
    if config["parameters"]["lookback"] == 1:
        raise SilentError
    raise ValueError("half \ud800\nof it")


def test_an_error_that_cannot_be_told_or_printed_is_recorded_as_well_as_it_can(catalog):
    run = catalog.run_sweep(grid(1, 2), odd, workers=1)

    (table,) = catalog.sweep_missing(grid(1, 2))
    said = [why.partition(" (")[0] for why in table["why"].to_pylist()]
    assert run.failed == 2
    assert said == ["SilentError", "ValueError: half ? of it"]
    assert run.errors["SPY_trend_2"].startswith("ValueError: half ? of it")


def test_half_a_character_that_an_older_version_recorded_is_printed(catalog):
    catalog.run_sweep(grid(2), odd, workers=1)
    path = catalog.path.with_suffix(".d") / "failures.jsonl"
    path.write_text(path.read_text().replace("half ? of it", r"half \ud800\nof it"))

    (table,) = catalog.sweep_missing(grid(2))

    assert table["why"][0].as_py().startswith("ValueError: half ? of it")


def test_a_chunk_that_breaks_is_told_apart_from_a_process_that_cannot_compute(monkeypatch):
    from catalog.sweeps import worker

    class Breaking:
        def compute(self, chunk):
            raise MemoryError("all of it")

    assert worker._computed(Breaking(), None) == Broken("MemoryError: all of it")


def test_what_ended_its_process_has_the_name_that_its_trace_would_have(catalog):
    sweep = grid(1, 2)
    places = tuple(make_place("SPY", one, Wanted(bars=(0, 9)), None) for one in ("1m", "5m"))
    job = Job(catalog.path, sweep, places, (), StrategyNames(sweep, places), Path("run"))

    assert id_of(job, Chunk(1, 0, np.array([1])), 1) == "SPY_5m_trend_2"


# --- Conditions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [("(p or 5) > 3", 0), ("(p and 2) == 2", 7), ("(p and 2) == 0", 0), ("p in {1, 2}", 2)],
)
def test_and_and_or_give_the_value_that_decides_as_in_python(text, value):
    assert parse_condition(text, ["p"]).holds((value,)) is True


@pytest.mark.parametrize("text", ["p == {1, 2}", "{1} < {p}", "p in [{1}]"])
def test_a_set_is_only_something_to_look_in(text):
    with pytest.raises(ValueError, match="nothing that a condition may say"):
        parse_condition(text, ["p"])


def test_a_condition_on_what_does_not_count_keeps_the_configurations_that_meet_it():
    sweep = Sweep.declare(
        strategies={
            "type": "t",
            "params": {"_mode": [1, 2], "p": [5, 6, 5.0]},
            "where": "_mode == 2",
        }
    )

    ((_, numbers, keys),) = key_batches(sweep.grids)

    assert len(set(keys)) == len(keys) == 2
    assert numbers.tolist() == [3, 4]


# --- Arguments ---------------------------------------------------------------------------------


def test_a_range_of_bars_may_be_a_list_and_must_be_two_numbers(catalog):
    assert catalog.run_sweep(grid(1), positions, bars=[0, np.int64(9)], workers=1).computed == 1
    assert catalog.sweep_status(grid(1), bars=[0, 9])["done"] == 1
    for bars in ([0], ("0", "9"), 5, (0, 9.5)):
        with pytest.raises(UsageError, match="are no bars"):
            catalog.sweep_status(grid(1), bars=bars)


def test_one_symbol_or_timeframe_may_be_a_text(made):
    silent = Sweep.declare(strategies={"type": "trend"})

    assert made.sweep_status(silent, symbols="SPY", timeframes="1m").total == 1
    with pytest.raises(UsageError, match="A symbol is a text, and not 5"):
        made.missing([{"type": "a"}], symbol=5, timeframe="1m")
    with pytest.raises(UsageError, match="A timeframe is a text, and not 5"):
        made.sweep_status(silent, symbols=["SPY"], timeframes=[5])


# --- What is printed ---------------------------------------------------------------------------


@pytest.fixture
def sweep(catalog, monkeypatch):
    (catalog.path.parent / "grid.yaml").write_text(
        "name: trends\nsymbols: [SPY]\ntimeframes: [1m]\n"
        "strategies:\n  - {type: trend, params: {lookback: [1, 2, 3]}}\n"
    )
    monkeypatch.chdir(catalog.path.parent)
    return lambda *words: CliRunner().invoke(main, ["sweep", *words])


def test_what_is_behind_and_what_has_other_ranges_is_said_with_what_to_do(catalog, sweep):
    catalog.run_sweep(grid(1), positions, workers=1)
    day = price_table(4, per_session=10).slice(30)
    add_prices(catalog, pa.concat_tables([TABLE, day]))
    catalog.run_sweep(grid(2), positions, bars=(0, 4), workers=1)

    status, missing = sweep("status", "grid.yaml"), sweep("missing", "grid.yaml")

    for result in (status, missing):
        assert (
            "behind     1: computed before prices were appended; catalog sweep run grid.yaml "
            in (result.stderr)
        )
        assert "--behind --strategy module:function computes them" in result.stderr
    assert "1 have traces over other ranges: --bars, or --from and --to" in missing.stderr


@pytest.mark.parametrize(
    ("words", "is_said"),
    [
        (["--bars", "0:1000000"], True),
        (["--to", "2030-01-01"], True),
        (["--from", "2000-01-01"], True),
        (["--bars", "3:29"], False),
        (["--from", "2024-01-02", "--to", "2024-01-04"], False),
    ],
)
def test_a_range_that_goes_beyond_the_prices_is_cut_and_that_is_said(sweep, words, is_said):
    result = sweep("status", "grid.yaml", *words)

    assert result.exit_code == 0, result.output
    assert ("SPY 1m: the range " in result.stderr) is is_said


# --- Large ones --------------------------------------------------------------------------------


def failed_over_and_over(catalog: Catalog, times: int) -> Path:
    catalog.run_sweep(grid(2, 13), positions, workers=1)
    path = catalog.path.with_suffix(".d") / "failures.jsonl"
    (line,) = path.read_text().splitlines()
    path.write_text(f"{line}\n" * times + "half a li")
    return path


def test_failures_that_happened_again_since_are_read_once_and_dropped_with_the_next_run(
    catalog, monkeypatch
):
    path = failed_over_and_over(catalog, 3_000)
    parsed = []
    monkeypatch.setattr(failures, "facts_in", lambda lines: parsed.extend(lines) or facts_in(lines))

    before = catalog.sweep_status(grid(2, 13))
    run = catalog.run_sweep(grid(2, 13), positions, workers=1)

    assert len(parsed) < 10
    assert (before["done"], before["failed"], run.failed) == (1, 1, 1)
    assert len(path.read_text().splitlines()) < 10
    assert catalog.sweep_status(grid(2, 13))["failed"] == 1


def test_a_failure_that_is_added_while_the_others_are_written_anew_is_kept(catalog):
    path = failed_over_and_over(catalog, 2_000)
    one = failures.Failure("k", "signal", "SPY", "1m", 0, 1, 2, "why", "run", "id")

    def add():
        for number in range(50):
            failures.record_failures(catalog.path, [replace(one, config_key=str(number))])

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        failures.drop_superseded(catalog.path)
    for thread in threads:
        thread.join()

    keys = [fact["config_key"] for fact in facts_in(path.read_bytes().splitlines())]
    assert {str(number) for number in range(50)} <= set(keys)


def test_entries_are_looked_up_together_and_come_out_as_they_are(catalog, monkeypatch):
    sweep = Sweep.declare(
        strategies=[
            {"type": "trend", "name": f"t{n}", "params": {"lookback": [n, n + 1]}}
            for n in range(1, 9)
        ],
        classifiers=[{"type": "trend", "params": {"lookback": [3]}}],
        symbols="SPY",
        timeframes="1m",
    )
    catalog.run_sweep(grid(2, 3, 7), positions, workers=1)
    asked = []
    look_up = known.Known.look_up
    monkeypatch.setattr(
        known.Known, "look_up", lambda own, keys: asked.append(len(keys)) or look_up(own, keys)
    )

    tables = list(catalog.sweep_missing(sweep, states=["done"]))

    found = [name for table in tables for name in table["strategy_id"].to_pylist()]
    assert found == ["SPY_t1_2", "SPY_t2_3", "SPY_t6_7"]
    assert asked == [9, 1]


def test_composites_are_made_only_where_some_were_traced_and_once_for_all_places(monkeypatch):
    sweep = Sweep.declare(
        strategies=[
            {"type": "rsi", "name": "fast", "params": {"period": 7}},
            {"type": "vote", "params": {"threshold": [1, 2]}, "components": ["fast"]},
        ]
    )
    found = composites.Composites(sweep.grids)
    made = []
    member = Grid.member
    monkeypatch.setattr(Grid, "member", lambda *given: made.append(given) or member(*given))
    config = {"type": "vote", "parameters": {"threshold": 1}}

    assert found.changed([]) == {}
    assert made == []
    for _ in range(3):
        found.changed([("other", json.dumps(config))])
    assert len(made) == 2


@given(names=st.lists(st.text("ab_", min_size=1, max_size=6), min_size=1, max_size=6))
@settings(max_examples=100)
def test_names_that_begin_with_another_are_found(names):
    grids = [Grid("signal", "t", name, ()) for name in names]

    shared = _starts_that_are_shared(grids)

    starts = [f"{name}_" for name in names]
    assert shared == {
        one
        for place, one in enumerate(starts)
        for other_place, other in enumerate(starts)
        if place != other_place and (one.startswith(other) or other.startswith(one))
    }
