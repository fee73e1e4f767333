"""Bad input is set aside with its reason; the rest is registered, and every client can read it."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from bad_files import (
    older_client,
    table,
    write_damaged,
    write_encrypted,
    write_footer,
    write_ours,
)
from catalog import Catalog, strategy_hash
from catalog.cli import main
from catalog.errors import CatalogError, MigrationError, StoreError
from catalog.register.report import Registration
from conftest import old_trace, rows

FOLDER = "traces/SPY_1m/signals/sma_grid"

# Every column is read: counting alone would not notice one that cannot be.
ANSWER = """
    select
        count(*), max(idx), max(sym), max(strat), max(ts_raw), sum(val), sum(px),
        (
            select coalesce(sum(row_count), 0)::bigint
            from trace_files
            where kind = 'signal' and status = 'registered'
        )
    from signals
"""


@pytest.fixture(scope="module")
def older():
    with older_client() as client:
        yield client


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with one good run in a catalog, and a copy of it to begin each test with."""
    folder = tmp_path_factory.mktemp("bad_input")
    old_trace(folder / "home" / "runs" / "run_a" / FOLDER / "good.parquet", [1, 0, -1])
    Catalog(folder / "home" / "catalog.duckdb").register(folder / "home" / "runs")
    shutil.copytree(folder / "home", folder / "kept")
    return folder


@pytest.fixture
def catalog(prepared):
    """A catalog with one good trace of three rows, always at the same place."""
    shutil.rmtree(prepared / "home", ignore_errors=True)
    shutil.copytree(prepared / "kept", prepared / "home")
    return Catalog(prepared / "home" / "catalog.duckdb")


@pytest.fixture
def runs(catalog):
    return catalog.path.parent / "runs"


@pytest.fixture
def run(runs):
    """The directory of the good run."""
    return runs / "run_a"


@pytest.fixture
def count_signals(catalog, older):
    """Count the rows of `signals` here and in an older client, which must agree."""
    return partial(answer, catalog, older)


def answer(catalog, older) -> int:
    ((total, *others, registered),) = rows(catalog, ANSWER)
    if older is not None:
        assert older.ask(catalog.path, ANSWER) == [(total, *others, registered)]
    assert total == registered
    return total


def registered(catalog) -> set[str]:
    query = "select path from trace_files where status = 'registered'"
    return {path for (path,) in rows(catalog, query)}


def quarantine(catalog) -> dict[str, str]:
    return dict(rows(catalog, "select path, reason from quarantine"))


def command(*words: object, catalog: Catalog):
    """Run a command as a person does who types it."""
    environment = {"CATALOG": str(catalog.path)}
    return CliRunner().invoke(main, list(map(str, words)), env=environment)


def test_an_older_client_is_asked_too(older, catalog):
    if older is None:
        pytest.skip("CATALOG_TEST_OLD_PYTHON names no Python with duckdb 1.2.2")

    assert older.ask(catalog.path, "select version()") == [("v1.2.2",)]


# Files that cannot be registered, each in a run of its own beside a good one.


def cut(path: Path) -> None:
    old_trace(path, [1, 0, -1])
    path.write_bytes(path.read_bytes()[:-40])


def with_other_beginning(path: Path) -> None:
    old_trace(path, [1, 0, -1])
    path.write_bytes(b"XXXX" + path.read_bytes()[4:])


def with_hole(path: Path) -> None:
    old_trace(path, [1, 0, -1])
    data = path.read_bytes()
    path.write_bytes(data[:100] + data[-100:])


def with_noise_for_a_footer(path: Path) -> None:
    old_trace(path, [1, 0, -1])
    data = path.read_bytes()
    path.write_bytes(data[:-100] + b"\xfe" * 92 + data[-8:])


def with_one_bit_flipped(path: Path, column: str) -> None:
    write_footer(path, {})
    group = pq.read_metadata(path).row_group(0)
    chunk = next(c for c in map(group.column, range(8)) if c.path_in_schema == column)
    begin = chunk.dictionary_page_offset or chunk.data_page_offset
    data = bytearray(path.read_bytes())
    data[begin + chunk.total_compressed_size - 3] ^= 0x01
    path.write_bytes(data)


def data(content: bytes):
    return lambda path: path.write_bytes(content)


def columns(**columns: object):
    return lambda path: pq.write_table(table(**columns), path)


def footer(config: bytes):
    return partial(write_footer, keys={b"strategy_config": config})


