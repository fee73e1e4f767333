"""catalog metrics: what is computed when, what it is keyed by, and what bad input gives."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from catalog import write_signals
from catalog.catalog import Catalog
from catalog.errors import QueryError, UsageError
from catalog.prices.series import load_series
from catalog.store.database import reading
from conftest import old_trace, rows
from dense import dense_figures
from markets import add_prices, copied, price_table, random_signals, write_strategies

DEFAULT = "select * from metrics where is_default and period = 'all' and regime is null"


@pytest.fixture(scope="module")
def swept_once(tmp_path_factory) -> Catalog:
    made = Catalog(tmp_path_factory.mktemp("swept") / "catalog.duckdb")
    table = price_table()
    write_strategies(made, random_signals(600, 10, changes=40), table)
    add_prices(made, table)
    return made


@pytest.fixture
def swept(swept_once, tmp_path) -> Catalog:
    """Ten strategies over thirty sessions, and the prices that they ran on."""
    return copied(swept_once, tmp_path)


def note_of(catalog: Catalog, strategy_id: str) -> str:
    ((note,),) = rows(
        catalog,
        "select m.note from metrics as m join trace_files using (trace_id) "
        f"where strategy_id = '{strategy_id}' and period = 'all'",
    )
    return note


def figures(catalog: Catalog) -> list[dict]:
    return catalog.sql(DEFAULT + " order by trace_id").table.to_pylist()


def assert_all_null(row: dict, *names: str) -> None:
    assert [row[name] for name in names] == [None] * len(names)


EARNED = ("total_return", "sharpe", "max_drawdown", "volatility", "breakeven_cost_bps")


def test_stored_figures_are_those_of_the_dense_computation(swept):
    swept.metrics()
    with reading(swept.path) as con:
        series = load_series(con, swept.path)["SPY", "1m"]

    for trace_id, last in rows(swept, "select trace_id, last_bar from trace_files"):
        changes = rows(
            swept, f"select bar_index, val from signals where trace_id = '{trace_id}' order by all"
        )
        (found,) = swept.sql(f"{DEFAULT} and trace_id = '{trace_id}'").table.to_pylist()
        wanted = dense_figures(series, *zip(*changes, strict=True), first=0, last=last)
        net = rows(
            swept,
            f"select ret_gross from daily_returns where trace_id = '{trace_id}' "
            "order by session_date",
        )
        np.testing.assert_allclose([one for (one,) in net], wanted["returns"], atol=1e-12)
        for name in found.keys() & wanted.keys():
            value = np.nan if found[name] is None else found[name]
            np.testing.assert_allclose(value, wanted[name], rtol=1e-9, atol=1e-13, err_msg=name)


def test_packs_and_files_give_the_same_figures(swept):
    swept.metrics()
    before = figures(swept)
    swept.compact()

    add_prices(swept, price_table(seed=1))
    add_prices(swept, price_table())
    swept.metrics()

    for old, new in zip(before, figures(swept), strict=True):
        for name in old.keys() - {"computed_at"}:
            if isinstance(old[name], float):
                assert new[name] == pytest.approx(old[name], rel=1e-9, abs=1e-13), name
            else:
                assert new[name] == old[name], name


def test_a_second_run_computes_nothing_and_new_traces_only_themselves(swept):
    assert swept.metrics().measured == 10

    assert (swept.metrics().measured, swept.metrics().skipped) == (0, 10)

    write_strategies(
        swept, random_signals(600, 2, changes=9, seed=5), price_table(), run="more", prefix="more_"
    )
    again = swept.metrics()
    assert (again.measured, again.skipped) == (2, 10)


def test_other_prices_leave_no_old_number_behind(swept):
    swept.metrics(cost_bps=1.0)
    swept.metrics()
    old = {one["trace_id"]: one["total_return"] for one in figures(swept)}

    add_prices(swept, price_table(seed=7))

    assert rows(swept, "select count(*) from metrics") == [(0,)]
    assert rows(swept, "select count(*) from daily_returns") == [(0,)]
    assert rows(swept, "select count(sharpe) from strategy_index") == [(0,)]
    assert swept.metrics().measured == 10
    new = {one["trace_id"]: one["total_return"] for one in figures(swept)}
    assert all(new[trace_id] != value for trace_id, value in old.items())


def test_cost_fill_and_range_are_sets_of_their_own(swept):
    swept.metrics()
    swept.metrics(cost_bps=2.0)
    swept.metrics(fill="next_open")
    swept.metrics(start=date(2024, 1, 10), end=date(2024, 1, 31))
    swept.metrics(last_days=10)

    sets = rows(
        swept,
        "select cost_bps, fill, range_start::varchar, last_days, count(*), min(sessions)::int, "
        "count(distinct total_return) from metrics group by all order by all nulls first",
    )
    assert [one[:5] for one in sets] == [
        (0.0, "close", None, None, 10),
        (0.0, "close", None, 10, 10),
        (0.0, "close", "2024-01-10", None, 10),
        (0.0, "next_open", None, None, 10),
        (2.0, "close", None, None, 10),
    ]
    assert [one[5] for one in sets] == [30, 6, 16, 30, 30]
    ((free, costly),) = rows(
        swept,
        "select sum(total_return) filter (cost_bps = 0 and is_default), "
        "sum(total_return) filter (cost_bps = 2) from metrics",
    )
    assert costly < free


def test_the_default_set_stands_in_the_index_the_type_and_the_leaderboard(swept, tmp_path):
    swept.metrics(cost_bps=5.0)
    assert rows(swept, "select count(sharpe) from strategy_index") == [(0,)]

    swept.metrics(split=date(2024, 1, 23))

    for table in ("strategy_index", "leaderboard", "type_sma"):
        assert rows(swept, f"select count(sharpe), count(trades) from {table}") == [(10, 10)]
    both = rows(
        swept,
        "select (1 + i.total_return) * (1 + o.total_return) - 1 - m.total_return "
        "from metrics as m join metrics as i using (trace_id) join metrics as o using (trace_id) "
        "where m.is_default and i.is_default and o.is_default "
        "and m.period = 'all' and i.period = 'is' and o.period = 'oos'",
    )
    assert len(both) == 10
    assert all(abs(one) < 1e-12 for (one,) in both)
    swept.export_strategy_index(tmp_path / "index.parquet")
    assert "sharpe" in pa.parquet.read_schema(tmp_path / "index.parquet").names


def test_another_split_takes_the_place_of_the_former_one(swept):
    swept.metrics(split=date(2024, 1, 23))
    swept.metrics(split=date(2024, 2, 1))

    assert rows(
        swept, "select distinct split::varchar, period, sessions from metrics order by all"
    ) == [("2024-02-01", "all", 30), ("2024-02-01", "is", 22), ("2024-02-01", "oos", 8)]
    # New traces get the periods without being asked.
    write_strategies(
        swept, random_signals(600, 1, changes=9, seed=5), price_table(), run="more", prefix="more_"
    )
    swept.metrics()
    assert rows(swept, "select count(*) from metrics where period = 'oos'") == [(11,)]


def test_a_condition_narrows_what_is_computed(swept):
    assert swept.metrics(where="param_fast <= 7").measured == 3

    with pytest.raises(QueryError):
        swept.metrics(where="param_fast > 1000")
    with pytest.raises(QueryError):
        swept.metrics(where="no_column = 1")


def test_options_that_are_none_are_refused(swept):
    for wrong in (
        {"cost_bps": -1.0},
        {"fill": "open"},
        {"last_days": 0},
        {"last_days": 9, "start": date(2024, 1, 1)},
        {"start": date(2024, 2, 1), "end": date(2024, 1, 1)},
        {"by_regime": "nobody"},
    ):
        with pytest.raises((UsageError, QueryError)) as refused:
            swept.metrics(**wrong)
        assert str(refused.value)


def test_a_catalog_without_traces_says_what_to_do(catalog):
    add_prices(catalog, price_table())

    with pytest.raises(QueryError) as refused:
        catalog.metrics()

    assert "catalog register" in (refused.value.hint or "")


# What is bad about the input: each gives NULL and a reason, and never NaN or a crash.


def test_a_symbol_without_prices(catalog):
    write_strategies(catalog, random_signals(60, 2, changes=5), None, symbol="QQQ")

    report = catalog.metrics()

    assert report.without_figures == {"no prices of QQQ": 2}
    assert report.missing_series == {("QQQ", "1m")}
    (first, _) = figures(catalog)
    assert first["note"] == "no prices of QQQ"
    assert_all_null(first, *EARNED, "start_bar", "matched_by")


def test_another_timeframe_than_the_prices(swept):
    write_strategies(
        swept, random_signals(60, 1, changes=5), None, run="slow", timeframe="5m", prefix="slow_"
    )

    assert swept.metrics().without_figures == {"no 5m prices of SPY, only 1m": 1}


def test_prices_that_come_later_are_used_without_being_told(catalog):
    write_strategies(catalog, random_signals(600, 2, changes=5), None)
    catalog.metrics()

    add_prices(catalog, price_table())

    assert catalog.metrics().measured == 2
    assert {one["matched_by"] for one in figures(catalog)} == {"bar_index"}


def test_prices_that_do_not_cover_a_trace(catalog):
    table = price_table()
    write_strategies(catalog, random_signals(600, 1, changes=5), table)
    write_strategies(catalog, random_signals(700, 1, changes=5), None, run="b", prefix="b_")
    add_prices(catalog, table.slice(0, 400))

    report = catalog.metrics()

    assert report.measured == 0
    for row in figures(catalog):
        assert "do not cover" in row["note"]
        assert_all_null(row, *EARNED)


def test_bars_are_found_by_their_time_where_it_is_known(catalog):
    table = price_table()
    signals = random_signals(600, 1, changes=30)
    # The strategy ran on a file that begins at the third session.
    write_strategies(catalog, signals[:500], table, first=40)
    write_strategies(catalog, signals[:500], None, run="b", prefix="b_")
    add_prices(catalog, table)

    catalog.metrics()

    found = rows(catalog, "select matched_by, start_bar, bar_count from metrics order by all")
    assert found == [("bar_index", 0, 500), ("ts", 40, 500)]


def test_a_trace_that_lacks_bars_is_matched_row_by_row(catalog):
    table = price_table()
    keep = np.delete(np.arange(600), [100, 101, 355])
    write_strategies(catalog, random_signals(597, 1, changes=60), table.take(pa.array(keep)))
    add_prices(catalog, table)

    catalog.metrics()

    (found,) = figures(catalog)
    assert (found["matched_by"], found["start_bar"], found["bar_count"]) == ("ts", 0, 600)
    assert found["note"] is None


def test_prices_that_lack_bars_of_a_trace(catalog):
    table = price_table()
    at = [0, 100, 200, 300]
    signals = np.zeros((600, 1))
    signals[100:200], signals[300:] = 1, -1
    write_strategies(catalog, signals, table)
    add_prices(catalog, table.take(pa.array(np.delete(np.arange(600), at[2]))))

    report = catalog.metrics()

    (reason,) = report.without_figures
    assert "lack bars" in reason or "no bar at its time" in reason


def test_history_prepended_to_the_prices(catalog):
    table = price_table()
    signals = random_signals(400, 1, changes=30)
    write_strategies(catalog, signals, table, first=200)
    write_strategies(catalog, signals, None, run="b", prefix="b_")
    add_prices(catalog, table.slice(200))
    catalog.metrics()
    before = rows(catalog, "select matched_by, total_return from metrics order by all")

    assert add_prices(catalog, table).needs_attention
    catalog.metrics()

    after = rows(catalog, "select matched_by, total_return, note from metrics order by all")
    by_time, by_number = after[0], after[1]
    assert by_time[1] == pytest.approx(before[1][1], abs=1e-12)
    assert by_number[:2] == (None, None)
    assert "renumbered" in by_number[2]


def signals_of(catalog: Catalog, name: str, values, table) -> dict:
    write_strategies(
        catalog, np.asarray(values, float).reshape(-1, 1), table, configs={name: {"type": name}}
    )
    catalog.metrics()
    (row,) = catalog.sql(
        f"{DEFAULT} and trace_id in (select trace_id from trace_files where strategy_id = '{name}')"
    ).table.to_pylist()
    return row


def test_a_trace_of_one_row(swept):
    row = signals_of(swept, "one", np.ones(600), price_table())

    assert row["trades"] == 1
    assert_all_null(row, "hit_rate", "profit_factor")
    assert "never closed" in row["note"]
    assert row["total_return"] == pytest.approx(row["benchmark_return"], abs=1e-12)
    assert row["beta"] == pytest.approx(1)


def test_a_trace_of_one_bar(swept):
    row = signals_of(swept, "bar", [1.0], price_table())

    assert (row["bar_count"], row["sessions"], row["trades"], row["total_return"]) == (1, 1, 0, 0)
    assert_all_null(row, "sharpe", "volatility", "hit_rate")
    assert "too few sessions" in row["note"]


def test_all_flat(swept):
    row = signals_of(swept, "flat", np.zeros(600), price_table())

    assert (row["trades"], row["total_return"], row["max_drawdown"], row["exposure"]) == (
        0,
        0,
        0,
        0,
    )
    assert_all_null(row, "sharpe", "sortino", "calmar", "profit_factor", "breakeven_cost_bps")
    assert "all flat" in row["note"]


def test_ruin(swept):
    table = price_table()
    row = signals_of(swept, "ruin", np.full(600, 5000.0), table)

    assert_all_null(row, *EARNED)
    assert "ruin" in row["note"]
    assert rows(swept, "select count(*) from daily_returns where isnan(ret_gross)") == [(0,)]


def test_costs_can_ruin_too(swept):
    write_strategies(
        swept, np.tile([1.0, -1.0], 300).reshape(-1, 1), price_table(), configs={"c": {"type": "c"}}
    )

    swept.metrics(cost_bps=6000.0, where="strategy_id = 'c'")

    assert rows(swept, "select total_return, note from metrics") == [
        (None, "ruin: a bar lost all equity")
    ]


def test_zero_volatility(catalog):
    table = price_table()
    still = table.set_column(4, "close", pa.array(np.full(600, 100.0)))
    add_prices(catalog, still)

    row = signals_of(catalog, "still", np.ones(600), still)

    assert_all_null(row, "sharpe", "sharpe_bar", "sortino", "skew", "kurtosis", "beta")
    assert "zero volatility" in row["note"]
    assert row["total_return"] == 0


def test_a_bar_without_a_price_matters_only_to_who_holds_a_position_over_it(catalog):
    table = price_table()
    close = table["close"].to_numpy().copy()
    close[300] = np.nan
    add_prices(catalog, table.set_column(4, "close", pa.array(close)))
    held, away = np.ones(600), np.ones(600)
    away[250:350] = 0

    assert "without a price" in signals_of(catalog, "held", held, table)["note"]
    row = signals_of(catalog, "away", away, table)

    assert row["total_return"] is not None
    # Buying and holding skips the bar: what happened over it is known.
    assert row["benchmark_return"] == pytest.approx(close[-1] / close[0] - 1)
    assert row["note"] is None


def test_a_file_that_is_gone_or_has_changed(swept):
    paths = [path for (path,) in rows(swept, "select path from trace_files order by strategy_id")]
    from pathlib import Path

    Path(paths[0]).unlink()
    old_trace(Path(paths[1]), [1, 0, 1])

    report = swept.metrics()

    assert report.measured == 8
    assert set(report.without_figures) == {
        "its file is gone",
        "its file has changed since it was registered",
    }


def test_nothing_is_ever_nan_or_infinite(swept):
    for name, values in {
        "steps": np.linspace(-2, 2, 600),
        "spike": np.eye(1, 600, 599)[0],
        "wild": np.where(np.arange(600) % 7 == 0, 900.0, -900.0),
        "tiny": np.full(600, 1e-12),
    }.items():
        signals_of(swept, name, values, price_table())
    swept.metrics(cost_bps=1.0, fill="next_open")

    table = swept.sql("from metrics").table

    for column in table.columns:
        if pa.types.is_floating(column.type):
            assert np.isfinite(column.drop_null().to_numpy()).all()


def test_what_is_registered_no_more_is_forgotten(swept, tmp_path):
    swept.metrics()
    run = swept.path.parent / "runs" / "sweep"
    signals = run / "traces" / "signals" / "sma"
    (gone, *_) = sorted(signals.iterdir())
    old_trace(gone, [1, 0, 1, 0], bars=[0, 5, 9, 12])
    swept.register(run)

    swept.metrics()

    ids = {one["trace_id"] for one in figures(swept)}
    assert ids == {one for (one,) in rows(swept, "select trace_id from trace_files")}


def test_folds_are_periods_that_compound_to_the_whole(swept):
    swept.metrics(folds=4)

    found = rows(
        swept,
        "select trace_id, period, sessions, total_return from metrics "
        "where period <> 'all' order by all",
    )
    assert [sessions for _, _, sessions, _ in found[:4]] == [8, 8, 7, 7]
    for trace_id, total in rows(
        swept, "select trace_id, total_return from metrics where period = 'all'"
    ):
        growth = np.prod([1 + part for one, _, _, part in found if one == trace_id])
        assert growth - 1 == pytest.approx(total, abs=1e-12)
    swept.metrics(split=date(2024, 1, 23))
    assert rows(swept, "select count(distinct period) from metrics") == [(7,)]


def test_figures_follow_a_range_that_changes_as_others_of_the_run_become_known(catalog, write_run):
    run = write_run(traces={"a": [1, 0, 1]})
    catalog.register(run)
    add_prices(catalog, price_table(2, per_session=390, first=date(2024, 3, 26)))
    catalog.metrics()
    old_trace(run / "traces" / "SPY_1m" / "signals" / "sma_grid" / "b.parquet", [1] + [0, 1] * 50)
    catalog.register(run)

    catalog.metrics()

    assert rows(catalog, "select distinct bar_count from metrics") == [(301,)]


def test_returns_come_back_with_a_trace_that_was_away(swept):
    from pathlib import Path

    swept.metrics()
    ((path,),) = rows(swept, "select min(path) from trace_files")
    kept = Path(path).read_bytes()
    old_trace(Path(path), [1, 0, 1])
    swept.register(swept.path.parent / "runs")
    swept.metrics(cost_bps=1.0)
    Path(path).write_bytes(kept)
    swept.register(swept.path.parent / "runs")

    swept.metrics()

    assert rows(swept, "select count(*) from daily_returns") == [(10 * 30,)]
    assert rows(swept, "select count(sharpe) from strategy_index") == [(10,)]


def test_the_next_open_needs_an_open(catalog):
    table = price_table()
    write_strategies(catalog, random_signals(600, 3, changes=20), table)
    add_prices(catalog, table.drop_columns(["open", "high", "low"]))

    catalog.metrics(fill="next_open")

    found = rows(
        catalog, "select distinct total_return, note from metrics where fill = 'next_open'"
    )
    assert [one for one, _ in found] == [None]
    assert "without an open" in found[0][1]
    catalog.metrics()
    assert rows(catalog, "select count(total_return) from metrics where is_default") == [(3,)]


def test_prices_that_a_trace_was_not_made_on_are_noted(catalog):
    table, other = price_table(), price_table(seed=8)
    write_signals(
        catalog.path.parent / "runs" / "a",
        random_signals(600, 1, changes=20),
        configs={"a": {"type": "a"}},
        symbol="SPY",
        timeframe="1m",
        ts=table["timestamp"].to_numpy(),
        prices=table["close"].to_numpy(),
        catalog=catalog.path,
    )
    add_prices(catalog, table)
    catalog.metrics()
    assert [one["note"] for one in figures(catalog)] == [None]

    add_prices(catalog, other)
    catalog.metrics()

    (found,) = figures(catalog)
    assert found["note"] == "the prices are not those that it was made on"
    assert found["total_return"] is not None


def test_a_split_holds_for_all_and_leaves_regimes_alone(swept):
    swept.metrics(split="2024-01-23")
    assert swept.metrics(split="2024-01-23").measured == 0
    with pytest.raises(UsageError, match="hold for all traces"):
        swept.metrics(split=date(2024, 2, 1), where="param_fast = 5")
    with pytest.raises(UsageError, match="no date"):
        swept.metrics(split="2024-02-30")
    assert rows(swept, "select count(*) from metrics where period = 'oos'") == [(10,)]


def test_a_later_set_is_written_piece_by_piece(swept, monkeypatch):
    from catalog.metrics import compute

    swept.metrics()
    monkeypatch.setattr(compute, "_CHANGES", 40)
    monkeypatch.setattr(compute, "_PIECE_ROWS", 200)
    written = []

    def interrupt(done, total):
        written.append(rows_written(swept))
        if done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swept.metrics(cost_bps=3.0, progress=interrupt)

    assert rows_written(swept) >= 4
    assert swept.metrics(cost_bps=3.0).measured <= 6


def rows_written(catalog: Catalog) -> int:
    ((count,),) = rows(catalog, "select count(*) from metrics where cost_bps = 3")
    return count
