"""Registering directories: what is recorded, what is left alone, what changes."""

from __future__ import annotations

import json
import os
import shutil
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog import strategy_hash
from catalog.errors import UsageError
from catalog.register import register as register_module
from conftest import OPEN, old_trace, rows, touch_later


def test_an_empty_folder_makes_a_catalog_whose_views_have_no_rows(catalog, tmp_path):
    (tmp_path / "empty").mkdir()

    report = catalog.register(tmp_path / "empty")

    assert report.registered == 0
    for view in ("strategies", "trace_files", "signals", "classifications", "holdings", "orders"):
        assert rows(catalog, f"select count(*) from {view}") == [(0,)]


def test_a_trace_is_registered_with_its_bars_counted_from_zero(catalog, write_run):
    run = write_run(traces={"SPY_sma_grid_5_20": [1, 0, -1]})

    catalog.register(run)

    query = """
        select kind, strategy_id, symbol, timeframe, generation, row_count, change_count,
            first_change_bar, last_change_bar, last_val, is_flat, is_latest, status
        from trace_files
    """
    assert rows(catalog, query) == [
        ("signal", "SPY_sma_grid_5_20", "SPY", "1m", "G1", 3, 3, 0, 6, -1.0, False, True,
         "registered")
    ]  # fmt: skip
    assert rows(catalog, "select bar_index, val, idx from signals order by idx") == [
        (0, 1.0, 1),
        (3, 0.0, 4),
        (6, -1.0, 7),
    ]


def test_bars_long_and_short_reach_to_the_end_of_the_range(catalog, write_run):
    run = write_run(traces={"a": [1, 0, -1], "b": [1, 0, 1, -1, 1]}, metadata={"total_bars": 100})

    catalog.register(run)

    query = "select strategy_id, last_bar, range_source, bars_long, bars_short from trace_files"
    assert sorted(rows(catalog, query)) == [
        ("a", 99, "metadata", 3, 94),
        ("b", 99, "metadata", 94, 3),
    ]


def test_without_metadata_the_range_ends_with_the_latest_bar_of_the_run(catalog, write_run):
    run = write_run(traces={"a": [1, 0], "b": [1, 0, 1, -1, 1]})

    catalog.register(run)

    query = "select strategy_id, last_bar, range_source from trace_files"
    assert sorted(rows(catalog, query)) == [("a", 12, "run"), ("b", 12, "run")]


def test_metadata_that_ends_before_the_rows_do_is_not_believed(catalog, write_run):
    run = write_run(traces={"a": [1, 0, 1, -1, 1]}, metadata={"total_bars": 4})

    catalog.register(run)

    assert rows(catalog, "select last_bar, range_source from trace_files") == [(12, "run")]


def test_a_run_that_grows_moves_the_range_of_what_was_registered_before(catalog, write_run):
    catalog.register(write_run(traces={"a": [1]}))
    run = write_run(traces={"b": [0, 1, 0, 1]})

    catalog.register(run)

    query = "select strategy_id, last_bar, bars_long from trace_files"
    assert sorted(rows(catalog, query)) == [("a", 9, 10), ("b", 9, 4)]


def test_registering_twice_reads_nothing_and_changes_nothing(catalog, write_run, monkeypatch):
    run = write_run(traces={"a": [1, 0], "b": [0, 1]})
    catalog.register(run)
    before = rows(catalog, "from trace_files order by all")
    monkeypatch.setattr("catalog.register.files.read_trace_file", None)

    report = catalog.register(run)

    assert (report.registered, report.unchanged) == (0, 2)
    assert rows(catalog, "from trace_files order by all") == before


def test_a_file_that_changed_is_registered_anew(catalog, write_run):
    run = write_run(traces={"a": [1, 0]})
    catalog.register(run)
    path = write_run(traces={"a": [1, 0, 1]}) / "traces/SPY_1m/signals/sma_grid/a.parquet"
    touch_later(path)

    report = catalog.register(run)

    assert report.registered == 1
    assert rows(catalog, "select row_count from trace_files") == [(3,)]