BAD_FILES = {
    "no bytes": (data(b""), "empty file"),
    "only magic": (data(b"PAR1PAR1"), "not a Parquet file"),
    "truncated": (cut, "not a Parquet file"),
    "wrong magic": (with_other_beginning, "not a Parquet file"),
    "text": (data(b"idx,ts,sym\n1,2,SPY\n"), "not a Parquet file"),
    "a hole": (with_hole, "not a Parquet file"),
    "noise for a footer": (with_noise_for_a_footer, "damaged file"),
    "a pipe": (os.mkfifo, "not a regular file"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "unreadable"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "unreadable"),
    "encrypted": (partial(write_encrypted, plaintext_footer=False), "encrypted"),
    "one encrypted column": (partial(write_encrypted, plaintext_footer=True), "encrypted"),
    "damaged idx": (partial(write_damaged, column="idx"), "damaged file"),
    "damaged ts": (partial(write_damaged, column="ts"), "damaged file"),
    "damaged sym": (partial(write_damaged, column="sym"), "damaged file"),
    "damaged val": (partial(write_damaged, column="val"), "damaged file"),
    "damaged strat": (partial(write_damaged, column="strat"), "damaged file"),
    "damaged px": (partial(write_damaged, column="px"), "damaged file"),
    "one bit of our px": (partial(with_one_bit_flipped, column="px"), "damaged file"),
    "one bit of our metadata": (partial(with_one_bit_flipped, column="metadata"), "damaged file"),
    "footer not UTF-8": (footer(b'{"type": "\xe9"}'), "footer not UTF-8"),
    "footer not JSON": (footer(b'{"type": '), "footer config unreadable"),
    "footer a list": (footer(b'["sma"]'), "footer config unreadable"),
    "footer 10,000 deep": (
        footer(b'{"parameters":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
        "footer config unreadable",
    ),
    "footer with a key twice": (footer(b'{"type":"a","type":"b"}'), "footer config unreadable"),
    "a range that ends before its rows": (
        partial(write_footer, keys={b"last_bar": b"1"}),
        "rows beyond the range",
    ),
    "footer with NaN": (footer(b'{"parameters":{"x":NaN}}'), "footer config unreadable"),
    "footer of 100 MB": (
        partial(write_footer, keys={b"note": b"x" * 100_000_000}),
        "footer too large",
    ),
    "no column val": (columns(val=None), "missing column"),
    "idx as text": (columns(idx=["1", "2", "3"]), "wrong column type"),
    "val as text": (columns(val=["up", "down", "up"]), "wrong column type"),
    "val as truth": (columns(val=[True, False, True]), "wrong column type"),
    "px as text": (columns(px=["cheap", "dear", "dear"]), "wrong column type"),
    "px as lists": (columns(px=[[1.0], [2.0], [3.0]]), "wrong column type"),
    "val NaN": (columns(val=[1.0, float("nan"), 0.0]), "val not finite"),
    "val null": (columns(val=[1.0, None, 0.0]), "null val"),
    "idx null": (columns(idx=[1, None, 3]), "null idx"),
    "idx twice": (columns(idx=[1, 1, 3]), "repeated bars"),
    "two symbols": (columns(sym=["SPY", "QQQ", "SPY"]), "several traces in one file"),
}


@dataclass
class Pass:
    """What one registration came to, and what the catalog said after it."""

    report: Registration
    opened: set[str]
    quarantine: dict[str, str]
    registered: set[str]
    count: int | Exception


def register_and_look(catalog, older, folder) -> Pass:
    with opened_files() as opened:
        report = catalog.register(folder)
    try:
        count = answer(catalog, older)
    except (AssertionError, CatalogError) as error:
        count = error
    return Pass(report, opened, quarantine(catalog), registered(catalog), count)


@contextmanager
def opened_files():
    """Yield the paths of the files that are opened meanwhile."""
    opened: set[str] = set()
    open_file = os.open

    def note_and_open(path, *more, **options):
        opened.add(os.fspath(path))
        return open_file(path, *more, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", note_and_open)
        yield opened


@pytest.fixture(scope="module")
def scans(tmp_path_factory, older):
    """Register every bad file beside a good one, register again, and once they are repaired."""
    folder = tmp_path_factory.mktemp("scans")
    catalog = Catalog(folder / "catalog.duckdb")
    paths = {name: folder / "runs" / name / FOLDER / "bad.parquet" for name in BAD_FILES}
    for name, (make, _) in BAD_FILES.items():
        old_trace(paths[name].with_name("good.parquet"), [1, 0, -1])
        make(paths[name])

    first = register_and_look(catalog, older, folder / "runs")
    second = register_and_look(catalog, older, folder / "runs")
    for path in paths.values():
        path.unlink()
        old_trace(path, [1, 0])
    third = register_and_look(catalog, older, folder / "runs")
    return {name: str(path) for name, path in paths.items()}, first, second, third


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_quarantined_until_it_is_repaired(scans, name):
    paths, first, second, third = scans
    path, (_, reason) = paths[name], BAD_FILES[name]

    assert first.quarantine.get(path) == reason
    assert [path in problem.error for problem in first.report.quarantined].count(True) == 1
    assert path.replace("bad", "good") in first.registered
    assert second.quarantine.get(path) == reason
    assert path not in second.opened
    assert path not in third.quarantine
    assert path in third.registered


def test_beside_bad_files_the_good_ones_answer_in_every_client(scans):
    _, first, second, third = scans

    assert first.count == second.count == 3 * len(BAD_FILES)
    assert third.count == 5 * len(BAD_FILES)


def test_a_second_pass_reads_nothing_again_and_still_wants_attention(scans):
    paths, first, second, third = scans

    assert paths["truncated"] in first.opened
    assert first.report.needs_attention
    assert not [path for path in second.opened if path.endswith(".parquet")]
    assert second.report.needs_attention
    assert second.report.still_quarantined == len(BAD_FILES)
    assert not third.report.needs_attention


def test_the_command_ends_with_status_3_and_names_the_file(catalog, runs, count_signals):
    bad = runs / "run_b" / FOLDER / "bad.parquet"
    bad.parent.mkdir(parents=True)
    bad.write_bytes(b"")
    words = [sys.executable, "-m", "catalog", "register", runs, "--catalog", catalog.path]

    first = subprocess.run(words, capture_output=True, text=True, check=False)
    second = command("register", runs, catalog=catalog)

    assert (first.returncode, first.stdout) == (3, "")
    assert str(bad) in first.stderr
    assert (second.exit_code, second.stdout) == (3, "")
    assert count_signals() == 3


def test_several_bad_files_and_no_good_one_make_views_without_rows(catalog, tmp_path, older):
    for name in ("a", "b"):
        (tmp_path / FOLDER).mkdir(parents=True, exist_ok=True)
        (tmp_path / FOLDER / f"{name}.parquet").write_bytes(b"")
    alone = Catalog(tmp_path / "catalog.duckdb")

    report = alone.register(tmp_path)

    assert len(report.quarantined) == 2
    assert answer(alone, older) == 0


def test_a_registered_file_that_is_damaged_later_is_quarantined(catalog, runs, run, count_signals):
    path = write_ours(run)
    catalog.register(runs)
    assert count_signals() == 6
    path.write_bytes(path.read_bytes()[:-50])

    report = catalog.register(runs)

    assert report.needs_attention
    assert quarantine(catalog) == {str(path): "not a Parquet file"}
    assert rows(catalog, "select count(*) from strategies where strategy_type is not null") == [
        (0,)
    ]
    assert count_signals() == 3


# What is no trace at all, and what only looks odd.


@pytest.mark.parametrize(
    "columns, reason",
    [
        ({"strategy_hash": ["39a6426ec117"], "trace_path": ["x.parquet"]}, "an index file"),
        (
            {"trade_id": [1], "entry_time": ["2024-01-02"], "exit_time": ["2024-01-03"]},
            "trades of an older tracer",
        ),
        ({"open": [1.0], "close": [2.0]}, "no trace columns"),
    ],
)
def test_what_is_no_trace_is_ignored_with_its_reason(
    catalog, runs, run, count_signals, columns, reason
):
    other = run / FOLDER / "other.parquet"
    pq.write_table(pa.table(columns), other)

    done = command("register", runs, catalog=catalog)

    assert done.exit_code == 0
    query = "select path, status, reason from other_files"
    assert rows(catalog, query) == [(str(other), "ignored", reason)]
    assert count_signals() == 3


def test_a_folder_that_is_called_like_a_file_is_a_folder(catalog, runs, run, count_signals):
    (run / FOLDER / "empty.parquet").mkdir()
    old_trace(run / FOLDER / "parts.parquet" / "part-0.parquet", [1, 0])

    report = catalog.register(runs)

    assert report.registered == 1
    assert not report.needs_attention
    assert count_signals() == 5


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_name_that_is_not_utf_8_is_quarantined(catalog, runs, run, count_signals, kind):
    place = os.fsencode(run / FOLDER)
    odd = place + (b"/b\xff.parquet" if kind == "file" else b"\xff/b.parquet")
    os.makedirs(os.path.dirname(odd), exist_ok=True)
    shutil.copyfile(run / FOLDER / "good.parquet", odd)

    first = catalog.register(runs)
    second = catalog.register(runs)

    assert len(first.quarantined) == second.still_quarantined == 1
    assert "not UTF-8" in first.quarantined[0].error
    assert count_signals() == 3


def test_traces_without_rows_are_registered(catalog, runs, run, count_signals):
    names = table().column_names
    with pq.ParquetWriter(run / FOLDER / "no_groups.parquet", table().schema):
        pass
    pq.write_table(table(0), run / FOLDER / "no_types.parquet")
    pq.write_table(pa.table({n: pa.nulls(0) for n in names}), run / FOLDER / "nulls.parquet")
    write_ours(run, values=[])
    old_trace(run / "traces/SPY_1m/classifiers/c/one.parquet", ["up"])
    pq.write_table(pa.table({n: pa.nulls(0) for n in names}), run / "traces/SPY_1m/none.parquet")
    (run / "traces/orders").mkdir()
    pq.write_table(table(0), run / "traces/orders/none.parquet")

    report = catalog.register(runs)

    assert report.registered == 7
    assert not report.needs_attention
    assert count_signals() == 3
    assert rows(catalog, "select count(*) from classifications") == [(1,)]
    assert rows(catalog, "select count(*) from orders") == [(0,)]


def test_a_link_into_a_folder_that_is_closed_hides_nothing_else(catalog, runs, run, count_signals):
    (run / FOLDER / "loop").symlink_to("loop")
    old_trace(run / FOLDER / "new.parquet", [1, 0])

    report = catalog.register(runs)

    assert report.registered == 1
    assert count_signals() == 5


# Names.

NAMES = [
    "run[1]", "run*", "run?", "{a,b}", "it's", 'say "hi"', "new\nline", "🦊", "50%", "$name",
    "-rf", " blank ", "a..b", "; drop table x; --",
]  # fmt: skip


@pytest.mark.parametrize("with_bad_file", [False, True])
@pytest.mark.parametrize("names", [NAMES, ["back\\slash"]])
def test_files_and_folders_may_have_any_name(catalog, runs, count_signals, names, with_bad_file):
    for name in names:
        trace = runs / name / "traces/SPY_1m/signals" / name / f"{name}.parquet"
        old_trace(trace, [1, 0])
        if with_bad_file:
            trace.with_name("bad.parquet").write_bytes(b"")

    report = catalog.register(runs)

    assert len(report.quarantined) == len(names) * with_bad_file
    query = "select run_id, strategy_id, count(*) from signals where run_id <> 'run_a' group by all"
    assert sorted(rows(catalog, query)) == sorted((name, name, 2) for name in names)
    assert count_signals() == 3 + 2 * len(names)


IDS = ["../../etc/passwd", "/etc/passwd", 'it\'s "quoted"', "new\nline", "🦊", "x" * 10_000]


def test_ids_in_footers_are_kept_as_they_are_and_lead_nowhere(catalog, runs, run, count_signals):
    for number, text in enumerate(IDS):
        path = runs / str(number) / FOLDER / "x.parquet"
        path.parent.mkdir(parents=True)
        write_footer(path, {b"strategy_id": text.encode(), b"run_id": text.encode()})

    report = catalog.register(runs)

    assert report.registered == len(IDS)
    query = "select strategy_id, run_id from trace_files where strategy_id <> 'good'"
    assert sorted(rows(catalog, query)) == sorted((text, text) for text in IDS)
    assert count_signals() == 3 + 3 * len(IDS)


def test_names_that_differ_only_in_case_are_different(catalog, runs, run, count_signals):
    old_trace(run / FOLDER / "GOOD.parquet", [1, 0])
    old_trace(runs / "RUN_A" / FOLDER / "good.parquet", [1])
    for name in ("rsi", "RSI"):
        config = {"type": name, "parameters": {"period": 14, "Period": 15, "PERIOD": "auto"}}
        write_ours(run, [1, 0], config=config, strategy_id=name)

    catalog.register(runs)

    assert count_signals() == 3 + 2 + 1 + 4
    assert rows(catalog, "select count(*) from runs") == [(2,)]
    assert rows(catalog, "select count(*) from type_rsi") == [(1,)]
    columns = sorted(rows(catalog, "select path, strategies from parameters"))
    assert columns == [("/PERIOD", 2), ("/Period", 2), ("/period", 2)]


# Configurations.


def test_parameters_may_have_any_name(catalog, runs, run, count_signals):
    parameters = {
        "type": 1, "symbol": "SPY", 'a"b': 3, "a'b": 4, "a b": 5, "": 6, "select": 7, "é🦊": 8,
        "a\nb": 9, "x.y": 10, "x_y": 11, "x": {"y": 12}, "strategy_hash": "z", "param_x": 13,
    }  # fmt: skip
    write_ours(run, config={"type": "odd'\"", "parameters": parameters})

    report = catalog.register(runs)

    assert report.registered == 1
    names = dict(rows(catalog, "select path, column_name from parameters"))
    expected = {f"/{name}": value for name, value in parameters.items() if name != "x"}
    expected["/x/y"] = 12
    query = 'select * from "type_odd\'"""'
    (found,) = catalog.sql(query).arrow().to_pylist()
    assert {path: found[name] for path, name in names.items()} == expected
    assert count_signals() == 6


def test_one_parameter_may_be_a_number_here_and_a_word_there(catalog, runs, run, count_signals):
    for number, value in enumerate([20, 2.5, "auto", True, [1, 2]]):
        config = {"type": "rsi", "parameters": {"period": value}}
        write_ours(run, config=config, strategy_id=str(number))

    catalog.register(runs)

    assert rows(catalog, "select count(*) from strategies where param_period = 20") == [(1,)]
    query = "select param_period_text from strategies where param_period_text is not null"
    assert sorted(rows(catalog, query)) == [("[1, 2]",), ("auto",)]
    assert count_signals() == 18


def test_beyond_500_columns_parameters_stay_in_the_configuration(catalog, runs, run, count_signals):
    parameters = {f"p{number}": number for number in range(5_000)}
    write_ours(run, config={"type": "wide", "parameters": parameters})

    done = command("register", runs, catalog=catalog)

    assert done.exit_code == 0
    assert "4,500 parameters beyond the 500th" in done.stderr
    assert rows(catalog, "select count(column_name) from parameters") == [(500,)]
    query = "select config->>'$.parameters.p4999' from strategies where param_p0 = 0"
    assert rows(catalog, query) == [("4999",)]
    assert count_signals() == 6


# What lies beside the traces.

BROKEN_METADATA = {
    "no JSON": b'{"components": ',
    "empty": b"",
    "a list": b"[1]",
    "text": b'"metadata"',
    "not UTF-8": b'{"run_id": "\xe9"}',
    "10,000 deep": b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "a number of 5,000 digits": b'{"a": 1' + b"0" * 5_000 + b"}",
}


@pytest.fixture(scope="module")
def broken_metadata(tmp_path_factory, older):
    """Register runs with broken metadata, register again, and once it is repaired."""
    folder = tmp_path_factory.mktemp("metadata")
    catalog = Catalog(folder / "catalog.duckdb")
    paths = {name: folder / "runs" / name / "metadata.json" for name in BROKEN_METADATA}
    for name, text in BROKEN_METADATA.items():
        old_trace(paths[name].parent / FOLDER / "good.parquet", [1, 0, -1])
        paths[name].write_bytes(text)

    first = register_and_look(catalog, older, folder / "runs")
    second = register_and_look(catalog, older, folder / "runs")
    config = {"type": "rsi", "parameters": {"period": 14}}
    for path in paths.values():
        path.write_text(json.dumps({"components": {"good": {"full_config": config}}}))
    third = register_and_look(catalog, older, folder / "runs")
    query = "select run_id from trace_files where strategy_hash = '{}'"
    completed = {run_id for (run_id,) in rows(catalog, query.format(strategy_hash(config)))}
    return {name: str(path) for name, path in paths.items()}, first, second, third, completed


@pytest.mark.parametrize("name", BROKEN_METADATA)
def test_broken_metadata_is_quarantined_until_it_is_repaired(broken_metadata, name):
    paths, first, second, third, completed = broken_metadata
    path = paths[name]

    assert first.quarantine.get(path) == "broken metadata.json"
    assert [path in problem.error for problem in first.report.quarantined].count(True) == 1
    assert second.quarantine.get(path) == "broken metadata.json"
    assert path not in third.quarantine
    assert name in completed


def test_beside_broken_metadata_traces_are_registered_once(broken_metadata):
    _, first, second, third, _ = broken_metadata

    assert (first.report.registered, second.report.registered) == (len(BROKEN_METADATA), 0)
    assert first.report.needs_attention
    assert second.report.still_quarantined == len(BROKEN_METADATA)
    assert not third.report.needs_attention
    assert first.count == second.count == third.count == 3 * len(BROKEN_METADATA)


@pytest.mark.parametrize("name", ["metadata.json", "analytics.duckdb"])
def test_a_broken_record_that_is_removed_leaves_the_quarantine(catalog, runs, count_signals, name):
    old_trace(runs / "run_b" / FOLDER / "b.parquet", [1, 0])
    (runs / "run_b" / name).write_text("broken " * 1_000)
    catalog.register(runs)
    assert len(quarantine(catalog)) == catalog.register(runs).still_quarantined == 1
    (runs / "run_b" / name).unlink()

    report = catalog.register(runs)

    assert not report.needs_attention
    assert report.missing == 0
    assert quarantine(catalog) == {}
    assert count_signals() == 5


def test_broken_metadata_of_one_of_the_runs_that_share_a_store_is_named(
    catalog, runs, count_signals
):
    old_trace(runs / "traces/store/0123456789ab.parquet", [1, 0])
    (runs / "run_b").mkdir()
    (runs / "run_b" / "metadata.json").write_text("[")

    first = catalog.register(runs)
    second = catalog.register(runs)

    assert first.needs_attention and second.needs_attention
    assert quarantine(catalog) == {str(runs / "run_b/metadata.json"): "broken metadata.json"}
    assert count_signals() == 5


# What no column can hold, in footers and in metadata: one run each.


def configured(text: bytes):
    def write(run: Path) -> None:
        """Write a trace of ours whose footer holds a configuration, and claims its hash."""
        canonical = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest().encode()
        keys = {b"strategy_config": text, b"strategy_hash": digest[:12], b"config_digest": digest}
        write_footer(run / FOLDER / "odd.parquet", keys)

    return write


def described(text: bytes):
    return lambda run: (run / "metadata.json").write_bytes(text)


def strategy(parameters: bytes) -> bytes:
    return b'{"type":"t","parameters":' + parameters + b"}"


def components(parameters: bytes) -> bytes:
    return b'{"components":{"good":{"full_config":' + strategy(parameters) + b"}}}"


HALF = b'"\\ud800"'  # of a character beyond the first plane: JSON may hold it, UTF-8 may not
HUGE = b"1" + b"0" * 400
DEEP = b"[" * 900 + b"]" * 900

ODD_RUNS = {
    "half a character in a value": configured(strategy(b'{"a":%s}' % HALF)),
    "half a character in a name": configured(strategy(b"{%s:1}" % HALF)),
    "half a character in a list": configured(strategy(b'{"a":[%s]}' % HALF)),
    "half a character as the type": configured(b'{"type":%s,"parameters":{"a":1}}' % HALF),
    "half a character as the constraints": configured(
        b'{"type":"t","parameters":{"a":1},"constraints":%s}' % HALF
    ),
    "NUL in a name": configured(strategy(b'{"a\\u0000b":1}')),
    "NUL in a value": configured(strategy(b'{"a":"b\\u0000c"}')),
    "NUL in the type": configured(b'{"type":"t\\u0000u","parameters":{"a":1}}'),
    "a number of 401 digits": configured(strategy(b'{"a":%s}' % HUGE)),
    "an empty type": configured(b'{"type":"","parameters":{"a":1}}'),
    "metadata: files that are gone": described(b'{"components":{"x":{"trace_path":"gone"}}}'),
    "metadata: a key twice": described(b'{"total_bars":5,"total_bars":50}'),
    "metadata: other types": described(b'{"components":[1],"data_source":[],"run_id":5}'),
    "metadata: NaN in the data source": described(b'{"data_source":{"a":NaN}}'),
    "metadata: NaN in a parameter": described(components(b'{"a":NaN}')),
    "metadata: 900 deep": described(b'{"data_source":{"a":%s}}' % DEEP),
    "metadata: a parameter 900 deep": described(components(b'{"a":%s}' % DEEP)),
    "metadata: half a character in the source": described(b'{"data_source":{"a":%s}}' % HALF),
    "metadata: half a symbol": described(b'{"data_source":{"symbols":[%s]}}' % HALF),
    "metadata: half a run id": described(b'{"run_id":%s}' % HALF),
    "metadata: half a workflow": described(b'{"workflow_id":%s}' % HALF),
    "metadata: half a parameter": described(components(b'{"a":%s}' % HALF)),
    "metadata: a parameter of 401 digits": described(components(b'{"a":%s}' % HUGE)),
    "metadata: bars beyond int64": described(b'{"total_bars":%s}' % HUGE),
    "metadata: year 0": described(b'{"timestamp":"0001-01-01T00:00:00+23:00"}'),
    "metadata: an id that leads away": described(b'{"run_id":"../../x\'\\"\\n"}'),
}


@pytest.fixture(scope="module")
def odd_runs(tmp_path_factory, older):
    """Register runs one after the other, and keep what one raised."""
    folder = tmp_path_factory.mktemp("odd")
    catalog = Catalog(folder / "catalog.duckdb")
    outcomes: dict[str, object] = {}
    for name, make in ODD_RUNS.items():
        old_trace(folder / "runs" / name / FOLDER / "good.parquet", [1, 0, -1])
        make(folder / "runs" / name)
        try:
            outcomes[name] = catalog.register(folder / "runs" / name)
        except Exception as error:
            outcomes[name] = error
    return folder / "runs", outcomes, registered(catalog), quarantine(catalog)


@pytest.mark.parametrize("name", ODD_RUNS)
def test_what_no_column_can_hold_stops_nothing(odd_runs, name):
    runs, outcomes, registered, quarantine = odd_runs
    good, odd = (str(runs / name / FOLDER / f"{what}.parquet") for what in ("good", "odd"))

    assert isinstance(outcomes[name], Registration), repr(outcomes[name])
    assert good in registered
    if os.path.exists(odd):
        assert (odd in registered) != (odd in quarantine)


def test_beside_what_no_column_can_hold_every_client_answers(odd_runs, older):
    catalog = Catalog(odd_runs[0].parent / "catalog.duckdb")

    assert answer(catalog, older) >= 3
    for view in ("strategies", "strategy_index", "runs", "parameters"):
        rows(catalog, f"from {view}")
        if older is not None:
            older.ask(catalog.path, f"from {view}")


def test_sweep_files_that_match_equally_well_and_disagree_are_both_named(
    catalog, runs, count_signals, write_sweep
):
    old_trace(runs / "run_b" / FOLDER / "SPY_sma_grid_5_20.parquet", [1, 0])
    one = write_sweep("one.yaml", fast=[5], slow=[20])
    other = write_sweep("other.yaml", short=[5], long=[20])

    done = command("register", runs, "--sweep", one, "--sweep", other, catalog=catalog)

    assert done.exit_code == 0
    assert str(one) in done.stderr and str(other) in done.stderr
    query = "select distinct config_source from trace_files"
    assert rows(catalog, query) == [("unknown",)]
    assert count_signals() == 5


# What may not be read.


# Another user could not even reach the folder that pytest makes. Root without the right to
# pass over permissions is held to them as that user is, and so is whoever is not root.
UNPRIVILEGED = """
import ctypes, os, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.executable, [sys.executable, "-m", "catalog", *sys.argv[1:]])
"""


def unprivileged(*words: object, catalog: Catalog) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that permissions hold for."""
    line = [sys.executable, "-c", UNPRIVILEGED, *map(str, words)]
    environment = {**os.environ, "CATALOG": str(catalog.path)}
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


@contextmanager
def mode(path: Path, mode: int):
    """Give a file or folder other permissions meanwhile."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


@pytest.fixture(scope="module")
def closed(tmp_path_factory, older):
    """Register what may not be read, and once it may."""
    folder = tmp_path_factory.mktemp("closed")
    catalog, runs = Catalog(folder / "catalog.duckdb"), folder / "runs"
    file = old_trace(runs / "run_a" / FOLDER / "closed.parquet", [1, 0])
    old_trace(runs / "run_b" / FOLDER / "b.parquet", [1, 0])
    inner = old_trace(runs / "run_c" / FOLDER / "c.parquet", [1, 0]).parent
    metadata = runs / "run_a" / "metadata.json"
    for run in ("run_a", "run_b"):
        old_trace(runs / run / FOLDER / "good.parquet", [1, 0, -1])
    config = {"type": "rsi", "parameters": {"period": 14}}
    metadata.write_text(json.dumps({"components": {"good": {"full_config": config}}}))

    with mode(file, 0), mode(metadata, 0), mode(inner, 0), mode(runs / "run_b", 0):
        done = unprivileged("register", runs, catalog=catalog)
        query = unprivileged("sql", "from signals", "--format", "csv", catalog=catalog)
        closed = quarantine(catalog)
    opened = register_and_look(catalog, older, runs)
    query_hash = "select strategy_hash from trace_files where path = '{}'"
    hashes = rows(catalog, query_hash.format(file.with_name("good.parquet")))
    return SimpleNamespace(
        file=str(file), metadata=str(metadata), inner=str(inner), run=str(runs / "run_b"),
        done=done, query=query, quarantine=closed, opened=opened,
        completed=hashes == [(strategy_hash(config),)],
    )  # fmt: skip


@pytest.mark.parametrize(
    "what, reason",
    [
        ("file", "no permission"),
        ("metadata", "unreadable metadata.json"),
        ("inner", "unreadable"),
        ("run", "unreadable"),
    ],
)
def test_what_may_not_be_read_is_quarantined_until_it_may(closed, what, reason):
    path = getattr(closed, what)

    assert closed.done.returncode == 3
    assert path in closed.done.stderr
    assert closed.quarantine.get(path) == reason
    assert path not in closed.opened.quarantine
    assert any(found.startswith(path) for found in closed.opened.registered) or closed.completed


def test_beside_what_may_not_be_read_the_rest_answers(closed):
    assert closed.query.returncode == 0, closed.query.stderr
    assert len(closed.query.stdout.splitlines()) == 1 + 3
    assert closed.opened.report.needs_attention is False
    assert closed.opened.count == 2 * 3 + 3 * 2


def test_metadata_that_may_be_read_again_is_read(closed):
    assert closed.completed


def test_a_registered_folder_that_may_not_be_listed_any_more_is_not_gone(
    catalog, runs, count_signals
):
    old_trace(runs / "run_b" / FOLDER / "b.parquet", [1, 0])
    catalog.register(runs)

    with mode(runs / "run_b", 0):
        done = unprivileged("register", runs, catalog=catalog)
        query = unprivileged("sql", "from signals", catalog=catalog)
        others = unprivileged("sql", "from signals where run_id <> 'run_b'", catalog=catalog)

    # Rows that cannot be read are not left out in silence; a query on others has no need of them.
    assert (done.returncode, query.returncode, others.returncode) == (3, 1, 0)
    assert "b.parquet" in query.stderr
    assert "where run_id <>" in query.stderr
    assert rows(catalog, "select count(*) from missing_files") == [(0,)]
    assert count_signals() == 5


def test_a_catalog_that_may_not_be_written_answers_and_registers_nothing(
    catalog, runs, run, count_signals
):
    new = old_trace(run.parent / "run_b" / FOLDER / "new.parquet", [1, 0])
    side = catalog.path.with_suffix(".d")

    with mode(catalog.path, 0o444):
        file = unprivileged("register", runs, catalog=catalog)
        with mode(side / "lock", 0o444), mode(side, 0o555), mode(catalog.path.parent, 0o555):
            folder = unprivileged("register", runs, catalog=catalog)
            query = unprivileged("sql", "from trace_files", catalog=catalog)

    for done in (file, folder):
        assert done.returncode == 1
        assert done.stderr.startswith("error: ") and "hint: " in done.stderr
        assert "Traceback" not in done.stderr
    assert query.returncode == 0
    shutil.rmtree(new.parents[4])
    assert count_signals() == 3


def test_a_catalog_that_may_not_be_read_is_a_message(catalog):
    with mode(catalog.path, 0):
        done = unprivileged("sql", "from signals", catalog=catalog)

    assert done.returncode in (1, 2)
    assert str(catalog.path) in done.stderr
    assert "Traceback" not in done.stderr


# What changes while it is looked at.


def test_a_folder_that_vanishes_during_the_walk_is_passed_over(
    catalog, runs, count_signals, tmp_path, monkeypatch
):
    vanishing = runs / "run_b"
    old_trace(vanishing / FOLDER / "b.parquet", [1, 0])
    scandir = os.scandir

    def scan(path):
        if path == str(vanishing):
            vanishing.rename(tmp_path / "elsewhere")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)

    report = catalog.register(runs)

    assert report.registered == 0
    assert not report.needs_attention
    assert count_signals() == 3


def test_files_that_vanish_before_they_are_read_are_passed_over(
    catalog, runs, count_signals, tmp_path, monkeypatch
):
    vanishing = runs / "run_b"
    path = old_trace(vanishing / FOLDER / "b.parquet", [1, 0])
    open_file = os.open

    def open_too_late(wanted, *more, **options):
        if wanted == str(path):
            vanishing.rename(tmp_path / "elsewhere")
        return open_file(wanted, *more, **options)

    monkeypatch.setattr(os, "open", open_too_late)

    report = catalog.register(runs)

    assert (tmp_path / "elsewhere").exists()
    assert report.registered == 0
    assert not report.needs_attention
    assert count_signals() == 3


@pytest.mark.parametrize("kind", ["signals", "orders"])
def test_a_folder_that_vanishes_after_it_was_read_is_missing_the_next_time(
    catalog, runs, count_signals, tmp_path, kind
):
    vanishing = runs / "run_b"
    path = vanishing / "traces" / kind / "grid" / "b.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(table(), path)

    def vanish(done: int, total: int) -> None:
        if done == total and vanishing.exists():
            vanishing.rename(tmp_path / "elsewhere")

    catalog.register(runs, progress=vanish)
    catalog.register(runs)

    assert count_signals() == 3


@pytest.mark.parametrize("when", ["before it is opened", "after it was read"])
def test_a_file_that_is_completed_meanwhile_is_registered_then_or_the_next_time(
    catalog, runs, run, count_signals, monkeypatch, when
):
    path = old_trace(run / FOLDER / "growing.parquet", [1, 0])
    whole = path.read_bytes()
    path.write_bytes(whole[:500])
    open_file, close_file = os.open, os.close
    watched: list[int] = []

    def open_and_note(wanted, *more, **options):
        if wanted == str(path) and when == "before it is opened":
            path.write_bytes(whole)
        descriptor = open_file(wanted, *more, **options)
        if wanted == str(path):
            watched.append(descriptor)
        return descriptor

    def close_and_complete(descriptor):
        close_file(descriptor)
        if descriptor in watched:
            watched.clear()
            path.write_bytes(whole)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_and_note)
        patch.setattr(os, "close", close_and_complete)
        catalog.register(runs)
    assert path.read_bytes() == whole
    report = catalog.register(runs)

    assert not report.needs_attention
    assert quarantine(catalog) == {}
    assert count_signals() == 5


