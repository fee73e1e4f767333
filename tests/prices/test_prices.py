"""Price series in a catalog: added, replaced, listed, read, and whole whoever is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from catalog import Catalog, write_signals
from catalog.cli import main
from catalog.errors import CatalogError, PriceFileError, QueryError, StoreError
from catalog.prices.series import PriceSeries, load_series
from catalog.store.database import reading, writing
from conftest import rows

NEW_YORK = "America/New_York"


def frame(first: str = "2024-03-26 13:30", bars: int = 60, seed: int = 1) -> pd.DataFrame:
    """Return bars of one minute that walk around 100."""
    steps = np.random.default_rng(seed).normal(0, 0.1, bars)
    close = np.round(100 + np.cumsum(steps), 2)
    times = pd.date_range(first, periods=bars, freq="min", tz="UTC", unit="us", name="ts")
    columns = {"open": close - 0.01, "high": close + 1, "low": close - 1, "close": close}
    return pd.DataFrame(columns | {"volume": np.arange(bars) + 1.0}, index=times)


def add(catalog: Catalog, source: object, **options: object):
    options = {"symbol": "SPY", "timeframe": "1m", "tz": NEW_YORK} | options
    return catalog.add_prices(source, **options)


def load(catalog: Catalog) -> dict[tuple[str, str], PriceSeries]:
    with reading(catalog.path) as con:
        return load_series(con, catalog.path)


def files(catalog: Catalog) -> list[str]:
    return sorted(os.listdir(catalog.path.with_suffix(".d") / "prices"))


@pytest.fixture
def run(catalog):
    def run(*words):
        words = [str(word) for word in words]
        return CliRunner().invoke(main, ["prices", *words, "--catalog", str(catalog.path)])

    return run


def test_bars_are_asked_in_sql(catalog):
    add(catalog, frame(), adjustment="splits")

    query = """
        select
            bar_index, session_date::text, session, open, close, volume,
            epoch_us(known_at - ts), ts_local::text
        from bars order by bar_index limit 1
    """
    ((bar, day, session, opened, close, volume, length, local),) = rows(catalog, query)

    assert (bar, day, session, local) == (0, "2024-03-26", "regular", "2024-03-26 09:30:00")
    assert (opened, close, volume) == (close - 0.01, frame().close.iloc[0], 1.0)
    assert length == 60_000_000
    query = "select symbol, timeframe, bar_count, adjustment, bar_label from price_series"
    assert rows(catalog, query) == [("SPY", "1m", 60, "splits", "open")]
    ((path,),) = rows(catalog, "select path from price_series")
    assert rows(catalog, f"select count(*) from read_parquet('{path}')") == [(60,)]


def test_a_catalog_without_prices_has_empty_tables(catalog, tmp_path):
    (tmp_path / "empty").mkdir()
    catalog.register(tmp_path / "empty")

    assert rows(catalog, "from bars") == []
    assert rows(catalog, "from price_series") == []
    assert load(catalog) == {}
    before = catalog.sql("describe bars").fetchall()
    add(catalog, frame())
    assert catalog.sql("describe bars").fetchall() == before


def test_a_series_is_loaded_as_arrays(catalog):
    prices = pd.concat([frame(), frame("2024-03-27 13:30")])
    prices.iloc[5, prices.columns.get_loc("close")] = np.nan
    added = add(catalog, prices)

    series = load(catalog)["SPY", "1m"]

    assert series.ts.tolist() == (prices.index.astype("int64")).tolist()
    assert np.all(series.known_at - series.ts == 60_000_000)
    np.testing.assert_array_equal(series.close, prices.close)
    np.testing.assert_array_equal(series.open, prices.open)
    assert series.session.tolist() == [0] * 60 + [1] * 60
    assert series.session_dates.astype(str).tolist() == ["2024-03-26", "2024-03-27"]
    assert (series.sessions_per_year, series.bars_per_year) == (252.0, 252.0 * 60)
    assert (series.prepended_bars, added.bars_without_price) == (0, 1)
    with reading(catalog.path) as con:
        assert load_series(con, catalog.path, {("SPY", "5m")}) == {}


def test_the_same_prices_again_change_nothing(catalog, tmp_path):
    frame().to_parquet(tmp_path / "spy.parquet")
    frame().to_csv(tmp_path / "spy.csv")
    first = add(catalog, tmp_path / "spy.parquet")
    before = (files(catalog), rows(catalog, "from price_series"))

    again = [add(catalog, tmp_path / name) for name in ("spy.parquet", "spy.csv")]

    assert first.state == "added"
    assert [one.state for one in again] == ["unchanged"] * 2
    assert (files(catalog), rows(catalog, "from price_series")) == before


def test_series_of_other_symbols_and_timeframes_stand_beside_it(catalog):
    add(catalog, frame())
    add(catalog, frame(seed=2), symbol="BRK/B")
    add(catalog, frame().iloc[::5], timeframe="5m")

    query = "select symbol, timeframe, count(*) from bars group by all order by all"
    assert rows(catalog, query) == [("BRK/B", "1m", 60), ("SPY", "1m", 60), ("SPY", "5m", 12)]
    assert [name.rsplit("_", 2)[0] for name in files(catalog)] == ["BRK-B_1m", "SPY_1m", "SPY_5m"]


def test_a_newer_version_takes_the_place_of_the_one_before(catalog):
    add(catalog, frame(bars=50))

    longer = add(catalog, frame())

    assert (longer.state, longer.prepended_bars, longer.needs_attention) == ("replaced", 0, False)
    assert rows(catalog, "select count(*), max(bar_index) from bars") == [(60, 59)]
    assert len(files(catalog)) == 1


def test_what_else_is_said_of_a_series_is_kept_up_to_date(catalog):
    first = add(catalog, frame())

    told = add(catalog, frame(), adjustment="splits and dividends")
    hours = add(catalog, frame(), adjustment="splits and dividends", regular_hours="10:00-16:00")

    assert (told.state, told.path) == ("replaced", first.path)
    assert hours.path != first.path
    assert rows(catalog, "select adjustment, regular_hours from price_series") == [
        ("splits and dividends", "10:00-16:00")
    ]
    query = "select session, count(*) from bars group by all order by all"
    assert rows(catalog, query) == [("pre", 30), ("regular", 30)]


def test_bar_numbers_that_moved_are_said(catalog):
    whole = frame(bars=100)
    add(catalog, whole.iloc[30:])

    prepended = add(catalog, whole.iloc[20:])
    extended = add(catalog, pd.concat([whole.iloc[20:], frame("2024-03-27 13:30")]))
    further = add(catalog, whole)

    assert (prepended.prepended_bars, prepended.needs_attention) == (10, True)
    assert "bar numbers" in prepended.warnings[-1]
    assert (extended.prepended_bars, extended.needs_attention) == (10, False)
    assert (further.prepended_bars, further.needs_attention) == (30, True)
    assert add(catalog, whole).prepended_bars == 30
    assert load(catalog)["SPY", "1m"].prepended_bars == 30


@pytest.mark.parametrize("change", ["starts later", "a bar is gone", "a bar is new"])
def test_bar_numbers_that_moved_otherwise_are_said(catalog, change):
    whole = frame()
    with_gap = whole.drop(whole.index[10])
    before, after = {
        "starts later": (whole, whole.iloc[5:]),
        "a bar is gone": (whole, with_gap),
        "a bar is new": (with_gap, whole),
    }[change]
    add(catalog, before)

    added = add(catalog, after)

    assert (added.prepended_bars, added.needs_attention) == (1, True)


WRONG = {
    "of another year": frame("2023-03-26 13:30", bars=80),
    "with bars before": frame("2024-03-26 13:20", bars=70),
    "starting later": frame().iloc[5:],
    "with a bar less": frame().drop(frame().index[10]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_in_between_changes_no_bar_numbers_for_ever(catalog, wrong):
    add(catalog, frame(bars=50))

    wrongly = add(catalog, WRONG[wrong])
    right = add(catalog, frame())

    assert (wrongly.prepended_bars > 0, wrongly.needs_attention) == (True, True)
    assert (right.prepended_bars, right.warnings) == (0, ())
    assert load(catalog)["SPY", "1m"].prepended_bars == 0
    assert add(catalog, frame()).state == "unchanged"


def test_bar_numbers_stay_where_only_the_end_is_cut_off(catalog):
    add(catalog, frame())

    shorter = add(catalog, frame().iloc[:40])
    again = add(catalog, frame(bars=80))

    assert (shorter.prepended_bars, shorter.warnings) == (0, ())
    assert (again.prepended_bars, again.warnings) == (0, ())


def test_bar_numbers_that_moved_behind_those_of_the_first_version_are_said(catalog):
    add(catalog, frame(bars=30))
    add(catalog, frame())

    moved = add(catalog, frame().drop(frame().index[45]))

    assert (moved.prepended_bars, moved.needs_attention) == (0, True)
    assert "bar numbers from 2024-03-26 14:16:00 UTC on" in moved.warnings[-1]


def test_bar_numbers_are_those_of_the_first_version_though_its_file_is_gone(catalog):
    add(catalog, frame(bars=50)).path.unlink()

    assert add(catalog, frame()).prepended_bars == 0
    assert add(catalog, frame("2024-03-26 13:20", bars=70)).prepended_bars == 10


@pytest.mark.parametrize("at_once", [True, False])
def test_renumbering_says_that_traces_mean_the_numbers_of_this_file(catalog, at_once):
    add(catalog, frame("2024-03-26 13:20", bars=70))
    if not at_once:
        assert add(catalog, frame()).prepended_bars == 1

    right = add(catalog, frame(), renumber=True)
    longer = add(catalog, frame(bars=80))

    assert (right.state, right.prepended_bars, right.warnings) == ("replaced", 0, ())
    assert (longer.prepended_bars, longer.warnings) == (0, ())
    assert add(catalog, frame(bars=80)).state == "unchanged"
    assert add(catalog, frame("2024-03-26 13:20", bars=70)).prepended_bars == 10


def test_traces_that_know_only_bar_numbers_are_matched_again(catalog, tmp_path):
    add(catalog, frame())
    write_signals(
        tmp_path / "runs", np.array([[1.0], [0.0]]), catalog=catalog.path, ts=None,
        configs={"sma": {"type": "sma", "parameters": {"n": 1}}}, symbol="SPY", timeframe="1m",
        prices=np.ones(2),
    )  # fmt: skip

    def matched() -> list[tuple[object, ...]]:
        catalog.metrics()
        return rows(catalog, "select matched_by from metrics where period = 'all'")

    assert matched() == [("bar_index",)]
    add(catalog, frame("2024-03-26 13:20", bars=70))
    assert matched() == [(None,)]
    add(catalog, frame("2024-03-26 13:20", bars=70), renumber=True)
    assert rows(catalog, "from metrics") == []
    assert matched() == [("bar_index",)]


def test_figures_from_other_prices_are_forgotten(catalog, tmp_path):
    add(catalog, frame())
    for symbol in ("SPY", "QQQ"):
        write_signals(
            tmp_path / "runs" / symbol, np.array([[1.0], [0.0]]), catalog=catalog.path,
            configs={f"{symbol}_sma": {"type": "sma", "parameters": {"n": 1}}}, symbol=symbol,
            timeframe="1m", ts=frame().index[:2].tz_localize(None).to_numpy(),
            prices=np.ones(2),
        )  # fmt: skip
    with writing(catalog.path) as con:
        con.execute("""
            insert into internal.metric by name
            select trace_id, 0 as set_id, 'all' as period, 'x' as inputs, now() as computed_at
            from internal.trace_file
        """)
        con.execute("""
            insert into internal.session_returns
            select trace_id, 'close', 0, 'x', 'pack', null from internal.trace_file
        """)
        con.execute("""
            insert into internal.trial_figure by name
            select
                0 as set_id, symbol, timeframe, now() as from_ts, now() as to_ts,
                content_digest, false as is_flat, now() as measured_at
            from internal.trace_file
        """)

    def left() -> list[tuple[object, ...]]:
        with reading(catalog.path) as con:
            return con.execute("""
                select symbol, count(m.set_id), count(r.fill), count(t.set_id)
                from internal.trace_file
                left join internal.metric as m using (trace_id)
                left join internal.session_returns as r using (trace_id)
                left join internal.trial_figure as t using (symbol, timeframe)
                group by all order by all
            """).fetchall()

    add(catalog, frame(), adjustment="splits")
    assert left() == [("QQQ", 1, 1, 1), ("SPY", 1, 1, 1)]
    add(catalog, frame(seed=2))
    assert left() == [("QQQ", 1, 1, 1), ("SPY", 0, 0, 0)]


def test_a_file_that_is_refused_changes_nothing(catalog):
    add(catalog, frame())
    before = (files(catalog), rows(catalog, "from price_series"))

    with pytest.raises(PriceFileError):
        add(catalog, pd.concat([frame(), frame()]))

    assert (files(catalog), rows(catalog, "from price_series")) == before


@pytest.mark.parametrize("harm", ["gone", "damaged", "cut off"])
def test_a_file_that_is_lost_is_said_and_comes_back(catalog, harm):
    path = add(catalog, frame()).path
    content = bytearray(path.read_bytes())
    path.unlink()
    if harm == "damaged":
        # All but the footer.
        half = len(content) // 2
        content[4:half] = bytes(one ^ 0xFF for one in content[4:half])
        path.write_bytes(content)
    elif harm == "cut off":
        path.write_bytes(content[:200])

    with pytest.raises(StoreError) as lost:
        load(catalog)
    assert lost.value.hint is not None and "catalog prices add" in lost.value.hint
    with pytest.raises(QueryError) as refused:
        catalog.sql("from bars")
    # DuckDB does not say which file it is whose pages it cannot make out.
    assert harm == "damaged" or "catalog prices add" in str(refused.value.hint)

    if harm != "cut off":
        add(catalog, frame(), symbol="TLT")
    else:
        with pytest.raises(StoreError, match="another price series is damaged"):
            add(catalog, frame(), symbol="TLT")
    add(catalog, frame())
    assert rows(catalog, "select count(*) from bars where symbol = 'SPY'") == [(60,)]
    assert load(catalog)["SPY", "1m"].close.tolist() == frame().close.tolist()


def test_a_moved_catalog_finds_its_prices(catalog, tmp_path):
    add(catalog, frame())
    moved = tmp_path / "mo[v]ed"
    catalog.path.parent.rename(moved)
    there = Catalog(moved / "catalog.duckdb")

    assert rows(there, "select count(*) from bars") == [(60,)]
    assert rows(there, "select path from price_series")[0][0].startswith(str(moved))
    assert len(load(there)["SPY", "1m"].ts) == 60
    assert add(there, frame()).state == "unchanged"
    with duckdb.connect(str(there.path), read_only=True) as con:
        con.execute("set variable catalog_root = ?", [str(moved)])
        assert con.execute("select count(*) from bars").fetchall() == [(60,)]


OLD_CLIENT = """
import duckdb, json, sys
con = duckdb.connect(sys.argv[1], read_only=True)
con.execute("set timezone = 'UTC'")
print(json.dumps([con.sql(query).fetchall() for query in sys.argv[2:]]))
"""


@pytest.mark.parametrize("client", ["CATALOG_TEST_OLD_PYTHON", "duckdb-cli"])
def test_other_clients_read_the_bars(catalog, client):
    queries = [
        "select count(*), sum(close), min(epoch_us(ts)), max(session) from bars",
        "select symbol, bar_count, epoch_us(last_ts) from price_series",
    ]
    command_line = Path(sys.executable).parent / "duckdb"
    python = os.environ.get("CATALOG_TEST_OLD_PYTHON")
    if client == "duckdb-cli" and not command_line.exists():
        pytest.skip("the package duckdb-cli is not installed")
    if client != "duckdb-cli" and python is None:
        pytest.skip("CATALOG_TEST_OLD_PYTHON names no Python with duckdb 1.2.2")

    def ask() -> list[list[list[object]]]:
        if client == "duckdb-cli":
            words = [command_line, "-readonly", "-json", catalog.path]
            done = [subprocess.check_output([*words, query]) for query in queries]
            return [[list(row.values()) for row in json.loads(one or b"[]")] for one in done]
        words = [python, "-c", OLD_CLIENT, catalog.path, *queries]
        return json.loads(subprocess.check_output(words))

    add(catalog, frame().iloc[:5])
    assert ask() == [[list(row) for row in rows(catalog, query)] for query in queries]
    add(catalog, frame())
    assert ask() == [[list(row) for row in rows(catalog, query)] for query in queries]


CHILD = """
import sys
from catalog import Catalog
catalog = Catalog(sys.argv[1])
print("ready", flush=True)
for path in sys.argv[2:] * 100:
    catalog.add_prices(path, symbol="SPY", timeframe="1m", tz="America/New_York")
