"""Who gets a bundle knows of its traces what the catalog knew that made it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from catalog import Catalog, write_signals
from catalog.cli.main import main
from catalog.errors import QueryError, UsageError
from catalog.upkeep.archive import write_archive
from conftest import old_trace, rows
from daily import measure_daily, walks

KNOWN = """
    select
        t.trace_id, t.kind, t.run_id, t.strategy_id, t.strategy_key, t.strategy_type, t.symbol,
        t.timeframe, t.config_source, t.content_digest, t.last_bar, t.bars_long, s.config::varchar
    from trace_files as t
    left join (select strategy_key, config from strategies) as s using (strategy_key)
    where {}
    order by all
"""
RUNS = "select run_id, name, recorded_id, created_at, data_source::varchar, total_bars from runs"
GRID = "traces/SPY_1m/signals/sma_grid"
ENSEMBLE = {
    "type": "ensemble",
    "strategies": [{"type": "rsi", "parameters": {"n": 14}, "weight": 0.5}],
}


def write_sweep(folder: Path, name: str, strategy_type: str, fast: list[int]) -> Path:
    grid = {"type": strategy_type, "name": "sma_grid", "params": {"fast": fast, "slow": [20, 50]}}
    path = folder / name
    path.write_text(json.dumps({"symbols": ["SPY"], "strategies": [grid]}))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """
    A catalog of runs of which no trace says all by itself.

    Two are called alike and differ; of their two sweeps both fit a part of the first run.
    """
    home = tmp_path_factory.mktemp("made")
    catalog = Catalog(home / "catalog.duckdb")
    for fast in (5, 10):
        for slow in (20, 50):
            name = f"SPY_sma_grid_{fast}_{slow}"
            old_trace(home / "a/sweep" / GRID / f"{name}.parquet", [1, 0, fast, 1][: 2 + fast // 5])
    for slow in (20, 50):
        name = f"SPY_sma_grid_5_{slow}"
        old_trace(home / "b/sweep" / GRID / f"{name}.parquet", [1, -1, slow])
    old_trace(home / "a/sweep/traces/SPY_1m/classifiers/trend/SPY_trend.parquet", ["up", "down"])
    sweeps = [
        write_sweep(home, "one.yaml", "crossover", [5, 10]),
        write_sweep(home, "other.yaml", "cross_under", [5]),
    ]
    catalog.register(home / "a", sweeps=sweeps[:1])
    catalog.register(home / "b", sweeps=sweeps[1:])
    config = {"type": "rsi", "parameters": {"n": 7, "level": 20.0}}
    components = {"SPY_rsi_7": {"full_config": config}}
    about = {"components": components, "run_id": "told", "total_bars": 9}
    old_trace(home / "a/told_run/traces/SPY_1m/signals/rsi/SPY_rsi_7.parquet", [1, 0])
    (home / "a/told_run/metadata.json").write_text(json.dumps(about))
    catalog.register(home / "a/told_run")
    measure_daily(catalog, home / "runs/daily", walks(80, 4))
    write_signals(
        home / "runs/made", [[1.0], [0.0]], configs={"ensemble": ENSEMBLE}, symbol="SPY",
        timeframe="1m", catalog=catalog.path,
    )  # fmt: skip
    return home


@pytest.fixture
def source(made: Path, tmp_path: Path) -> Catalog:
    shutil.copytree(made, tmp_path / "home")
    return Catalog(tmp_path / "home/catalog.duckdb")


def known(catalog: Catalog, where: str = "true") -> list[object]:
    return rows(catalog, KNOWN.format(where))


def unpacked(archive: Path, folder: Path) -> Path:
    """Unpack an archive as a colleague does, with whatever times of change that gives."""
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    return folder / archive.stem


ALL = None
# What two sweep files would say something different about, if it were known by its names alone.
A_PART = "run_id in ('sweep', 'told') and strategy_id not like 'SPY_sma_grid_10%'"
# A run that is called after a digest, since there is another one of its name: not in the bundle.
THE_OTHER = "run_id like 'sweep-%' and strategy_id = 'SPY_sma_grid_5_20'"


@pytest.mark.parametrize("where", [ALL, A_PART, THE_OTHER])
def test_who_registers_a_bundle_knows_what_the_source_knows(source, tmp_path, where):
    report = source.bundle(tmp_path / "some.zip", where=where)
    folder = unpacked(tmp_path / "some.zip", tmp_path / "theirs")
    theirs = Catalog(tmp_path / "theirs/catalog.duckdb")
    registration = theirs.register(folder)

    wanted = known(source, "true" if where is None else f"kind = 'signal' and {where}")
    assert (report.traces, report.needs_attention) == (len(wanted), False)
    assert not registration.needs_attention
    assert known(theirs) == wanted
    assert known(Catalog(folder / "catalog.duckdb")) == wanted
    assert {row[8] for row in wanted if row[2] == "sweep"} <= {"sweep", "unknown"}
    assert set(rows(theirs, RUNS)) <= set(rows(source, RUNS))
    assert theirs.register(folder).registered == 0


def test_a_run_is_bundled_with_traces_of_every_kind(source, tmp_path):
    source.bundle(tmp_path / "part", run="sweep")

    there = Catalog(tmp_path / "part/catalog.duckdb")

    assert rows(there, "select kind, count(*) from trace_files group by all order by all") == [
        ("classifier", 1),
        ("signal", 4),
    ]


def test_the_catalog_in_a_bundle_opens_in_other_clients(source, tmp_path):
    query = "select count(*), sum(val), count(distinct trace_id) from signals"
    ours = rows(source, f"{query} where run_id = 'sweep'")
    source.bundle(tmp_path / "all", run="sweep")
    source.bundle(tmp_path / "all.zip", run="sweep")
    folder = unpacked(tmp_path / "all.zip", tmp_path / "theirs")
    with duckdb.connect(str(folder / "catalog.duckdb"), read_only=True) as con:
        con.execute("set variable catalog_root = $root", {"root": str(folder)})
        assert con.sql(query).fetchall() == ours

    report = Catalog(folder / "catalog.duckdb").relocate()

    assert (report.found, report.retimed) == (5, 5)
    code = "import duckdb, sys; con = duckdb.connect(sys.argv[1], read_only=True); "
    code += f"print(con.sql({query!r}).fetchall())"
    for python in filter(None, (sys.executable, os.environ.get("CATALOG_TEST_OLD_PYTHON"))):
        for path in (tmp_path / "all", folder):
            command = [python, "-c", code, str(path / "catalog.duckdb")]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert (done.stdout.strip(), done.stderr) == (str(ours), "")


def test_figures_prices_and_the_ledger_of_trials_go_along(source, tmp_path):
    figures = "strategy_id, round(sharpe, 9), round(deflated_sharpe, 9)"
    best = f"select {figures} from strategy_index where strategy_id in ('walk_0', 'walk_1')"
    best += " order by all"
    before = rows(source, best)
    assert all(None not in row for row in before)
    where = "strategy_id in ('walk_0', 'walk_1') and run_id = 'daily'"

    report = source.bundle(tmp_path / "best", where=where, prices=True)

    there = Catalog(tmp_path / "best/catalog.duckdb")
    assert report.series == ["SPY 1d"]
    assert rows(there, best) == before
    index = f"read_parquet('{tmp_path}/best/strategy_index.parquet')"
    assert duckdb.sql(best.replace("strategy_index", index)).fetchall() == before
    paths = duckdb.sql(f"select trace_path from {index}").fetchall()
    assert all((tmp_path / "best" / path).is_file() for (path,) in paths)
    # Measured anew they say the same: of the trials all count, not two.
    there.metrics()
    assert rows(there, best) == before
    assert rows(there, "select count(*) from daily_returns") == [(160,)]


def test_packed_traces_are_written_out_of_their_packs(source, tmp_path):
    wanted, signals = known(source), "select trace_id, bar_index, val from signals order by all"
    before = rows(source, signals)
    source.compact(delete_originals=True)

    report = source.bundle(tmp_path / "all")

    theirs = Catalog(tmp_path / "catalog.duckdb")
    theirs.register(tmp_path / "all")
    assert (report.unpacked, report.left, report.differing) == (12, {}, [])
    assert known(theirs) == wanted
    assert rows(theirs, signals) == before


def test_who_has_the_runs_already_counts_them_once(source, tmp_path):
    wanted = known(source)
    source.bundle(tmp_path / "part", where="run_id = 'sweep' and strategy_id like '%_20'")

    report = source.register(tmp_path / "part")

    assert (report.registered, len(report.copies)) == (0, 2)
    assert known(source) == wanted


def test_what_is_gone_or_has_changed_is_left_out_and_told(source, tmp_path):
    folder = tmp_path / "home/a/sweep" / GRID
    (folder / "SPY_sma_grid_5_20.parquet").unlink()
    old_trace(folder / "SPY_sma_grid_5_50.parquet", [0, 0, 0, 1])
    arguments = ["bundle", str(tmp_path / "part"), "--run", "sweep", "--prices"]

    done = CliRunner().invoke(main, [*arguments, "--catalog", str(source.path)])

    assert done.exit_code == 3
    assert "its file is gone" in done.stderr
    assert "its file has changed since it was registered" in done.stderr
    assert "none of SPY 1m" in done.stderr
    assert len(known(Catalog(tmp_path / "part/catalog.duckdb"))) == 3


def test_what_cannot_be_bundled_leaves_nothing_behind(source, tmp_path):
    (tmp_path / "there").mkdir()
    shutil.rmtree(tmp_path / "home/b")
    before = sorted(os.listdir(tmp_path))

    for path, options, error in (
        ("there", {}, UsageError),
        ("new", {"where": "false"}, QueryError),
        ("new", {"where": "run_id like 'sweep-%'"}, QueryError),
        ("new.zip", {"run": "no such run"}, QueryError),
        ("new.zip", {"where": "no condition at all"}, QueryError),
    ):
        with pytest.raises(error):
            source.bundle(tmp_path / path, **options)

    assert sorted(os.listdir(tmp_path)) == before


def test_what_a_killed_one_left_is_removed_by_the_next(source, tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / f".part.{ended.pid}.tmp/part").mkdir(parents=True)
    (tmp_path / f".part.{os.getpid()}0.tmp.kept").mkdir()

    source.bundle(tmp_path / "part", where="strategy_id = 'walk_0'")

    left = sorted(os.listdir(tmp_path))
    assert left == [f".part.{os.getpid()}0.tmp.kept", "home", "part"]


def test_an_archive_holds_the_same_whenever_it_is_made(tmp_path):
    for name in ("b/2", "b/1", "a", "µ *"):
        path = tmp_path / "bundle" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 100)
        os.utime(path, (1.7e9, 1.7e9))

    for target in ("one.zip", "two.zip"):
        write_archive(tmp_path / "bundle", tmp_path / target)

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        names = ["bundle/a", "bundle/b/1", "bundle/b/2", "bundle/µ *"]
        assert archive.namelist() == names
        assert archive.testzip() is None
        assert archive.read("bundle/µ *") == "µ *".encode() * 100


@pytest.mark.soak
def test_an_archive_holds_more_files_than_the_old_format_counts(tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    for number in range(66_000):
        (folder / str(number)).touch()

    write_archive(folder, tmp_path / "many.zip")

    with zipfile.ZipFile(tmp_path / "many.zip") as archive:
        assert len(archive.namelist()) == 66_000


def test_a_broken_manifest_is_told_and_stops_nothing(source, tmp_path):
    source.bundle(tmp_path / "part", run="sweep")
    (tmp_path / "part/bundle.json").write_text('{"bundle": 1')
    theirs = Catalog(tmp_path / "catalog.duckdb")

    report = theirs.register(tmp_path / "part")

    assert [problem.reason for problem in report.quarantined] == ["broken bundle.json"]
    assert (report.registered, report.sources["unknown"]) == (5, 5)
