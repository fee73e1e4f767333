"""What is wrong is found, named, and mended where no trace file need be touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from bad_files import write_ours
from catalog import Catalog, write_signals
from catalog.cli import main
from catalog.errors import UsageError
from catalog.store.database import reading
from catalog.store.inbox import leave_note
from catalog.verify import digests, judge
from catalog.verify.files import look_at
from catalog.verify.finding import Verification
from catalog.verify.known import Scope, load_known
from catalog.verify.remote import Listing
from conftest import old_trace, rows, touch_later

BARS = 400
COMPOSITE = {
    "type": "ensemble",
    "parameters": {},
    "strategies": [{"type": "sma", "parameters": {"n": 1}, "weight": 0.5}],
}


@pytest.fixture(autouse=True)
def nobody_is_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that appeared just now are not waited for."""
    monkeypatch.setattr(judge, "SETTLED", 0.0)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a catalog, traces of two generations, a pack, prices, returns and a sweep."""
    home = tmp_path_factory.mktemp("original")
    catalog = Catalog(home / "catalog.duckdb")
    random = np.random.default_rng(5)
    ts = np.datetime64("2024-03-26T13:30", "us") + np.arange(BARS) * np.timedelta64(60, "s")
    close = 100 + random.standard_normal(BARS).cumsum() / 50
    configs = {f"sma_{n}": {"type": "sma", "parameters": {"n": n}} for n in range(6)}
    for run, named in (("packed", configs), ("loose", {**configs, "both": COMPOSITE})):
        values = random.integers(-1, 2, (BARS, len(named))).astype(float)
        write_signals(
            home / "runs" / run, values, configs=named, symbol="SPY", timeframe="1m", ts=ts,
            prices=close, catalog=catalog.path,
        )  # fmt: skip
    old = home / "old" / "run_a" / "traces" / "SPY_1m"
    for n in (5, 10):
        old_trace(old / "signals" / "sma_grid" / f"SPY_sma_grid_{n}.parquet", [1, 0, -1, 1] * n)
    old_trace(old / "classifiers" / "trend" / "SPY_trend.parquet", ["up", "down"])
    sweep = home / "grid.yaml"
    grid = {"type": "sma_crossover", "name": "sma_grid", "params": {"fast": [5, 10], "slow": 50}}
    sweep.write_text(json.dumps({"name": "grid", "symbols": ["SPY"], "strategies": [grid]}))
    catalog.register(home / "old", sweeps=[sweep])
    bars = pa.table({"ts": ts, "open": close, "high": close, "low": close, "close": close})
    catalog.add_prices(bars, symbol="SPY", timeframe="1m", tz="UTC")
    catalog.metrics()
    catalog.compact(run="packed")
    return home


@pytest.fixture
def home(original: Path, tmp_path: Path) -> Path:
    """A copy of the folder, times of change included."""
    return Path(shutil.copytree(original, tmp_path / "home"))


@pytest.fixture
def kept(home: Path) -> Catalog:
    return Catalog(home / "catalog.duckdb")


def found(report: Verification) -> list[tuple[str, str]]:
    return [(Path(one.path).name, one.finding) for one in report.findings]


def file_of(kept: Catalog, strategy_id: str, run: str = "loose") -> Path:
    query = f"select path from trace_files where strategy_id = '{strategy_id}' and run_id = '{run}'"
    ((path,),) = kept.sql(query).fetchall()
    return Path(path)


def old_file(home: Path) -> Path:
    return next((home / "old").rglob("SPY_sma_grid_10.parquet"))


def flip(path: Path, bit: int) -> None:
    """Flip one bit, and leave the time of change as it was: nobody wrote to the file."""
    status, data = os.stat(path), bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def change(kept: Catalog, statement: str) -> None:
    with duckdb.connect(str(kept.path)) as con:
        con.execute("set search_path = 'main,internal'")
        con.execute(statement)


def beside(kept: Catalog, folder: str, ending: str = ".parquet") -> Path:
    (path,) = (kept.path.with_suffix(".d") / folder).glob(f"*{ending}")
    return path


def test_nothing_is_found_where_nothing_is_wrong(kept):
    for how in ({}, {"deep": True}, {"sample": 0.5}):
        report = kept.verify(**how)

        assert (report.findings, report.touched, report.repairs) == ([], [], []), how
        assert (report.files, report.packs) == (16, 1)


def test_nothing_is_found_in_real_traces_of_every_generation(catalog, shared):
    runs = [shared / "tracer_output" / name for name in ("run_b", "global_store")]
    old = next((shared / "old_traces").glob("*1b2372da"))
    catalog.register(*runs, old, shared / "old_traces" / "june_2025")

    for how in ({}, {"fast": True}, {"deep": True}):
        assert catalog.verify(**how).findings == [], how


def test_a_file_that_is_gone_is_marked_missing(kept):
    path = file_of(kept, "sma_3")
    path.unlink()

    assert found(kept.verify(fast=True)) == [(path.name, "missing file")]
    report = kept.verify(repair=True)

    assert [one.repair for one in report.repairs] == ["marked missing"]
    assert report.findings == []
    assert rows(kept, "select path from missing_files") == [(str(path),)]
    # A trace whose rows are in a pack is still read from there.
    file_of(kept, "sma_3", "packed").unlink()
    kept.verify(repair=True)
    assert kept.verify().findings == []


def test_a_file_that_is_known_as_gone_and_is_back_is_registered(kept):
    path = file_of(kept, "both")
    held, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.unlink()
    kept.verify(fast=True, repair=True)
    path.write_bytes(held)
    os.utime(path, ns=times)

    (one,) = kept.verify(fast=True).findings
    assert (one.path, one.finding) == (str(path), "unregistered file") and "is back" in one.detail
    assert kept.verify(fast=True, repair=True).findings == []

    assert rows(kept, "from missing_files") == []
    assert kept.verify(deep=True).findings == []


def test_a_file_that_is_cut_off_is_damaged_and_stays_a_finding(kept):
    path = file_of(kept, "sma_3")
    os.truncate(path, path.stat().st_size - 20)

    report = kept.verify(repair=True)

    assert found(report) == [(path.name, "damaged file")]
    assert "not a Parquet file" in report.findings[0].detail
    assert "from a copy" in report.findings[0].what_to_do


def test_a_flipped_bit_of_a_page_is_found_in_its_column(kept):
    import pyarrow.parquet as pq

    path = file_of(kept, "sma_3")
    names = pq.read_schema(path).names
    chunk = pq.read_metadata(path).row_group(0).column(names.index("px"))
    flip(path, 8 * (chunk.data_page_offset + chunk.total_compressed_size - 3))

    assert kept.verify(fast=True).findings == []
    (one,) = kept.verify(repair=True).findings

    assert (one.path, one.finding) == (str(path), "damaged file")
    assert "a page of px" in one.detail


def test_a_flipped_bit_that_only_changes_a_value_is_found_in_an_old_file(kept, home):
    path = old_file(home)
    held = path.read_bytes()
    reads = []
    for place in (len(held) // 3, len(held) // 2, len(held) - 1_000):
        flip(path, 8 * place)
        report = kept.verify(path)
        assert found(report) == [(path.name, "damaged file")]
        reads.append(report.findings[0].detail)
        flip(path, 8 * place)
    assert path.read_bytes() == held
    assert any("it says" in detail for detail in reads)


def test_the_hint_for_a_damaged_file_that_is_in_a_pack_mends_it(kept):
    path = file_of(kept, "sma_3", "packed")
    flip(path, 8 * 300)

    (one,) = kept.verify().findings
    trace_id = one.what_to_do.split()[-1]
    path.unlink()
    kept.unpack(trace_id)

    assert "catalog unpack" in one.what_to_do
    assert kept.verify(deep=True).findings == []


def test_a_file_that_was_written_to_is_registered_again(kept, home):
    path = old_file(home)
    old_trace(path, [0, 1])

    report = kept.verify(fast=True)
    assert found(report) == [(path.name, "changed file")]
    assert "row_count" in report.findings[0].detail
    assert report.findings[0].what_to_do.endswith(f"catalog register {path.parent}")
    report = kept.verify(repair=True)

    assert [one.repair for one in report.repairs] == ["registered again"]
    assert kept.verify(deep=True).findings == []
    query = "select row_count from trace_files where strategy_id = 'SPY_sma_grid_10'"
    assert rows(kept, query) == [(2,)]


def test_another_time_of_change_is_no_damage(kept):
    path = file_of(kept, "sma_3")
    touch_later(path)

    for fast in (True, False):
        report = kept.verify(fast=fast)
        assert (report.findings, report.touched) == ([], [str(path)])
    kept.verify(fast=True, repair=True)

    assert kept.verify(fast=True).touched == []


def test_a_trace_file_that_no_scan_has_seen_is_registered(kept, home):
    path = write_ours(home / "runs" / "loose", strategy_id="late")
    other = home / "runs" / "loose" / "prices.parquet"
    other.write_bytes(b"not Parquet")

    report = kept.verify(fast=True)
    assert found(report) == [
        ("prices.parquet", "unregistered file"), ("late.parquet", "unregistered file")
    ]  # fmt: skip
    report = kept.verify(repair=True)

    assert {one.repair for one in report.repairs} == {"registered again", "put in quarantine"}
    assert report.findings == []
    assert file_of(kept, "late") == path


def test_what_was_refused_or_ignored_with_a_reason_is_no_finding(kept, home):
    (home / "old" / "broken.parquet").write_bytes(b"not Parquet")
    (home / "old" / ".hidden.parquet").write_bytes(b"not Parquet")
    (home / "old" / "notes.txt").write_bytes(b"not Parquet")
    kept.register(home / "old")

    assert kept.verify().findings == []


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("update trace_file set trace_id = '0123456789abcdef' where strategy_id = 'both'", "id"),
        ("update trace_file set symbol = 'QQQ' where strategy_id = 'both'", "content digest"),
    ],
)
def test_a_row_that_does_not_follow_from_itself_is_made_from_its_file_again(kept, statement, name):
    before = kept.sql("select * exclude (registered_at) from trace_files order by all").fetchall()
    change(kept, statement)

    report = kept.verify()
    assert found(report) == [("both.parquet", "wrong row")]
    assert name in report.findings[0].detail
    report = kept.verify(repair=True)

    assert [one.repair for one in report.repairs] == ["registered anew"]
    after = kept.sql("select * exclude (registered_at) from trace_files order by all").fetchall()
    assert after == before


def test_a_row_that_says_something_else_than_its_file_is_found_deep_down(kept):
    change(kept, "update trace_file set bars_long = bars_long + 1 where strategy_id = 'both'")

    assert kept.verify().findings == []
    report = kept.verify(deep=True)
    assert found(report) == [("both.parquet", "wrong row")]
    assert "bars_long" in report.findings[0].detail
    kept.verify(deep=True, repair=True)

    assert kept.verify(deep=True).findings == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("config", """'{"parameters":{"n":7},"type":"sma"}'"""),
        pytest.param("config_digest", "repeat('0', 64)", marks=pytest.mark.soak),
        pytest.param("strategy_hash", "repeat('0', 12)", marks=pytest.mark.soak),
    ],
)
def test_a_strategy_whose_hash_is_not_that_of_its_configuration_is_made_again(kept, column, value):
    before = kept.sql("select * exclude (registered_at) from strategies order by all").fetchall()
    change(kept, f"update strategy set {column} = {value} where is_composite")

    report = kept.verify()
    assert found(report) == [("catalog.duckdb", "wrong configuration")]
    report = kept.verify(repair=True)

    assert report.findings == []
    after = kept.sql("select * exclude (registered_at) from strategies order by all").fetchall()
    assert after == before


def test_a_file_whose_hash_is_not_that_of_its_configuration_is_found(kept, home):
    from bad_files import write_footer

    path = home / "runs/loose/traces/signals/sma/odd.parquet"
    write_footer(path, {b"strategy_config": b'{"type":"sma","parameters":{"fast":6}}'})
    kept.register(home / "runs")

    (one,) = kept.verify(deep=True).findings

    assert (one.path, one.finding) == (str(path), "wrong configuration")


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("delete from run where run_id = 'loose'", "orphaned row"),
        (
            "delete from strategy where strategy_key in (select child_key from component)",
            "dangling component",
        ),
        *(
            pytest.param(statement, "orphaned row", marks=pytest.mark.soak)
            for statement in (
                "delete from strategy where is_composite",
                "delete from directory where prefix like '%loose/traces/signals/sma/'",
                "delete from root where prefix like '%old%'",
                "insert into strategy by name select *, 'x' as strategy_key "
                "from (select * exclude (strategy_key) from strategy limit 1)",
            )
        ),
    ],
)
def test_rows_that_belong_to_nothing_are_dropped_and_their_files_registered(
    kept, statement, finding
):
    query = "select path, strategy_hash, run_id, status from trace_files order by all"
    lineage = "select * from components order by all"
    before = kept.sql(query).fetchall(), kept.sql(lineage).fetchall()
    change(kept, statement)

    assert finding in {one.finding for one in kept.verify(fast=True).findings}
    report = kept.verify(repair=True)

    assert report.findings == [] and report.repairs
    assert (kept.sql(query).fetchall(), kept.sql(lineage).fetchall()) == before


def test_tags_of_nothing_and_what_is_left_of_a_trace_registered_anew_are_no_findings(kept, home):
    change(kept, "insert into tag values ('nobody', null, 'good', null, now())")
    old_trace(old_file(home), [0, 1])
    kept.register(home / "old")
    shutil.rmtree(home / "runs" / "packed" / "traces")
    kept.register(home / "runs")

    assert kept.verify(deep=True).findings == []


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(kept, home):
    names = [
        "runs/loose/traces/signals/sma/.sma_9.parquet.{}-0123abcd.tmp",
        "catalog.d/packs/.0123456789abcdef.{}.tmp",
        "catalog.d/packs/.0123456789abcdef.{}.companion",
        "catalog.d/inbox/.00000000000000000001-{}-0123abcd.tmp",
        ".catalog.duckdb.{}.tmp",
    ]
    dead = dead_process()
    left, written = ([home / name.format(pid) for name in names] for pid in (dead, os.getpid()))
    (home / "catalog.d" / "inbox").mkdir(exist_ok=True)
    for path in left + written:
        path.write_bytes(b"half")
    # Its writer may be on another machine, and is given an hour.
    assert left[0].name not in {name for name, _ in found(kept.verify(fast=True))}
    os.utime(left[0], (0, time.time() - 3700))

    report = kept.verify(fast=True)
    assert sorted(found(report)) == sorted((path.name, "unfinished file") for path in left)
    report = kept.verify(fast=True, repair=True)

    assert ([one.repair for one in report.repairs], report.findings) == (["removed"] * 5, [])
    assert [path.exists() for path in left + written] == [False] * 5 + [True] * 5


def test_a_note_in_the_inbox_is_taken_in(kept, home):
    path = write_ours(home / "runs" / "loose", strategy_id="late")
    note = leave_note(kept.path, [str(path)])

    assert found(kept.verify(fast=True)) == [(note.name, "note in the inbox")]
    report = kept.verify(fast=True, repair=True)

    assert [one.repair for one in report.repairs] == ["taken in"]
    assert report.findings == []
    assert file_of(kept, "late") == path


def test_a_pack_that_is_gone_lets_its_traces_go(kept):
    pack = beside(kept, "packs")
    before = kept.sql("select * from holdings order by all").fetchall()
    pack.unlink()

    assert (pack.name, "missing pack") in found(kept.verify(fast=True))
    report = kept.verify(repair=True)

    assert report.findings == []
    assert kept.sql("select * from holdings order by all").fetchall() == before


@pytest.mark.parametrize("ending", [".parquet", ".companion"])
def test_a_flipped_bit_in_a_pack_or_its_companion_is_found(kept, ending):
    pack = beside(kept, "packs")
    flip(beside(kept, "packs", ending), 8 * 500)

    (one,) = kept.verify(repair=True).findings
    assert (one.path, one.finding) == (str(pack), "damaged pack")
    pack.unlink()

    assert kept.verify(repair=True).findings == []


def test_a_pack_that_holds_other_traces_than_the_catalog_says_is_found(kept):
    pack = beside(kept, "packs")
    change(kept, "update packed_trace set trace_number = trace_number + 1")

    assert found(kept.verify()) == [(pack.name, "pack of other traces")]


@pytest.mark.parametrize("folder", ["prices", "returns"])
def test_a_flipped_bit_in_prices_or_session_returns_is_found_and_they_are_made_anew(
    kept, home, folder
):
    path = beside(kept, folder)
    flip(path, 8 * (path.stat().st_size - 40))

    (one,) = kept.verify().findings
    assert one.path == str(path) and one.finding.startswith("damaged")
    path.unlink()

    (one,) = [one for one in kept.verify(fast=True).findings if one.finding != "broken view"]
    assert one.path == str(path) and one.finding.startswith("missing")


def test_what_no_row_reads_is_removed_from_the_folders_of_the_catalog(kept):
    for folder in ("packs", "prices", "returns"):
        path = beside(kept, folder)
        name = f"20240101T000000_{path.name[-24:-8]}"
        shutil.copy(path, path.with_name(f"{name}.parquet"))
        if folder == "packs":
            shutil.copy(path.with_suffix(".companion"), path.with_name(f"{name}.companion"))

    report = kept.verify(fast=True)
    assert [one.finding for one in report.findings] == ["left over file"] * 3
    report = kept.verify(fast=True, repair=True)

    assert ([one.repair for one in report.repairs], report.findings) == (["removed"] * 3, [])


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("update strategy set param_n = 77 where param_n = 3", "wrong configuration"),
        ("update strategy set strategy_type = 'x' where param_n = 3", "wrong configuration"),
        ("update trace_file set is_latest = not is_latest", "wrong latest trace"),
    ],
)
def test_what_queries_rely_on_is_computed_again_and_compared(kept, statement, finding):
    query = "select path, strategy_type, is_latest from trace_files order by all"
    parameters = "select * from strategies order by strategy_key"
    before = kept.sql(query).fetchall(), kept.sql(parameters).fetchall()
    change(kept, statement)

    assert {one.finding for one in kept.verify().findings} == {finding}
    report = kept.verify(repair=True)

    assert report.findings == [] and report.repairs
    assert kept.sql(query).fetchall() == before[0]
    assert kept.sql("select count(*) from strategies where param_n = 77").fetchall() == [(0,)]


def test_names_and_ranges_are_compared_with_what_the_file_says_deep_down(kept):
    changes = {
        "sma_1": "strategy_id = 'x'",
        "sma_2": "last_bar = last_bar + 1",
        "sma_3": "last_ts = last_ts + interval 1 day",
    }
    paths = {strategy_id: str(file_of(kept, strategy_id)) for strategy_id in changes}
    for strategy_id, column in changes.items():
        change(kept, f"update trace_file set {column} where file_name = '{strategy_id}.parquet' "
                     "and has_original is null")  # fmt: skip

    wrong = [one for one in kept.verify(deep=True).findings if one.finding == "wrong row"]

    assert {one.path for one in wrong} == set(paths.values())
    assert len(wrong) == len(changes)
    said = {one.path: one.detail for one in wrong}
    for strategy_id, column in changes.items():
        assert column.split()[0] in said[paths[strategy_id]]


def test_facts_that_lack_what_the_catalog_knows_are_written(kept):
    side = kept.path.with_suffix(".d")
    paths = [side / f"{name}.jsonl" for name in ("prices", "roots", "runs")]
    for path in paths:
        assert path.read_bytes().strip()
        path.unlink()

    named = sorted(found(kept.verify(fast=True)))
    assert named == [(path.name, "lacking facts") for path in paths]
    report = kept.verify(fast=True, repair=True)

    assert report.findings == []
    assert [one.repair for one in report.repairs] == ["written from the catalog"] * 3
    assert all(path.read_bytes().strip() for path in paths)


def test_damaged_lines_of_facts_and_files_of_the_ledger_are_found(kept):
    side = kept.path.with_suffix(".d")
    with (side / "runs.jsonl").open("ab") as file:
        file.write(b"gone}\n")
    with (side / "tags.jsonl").open("ab") as file:
        file.write(b"{}\n[1]\n")
    trials = sorted((side / "trials").glob("*.parquet"))[0]
    flip(trials, 8 * 60)

    assert sorted(found(kept.verify())) == [
        (trials.name, "damaged ledger of trials"),
        ("runs.jsonl", "damaged line of facts"),
        ("tags.jsonl", "damaged line of facts"),
    ]


def _left(kept: Catalog) -> set[str]:
    return {path.name for path in kept.path.with_suffix(".d").rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "statement",
    [
        "delete from run where run_id = 'packed'",
        "delete from strategy",
        "delete from directory where prefix like '%packed%'",
    ],
)
def test_a_trace_that_is_only_in_a_pack_is_not_dropped_with_what_it_belongs_to(
    kept, home, statement
):
    kept.compact(delete_originals=True)
    shutil.rmtree(home / "runs" / "packed" / "traces", ignore_errors=True)
    query = (
        "select trace_id, pack_path, trace_number from trace_file where has_original = false "
        "order by all"
    )
    with duckdb.connect(str(kept.path)) as con:
        before = con.sql(f"set search_path = 'main,internal'; {query}").fetchall()
    assert before
    packs = _left(kept)
    change(kept, statement)

    report = kept.verify(repair=True)
    orphans = [one for one in report.findings if one.finding == "orphaned row"]

    assert orphans and {one.what_to_do for one in orphans} == {
        "Make the catalog anew: catalog rebuild"
    }
    with duckdb.connect(str(kept.path)) as con:
        assert con.sql(f"set search_path = 'main,internal'; {query}").fetchall() == before
    assert _left(kept) >= packs


def test_a_trace_in_a_pack_that_no_row_knows_is_a_finding(kept):
    (trace_id,) = kept.sql(
        "select trace_id from trace_files where run_id = 'packed' and strategy_id = 'sma_1'"
    ).fetchall()[0]
    change(kept, f"delete from trace_file where trace_id = '{trace_id}'")

    findings = [one for one in kept.verify().findings if one.finding == "orphaned row"]

    assert [one.key for one in findings] == [f"trace {trace_id}"]
    assert findings[0].what_to_do == "Make the catalog anew: catalog rebuild"


def test_prices_that_only_the_facts_beside_the_catalog_know_are_not_removed(kept):
    path = beside(kept, "prices")
    change(kept, "delete from internal.price_series")

    report = kept.verify(repair=True)
    (one,) = [one for one in report.findings if one.path == str(path)]

    assert one.finding == "left over file"
    assert one.detail == "known beside the catalog, not in it"
    assert one.what_to_do == "Make the catalog anew: catalog rebuild"
    assert path.exists()


def test_what_was_forgotten_is_not_brought_back_by_a_repair(kept, home):
    path = old_file(home)
    (trace_id,) = kept.sql(f"select trace_id from trace_files where path = '{path}'").fetchall()[0]
    kept.forget(where=f"trace_id = '{trace_id}'")
    touch_later(path)
    old_trace(path.with_name("SPY_sma_grid_77.parquet"), [1, 0, 1])

    assert kept.verify(repair=True).repairs

    query = f"select count(*) from trace_files where trace_id = '{trace_id}'"
    assert kept.sql(query).fetchall() == [(0,)]
    assert kept.verify().findings == []


def test_a_copy_of_a_sweep_file_that_is_gone_or_damaged_is_found_and_made_anew(kept, home):
    path = beside(kept, "sweeps", ".yaml")
    path.write_text("{}")

    assert found(kept.verify()) == [(path.name, "damaged sweep file")]
    path.unlink()
    (one,) = kept.verify().findings
    assert one.finding == "missing sweep file" and "--sweep" in one.what_to_do
    touch_later(old_file(home))
    kept.register(home / "old", sweeps=[home / "grid.yaml"])

    assert kept.verify().findings == []


def test_views_that_do_not_open_and_macros_that_are_gone_are_made_anew(kept):
    with duckdb.connect(str(kept.path)) as con:
        con.execute("drop view main.holdings")
        con.execute("create table main.gone_since (one integer)")
        con.execute("create or replace view main.twins as select 1 from main.gone_since")
        con.execute("drop table main.gone_since")
        con.execute("drop macro main.sharpe")

    report = kept.verify()
    assert {one.finding for one in report.findings} == {"broken view"}
    assert {"view holdings", "view twins", "macro sharpe"} <= {
        one.detail.partition(":")[0] for one in report.findings
    }
    report = kept.verify(repair=True)

    assert report.findings == []
    assert rows(kept, "select count(*) > 0 from holdings") == [(True,)]


@pytest.mark.parametrize("python", [sys.executable, "/bin/false", "/no/python"])
def test_many_files_are_read_by_several_processes_and_those_that_end_are_done_without(
    kept, monkeypatch, python
):
    monkeypatch.setattr(digests, "WORTHWHILE", 1)
    monkeypatch.setattr(digests, "_PIECE", 2)
    monkeypatch.setattr(digests.os, "cpu_count", lambda: 3)
    monkeypatch.setattr(digests.sys, "executable", python)
    paths = {str(file_of(kept, f"sma_{n}")) for n in (1, 4)}
    with reading(kept.path) as con:
        known = load_known(con, kept.path, Scope())
    for path in paths:
        flip(Path(path), 8 * 300)

    looked = look_at(known, Listing(), read=True, chosen=None, progress=lambda done, total: None)

    assert set(looked.differing) == paths
    assert (looked.files, looked.read) == (16, 16)
    assert looked.size_bytes == sum(
        row[0] for rows_ in known.files.values() for row in rows_.values() if row[3]
    )


def test_only_the_files_and_folders_that_are_named_are_looked_at(kept, home):
    flip(file_of(kept, "sma_1"), 8 * 300)
    flip(file_of(kept, "sma_2"), 8 * 300)
    new = write_ours(home / "old" / "run_a", strategy_id="new")

    assert found(kept.verify(file_of(kept, "sma_1"))) == [("sma_1.parquet", "damaged file")]
    assert len(kept.verify(home / "runs").findings) == 2
    assert found(kept.verify(home / "old" / "run_a")) == [("new.parquet", "unregistered file")]
    assert found(kept.verify(new)) == [("new.parquet", "unregistered file")]
    with pytest.raises(UsageError, match="knows nothing"):
        kept.verify(home / "elsewhere")
    with pytest.raises(UsageError, match="belongs to the catalog"):
        kept.verify(beside(kept, "packs"))


def test_a_sample_reads_a_part_and_the_same_seed_the_same_part(kept):
    flip(file_of(kept, "sma_1"), 8 * 300)

    by_seed = [found(kept.verify(sample=0.5, seed=seed)) for seed in range(3)]

    assert {len(one) for one in by_seed} == {0, 1}
    again = kept.verify(sample=0.5, seed=1)
    assert found(again) == by_seed[1]
    assert again.read == round(0.5 * 19)
    with pytest.raises(UsageError, match="sample"):
        kept.verify(sample=5)


def test_what_is_registered_meanwhile_is_no_finding(kept, home, monkeypatch):
    write_ours(home / "runs" / "loose", strategy_id="late")
    old_trace(old_file(home), [0, 1])
    monkeypatch.setattr(judge, "SETTLED", 60.0)
    monkeypatch.setattr(judge.time, "sleep", lambda _: kept.register(home / "runs", home / "old"))

    # Both appeared just now: they are waited for, which is when they are registered.
    monkeypatch.setattr(judge, "_seconds_to_wait", _once(judge._seconds_to_wait))

    assert kept.verify().findings == []
    assert file_of(kept, "late").exists()


def _once(wait: Callable[..., float]) -> Callable[..., float]:
    """Wait as long as that says the first time, and no more after that."""
    answers = iter([wait])
    return lambda paths: next(answers, lambda _: 0.0)(paths)


def run(kept: Catalog, *arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["verify", *arguments, "--catalog", str(kept.path)])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_prints_only_what_is_wrong_and_says_so_by_its_status(kept):
    status, out, err = run(kept)
    assert (status, out) == (0, "") and "nothing wrong" in err
    assert run(kept, "--format", "json")[1] == "[]\n"
    path = file_of(kept, "sma_3")
    path.unlink()

    status, out, _ = run(kept, "--format", "json")
    (one,) = json.loads(out)
    assert (status, one["path"], one["finding"]) == (3, str(path), "missing file")
    assert one["what_to_do"]
    status, out, err = run(kept)
    assert status == 3 and out.startswith(f"missing file (1)\n  {path}: ")
    status, out, err = run(kept, "--fast", "--repair")

    assert (status, out) == (0, "")
    assert f"marked missing: {path}" in err
    assert run(kept, "--sample", "50%")[0] == 0
    assert run(kept, "--sample", "half")[0] == 2
    assert run(kept, "--sample", "5%", "--fast")[0] == 2


FLIPS = int(os.environ.get("CATALOG_SOAK_FLIPS", "20"))
AT_ONCE = 10


@pytest.mark.parametrize("whose", ["ours", "old"])
def test_every_flipped_bit_is_found_and_nothing_else(kept, home, whose, shared_or_none):
    random = np.random.default_rng(len(whose))
    files = _files_to_flip(kept, home, whose, shared_or_none)
    wrong = 0
    while wrong < FLIPS:
        # In several files at once, one bit each; a pack and its companion are one thing.
        chosen = {_finds(files[place]): files[place] for place in random.permutation(len(files))}
        chosen = dict(list(chosen.items())[: min(AT_ONCE, FLIPS - wrong)])
        bits = {path: int(random.integers(8 * path.stat().st_size)) for path in chosen.values()}
        for path, bit in bits.items():
            flip(path, bit)

        report = kept.verify()

        damaged = [one for one in report.findings if one.finding != "broken view"]
        assert sorted(one.path for one in damaged) == sorted(map(str, chosen)), bits
        assert all(one.finding.startswith("damaged") for one in damaged)
        # A view may not open where its first file cannot be read; traces are not read for that.
        assert damaged == report.findings or any("catalog.d" in str(path) for path in bits)
        for path, bit in bits.items():
            flip(path, bit)
        wrong += len(bits)
    assert kept.verify().findings == []


def _files_to_flip(kept: Catalog, home: Path, whose: str, shared: Path | None) -> list[Path]:
    if whose == "ours":
        side = kept.path.with_suffix(".d")
        names = [side / folder for folder in ("packs", "prices", "returns")]
        return [
            *(home / "runs").rglob("*.parquet"),
            *(path for folder in names for path in folder.iterdir()),
        ]
    if shared is not None:
        target = home / "old" / "real"
        shutil.copytree(shared / "tracer_output" / "run_b", target / "run_b")
        old = shared / "old_traces"
        old = old if FLIPS > 100 else next(old.glob("*1b2372da"))
        shutil.copytree(old, target / old.name)
        kept.register(home / "old")
    query = "select path from trace_files where generation <> 'G5' order by path"
    return [Path(path) for (path,) in rows(kept, query)]


def _finds(path: Path) -> Path:
    """Return the path by which damage in a file is reported."""
    return path.with_suffix(".parquet") if path.suffix == ".companion" else path


@pytest.fixture
def shared_or_none(request: pytest.FixtureRequest) -> Path | None:
    from conftest import SHARED

    return SHARED / "data" if SHARED.is_dir() else None