"""


def test_who_is_killed_while_adding_leaves_the_old_series_or_the_new(catalog, tmp_path):
    frames = [frame(bars=4000, seed=seed) for seed in (1, 2)]
    for number, one in enumerate(frames):
        one.to_parquet(tmp_path / f"{number}.parquet")
    add(catalog, frames[0])
    whole = [one.close.tolist() for one in frames]

    for delay in (0.0, 0.02, 0.05, 0.09, 0.14, 0.2):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, catalog.path,
             tmp_path / "1.parquet", tmp_path / "0.parquet"], stdout=subprocess.PIPE,
        )  # fmt: skip
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()

        assert load(catalog)["SPY", "1m"].close.tolist() in whole
        bars = rows(catalog, "select close from bars order by bar_index")
        assert [close for (close,) in bars] in whole

    add(catalog, frames[1])
    assert len(files(catalog)) == 1


def test_what_was_left_over_goes_and_what_is_not_ours_stays(catalog):
    folder = add(catalog, frame()).path.parent
    ours = [".SPY_1m_x.parquet.99999-0123abcd.tmp", "SPY_1m_0123456789abcdef.parquet"]
    for name in (*ours, "mine.parquet"):
        (folder / name).write_bytes(b"")

    add(catalog, frame())

    assert set(files(catalog)) & {*ours, "mine.parquet"} == {"mine.parquet"}


def test_a_full_disk_leaves_the_series_as_it_was(catalog):
    add(catalog, frame())
    folder = catalog.path.with_suffix(".d") / "prices"
    content = {path.name: path.read_bytes() for path in folder.iterdir()}
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system can only be mounted by root")
    try:
        for name, one in content.items():
            (folder / name).write_bytes(one)

        with pytest.raises(CatalogError, match="No space left"):
            add(catalog, frame(bars=50_000))

        assert files(catalog) == list(content)
        assert rows(catalog, "select count(*) from bars") == [(60,)]
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_processes_that_add_at_once_queue(catalog, tmp_path):
    for number in range(2):
        frame(seed=number).to_parquet(tmp_path / f"{number}.parquet")
    code = (
        "import sys; from catalog import Catalog; Catalog(sys.argv[1]).add_prices("
        "sys.argv[2], symbol='S' + sys.argv[3], timeframe='1m')"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, catalog.path,
                          tmp_path / f"{number}.parquet", str(number)])
        for number in range(2)
    ]  # fmt: skip

    assert [child.wait() for child in children] == [0, 0]
    assert rows(catalog, "select count(distinct symbol), count(*) from bars") == [(2, 120)]


def test_the_command_line_says_what_was_added(run, tmp_path):
    prices = frame().rename(columns={"close": "Last Price"})
    prices.to_csv(tmp_path / "spy.csv")
    words = ["add", tmp_path / "spy.csv", "--symbol", "SPY", "--timeframe", "1m", "--tz", NEW_YORK]

    unknown = run(*words)
    added = run(*words, "--column", "close=Last Price")
    again = run(*words, "--column", "close=Last Price")

    assert unknown.exit_code == 1
    assert "hint: Name it with --column close=NAME" in unknown.stderr
    assert added.exit_code == 0
    assert added.stderr.splitlines()[:2] == [
        "added      SPY 1m: 60 bars in 1 session, 2024-03-26 to 2024-03-26",
        "times      America/New_York, labelled by open, regular hours 09:30-16:00",
    ]
    assert added.stdout == ""
    assert again.stderr.startswith("unchanged")
    assert run(*words, "--column", "close").exit_code == 2
    assert run("add", "no.csv", "--symbol", "SPY", "--timeframe", "1m").exit_code == 2


def test_prices_that_need_a_look_are_in_the_exit_status(run, tmp_path):
    prices = frame()
    prices.iloc[3, prices.columns.get_loc("close")] = 0.0
    prices.to_parquet(tmp_path / "spy.parquet")

    done = run("add", tmp_path / "spy.parquet", "--symbol", "SPY", "--timeframe", "1m")

    assert done.exit_code == 3
    assert "warning    1 bars have a close that is zero" in done.stderr


def test_the_command_line_renumbers(run, catalog, tmp_path):
    add(catalog, frame("2024-03-26 13:20", bars=70))
    frame().to_parquet(tmp_path / "spy.parquet")
    words = ["add", tmp_path / "spy.parquet", "--symbol", "SPY", "--timeframe", "1m",
             "--tz", NEW_YORK]  # fmt: skip

    moved = run(*words)
    renumbered = run(*words, "--renumber")

    assert (moved.exit_code, "add it with --renumber" in moved.stderr) == (3, True)
    assert (renumbered.exit_code, renumbered.stderr[:8]) == (0, "replaced")


def test_series_are_listed(run, catalog):
    add(catalog, frame())

    table = run("list")
    listed = json.loads(run("list", "--format", "json").stdout)

    assert "SPY" in table.stdout
    assert [(one["symbol"], one["bar_count"]) for one in listed] == [("SPY", 60)]


def test_real_prices_of_two_kinds_agree(catalog, shared):
    begin = time.monotonic()
    minutes = add(catalog, shared / "prices" / "SPY_1m.parquet")
    seconds = time.monotonic() - begin
    five = add(catalog, shared / "prices" / "SPY_5m.csv", timeframe="5m")

    assert (minutes.bars, minutes.sessions, minutes.warnings) == (102_236, 256, ())
    assert (five.bars, five.sessions, five.warnings) == (20_769, 256, ())
    assert minutes.sessions_per_year == pytest.approx(251.19, abs=0.01)
    assert seconds < 3
    query = """
        select count(*), count(*) filter (where a.last_close = b.close) from (
            select session_date, arg_max(close, ts) as last_close
            from bars where timeframe = '1m' and session = 'regular' group by all
        ) as a join (
            select session_date, arg_max(close, ts) as close
            from bars where timeframe = '5m' and session = 'regular' group by all
        ) as b using (session_date)
    """
    ((days, alike),) = rows(catalog, query)
    assert days == 256
    assert alike > 250


def test_old_traces_and_prices_meet_in_one_query(catalog, shared):
    add(catalog, shared / "prices" / "SPY_5m.csv", timeframe="5m")
    shutil.copytree(
        shared / "old_traces" / "rsi_bands_custom_v1_03cc26b2",
        catalog.path.parent / "runs" / "rsi", dirs_exist_ok=True,
    )  # fmt: skip
    catalog.register(catalog.path.parent / "runs")

    query = "select count(*) from signals s join bars b using (symbol, timeframe, bar_index)"
    ((joined,),) = rows(catalog, query)

    assert joined == rows(catalog, "select count(*) from signals where timeframe = '5m'")[0][0]