# A full disk.


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a few MB, which only root can make."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """Fill a disk with a file, and leave so many bytes."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(b"x" * max(0, free.f_bavail * free.f_frsize - leave))
    return ballast


@pytest.mark.parametrize("leave", [0, 64 << 10, 512 << 10])
def test_on_a_full_disk_the_catalog_stays_as_it_was_and_goes_on_later(
    small_disk, tmp_path, older, leave
):
    catalog = Catalog(small_disk / "catalog.duckdb")
    old_trace(tmp_path / "runs/run_a" / FOLDER / "good.parquet", [1, 0, -1])
    catalog.register(tmp_path / "runs")
    for number in range(6):
        # What does not compress takes as much room in the catalog as in the file.
        parameters = {"noise": random.Random(number).randbytes(200_000).hex()}
        config = {"type": "noise", "parameters": parameters}
        write_ours(tmp_path / f"runs/run_{number}", config=config)
    ballast = fill(small_disk, leave=leave)

    done = command("register", tmp_path / "runs", catalog=catalog)

    assert done.exit_code == 1
    assert done.stderr.startswith("error: The disk is full")
    assert answer(catalog, older) == 3

    ballast.unlink()
    report = catalog.register(tmp_path / "runs")

    assert report.registered == 6
    assert answer(catalog, older) == 3 + 6 * 3


