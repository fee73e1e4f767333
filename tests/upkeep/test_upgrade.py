"""Old traces written anew: they say what they said, and where they were is left alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import catalog.upgrade.convert as converting
from bad_files import write_damaged, write_ours
from catalog import Catalog, strategy_hash
from catalog.cli.main import main
from catalog.errors import CatalogError, UsageError
from catalog.traces.format import temporary_name
from catalog.traces.read import read_trace_file
from catalog.traces.trace_table import read_trace_table
from conftest import OPEN, SHARED, old_trace, rows

ALL = bool(os.environ.get("CATALOG_SOAK_UPGRADE"))
CONFIG = {"type": "sma_crossover", "parameters": {"fast": 5, "slow": 20}}


def prices(bars: int, *, later: float = 0.0) -> pa.Table:
    """Bars of one minute from the first bar of the old traces."""
    close = 500 + np.arange(bars) / 4 + later
    ts = [OPEN + timedelta(minutes=bar) for bar in range(bars)]
    columns = dict.fromkeys(("open", "high", "low", "close"), close)
    return pa.table({"timestamp": pa.array(ts, pa.timestamp("us", "UTC")), **columns})


def add_prices(catalog: Catalog, bars: int = 120, *, later: float = 0.0) -> None:
    catalog.add_prices(prices(bars, later=later), symbol="SPY", timeframe="1m", tz="UTC")


def trace_path(run: Path, strategy_id: str, *, kind: str = "signals") -> Path:
    return run / "traces" / "SPY_1m" / kind / "sma_grid" / f"{strategy_id}.parquet"


def g3_trace(path: Path, strategy_id: str, short: str, bars: list[int], px: list[float]) -> None:
    """Write a trace as the third generation did: the hash in the first row, prices as they were."""
    count = len(bars)
    first = {"price": px[0], "parameters": {"fast": 5}}
    table = pa.table(
        {
            "idx": pa.array(bars, pa.int64()),
            "ts": [(OPEN + timedelta(minutes=bar)).isoformat() for bar in bars],
            "sym": ["SPY_1m"] * count,
            "val": pa.array([(-1) ** row for row in range(count)], pa.int64()),
            "strat": [strategy_id] * count,
            "px": px,
            "metadata": [first, *[None] * (count - 1)],
            "strategy_hash": [short, *[None] * (count - 1)],
        }
    )
    keys = {
        "strategy_id": strategy_id, "strategy_hash": short, "strategy_config": json.dumps(first),
        "creation_time": "2026-01-02T03:04:05",
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(keys), path)


def tree(folder: Path) -> dict[str, tuple[str, int]]:
    """Return the digest and time of change of every file in a folder."""
    return {
        str(path.relative_to(folder)): (
            sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


def unfinished(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*") if path.is_file()]


def write_old_runs(root: Path) -> None:
    """Make old runs of several generations, with junk between them."""
    random = np.random.default_rng(5)
    run = root / "deep" / "run_a"
    for n in range(40):
        length = int(random.integers(1, 30))
        bars = np.sort(random.choice(100, length, replace=False)).tolist()
        # Values that stay are rows too; only their changes make the content.
        values = random.integers(-1, 2, length).tolist()
        old_trace(trace_path(run, f"SPY_sma_grid_{n}_50"), values, bars=bars, wall_clock=n % 3 == 0)
        if n % 5 == 0:
            shuffle(trace_path(run, f"SPY_sma_grid_{n}_50"), random)
    old_trace(trace_path(run, "SPY_trend", kind="classifiers"), ["up", "down", "naïve"])
    document = {
        "run_id": "run_a", "total_bars": 110, "timestamp": "2025-06-01T10:00:00",
        "components": {
            "SPY_sma_grid_1_50": {
                "strategy_type": "sma_crossover", "parameters": CONFIG["parameters"],
            },
            "SPY_gone": {"strategy_type": "rsi", "parameters": {"period": 3}},
        },
    }  # fmt: skip
    (run / "metadata.json").write_text(json.dumps(document))
    newer = root / "run_g3"
    short = strategy_hash(CONFIG)
    folder = newer / "traces/signals/sma_crossover"
    g3_trace(folder / "SPY_1.parquet", "SPY_1", short, [4, 8], [501.0, 502.0])
    g3_trace(folder / "SPY_2.parquet", "SPY_2", short, [4, 8], [501.0, 999.0])
    components = {name: {"full_config": CONFIG} for name in ("SPY_1", "SPY_2")}
    (newer / "metadata.json").write_text(json.dumps({"components": components}))
    write_ours(root / "run_ours")
    (root / "run_bad/traces/signals/odd").mkdir(parents=True)
    write_damaged(root / "run_bad/traces/signals/odd/damaged.parquet", "val")
    (root / "run_bad/traces/signals/odd/empty.parquet").write_bytes(b"")


def shuffle(path: Path, random: np.random.Generator) -> None:
    table = pq.read_table(path)
    pq.write_table(table.take(random.permutation(len(table))), path)


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory):
    """A catalog with prices, old runs, what became of them, and the old and the new registered."""
    root = tmp_path_factory.mktemp("upgraded")
    (root / "home").mkdir()
    catalog = Catalog(root / "home" / "catalog.duckdb")
    add_prices(catalog)
    write_old_runs(root / "old")
    before = tree(root / "old")
    report = catalog.upgrade(root / "old", output=root / "new")
    assert tree(root / "old") == before, "the old traces are left alone"
    catalog.register(root / "old", root / "new")
    return catalog, root, report


def test_every_trace_that_can_be_read_is_converted(upgraded):
    _, root, report = upgraded

    assert report.converted == {"G1": 41, "G3": 2}
    assert (report.copied, report.there, report.failed) == (1, 0, [])
    assert report.kinds == {"signal": 42, "classifier": 1}
    assert report.times == {"file": 29, "prices": 14}
    assert sorted(Path(p.path).name for p in report.quarantined) == [
        "damaged.parquet", "empty.parquet",
    ]  # fmt: skip
    assert unfinished(root / "new") == []


def test_old_and_new_have_the_same_content_range_and_configuration(upgraded):
    catalog, _, _ = upgraded
    query = """
        select strategy_id, kind, content_digest, strategy_hash, first_bar, last_bar, row_count,
            change_count, last_val, bars_long, bars_short, symbol, timeframe
        from trace_files where {} order by all
    """

    old = rows(catalog, query.format("generation <> 'G5'"))

    assert old == rows(catalog, query.format("generation = 'G5' and run_id not like '%ours%'"))
    assert len(old) == 43


def test_the_views_have_the_same_rows_of_old_and_new(upgraded):
    catalog, _, _ = upgraded
    query = """
        select s.strategy_id, s.symbol, s.bar_index, s.val, s.px, s.strat, s.ts
        from {view} as s join trace_files using (trace_id)
        where generation {old} 'G5' and s.run_id not like '%ours%'
        order by all
    """

    for view in ("signals", "classifications"):
        old = rows(catalog, query.format(view=view, old="<>"))
        new = rows(catalog, query.format(view=view, old="="))
        assert [row[:-1] for row in old] == [row[:-1] for row in new]
        # What the file knew is kept, and what only the prices know is added.
        for before, after in zip(old, new, strict=True):
            assert after[-1] == OPEN + timedelta(minutes=after[2])
            assert before[-1] in (None, after[-1])
    assert any(row[-1] is None for row in rows(catalog, query.format(view="signals", old="<>")))


def test_a_new_file_explains_itself_in_plain_parquet(upgraded):
    _, root, _ = upgraded
    path = root / "new/deep/run_a/traces/signals/sma_crossover/SPY_sma_grid_1_50.parquet"
    old = read_trace_file(str(trace_path(root / "old/deep/run_a", "SPY_sma_grid_1_50")))

    table, keys = pq.read_table(path), pq.read_metadata(path).metadata

    short = strategy_hash(CONFIG)
    assert set(table["strategy_hash"].to_pylist()) == {short}
    assert json.loads(keys[b"strategy_config"]) == CONFIG
    assert json.loads(table["metadata"][0].as_py()) == CONFIG
    assert (keys[b"first_bar"], keys[b"last_bar"]) == (b"0", b"109")
    assert keys[b"first_ts"] == b"2024-03-26T13:30:00+00:00"
    assert keys[b"last_ts"] == b"2024-03-26T15:19:00+00:00"
    assert keys[b"creation_time"] == b"2025-06-01T10:00:00+00:00"
    assert len(keys[b"data_digest"]) == len(keys[b"content_digest"]) == 64
    origin = json.loads(keys[b"upgraded_from"])
    assert origin["path"] == "deep/run_a/traces/SPY_1m/signals/sma_grid/SPY_sma_grid_1_50.parquet"
    assert (origin["generation"], origin["file_digest"]) == ("G1", old.file_digest)
    assert origin["columns"]["src_file"] == "./data/SPY_1m.csv"
    assert origin["keys"]["run_id"] == "SPY_sma_grid_1_50"


def test_nobody_makes_up_a_hash_for_parameters_that_nobody_knows(upgraded):
    _, root, report = upgraded
    path = root / "new/deep/run_a/traces/signals/sma_grid/SPY_sma_grid_2_50.parquet"

    table, keys = pq.read_table(path), pq.read_metadata(path).metadata

    assert report.sources == {"metadata": 3, "unknown": 40}
    assert report.needs_attention
    assert table["strategy_hash"].null_count == table["metadata"].null_count == len(table)
    assert b"strategy_hash" not in keys
    assert b"strategy_config" not in keys


def test_prices_that_the_trace_did_not_see_give_it_no_digest(upgraded):
    _, root, _ = upgraded
    folder = root / "new/run_g3/traces/signals/sma_crossover"

    seen = pq.read_metadata(folder / "SPY_1.parquet").metadata
    other = pq.read_metadata(folder / "SPY_2.parquet").metadata

    assert b"data_digest" in seen
    assert b"data_digest" not in other


def test_times_that_only_bar_numbers_tell_are_no_sign_that_it_saw_these_prices(upgraded):
    catalog, _, _ = upgraded
    told = rows(
        catalog,
        "select path, knows_bar_times, data_digest is not null from trace_files "
        "where generation = 'G5' and run_id not like '%ours%'",
    )

    by_times = {
        (json.loads(pq.read_metadata(path).metadata[b"upgraded_from"])["times"], *said)
        for path, *said in told
        if "run_g3" not in path
    }

    assert by_times == {("file", True, True), ("prices", False, False)}


def test_what_is_of_our_format_already_is_copied_byte_by_byte(upgraded):
    _, root, _ = upgraded
    name = "run_ours/traces/signals/sma_crossover/ours.parquet"

    assert (root / "new" / name).read_bytes() == (root / "old" / name).read_bytes()


def test_a_run_says_what_it_said_and_where_its_new_traces_are(upgraded):
    _, root, _ = upgraded

    document = json.loads((root / "new/deep/run_a/metadata.json").read_text())

    assert (document["run_id"], document["total_bars"]) == ("run_a", 110)
    assert document["components"]["SPY_gone"]["parameters"] == {"period": 3}
    one = document["components"]["SPY_sma_grid_1_50"]
    assert one["full_config"] == CONFIG
    assert (root / "new/deep/run_a" / one["trace_path"]).exists()


def test_old_and_new_are_two_runs_whose_newer_traces_are_the_latest(upgraded):
    catalog, _, _ = upgraded
    query = "select count(distinct run_id), count(*) from trace_files where run_id like 'run_a%'"

    assert rows(catalog, query) == [(2, 82)]
    latest = """
        select distinct generation from trace_files
        where is_latest and strategy_hash is not null
    """
    assert rows(catalog, latest) == [("G5",)]


def test_doing_it_again_writes_nothing(upgraded):
    catalog, root, _ = upgraded
    before = tree(root / "new")

    report = catalog.upgrade(root / "old", output=root / "new")

    assert (report.converted.total(), report.there, report.copied) == (0, 44, 0)
    assert report.needs_attention, "it still lacks parameters"
    assert tree(root / "new") == before


def test_what_becomes_known_later_is_written_later(tmp_path, catalog, write_run, write_sweep):
    run = write_run(traces={})
    for name, wall_clock in {"SPY_sma_grid_5_20": True, "SPY_sma_grid_10_50": False}.items():
        old_trace(trace_path(run, name), [1, 0, 1], wall_clock=wall_clock)
    old, new = run.parent, tmp_path / "new"
    folder = new / run.name / "traces/signals"

    first = catalog.upgrade(old, output=new)
    assert (first.sources, first.times) == ({"unknown": 2}, {"unknown": 1, "file": 1})
    assert first.without_times == {"no prices of SPY 1m are known": 1}
    table = pq.read_table(folder / "sma_grid" / "SPY_sma_grid_5_20.parquet")
    assert table["ts"].null_count == len(table)

    add_prices(catalog)
    second = catalog.upgrade(old, output=new, sweeps=[write_sweep()])
    assert (second.converted.total(), second.removed, second.sources) == (2, 2, {"sweep": 2})
    assert second.times == {"prices": 1, "file": 1}
    assert not second.needs_attention
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.parquet"))
    assert names == [
        f"sma_crossover/{name}.parquet" for name in ("SPY_sma_grid_10_50", "SPY_sma_grid_5_20")
    ]
    table = pq.read_table(folder / "sma_crossover" / "SPY_sma_grid_5_20.parquet")
    assert table["ts"].to_pylist() == [OPEN + timedelta(minutes=bar) for bar in (0, 3, 6)]


def test_ids_that_two_folders_of_a_run_share_have_places_of_their_own(tmp_path, catalog):
    folder = tmp_path / "old" / "run" / "traces"
    for timeframe in ("1m", "5m"):
        path = folder / f"SPY_{timeframe}" / "signals" / "grid" / "SPY_grid_1.parquet"
        old_trace(path, [1, 0], timeframe=timeframe, wall_clock=True)

    report = catalog.upgrade(tmp_path / "old" / "run", output=tmp_path / "new")

    written = list((tmp_path / "new" / "run" / "traces" / "signals" / "grid").iterdir())
    assert report.converted == {"G1": 2}
    assert {read_trace_file(str(path)).timeframe_raw for path in written} == {"1m", "5m"}
    assert all(path.name.startswith("SPY_grid_1_") for path in written)


@pytest.mark.parametrize("place", ["same", "inside", "other", "of another folder", "a file"])
def test_an_output_that_is_for_something_else_is_refused(place, tmp_path, catalog, write_run):
    old = write_run().parent
    new = {"same": old, "inside": old / "new"}.get(place, tmp_path / "new")
    if place == "other":
        new.mkdir()
        (new / "thesis.tex").write_text("mine")
    elif place == "of another folder":
        new.mkdir()
        (new / "upgrade.json").write_text('{"upgraded_from": "/elsewhere"}')
    elif place == "a file":
        new.write_text("mine")
    before = tree(tmp_path)

    with pytest.raises(UsageError) as refused:
        catalog.upgrade(old, output=new)

    assert str(new) in str(refused.value)
    assert tree(tmp_path) == before


def test_two_processes_do_not_upgrade_into_one_folder(tmp_path, catalog, write_run):
    import fcntl

    new = tmp_path / "new"
    new.mkdir()
    descriptor = os.open(new, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(CatalogError, match="Another process"):
            catalog.upgrade(write_run().parent, output=new)
    finally:
        os.close(descriptor)


COLUMNS = ("idx", "ts", "sym", "val", "strat", "px", "metadata", "strategy_hash")


def test_a_new_file_that_differs_in_any_column_is_not_kept(
    tmp_path, catalog, write_run, write_sweep, monkeypatch
):
    names = [f"SPY_sma_grid_{fast}_{slow}" for fast in (5, 10) for slow in (20, 50)] * 2
    run = write_run(traces={f"{n}_{name}": [1, 0, 1] for n, name in enumerate(names)})
    new = tmp_path / "new"
    right = converting._columns
    turn = iter(range(len(COLUMNS)))

    def wrong(*arguments):
        columns = right(*arguments)
        place = next(turn)
        reverse = pa.array(list(reversed(range(len(columns[place])))))
        changed = {
            "sym": pa.array(["QQQ"] * 3), "strat": pa.array(["other"] * 3),
            "px": pa.array([0.0, 0.0, 1.0]), "strategy_hash": pa.array(["0" * 12] * 3),
            "metadata": pa.array([None, None, "{}"], pa.string()),
            "val": pa.array([1.0, 0.0, -1.0]),
        }.get(COLUMNS[place], columns[place].take(reverse))  # fmt: skip
        columns[place] = changed
        return columns

    monkeypatch.setattr(converting, "_columns", wrong)
    monkeypatch.setattr("catalog.upgrade.upgrade._THREADS", 1)

    report = catalog.upgrade(run.parent, output=new)

    assert [problem.reason for problem in report.failed] == ["the new file differs"] * 8
    assert all(str(new) in p.error and p.path in p.error for p in report.failed)
    assert report.needs_attention
    assert list(new.rglob("*.parquet")) + unfinished(new) == []


def test_a_source_that_changes_meanwhile_is_left_out(tmp_path, catalog, write_run, monkeypatch):
    run = write_run(traces={"SPY_a": [1, 0], "SPY_b": [1, 0]})
    right = converting.open_source

    def changing(path):
        if path.endswith("SPY_a.parquet"):
            old_trace(Path(path), [1, 0, 1])
        return right(path)

    monkeypatch.setattr(converting, "open_source", changing)

    report = catalog.upgrade(run.parent, output=tmp_path / "new")

    assert [problem.reason for problem in report.failed] == ["changed while it was read"]
    assert report.converted == {"G1": 1}


def test_what_a_killed_upgrade_left_is_removed_and_the_rest_is_done(tmp_path, catalog, write_run):
    run = write_run(traces={f"SPY_{n}": [1, 0] for n in range(3)})
    new = tmp_path / "new"
    catalog.upgrade(run.parent, output=new)
    folder = new / run.name / "traces/signals/sma_grid"
    (folder / "SPY_1.parquet").unlink()
    dead = temporary_name("SPY_1.parquet").replace(f".{os.getpid()}-", ".4194305-")
    (folder / dead).write_bytes(b"half of it")

    report = catalog.upgrade(run.parent, output=new)

    assert (report.converted.total(), report.there) == (1, 2)
    assert unfinished(new) == []


CHILD = """
import sys
import catalog.upgrade.upgrade
from catalog import Catalog
catalog.upgrade.upgrade._TOGETHER = 2
Catalog(sys.argv[1]).upgrade(sys.argv[2], output=sys.argv[3])
"""


def test_an_upgrade_that_is_killed_half_way_goes_on_where_it_was(tmp_path, catalog, write_run):
    run = write_run(traces={f"SPY_{n}": [1, 0] for n in range(60)})
    new = tmp_path / "new"
    command = [sys.executable, "-c", CHILD, str(catalog.path), str(run.parent), str(new)]
    with subprocess.Popen(command) as child:
        while child.poll() is None and len(list(new.rglob("*.parquet"))) < 4:
            time.sleep(0.001)
        child.kill()
    made = list(new.rglob("*.parquet"))
    contents = [read_trace_file(str(path)).rows_digest for path in made]
    assert len(set(contents)) == 1, "what has its name is whole"

    report = catalog.upgrade(run.parent, output=new)

    assert report.there == len(made)
    assert report.there + report.converted.total() == 60
    assert report.failed == []
    assert unfinished(new) == []


def test_nothing_is_written_on_a_dry_run(tmp_path, catalog, write_run):
    report = catalog.upgrade(write_run().parent, output=tmp_path / "new", dry_run=True)

    assert report.converted == {"G1": 1}
    assert not (tmp_path / "new").exists()
    assert not catalog.path.exists()


def test_the_command_says_what_it_did_and_what_is_missing(
    tmp_path, catalog, write_run, write_sweep
):
    old = write_run().parent
    call = ["upgrade", str(old), "--output", str(tmp_path / "n"), "--catalog", str(catalog.path)]

    without = CliRunner().invoke(main, call)
    done = CliRunner().invoke(main, [*call, "--sweep", str(write_sweep())])

    assert without.exit_code == 3
    assert "1 trace without a hash" in without.output
    assert "--sweep FILE" in without.output
    assert done.exit_code == 0
    assert "converted  1 file (1 of G1) in 1 run" in done.output
    assert f"catalog register {tmp_path / 'n'}" in done.output


def _real(tmp_path: Path, shared: Path) -> Path:
    if ALL:
        return shared
    some = tmp_path / "some"
    for name in ("old_traces/june_2025/2102da52", "tracer_output/run_b"):
        (some / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(shared / name, some / name)
    return some


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real data is not beside this repository")
def test_real_traces_have_the_content_that_they_had(tmp_path, catalog, shared):
    catalog.add_prices(
        shared / "prices" / "SPY_1m.parquet", symbol="SPY", timeframe="1m", tz="America/New_York"
    )
    old = _real(tmp_path, shared)
    sweeps = sorted((shared / "sweeps").glob("*.yaml"))

    report = catalog.upgrade(old, output=tmp_path / "new", sweeps=sweeps)

    assert report.failed == []
    assert report.times["unknown"] == report.sources["unknown"] == 0
    if ALL:
        assert report.converted == {"G1": 1785, "G2": 44, "G3": 48, "G4": 30}
    catalog.register(old, tmp_path / "new", sweeps=sweeps)
    query = """
        select kind, strategy_id, strategy_hash, content_digest, first_bar, last_bar
        from trace_files where kind in ('signal', 'classifier') and generation {} 'G5'
    """
    before = Counter(rows(catalog, query.format("<>")))
    assert Counter(rows(catalog, query.format("="))) == before
    assert before.total() == report.kinds["signal"] + report.kinds["classifier"]
    for view in ("orders", "fills", "positions"):
        query = f"select * exclude (idx, sym, trace_id, run_id, ts_raw) from {view}"
        both = Counter(rows(catalog, query))
        assert both.total() > 1000
        assert all(count % 2 == 0 for count in both.values())


def test_a_long_trace_in_several_pieces_is_converted(tmp_path, catalog):
    bars = list(range(0, 80_000, 2))
    path = trace_path(tmp_path / "old" / "run", "SPY_long")
    old_trace(path, [bar // 2 % 3 - 1 for bar in bars], bars=bars)

    report = catalog.upgrade(tmp_path / "old", output=tmp_path / "new")

    (new,) = (tmp_path / "new").rglob("*.parquet")
    assert (report.failed, report.rows) == ([], 40_000)
    table = read_trace_table(new).table
    assert table["idx"].to_pylist() == bars
    assert pq.read_metadata(new).num_row_groups == 2
