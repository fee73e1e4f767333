"""A catalog that is made anew says what the old one said, whatever became of that."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from catalog import Catalog, Sweep, write_signals
from catalog.errors import CatalogBusyError, NotACatalogError, StoreError, UsageError
from catalog.store.database import writing
from catalog.store.inbox import leave_note
from conftest import CREATE, old_trace, rows

MINUTES = np.datetime64("2024-03-26T13:30", "us") + np.arange(90) * np.timedelta64(60, "s")
PRICES = 100 + np.cumsum(np.random.default_rng(1).normal(0, 0.1, 90)).round(2)

# All that a catalog says, but for when it was told.
SAID = {
    "trace_files": "select * exclude (registered_at) from trace_files order by trace_id",
    "strategies": "select * exclude (registered_at) from strategies order by strategy_key",
    "runs": "select * exclude (registered_at) from runs order by run_id",
    "other_files": "select * exclude (seen_at, error) from other_files order by path",
    "parameters": "from parameters order by all",
    "components": "from components order by all",
    "price_series": "from price_series order by all",
    "tags": "from tags order by all",
    "metrics": "select * exclude (computed_at) from metrics order by all",
    "daily_returns": "from daily_returns order by all",
    "signals": "from signals order by all",
}
COMPUTED = ("metrics", "daily_returns")
# And what no view shows.
KEPT = ("trial", "metric_set")


def write_ours(catalog: Catalog, run: Path, numbers: range, seed: int) -> None:
    configs: dict[str, object] = {
        f"sma_{n}": {"type": "sma", "parameters": {"n": n}} for n in numbers
    }
    parts = [configs[f"sma_{n}"] for n in numbers[:2]]
    configs["both"] = {"type": "ensemble", "parameters": {}, "strategies": parts}
    values = np.random.default_rng(seed).integers(-1, 2, (90, len(configs))) / 2
    write_signals(
        run, values, configs=configs, symbol="SPY", timeframe="1m", ts=MINUTES, prices=PRICES,
        catalog=catalog.path,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """A catalog of all that there can be in one, in a folder that is copied for each test."""
    folder = tmp_path_factory.mktemp("made")
    catalog = Catalog(folder / "catalog.duckdb")
    old = folder / "old"
    for run, shift in (("june", 0), ("copy/june", 0), ("other/june", 1)):
        place = old / run / "traces" / "SPY_1m" / "signals" / "sma_grid"
        for number, values in enumerate(([1, 0, -1], [0, 1, 0], [1, -1, 0, 1])):
            name = f"SPY_sma_grid_{(5, 10)[number // 2]}_{(20, 50)[number % 2]}.parquet"
            old_trace(place / name, [*values, shift])
    old_trace(old / "june/traces/SPY_1m/classifiers/trend/SPY_trend.parquet", ["up", "down"])
    (old / "june" / "broken.parquet").write_bytes(b"no Parquet at all")
    sweep = folder / "grid.yaml"
    sweep.write_text(
        "name: grid\nsymbols: [SPY]\nstrategies:\n  - {type: sma_crossover, name: sma_grid, "
        "params: {fast: [5, 10], slow: [20, 50]}}\n"
    )
    catalog.register(old, sweeps=[sweep])
    # Later by name, and earlier in the catalog: which of two counts is to stay as it is.
    write_ours(catalog, folder / "z" / "ours", range(2, 6), 1)
    write_ours(catalog, folder / "a" / "ours", range(4, 8), 2)
    sweep.unlink()
    table = pa.table({"ts": pa.array(MINUTES, pa.timestamp("us", "UTC")), "close": PRICES})
    catalog.add_prices(table, symbol="SPY", timeframe="1m", tz="America/New_York")
    catalog.metrics()
    catalog.metrics(cost_bps=2, split="2024-03-27", where="param_n > 2")
    hashes = [one for (one,) in rows(catalog, "select strategy_hash from strategies order by 1")]
    catalog.tag(hashes[0], tag="good", note="in march")
    catalog.compact(where="param_n = 3", delete_originals=True)
    catalog.compact(where="run_id <> 'june' and param_fast = 5", delete_originals=True)
    catalog.forget(where="param_n = 6")
    return catalog


@pytest.fixture
def full(made: Catalog, tmp_path: Path) -> Catalog:
    """A copy of that catalog, with all that it knows."""
    shutil.copytree(made.path.parent, tmp_path / "here", copy_function=shutil.copy2)
    return Catalog(tmp_path / "here" / "catalog.duckdb")


def everything(catalog: Catalog) -> dict[str, list[tuple[object, ...]]]:
    said = {name: [*map(rounded, rows(catalog, query))] for name, query in SAID.items()}
    with duckdb.connect(str(catalog.path), read_only=True) as con:
        said |= {
            name: con.execute(f"from internal.{name} order by all").fetchall() for name in KEPT
        }
    return said


def rounded(row: tuple[object, ...]) -> tuple[object, ...]:
    # What was summed up in another order differs in the last digit.
    return tuple(float(f"{one:.9g}") if isinstance(one, float) else one for one in row)


def beside(catalog: Catalog) -> list[str]:
    """Return what lies in the catalog's folder that belongs to it, or to one before it."""
    return sorted(name for name in os.listdir(catalog.path.parent) if name.startswith("catalog"))