def test_on_a_full_disk_no_half_catalog_is_made(small_disk, tmp_path, older):
    catalog = Catalog(small_disk / "catalog.duckdb")
    old_trace(tmp_path / "runs/run_a" / FOLDER / "good.parquet", [1, 0, -1])
    ballast = fill(small_disk, leave=16 << 10)

    done = command("register", tmp_path / "runs", catalog=catalog)

    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert not catalog.path.exists()

    ballast.unlink()
    catalog.register(tmp_path / "runs")

    assert answer(catalog, older) == 3


# The catalog itself.


def not_a_database(path: Path) -> None:
    path.write_text("these are my notes, and no database at all " * 1_000)


def another_database(path: Path) -> None:
    path.unlink()
    with duckdb.connect(str(path)) as con:
        con.execute("create table precious as select 42 as answer")


def only_its_beginning(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:6_000])


def noise_after_its_headers(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:12_288] + b"\xa5" * (len(data) - 12_288))


@pytest.mark.parametrize(
    "spoil",
    [
        not_a_database,
        another_database,
        only_its_beginning,
        noise_after_its_headers,
        lambda path: path.write_bytes(b""),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
@pytest.mark.parametrize("words", [["register"], ["sql", "from signals"]])
def test_a_catalog_that_is_none_is_left_alone_with_a_message(catalog, runs, spoil, words):
    spoil(catalog.path)
    before = catalog.path.read_bytes() if catalog.path.is_file() else None

    done = command(*words, *([runs] if words == ["register"] else []), catalog=catalog)

    assert done.exit_code in (1, 2)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "catalog.duckdb" in done.stderr
    assert before == (catalog.path.read_bytes() if catalog.path.is_file() else None)


def test_a_catalog_of_a_newer_program_is_left_alone_and_answers_in_other_clients(
    catalog, runs, run, older
):
    with duckdb.connect(str(catalog.path)) as con:
        con.execute("insert into internal.migration values (9999, '9999_x', '', '99.0', now())")
    old_trace(run / FOLDER / "new.parquet", [1, 0])

    with pytest.raises(MigrationError, match="newer version of this program"):
        catalog.register(runs)

    done = command("sql", "from signals", catalog=catalog)
    assert done.exit_code == 1
    assert "pip install --upgrade" in done.stderr
    if older is not None:
        assert older.ask(catalog.path, "select count(*) from trace_files") == [(1,)]
        assert older.ask(catalog.path, "select count(*) from signals") == [(3,)]


def test_a_catalog_of_a_newer_duckdb_is_left_alone_with_a_message(catalog, runs):
    data = bytearray(catalog.path.read_bytes())
    assert data[8:12] == b"DUCK"
    data[12:20] = (9_999).to_bytes(8, "little")
    catalog.path.write_bytes(data)

    with pytest.raises(StoreError):
        catalog.register(runs)

    assert catalog.path.read_bytes() == data


# What happened elsewhere.


def test_a_folder_that_is_gone_does_not_keep_another_from_being_registered(
    catalog, count_signals, tmp_path
):
    old_trace(tmp_path / "gone/run_b" / FOLDER / "b.parquet", [1, 0])
    catalog.register(tmp_path / "gone")
    shutil.rmtree(tmp_path / "gone")
    old_trace(tmp_path / "new/run_c" / FOLDER / "c.parquet", [1, 0])

    report = catalog.register(tmp_path / "new")

    assert report.registered == 1
    assert count_signals() == 3 + 2
    assert rows(catalog, "select strategy_id from missing_files") == [("b",)]


def test_orders_that_are_damaged_do_not_keep_others_from_being_registered(
    catalog, count_signals, tmp_path
):
    events = {"idx": [0], "ts": ["x"], "sym": ["SPY"], "metadata": [{"strategy_id": "good"}]}
    for name in ("damaged", "new"):
        (tmp_path / name / "run/traces/orders").mkdir(parents=True)
        pq.write_table(pa.table(events), tmp_path / name / "run/traces/orders/o.parquet")
        old_trace(tmp_path / name / "run" / FOLDER / f"{name}.parquet", [1, 0])
        if name == "damaged":
            catalog.register(tmp_path / name)
            (tmp_path / name / "run/traces/orders/o.parquet").write_bytes(b"PAR1")

    report = catalog.register(tmp_path / "new")
    catalog.register(tmp_path / "damaged")

    assert report.registered == 2
    assert rows(catalog, "select count(*) from orders") == [(1,)]
    assert list(quarantine(catalog).values()) == ["not a Parquet file"]
    assert count_signals() == 3 + 2 + 2


def test_the_catalog_may_lie_in_a_folder_of_any_name(tmp_path, older):
    for name in ("run[1]", "a*b", "it's"):
        catalog = Catalog(tmp_path / name / "catalog.duckdb")
        old_trace(tmp_path / name / "runs/run_a" / FOLDER / "good.parquet", [1, 0, -1])

        catalog.register(tmp_path / name / "runs")

        assert answer(catalog, older) == 3, name


# DuckDB takes a backslash for a slash, and what is behind a question mark for a query.
@pytest.mark.parametrize("name", ["back\\slash", "what?"])
def test_where_duckdb_makes_no_file_there_is_a_message(tmp_path, name):
    catalog = Catalog(tmp_path / name / "catalog.duckdb")
    old_trace(tmp_path / name / "runs/run_a" / FOLDER / "good.parquet", [1, 0, -1])

    done = command("register", tmp_path / name / "runs", catalog=catalog)

    assert done.exit_code == 1
    assert done.stderr.startswith("error: Cannot use the catalog")
