"""Running what of a sweep is missing: over processes, resumable, whatever strategies do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from strategies_to_sweep import positions, states

from catalog import Catalog, Sweep
from catalog.errors import UsageError
from catalog.sweeps.compute import Chunk, Done
from catalog.sweeps.crew import MOST_TOGETHER, Chunks
from catalog.sweeps.names import StrategyNames
from catalog.sweeps.places import Wanted, make_place
from markets import add_prices, copied, price_table

HERE = Path(__file__).resolve().parent
TABLE = price_table(5, per_session=10)
GRID = """
name: trends
symbols: [SPY]
timeframes: [1m]
strategies:
  - {{type: trend, params: {{lookback: {lookbacks}}}}}
"""


def grid(*lookbacks, **said) -> Sweep:
    return Sweep.declare(
        name="trends",
        strategies={"type": "trend", "params": {"lookback": list(lookbacks)}, **said},
        symbols="SPY",
        timeframes="1m",
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Catalog:
    """A catalog of prices."""
    home = tmp_path_factory.mktemp("runs") / "home"
    home.mkdir()
    catalog = Catalog(home / "catalog.duckdb")
    add_prices(catalog, TABLE)
    return catalog


@pytest.fixture
def catalog(made, tmp_path) -> Catalog:
    return copied(made, tmp_path)


def test_traces_hold_what_the_function_returned_and_say_what_it_saw(catalog):
    run = catalog.run_sweep(grid(2, {"from": 1}), positions, workers=1)

    assert (run.computed, run.failed, run.wanted["missing"]) == (1, 1, 2)
    ((signals, digest, first, last),) = catalog.sql(
        "select (select list(val order by bar_index) from signals), data_digest, first_bar, "
        "last_bar from trace_files"
    ).fetchall()
    close = TABLE["close"].to_numpy()
    dense = np.append([0.0, 0.0], np.where(close[2:] > close[:-2], 1.0, -1.0))
    changes = dense[np.flatnonzero(np.diff(dense, prepend=np.nan) != 0)]
    assert (signals, first, last) == (changes.tolist(), 0, 49)
    # The metrics of the prices agree that it was made on them.
    assert digest and catalog.metrics().measured == 1


def test_what_is_done_is_not_computed_again_and_no_file_is_written_over(catalog):
    first = catalog.run_sweep(grid(1, 2), positions, workers=1)
    before = {path: path.stat().st_mtime_ns for path in first.run_directory.rglob("*.parquet")}

    again = catalog.run_sweep(grid(1, 2, 3), positions, workers=1)
    nothing = catalog.run_sweep(grid(1, 2, 3), positions, workers=1)

    assert (again.total, again.computed, nothing.total) == (1, 1, 0)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(before) == 2
    assert not nothing.run_directory.exists()


def test_a_strategy_that_goes_wrong_is_recorded_and_stops_no_other(catalog):
    run = catalog.run_sweep(grid(1, 13, 14, 15, 16, 17, 2), positions, workers=1)

    assert (run.computed, run.failed) == (2, 5)
    said = {name.removeprefix("SPY_trend_"): text for name, text in run.errors.items()}
    assert said.pop("13").startswith("ValueError: unlucky (strategies_to_sweep.py:")
    assert said.pop("17").startswith("SystemExit: enough (strategies_to_sweep.py:")
    assert said == {
        "14": "it returned a ndarray of shape (49,), and not a number for each of 50 bars",
        "15": "it returned nan for bar 0 of 50: 0 is no position",
        "16": "it returned nothing, and not a number for each of 50 bars",
    }
    assert catalog.sweep_status(grid(1, 13, 2))["failed"] == 1
    assert catalog.run_sweep(grid(13), positions, workers=1, states=["missing"]).total == 0


def test_classifiers_are_swept_as_well(catalog):
    level = float(np.median(TABLE["close"].to_numpy()))
    sweep = Sweep.declare(
        classifiers={"type": "height", "params": {"level": [level, -1.0]}},
        symbols="SPY",
        timeframes="1m",
    )

    run = catalog.run_sweep(sweep, {"height": states}, workers=1)

    assert run.computed == 2
    assert catalog.sweep_status(sweep)["done"] == 2
    found = catalog.sql("select distinct val from classifications order by all").fetchall()
    assert found == [("high",), ("low",)]


def test_processes_share_the_work_and_one_that_is_ended_by_a_strategy_is_replaced(
    catalog, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    seen = []

    run = catalog.run_sweep(
        grid(*range(1, 5), 13, 18),
        "strategies_to_sweep:positions",
        workers=2,
        progress=lambda done, total: seen.append((done, total)),
    )

    assert (run.computed, run.failed, run.interrupted) == (4, 2, False)
    assert run.errors["SPY_trend_18"] == "it ended the process that computed it"
    assert catalog.sweep_status(grid(*range(1, 5), 13, 18))["failed"] == 2
    assert seen[0] == (0, 6)
    assert seen[-1] == (6, 6)


@pytest.fixture
def sweeping(catalog, tmp_path):
    """Start `catalog sweep run` in a process of its own; a line is left for what is computed."""
    (tmp_path / "grid.yaml").write_text(GRID.format(lookbacks="{from: 1, to: 9, step: 0.2}"))
    counted = tmp_path / "counted"
    counted.touch()
    started: list[subprocess.Popen[bytes]] = []

    def start(workers: int) -> subprocess.Popen[bytes]:
        command = [
            *(sys.executable, "-m", "catalog", "sweep", "run", "grid.yaml"),
            *("--workers", str(workers)),
            *("--strategy", "strategies_to_sweep:whole_and_counted"),
            *("--catalog", str(catalog.path)),
        ]
        environment = {**os.environ, "PYTHONPATH": str(HERE), "COUNTED": str(counted)}
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, start_new_session=True
        )
        started.append(process)
        return process

    def computed() -> list[str]:
        return counted.read_text().split()

    yield start, computed
    for process in started:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def wait_for(what, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.02)


def test_a_run_that_is_killed_goes_on_and_computes_nothing_twice_but_what_was_in_flight(
    sweeping, catalog
):
    start, computed = sweeping
    killed = start(2)
    wait_for(lambda: len(computed()) >= 26)
    registered = set(_registered(catalog))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    # Its processes notice, and end.
    wait_for(lambda: not _alive(killed.pid))
    before = computed()

    again = start(1)
    _, said = again.communicate()

    assert again.returncode == 0, said.decode()
    assert catalog.sweep_status(_grid_of_41())["done"] == 41
    twice = {one for one in computed() if computed().count(one) > 1}
    assert twice <= set(before) - registered
    assert len(set(computed())) == 41


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_ctrl_c_leaves_what_is_done_and_says_how_to_go_on(sweeping, catalog, workers):
    start, computed = sweeping
    process = start(workers)
    wait_for(lambda: len(computed()) >= 3)

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 1, said.decode()
    assert "run the command again to go on" in said.decode()
    done = catalog.sweep_status(_grid_of_41())["done"]
    # What was begun was finished, and registered.
    assert 3 <= done == len(computed()) < 41


def _grid_of_41() -> Sweep:
    return grid(*(round(1 + 0.2 * n, 1) for n in range(41)))


def _registered(catalog: Catalog) -> list[str]:
    rows = catalog.sql("select strategy_id from trace_files").fetchall()
    return [name.rpartition("_")[2] for (name,) in rows]


def _alive(session: int) -> list[int]:
    """Return the processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def test_traces_that_an_earlier_run_wrote_and_did_not_register_are_taken_in(catalog, monkeypatch):
    from catalog.sweeps import compute

    monkeypatch.setattr(compute, "register_finalized", lambda catalog, paths: True)
    catalog.run_sweep(grid(1, 2), positions, workers=1)
    monkeypatch.undo()
    assert catalog.sweep_status(grid(1, 2))["done"] == 0

    run = catalog.run_sweep(grid(1, 2, 3), positions, workers=1)

    assert (run.recovered, run.computed) == (2, 1)