def test_a_file_that_is_gone_is_missing_and_not_forgotten(catalog, write_run):
    run = write_run(traces={"a": [1, 0], "b": [0, 1]})
    catalog.register(run)
    (run / "traces/SPY_1m/signals/sma_grid/a.parquet").unlink()

    report = catalog.register(run)

    assert report.missing == 1
    assert rows(catalog, "select strategy_id, status from trace_files order by 1") == [
        ("a", "missing"),
        ("b", "registered"),
    ]
    assert rows(catalog, "select strategy_id from missing_files") == [("a",)]
    assert rows(catalog, "select distinct strategy_id from signals") == [("b",)]


def test_a_file_that_comes_back_is_registered_again(catalog, write_run, tmp_path):
    run = write_run(traces={"a": [1, 0]})
    path = run / "traces/SPY_1m/signals/sma_grid/a.parquet"
    catalog.register(run)
    path.rename(tmp_path / "kept")
    catalog.register(run)
    (tmp_path / "kept").rename(path)

    catalog.register(run)

    assert rows(catalog, "select status from trace_files") == [("registered",)]
    assert rows(catalog, "select count(*) from signals") == [(2,)]


def test_a_whole_run_that_is_gone_leaves_the_views_working(catalog, write_run, tmp_path):
    write_run("run_a", {"a": [1, 0]})
    gone = write_run("run_b", {"b": [1, 0]})
    catalog.register(tmp_path / "runs")
    shutil.rmtree(gone)

    catalog.register(tmp_path / "runs")

    assert rows(catalog, "select distinct strategy_id from signals") == [("a",)]


def test_a_run_that_moved_keeps_its_trace_ids(catalog, write_run, tmp_path):
    run = write_run("run_a", {"a": [1, 0], "b": [0, 1]})
    catalog.register(run)
    before = rows(catalog, "select trace_id, run_id from trace_files order by 1")
    (tmp_path / "elsewhere").mkdir()
    run.rename(tmp_path / "elsewhere" / "run_a")

    catalog.register(tmp_path / "elsewhere")

    assert rows(catalog, "select trace_id, run_id from trace_files order by 1") == before
    assert rows(catalog, "select count(*) from signals") == [(4,)]
    assert rows(catalog, "select root from runs") == [(f"{tmp_path}/elsewhere/run_a/",)]


def test_a_copy_of_a_run_counts_once_and_is_reported(catalog, write_run, tmp_path):
    run = write_run("run_a", {"a": [1, 0], "b": [0, 1]})
    shutil.copytree(run, tmp_path / "runs" / "backup" / "run_a")

    report = catalog.register(tmp_path / "runs")

    assert len(report.copies) == 2
    assert rows(catalog, "select count(*), count(distinct run_id) from trace_files") == [(2, 1)]
    assert rows(catalog, "select count(*) from signals") == [(4,)]
    assert catalog.register(tmp_path / "runs").unchanged == 4


def test_when_an_original_goes_its_copy_takes_its_place(catalog, write_run, tmp_path):
    run = write_run("run_a", {"a": [1, 0]})
    shutil.copytree(run, tmp_path / "runs" / "z_backup" / "run_a")
    catalog.register(tmp_path / "runs")
    shutil.rmtree(run)

    catalog.register(tmp_path / "runs")

    query = "select status, contains(path, 'z_backup') from trace_files"
    assert rows(catalog, query) == [("registered", True)]
    assert rows(catalog, "select count(*) from signals") == [(2,)]


@pytest.mark.parametrize("content", ["damaged", "other"])
def test_when_an_original_changes_its_copy_takes_its_place(catalog, write_run, tmp_path, content):
    run = write_run("run_a", {"a": [1, 0], "b": [1]})
    shutil.copytree(run, tmp_path / "runs" / "z_backup" / "run_a")
    catalog.register(tmp_path / "runs")
    if content == "damaged":
        (run / "traces/SPY_1m/signals/sma_grid/a.parquet").write_bytes(b"PAR1")
    else:
        write_run("run_a", {"a": [1, 0, 1, 0, 1]})

    catalog.register(tmp_path / "runs")

    query = "select contains(path, 'z_backup'), row_count from trace_files where strategy_id = 'a'"
    assert (True, 2) in rows(catalog, query)
    assert rows(catalog, "select count(*) from signals") == [(3 if content == "damaged" else 8,)]


