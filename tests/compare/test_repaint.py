"""The same configuration has the same signals where its ranges overlap, or it is listed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from catalog import Catalog, write_signals
from catalog.cli import main
from catalog.compare.overlap import Held, compare
from catalog.compare.repaint import ALL_PAIRS
from catalog.errors import QueryError
from conftest import SHARED, rows

CONFIG = {"type": "sma", "parameters": {"fast": 5}}
MINUTE = 60_000_000
OPEN = np.datetime64("2024-03-26T13:30", "us")
POSITIONS = st.sampled_from([-1.0, 0.0, 0.5, 1.0])


@pytest.fixture
def trace(catalog, tmp_path):
    """Write a trace of bars that begin at a minute of the market, numbered from `number`."""

    def write(
        run: str, values, *, minute: int = 0, number: int | None = None, timed: bool = True,
        config=CONFIG, symbol: str = "SPY", code: str | None = None,
    ):  # fmt: skip
        count = len(values)
        times = OPEN + (minute + np.arange(count)) * np.timedelta64(1, "m")
        (path,) = write_signals(
            tmp_path / "runs" / run,
            np.array(values, float).reshape(-1, 1),
            configs=[config],
            strategy_ids=["sma_5"],
            symbol=symbol,
            timeframe="1m",
            ts=times if timed else None,
            bar_index=np.arange(count) + (minute if number is None else number),
            code_digest=code,
            catalog=catalog.path,
        )
        return path

    return write


@pytest.fixture
def run(catalog):
    def run(*words):
        return CliRunner().invoke(main, ["repaint", *words, "--catalog", str(catalog.path)])

    return run


def held(values, *, minute: int = 0, number: int = 0, timed: bool = True) -> Held:
    """Return what a trace file keeps of a value a bar."""
    values = np.array(values)
    changed = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
    known = np.union1d(changed, [0, len(values) - 1]) if timed else changed[:0]
    return Held(
        changed + number, values[changed], number, number + len(values) - 1,
        known + number, (known + minute) * MINUTE,
    )  # fmt: skip


@given(
    a=st.lists(POSITIONS, min_size=1, max_size=30),
    b=st.lists(POSITIONS, min_size=1, max_size=30),
    later=st.integers(0, 35),
    numbers=st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_bars_of_the_same_time_are_compared_whatever_their_numbers(a, b, later, numbers):
    shared = min(len(a), len(b) + later) - later
    x, y = np.array(a[later : later + shared]), np.array(b[:shared])

    found = compare(held(a, number=numbers[0]), held(b, minute=later, number=numbers[1]))

    if found is None:
        assert shared <= 0
        return
    # Without a time that both know, there is no telling how many bars lie between two times.
    assert found.bars in (shared, None)
    differs = np.flatnonzero(x != y)
    assert (found.where is not None) == (len(differs) > 0)
    if len(differs):
        first = int(differs[0])
        assert found.values == (x[first], y[first])
        assert found.us == (later + first) * MINUTE or (found.us is None and found.bars)
        assert found.bars_differ in (len(differs), None)
        assert found.bar in (later + first + numbers[0], None)
        assert (found.where == "last bar only") == (first == shared - 1)


@given(
    a=st.lists(POSITIONS, min_size=1, max_size=30),
    b=st.lists(POSITIONS, min_size=1, max_size=30),
    later=st.integers(0, 35),
)
def test_bars_of_the_same_number_are_compared_where_times_are_unknown(a, b, later):
    shared = max(min(len(a), len(b) + later) - later, 0)
    differs = np.flatnonzero(np.array(a[later : later + shared]) != np.array(b[:shared]))

    found = compare(held(a, timed=False), held(b, minute=later, number=later))

    if not shared:
        assert found is None
    else:
        assert (found.aligned_by, found.bars) == ("bar_index", shared)
        assert found.bars_differ == len(differs)
        assert found.bar == (int(differs[0]) + later if len(differs) else None)


def test_a_longer_run_with_the_same_signals_agrees(catalog, trace, run):
    trace("short", [0, 1, 1, 0])
    trace("long", [0, 1, 1, 0, -1, -1])

    found = catalog.repaint()

    assert (found.pairs.num_rows, found.agree, found.differing.num_rows) == (1, 1, 0)
    (pair,) = found.pairs.to_pylist()
    assert (pair["shorter_run"], pair["longer_run"]) == ("short", "long")
    assert (pair["bars"], pair["bars_differ"], pair["aligned_by"]) == (4, 0, "ts")
    done = run()
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "compared   1 pair of traces on the bars they share\nagree      1 of 1\n"
    assert "short" in run("--all").stdout


def test_the_first_bar_that_differs_is_listed(catalog, trace, run):
    trace("short", [0, 0, 1, 1, 1, 1])
    trace("long", [0, 0, 1, -1, -1, 1, 0, 0])

    (pair,) = catalog.repaint().differing.to_pylist()

    assert pair["first_bar"] == 3
    assert pair["first_ts"] == datetime(2024, 3, 26, 13, 33, tzinfo=UTC)
    assert (pair["shorter_value"], pair["longer_value"]) == (1.0, -1.0)
    assert (pair["bars_differ"], pair["bars"], pair["where_differs"]) == (2, 6, "within")
    done = run("--format", "csv")
    assert done.exit_code == 3
    assert len(done.stdout.splitlines()) == 2
    assert "differ     1 pair: 1 within\n" in done.stderr
    assert run().exit_code == 3


def test_a_position_that_was_closed_at_the_end_is_told_as_such(catalog, trace):
    trace("short", [0, 1, 1, 0])
    trace("long", [0, 1, 1, 1, 1])

    (pair,) = catalog.repaint().differing.to_pylist()

    assert (pair["where_differs"], pair["first_bar"]) == ("last bar only", 3)


@pytest.mark.parametrize("number", [2, 0])
def test_a_difference_while_a_later_range_warms_up_is_told_as_such(catalog, trace, number):
    trace("long", [0, 1, 1, 1, 1, 0, -1])
    trace("late", [0, 0, 1, 0, -1], minute=2, number=number)

    (pair,) = catalog.repaint().differing.to_pylist()

    assert (pair["where_differs"], pair["begins_together"]) == ("start", False)
    assert (pair["bars_differ"], pair["bars"], pair["first_bar"]) == (2, 5, number)
    assert pair["first_ts"] == datetime(2024, 3, 26, 13, 32, tzinfo=UTC)


def test_a_difference_that_comes_back_later_is_no_warm_up(catalog, trace):
    trace("long", [0, 1, 1, 1, 1, 0, -1])
    trace("late", [0, 1, 1, 1, -1], minute=2)

    (pair,) = catalog.repaint().differing.to_pylist()

    assert (pair["where_differs"], pair["bars_differ"]) == ("within", 2)


def test_ranges_of_other_times_are_no_pair_though_their_numbers_are_the_same(catalog, trace):
    trace("monday", [0, 1, 0, 1])
    trace("tuesday", [1, 0, 1, 0, 1], minute=1440, number=0)

    assert catalog.repaint().pairs.num_rows == 0


def test_traces_without_times_are_compared_by_number(catalog, trace):
    trace("short", [0, 1, 1], timed=False)
    trace("long", [0, 1, 0, 0, 1])

    (pair,) = catalog.repaint().differing.to_pylist()

    assert (pair["aligned_by"], pair["first_bar"]) == ("bar_index", 2)


def test_the_same_code_is_told_from_other_code(catalog, trace):
    trace("short", [0, 1, 1], code="a")
    trace("long", [0, 1, 0, 0], code="a")
    trace("longest", [0, 1, 0, 0, 1], code="b")

    pairs = catalog.repaint().pairs.to_pylist()

    same = {(pair["shorter_run"], pair["longer_run"]): pair["same_code"] for pair in pairs}
    assert same == {
        ("short", "long"): True,
        ("short", "longest"): False,
        ("long", "longest"): False,
    }


def test_copies_other_symbols_and_other_configurations_are_no_pairs(catalog, trace, run):
    trace("one", [0, 1, 0])
    trace("copy", [0, 1, 0])
    trace("other symbol", [0, 1, 1, 1], symbol="QQQ")
    trace("other parameters", [0, 1, 1, 1], config=CONFIG | {"parameters": {"fast": 6}})

    assert catalog.repaint().pairs.num_rows == 0
    done = run()
    assert done.exit_code == 0
    assert "0 pairs" in done.stderr


def test_other_signals_over_the_same_range_are_listed(catalog, trace):
    trace("one", [0, 1, 0, 0])
    trace("again", [0, 1, 1, 0])

    (pair,) = catalog.repaint().differing.to_pylist()

    assert (pair["where_differs"], pair["bars"], pair["bars_differ"]) == ("within", 4, 1)


def test_numbers_that_are_equal_make_the_same_configuration(catalog, trace):
    trace("whole", [0, 1, 0])
    trace("decimal", [0, 1, 1, 1], config=CONFIG | {"parameters": {"fast": 5.0}})

    assert catalog.repaint().differing.num_rows == 1


def test_unknown_configurations_have_no_pairs(catalog, write_run):
    catalog.register(write_run("a", {"x": [1, 0]}), write_run("b", {"x": [1, 0, 1]}))

    assert catalog.repaint().pairs.num_rows == 0


def test_many_traces_of_a_configuration_are_compared_with_the_longest(catalog, trace):
    count = ALL_PAIRS + 1
    for number in range(count):
        trace(f"run_{number}", [0, 1] * (number + 1))

    pairs = catalog.repaint().pairs.to_pylist()

    assert len(pairs) == count - 1
    assert {pair["longer_run"] for pair in pairs} == {f"run_{count - 1}"}


def test_a_condition_keeps_the_pairs_of_the_traces_that_meet_it(catalog, trace):
    for number, name in enumerate(("a", "b", "c")):
        trace(name, [0, 1] * (number + 1))

    pairs = catalog.repaint(where="run_id = 'a'").pairs.to_pylist()

    assert {(pair["shorter_run"], pair["longer_run"]) for pair in pairs} == {("a", "b"), ("a", "c")}
    with pytest.raises(QueryError):
        catalog.repaint(where="run_id = 'd'")


def test_a_file_that_cannot_be_read_is_told_and_the_rest_compared(catalog, trace, run):
    trace("short", [0, 1])
    trace("long", [0, 1, 1])
    gone = trace("longest", [0, 1, 1, 1])
    gone.unlink()

    found = catalog.repaint()

    assert found.pairs.num_rows == 1
    assert list(found.unread.values()) == ["its file is gone"]
    done = run()
    assert done.exit_code == 3
    assert "unread     1 trace: its file is gone" in done.stderr


def test_traces_in_packs_are_compared_too(catalog, trace):
    trace("short", [0, 1, 1, 1])
    trace("long", [0, 1, 0, 1, 1])
    before = catalog.repaint().pairs
    catalog.compact(delete_originals=True)

    assert catalog.repaint().pairs.equals(before)


def test_in_the_real_data_every_pair_agrees(tmp_path):
    if not SHARED.is_dir():
        pytest.skip("the real data is not beside this repository")
    catalog = Catalog(tmp_path / "catalog.duckdb")
    sweeps = sorted((SHARED / "data" / "sweeps").glob("*.yaml"))
    catalog.register(SHARED / "data" / "old_traces", sweeps=sweeps)

    found = catalog.repaint()

    kinds = Counter((pair["aligned_by"], pair["bars"]) for pair in found.pairs.to_pylist())
    assert kinds == {
        ("bar_index", 100): 4,
        ("bar_index", 1000): 4,
        ("ts", 50): 2,
        ("ts", 100): 156,
    }
    assert (found.agree, found.unread) == (166, {})
    # Row by row: the changes of the shorter trace are those of the longer one up to its end.
    changes: dict[str, dict[int, float]] = {}
    for trace_id, bar, value in rows(catalog, "select trace_id, bar_index, val from signals"):
        changes.setdefault(str(trace_id), {})[int(bar)] = float(value)
    for pair in found.pairs.to_pylist():
        longer = changes[pair["longer"]].items()
        cut = {bar: value for bar, value in longer if bar < pair["bars"]}
        assert changes.get(pair["shorter"], {}) == cut