@pytest.mark.parametrize(
    ("strategy", "options", "message"),
    [
        ({"other": positions}, {"workers": 1}, "no function for the strategy type trend"),
        (lambda config, bars: 0, {"workers": 2}, "Other processes cannot import"),
        (positions, {"workers": 0}, "cannot be 0 workers"),
        (positions, {"symbols": ["QQQ"]}, "no prices of QQQ 1m"),
        (positions, {"symbols": ["QQQ"], "bars": (0, 9)}, "no prices of QQQ 1m"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_computed(made, strategy, options, message):
    with pytest.raises(UsageError, match=message):
        made.run_sweep(grid(1, 2), strategy, **options)

    assert not (made.path.parent / "runs").exists()


def test_chunks_are_all_there_is_once_and_what_is_given_back_comes_again():
    tasks = [Chunk(0, 0, np.arange(2_000)), Chunk(1, 0, np.arange(3))]
    chunks, taken = Chunks(tasks, 2), []
    given_back = False
    while (chunk := chunks.take()) is not None:
        if not given_back:
            chunks.give_back(chunk, Done(left=chunk.numbers[10:]))
            chunk, given_back = Chunk(chunk.place, chunk.grid, chunk.numbers[:10]), True
        assert 0 < len(chunk.numbers) <= MOST_TOGETHER
        taken += [(chunk.place, int(number)) for number in chunk.numbers]

    assert sorted(taken) == [(0, n) for n in range(2_000)] + [(1, n) for n in range(3)]


@pytest.mark.parametrize(
    ("grids", "symbols", "timeframes", "names"),
    [
        ([("sma", [5, 2.5])], ["SPY"], ["1m"], ["SPY_sma_5", "SPY_sma_2.5"]),
        ([("sma", [5])], ["SPY"], ["1m", "5m"], ["SPY_1m_sma_5", "SPY_5m_sma_5"]),
        ([("sma", [1, "1"])], ["SPY"], ["1m"], ["SPY_sma_1_HASH", "SPY_sma_1_HASH"]),
        ([("a", ["5_x"]), ("a_5", ["x"])], ["S"], ["1m"], ["S_a_5_x_HASH", "S_a_5_x_HASH"]),
        ([("sma", ["a/b"])], ["BTC/USD"], ["1m"], ["BTC-USD_sma_a-b_HASH"]),
    ],
)
def test_names_are_the_usual_ones_where_these_tell_apart_and_can_name_files(
    grids, symbols, timeframes, names
):
    sweep = Sweep.declare(
        strategies=[{"type": "t", "name": n, "params": {"p": values}} for n, values in grids]
    )
    places = [
        make_place(symbol, timeframe, Wanted(bars=(0, 9)), None)
        for symbol in symbols
        for timeframe in timeframes
    ]

    made = StrategyNames(sweep, places)

    found = [
        made.name(place, number, strategy.strategy_id, "HASH")
        for number, one in enumerate(sweep.grids)
        for strategy in one.expand(None)
        for place in places
    ]
    assert found == names


def test_the_function_of_a_script_needs_no_module_in_one_process(catalog):
    def here(config, bars):
        return [0.5] * len(bars)

    assert catalog.run_sweep(grid(1), here, workers=1).computed == 1