def test_a_run_is_no_copy_of_one_whose_name_begins_alike(catalog, write_run, tmp_path):
    write_run("exp-2", {"flat": [0]})
    catalog.register(tmp_path / "runs")
    write_run("exp", {"flat": [0], "x": [1, 0]})

    catalog.register(tmp_path / "runs")

    query = "select run_id, traces from runs order by 1"
    assert rows(catalog, query) == [("exp", 2), ("exp-2", 1)]


def test_runs_of_one_name_that_share_a_flat_trace_are_two(catalog, write_run, tmp_path):
    write_run("a/run", {"flat": [0], "x": [1, 0]})
    write_run("b/run", {"flat": [0], "y": [1, 0, 1]})

    catalog.register(tmp_path / "runs")

    assert rows(catalog, "select count(*), sum(traces)::bigint from runs") == [(2, 4)]


def test_two_different_runs_of_one_name_are_kept_apart(catalog, write_run, tmp_path):
    write_run("a/run", {"x": [1, 0]})
    write_run("b/run", {"x": [1, 0, 1]})

    catalog.register(tmp_path / "runs")

    run_ids = [run_id for (run_id,) in rows(catalog, "select run_id from runs order by 1")]
    assert run_ids[0] == "run"
    assert run_ids[1].startswith("run-") and len(run_ids[1]) == len("run-") + 8
    assert rows(catalog, "select count(*) from trace_files") == [(2,)]


def test_a_rerun_whose_flat_traces_are_equal_is_another_run(catalog, write_run, tmp_path):
    write_run("a/run", {"flat": [0], "x": [1, 0]})
    write_run("b/run", {"flat": [0], "x": [1, 0, 1]})

    catalog.register(tmp_path / "runs")

    assert rows(catalog, "select count(*) from runs") == [(2,)]
    assert rows(catalog, "select count(*) from trace_files") == [(4,)]


def test_the_recorded_id_of_a_run_is_its_id(catalog, write_run):
    catalog.register(write_run("folder", metadata={"run_id": "20260101_sweep"}))

    assert rows(catalog, "select run_id, name from runs") == [("20260101_sweep", "folder")]


def test_a_folder_inside_a_run_belongs_to_that_run(catalog, write_run):
    run = write_run("run_a", metadata={"total_bars": 50})

    catalog.register(run / "traces" / "SPY_1m" / "signals")

    assert rows(catalog, "select run_id, last_bar from trace_files") == [("run_a", 49)]


def test_the_latest_trace_of_a_strategy_is_the_one_whose_range_ends_last(
    catalog, write_run, write_sweep, tmp_path
):
    write_run("short", {"SPY_sma_grid_5_20": [1, 0]})
    write_run("long", {"SPY_sma_grid_5_20": [1, 0, 1, 0]})

    catalog.register(tmp_path / "runs", sweeps=[write_sweep()])

    query = "select run_id, is_latest from trace_files order by run_id"
    assert rows(catalog, query) == [("long", True), ("short", False)]


def test_when_the_latest_trace_goes_the_one_before_is_the_latest(
    catalog, write_run, write_sweep, tmp_path
):
    write_run("short", {"SPY_sma_grid_5_20": [1, 0]})
    latest = write_run("long", {"SPY_sma_grid_5_20": [1, 0, 1, 0]})
    catalog.register(tmp_path / "runs", sweeps=[write_sweep()])
    shutil.rmtree(latest)

    catalog.register(tmp_path / "runs")

    query = "select is_latest from trace_files where run_id = 'short'"
    assert rows(catalog, query) == [(True,)]


def test_when_the_latest_trace_is_damaged_the_one_before_is_the_latest(
    catalog, write_run, write_sweep, tmp_path
):
    write_run("short", {"SPY_sma_grid_5_20": [1, 0]})
    run = write_run("long", {"SPY_sma_grid_5_20": [1, 0, 1, 0], "SPY_sma_grid_5_50": [1]})
    catalog.register(tmp_path / "runs", sweeps=[write_sweep()])
    path = run / "traces/SPY_1m/signals/sma_grid/SPY_sma_grid_5_20.parquet"
    path.write_bytes(b"PAR1")

    catalog.register(tmp_path / "runs")

    query = "select run_id, is_latest, last_bar from trace_files order by 1"
    assert rows(catalog, query) == [("long", True, 0), ("short", True, 3)]