def assert_same(
    now: dict[str, list[tuple[object, ...]]],
    before: dict[str, list[tuple[object, ...]]],
    *,
    left_out: Sequence[str] = (),
) -> None:
    for name, said in now.items():
        assert name in left_out or said == before[name], name


def test_a_catalog_that_is_made_anew_says_the_same(full):
    before = everything(full)
    assert all(before.values())

    report = full.rebuild()

    assert (report.unreadable, report.differences, report.lost) == (None, [], [])
    assert_same(everything(full), before)
    assert beside(full) == ["catalog.d", "catalog.duckdb", report.aside.name]
    assert report.needs_attention  # There is a file in quarantine.


DAMAGE = {
    "overwritten by noise": lambda data: random.Random(1).randbytes(len(data)),
    "cut off": lambda data: data[: len(data) // 3],
    "empty": lambda data: b"",
    "damaged in the middle": lambda data: data[:300_000] + bytes(900_000) + data[1_200_000:],
}


@pytest.mark.parametrize(
    "damage",
    [
        name if name == "overwritten by noise" else pytest.param(name, marks=pytest.mark.soak)
        for name in DAMAGE
    ],
)
def test_a_catalog_comes_back_whatever_became_of_its_file(full, damage):
    before = everything(full)
    damaged = DAMAGE[damage](full.path.read_bytes())
    full.path.write_bytes(damaged)

    report = full.rebuild(metrics=False)

    assert report.unreadable is not None
    assert (report.differences, report.lost) == ([], [])
    assert_same(everything(full), before, left_out=COMPUTED)
    assert rows(full, "select count(*) from metrics") == [(0,)]
    assert report.aside.read_bytes() == damaged


def test_a_catalog_whose_wal_cannot_be_replayed_comes_back_and_both_are_kept(full):
    before = everything(full)
    # As whoever is killed leaves one.
    code = (
        "import duckdb, os; con = duckdb.connect({!r}); con.execute('create table internal.t as "
        "select range as i, hash(range) as h from range(20000)'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code.format(str(full.path))], check=False)
    wal = full.path.with_name("catalog.duckdb.wal")
    data = bytearray(wal.read_bytes())
    data[len(data) // 2] ^= 255
    wal.write_bytes(data)

    report = full.rebuild(metrics=False)

    assert "WAL" in report.unreadable
    assert_same(everything(full), before, left_out=COMPUTED)
    assert report.aside.with_name(report.aside.name + ".wal").read_bytes() == bytes(data)
    assert not wal.exists()


def test_a_catalog_that_is_gone_comes_back_from_what_lies_beside_it(full):
    before = everything(full)
    full.path.unlink()

    report = full.rebuild()

    assert (report.aside, report.unreadable, report.lost) == (None, "it is gone", [])
    assert_same(everything(full), before)


def test_a_catalog_that_was_made_in_the_place_of_a_lost_one_takes_no_fact_away(full, capsys):
    before = everything(full)
    full.path.unlink()
    with writing(full.path):  # Makes a new one, as whatever writes does, which knows of nothing.
        pass
    assert "catalog rebuild" in capsys.readouterr().err

    report = full.rebuild()

    assert report.unreadable is None
    assert report.brought_back["prices"] == 1
    assert report.brought_back["runs"] > 1
    assert report.lost == []
    assert_same(everything(full), before)


def test_a_line_of_a_journal_that_is_no_fact_is_named_and_passed_over(full):
    before = everything(full)
    for name in ("roots", "runs", "prices"):
        with (full.path.with_suffix(".d") / f"{name}.jsonl").open("a") as file:
            file.write('{"prefix":["x"],"is_relative":true,"symbol":"SPY","timeframe":"1m"}\n')
    full.path.unlink()

    report = full.rebuild(metrics=False)

    assert [one.split(":")[0].split("/")[-1].split(".")[0] for one in report.lost] == [
        "roots", "runs", "prices",
    ]  # fmt: skip
    assert_same(everything(full), before, left_out=COMPUTED)


def test_an_old_catalog_that_can_be_read_makes_up_for_facts_that_are_not_there(full):
    before = everything(full)
    side = full.path.with_suffix(".d")
    for name in ("roots", "runs", "prices", "metric_sets"):
        (side / f"{name}.jsonl").unlink()
    shutil.rmtree(side / "trials")
    shutil.rmtree(side / "packed")

    report = full.rebuild()

    assert (report.differences, report.lost) == ([], [])
    assert_same(everything(full), before)


def test_traces_come_back_from_packs_alone(full):
    before = (
        "select trace_id, content_digest, t.strategy_hash, param_n, param_fast, first_bar, last_bar"
    )
    query = f"{before} from trace_files as t left join strategies using (strategy_key) order by all"
    before = rows(full, query)
    packed = rows(full, "select count(*) from trace_files where not has_original")[0][0]
    side = full.path.with_suffix(".d")
    for path in (full.path, side / "roots.jsonl", side / "prices.jsonl"):
        path.unlink()
    shutil.rmtree(side / "packed")

    report = full.rebuild(full.path.parent)

    assert packed > 1
    assert report.packed == packed
    assert rows(full, query) == before
    (lost,) = report.lost
    assert lost.startswith(f"{packed} traces of packs: the size, time and digest")


def test_runs_of_traces_that_are_only_in_packs_come_back_without_their_facts(full):
    query = "select distinct run_id from trace_files where not has_original order by 1"
    before = rows(full, query)
    side = full.path.with_suffix(".d")
    for path in (full.path, *side.glob("*.jsonl")):
        path.unlink()
    for name in ("old", "a", "z"):
        shutil.rmtree(full.path.parent / name)

    full.rebuild(full.path.parent, metrics=False)

    assert len(before) > 1
    assert rows(full, "select run_id from runs order by 1") == before
    assert rows(full, query) == before
    roots = {root.rstrip("/") for (root,) in rows(full, "select root from runs")}
    assert len(roots) == len(before)
    assert all(root.startswith(f"{full.path.parent}/") for root in roots)


def test_figures_that_differ_are_named_and_other_times_of_files_are_no_difference(full):
    with duckdb.connect(str(full.path)) as con:
        con.execute("delete from internal.metric")
    # Of the older tracers' files the times say which is the latest.
    for path in (full.path.parent / "z").rglob("*.parquet"):
        os.utime(path, (1, 1))

    report = full.rebuild()

    (found,) = [one for one in report.differences if one.relation == "metric"]
    assert found.only_after > 0
    assert all(len(one.split()) == 5 for one in found.examples)
    assert [one for one in report.differences if one.relation == "trace_files"] == []


def test_a_full_disk_is_said_of_the_catalog_that_is_made_anew(full, monkeypatch):
    before = everything(full)

    def fill(*args: object, **options: object) -> None:
        raise duckdb.IOException("Could not write file: No space left on device")

    monkeypatch.setattr("catalog.store.database._create", CREATE)
    monkeypatch.setattr("catalog.store.views.refresh_views", fill)
    with pytest.raises(StoreError, match="The disk is full") as refused:
        full.rebuild()
    monkeypatch.undo()

    assert f"{full.path} was left as it was" in str(refused.value)
    assert_same(everything(full), before)
    assert beside(full) == ["catalog.d", "catalog.duckdb"]


def test_what_differs_is_named_and_counted_and_so_is_a_folder_that_is_gone(full):
    shutil.rmtree(full.path.parent / "a")
    with duckdb.connect(str(full.path)) as con:
        con.execute("update internal.trace_file set symbol = 'QQQ' where strategy_id = 'sma_2'")
        con.execute("delete from internal.trace_file where kind = 'classifier'")
        con.execute("insert into internal.tag values ('x', null, 'made up', null, now())")
        ((gone,),) = con.execute(
            "select count(*) from internal.trace_file where run_id like 'ours-%' and has_original "
            "is null"
        ).fetchall()

    report = full.rebuild(metrics=False)

    found = {one.relation: one for one in report.differences}
    assert found["trace_files"].columns["symbol"] == 1
    assert (found["trace_files"].only_before, found["trace_files"].only_after) == (gone, 1)
    assert (found["tags"].only_before, found["tags"].only_after) == (1, 0)
    assert report.lost == [f"{full.path.parent / 'a' / 'ours'}: the folder is gone"]
    assert report.measured == 0


# Until the very moment at which the new catalog takes the place of the old one.
STOPPED = """
import sys
from pathlib import Path
import catalog.upkeep.rebuild as module
module.put_in_place = lambda made, catalog: (print(1, flush=True), input())
module.rebuild(Path(sys.argv[1]), metrics=False)
"""


def test_a_rebuild_that_is_killed_leaves_the_catalog_and_its_inbox_as_they_were(full):
    other = Catalog(full.path.with_name("other.duckdb"))
    write_ours(other, full.path.parent / "later" / "run", range(20, 23), 5)
    traces = sorted((full.path.parent / "later").rglob("*.parquet"))
    leave_note(full.path, [str(path) for path in traces])
    before = everything(full)
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(full.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    assert len(beside(full)) == 4
    assert_same(everything(full), before)
    assert full.info().inbox == 1

    report = full.rebuild(metrics=False)

    assert (report.notes, full.info().inbox) == (1, 0)
    assert rows(full, "select count(*) from trace_files where run_id = 'run'") == [(4,)]
    assert beside(full) == ["catalog.d", "catalog.duckdb", report.aside.name]


def test_a_catalog_that_somebody_writes_to_is_left_alone(full, monkeypatch):
    monkeypatch.setattr("catalog.store.database.WAIT_SECONDS", 0.2)
    code = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(full.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        with pytest.raises(CatalogBusyError, match="is in use"):
            full.rebuild()
        other.stdin.close()

    assert beside(full) == ["catalog.d", "catalog.duckdb"]


def test_what_is_no_catalog_is_not_replaced(tmp_path):
    path = tmp_path / "mine.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create table precious as select 1 as i")
    notes = tmp_path / "notes.txt"
    notes.write_text("no database at all " * 1000)

    with pytest.raises(NotACatalogError):
        Catalog(path).rebuild()
    with pytest.raises(UsageError, match="nothing known to make"):
        Catalog(notes).rebuild()
    with pytest.raises(UsageError, match="There is no folder"):
        Catalog(notes).rebuild(tmp_path / "nowhere")

    assert notes.read_text().startswith("no database")
    with duckdb.connect(str(path)) as con:
        assert con.execute("from precious").fetchall() == [(1,)]


@pytest.mark.soak
def test_rebuilds_that_are_killed_at_any_moment_leave_the_catalog_as_it_was(full):
    code = (
        "import sys; from catalog.upkeep.rebuild import rebuild; from pathlib import Path; "
        "print(1, flush=True); rebuild(Path(sys.argv[1]), metrics=False); print(2, flush=True)"
    )
    full.rebuild(metrics=False)
    before, moments, killed = everything(full), random.Random(1), 0
    started = time.monotonic()
    full.rebuild(metrics=False)
    usual = time.monotonic() - started
    for _ in range(int(os.environ.get("REBUILD_KILLS", "20"))):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(full.path)], stdout=subprocess.PIPE, text=True
        ) as child:
            child.stdout.readline()
            time.sleep(moments.uniform(0, 1.3 * usual))
            child.send_signal(signal.SIGKILL)
            killed += "2" not in child.stdout.read()
        assert_same(everything(full), before)

    report = full.rebuild(metrics=False)

    assert killed
    assert (report.unreadable, report.differences, report.lost) == (None, [], [])
    assert not [name for name in beside(full) if "rebuilding" in name]


def test_a_sweep_declared_in_python_is_kept_and_gives_its_configurations_again(catalog, tmp_path):
    folder = tmp_path / "old" / "run_1" / "traces" / "SPY_1m" / "signals" / "grid"
    for strategy_id in ("SPY_grid_1e-07_5", "SPY_grid_0.5_5"):
        old_trace(folder / f"{strategy_id}.parquet", [1, 0, -1])
    sweep = Sweep.declare(
        symbols="SPY",
        strategies={"type": "sma", "name": "grid", "params": {"z": [1e-7, 0.5], "a": [5]}},
    )
    catalog.register(tmp_path / "old", sweeps=[sweep])
    configs = rows(catalog, "select strategy_id, config from strategy_index order by all")
    assert all(config is not None for _, config in configs)
    assert catalog.verify().findings == []

    catalog.path.unlink()
    catalog.rebuild(tmp_path / "old")

    assert rows(catalog, "select strategy_id, config from strategy_index order by all") == configs