def test_a_run_may_hold_two_timeframes(catalog, tmp_path):
    for timeframe, step in (("1m", 1), ("5m", 5)):
        folder = tmp_path / "run/traces" / f"SPY_{timeframe}" / "signals/g"
        folder.mkdir(parents=True)
        times = [(OPEN + timedelta(minutes=step * bar)).isoformat() for bar in range(3)]
        columns = {
            "idx": [1, 2, 3], "ts": times, "sym": ["SPY"] * 3, "val": [1, 0, 1],
            "strat": [timeframe] * 3, "px": [0.0] * 3, "tf": [timeframe] * 3,
        }  # fmt: skip
        pq.write_table(pa.table(columns), folder / f"{timeframe}.parquet")

    catalog.register(tmp_path / "run")

    query = "select strategy_id, timeframe from trace_files order by 1"
    assert rows(catalog, query) == [("1m", "1m"), ("5m", "5m")]


def test_a_copy_is_not_counted_as_registered(catalog, write_run, tmp_path):
    run = write_run("run_a", {"a": [1, 0]})
    shutil.copytree(run, tmp_path / "runs" / "z" / "run_a")

    report = catalog.register(tmp_path / "runs")

    assert (report.registered, len(report.copies)) == (1, 1)


def test_metadata_that_was_being_taken_in_when_it_was_interrupted_is_taken_in(
    catalog, write_run, monkeypatch
):
    run = write_run(traces={str(number): [1, number] for number in range(6)})
    catalog.register(run)
    config = {"type": "rsi", "parameters": {"period": 14}}
    listed = {str(number): {"full_config": config} for number in range(6)}
    (run / "metadata.json").write_text(json.dumps({"components": listed}))
    monkeypatch.setattr("catalog.register.register.BATCH_SIZE", 2)

    recorded = []
    original = register_module.record

    def record_once(*arguments):
        if recorded:
            raise KeyboardInterrupt
        recorded.append(1)
        return original(*arguments)

    monkeypatch.setattr(register_module, "record", record_once)
    with pytest.raises(KeyboardInterrupt):
        catalog.register(run)
    monkeypatch.setattr(register_module, "record", original)

    catalog.register(run)

    assert rows(catalog, "select count(*) from trace_files where config_source = 'unknown'") == [
        (0,)
    ]


def test_wall_clock_times_are_no_times(catalog, tmp_path):
    path = tmp_path / "runs/r/traces/SPY_1m/signals/g/a.parquet"
    old_trace(path, [1, 0], wall_clock=True)

    report = catalog.register(tmp_path / "runs")

    assert report.without_bar_times == 1
    assert rows(catalog, "select ts, ts_raw is not null from signals") == [(None, True)] * 2
    assert rows(catalog, "select knows_bar_times, first_ts from trace_files") == [(False, None)]


def test_the_spacing_of_the_rows_tells_which_label_is_right(catalog, tmp_path):
    run = tmp_path / "runs" / "r"
    old_trace(run / "traces/signals/g/a.parquet", [1, 0], symbol="SPY_5m", timeframe="1m")
    source = {"symbols": ["SPY_5m"], "timeframes": ["5m"]}
    (run / "metadata.json").write_text(json.dumps({"data_source": source}))

    catalog.register(run)

    # The rows are three minutes apart, three bars each: the label is right after all.
    query = "select symbol, symbol_raw, timeframe, timeframe_raw from trace_files"
    assert rows(catalog, query) == [("SPY", "SPY_5m", "1m", "1m")]


def test_metadata_written_after_the_traces_is_taken_in(catalog, write_run):
    catalog.register(write_run(traces={"a": [1, 0]}))
    config = {"type": "rsi", "parameters": {"period": 14}}
    run = write_run(
        traces={}, metadata={"total_bars": 500, "components": {"a": {"full_config": config}}}
    )

    catalog.register(run)

    query = "select strategy_hash, config_source, last_bar from trace_files"
    assert rows(catalog, query) == [(strategy_hash(config), "metadata", 499)]
    assert rows(catalog, "select count(*) from strategies") == [(1,)]


def test_dry_run_reports_and_writes_nothing(catalog, write_run, write_sweep):
    run = write_run()

    report = catalog.register(run, sweeps=[write_sweep()], dry_run=True)

    assert report.registered == 1
    assert report.sources == {"sweep": 1}
    assert not catalog.path.exists()
    assert os.listdir(catalog.path.parent) == []


def test_links_are_followed_once_and_never_in_a_circle(catalog, write_run, tmp_path):
    write_run("far/run_a", {"a": [1, 0]}, root=tmp_path / "elsewhere")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "elsewhere" / "far")
    (tmp_path / "elsewhere" / "far" / "back").symlink_to(tmp_path / "runs")
    (tmp_path / "runs" / "self").symlink_to(tmp_path / "runs")

    report = catalog.register(tmp_path / "runs")

    assert report.registered == 1
    assert rows(catalog, "select count(*) from signals") == [(2,)]


def test_hidden_folders_and_files_are_passed_over(catalog, write_run, tmp_path):
    write_run("run_a", {"a": [1, 0]})
    write_run(".trash", {"old": [1, 0]})
    old_trace(tmp_path / "runs/run_a/traces/SPY_1m/signals/sma_grid/._a.parquet", [1])

    report = catalog.register(tmp_path / "runs")

    assert report.registered == 1
    assert rows(catalog, "select count(*) from signals") == [(2,)]
    assert report.needs_attention is False


def test_registering_again_beside_hidden_folders_writes_nothing(catalog, write_run, tmp_path):
    write_run("run_a", {"a": [1, 0]})
    write_run(".trash", {"old": [1, 0]})
    catalog.register(tmp_path / "runs")
    before = catalog.path.stat().st_mtime_ns

    catalog.register(tmp_path / "runs")

    assert catalog.path.stat().st_mtime_ns == before


def test_unfinished_files_are_named(catalog, write_run):
    run = write_run()
    unfinished = run / "traces/SPY_1m/signals/sma_grid/.x.parquet.123-0a1b2c3d.tmp"
    unfinished.write_bytes(b"PAR1")

    report = catalog.register(run)

    assert any(str(unfinished) in warning for warning in report.warnings)


def test_a_folder_that_is_not_there_is_a_usage_error(catalog, tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        catalog.register(tmp_path / "nowhere")


def test_a_catalog_that_is_copied_with_its_folder_works_in_its_new_place(
    catalog, write_run, tmp_path
):
    home = catalog.path.parent
    write_run("run_a", {"a": [1, 0]}, root=home / "runs")
    catalog.register(home / "runs")

    home.rename(tmp_path / "moved")

    moved = type(catalog)(tmp_path / "moved" / "catalog.duckdb")
    assert rows(moved, "select count(*) from signals") == [(2,)]
    path = f"{tmp_path}/moved/runs/run_a/traces/SPY_1m/signals/sma_grid/a.parquet"
    assert rows(moved, "select path from trace_files") == [(path,)]


def test_a_root_above_the_catalog_counts_every_row_once(catalog, write_run, tmp_path):
    write_run("run_a", {"a": [1, 0]}, root=catalog.path.parent / "runs")
    write_run("run_b", {"b": [1, 0]})

    catalog.register(tmp_path)

    assert rows(catalog, "select strategy_id, count(*) from signals group by 1 order by 1") == [
        ("a", 2),
        ("b", 2),
    ]


def test_an_outer_root_takes_over_what_was_registered_inside_it(catalog, write_run, tmp_path):
    catalog.register(write_run("run_a", {"a": [1, 0]}))
    write_run("run_b", {"b": [1, 0]})

    catalog.register(tmp_path / "runs")
    catalog.register(tmp_path / "runs" / "run_a")

    assert catalog.info().roots == [f"{tmp_path}/runs"]
    assert rows(catalog, "select count(*) from signals") == [(4,)]
