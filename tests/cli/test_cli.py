"""The command line: what it prints where, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from bad_files import write_ours
from catalog import Catalog, strategy_hash
from catalog.cli import main
from catalog.cli.main import COMMANDS
from conftest import old_trace


@pytest.fixture
def run(catalog):
    """Run a command on the catalog."""

    def run(*words: object, stdin: str | None = None, **more: object):
        environment = {"CATALOG": str(catalog.path)}
        return CliRunner().invoke(main, list(map(str, words)), env=environment, input=stdin, **more)

    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A catalog of two strategies whose parameters a sweep file told."""
    folder = tmp_path_factory.mktemp("filled")
    signals = folder / "runs" / "run_a" / "traces" / "SPY_1m" / "signals" / "sma_grid"
    old_trace(signals / "SPY_sma_grid_5_20.parquet", [1, 0])
    old_trace(signals / "SPY_sma_grid_10_50.parquet", [0, 1])
    grid = {"type": "sma_crossover", "name": "sma_grid"}
    grid["params"] = {"fast": [5, 10], "slow": [20, 50]}
    sweep = {"name": "grid", "symbols": ["SPY"], "strategies": [grid]}
    (folder / "grid.yaml").write_text(json.dumps(sweep))
    (folder / "home").mkdir()
    Catalog(folder / "home" / "catalog.duckdb").register(
        folder / "runs", sweeps=[folder / "grid.yaml"]
    )
    return folder


@pytest.fixture
def filled(catalog, made):
    """A copy of it; its traces are where they are, to be read."""
    shutil.copytree(made / "home", catalog.path.parent, dirs_exist_ok=True)
    return catalog


@pytest.fixture
def own(catalog, write_run, write_sweep):
    """The same with traces of its own, to be changed."""
    run = write_run(traces={"SPY_sma_grid_5_20": [1, 0], "SPY_sma_grid_10_50": [0, 1]})
    catalog.register(run, sweeps=[write_sweep()])
    return catalog


def test_register_says_what_it_did_on_stderr(run, write_run, write_sweep):
    done = run("register", write_run(), "--sweep", write_sweep())

    assert done.exit_code == 0
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].startswith("registered 1 trace (1 signal) in 1 run, ")
    assert lines[1:] == [
        "parameters 1 from sweep files, 0 unknown",
        "content    1 distinct signal traces of 1",
        'next       catalog sql "from strategies limit 5"',
    ]


def test_register_without_the_sweep_file_says_to_give_it(run, write_run):
    done = run("register", write_run())

    assert done.exit_code == 0
    assert "1 unknown" in done.stderr
    assert "--sweep FILE" in done.stderr.splitlines()[-1]


def test_register_with_a_bad_file_ends_with_status_3_and_names_it(run, write_run):
    folder = write_run()
    bad = folder / "traces/SPY_1m/signals/sma_grid/bad.parquet"
    bad.write_bytes(b"")

    done = run("register", folder)

    assert done.exit_code == 3
    assert str(bad) in done.stderr
    assert run("register", folder).exit_code == 3


def test_dry_run_leaves_no_catalog(run, catalog, write_run):
    done = run("register", write_run(), "--dry-run")

    assert done.exit_code == 0
    assert done.stderr.startswith("would register 1 trace")
    assert not catalog.path.exists()


def test_a_missing_folder_is_wrong_usage(run):
    done = run("register", "no/such/folder")

    assert done.exit_code == 2
    assert "no/such/folder" in done.stderr
    assert "hint:" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example(run, command):
    done = run(command, "--help")

    assert done.exit_code == 0
    assert "Example" in done.stdout
    assert f"catalog {command}" in done.stdout


def test_sql_reads_its_query_from_the_argument_a_file_or_stdin(run, filled, tmp_path):
    query = "select count(*) as n from strategies"
    (tmp_path / "query.sql").write_text(query)

    answers = [
        run("sql", query, "--format", "csv"),
        run("sql", "-f", tmp_path / "query.sql", "--format", "csv"),
        run("sql", "--format", "csv", stdin=query),
        run("sql", "-", "--format", "csv", stdin=query),
    ]

    assert [done.stdout for done in answers] == ["n\n2\n"] * 4


def test_sql_writes_each_format(run, filled, tmp_path):
    query = "select strategy_type, param_fast, config from strategies order by param_fast"

    table = run("sql", query).stdout
    rows = list(csv.DictReader(io.StringIO(run("sql", query, "--format", "csv").stdout)))
    array = json.loads(run("sql", query, "--format", "json").stdout)
    lines = [json.loads(x) for x in run("sql", query, "--format", "jsonl").stdout.splitlines()]
    markdown = run("sql", query, "--format", "markdown").stdout.splitlines()
    parquet = run("sql", query, "-o", tmp_path / "rows.parquet")

    assert "sma_crossover" in table and "┌" in table
    assert [row["param_fast"] for row in rows] == ["5", "10"]
    assert array == lines
    assert array[0]["config"] == {
        "type": "sma_crossover", "parameters": {"fast": 5, "slow": 20},
    }  # fmt: skip
    assert markdown[:2] == ["| strategy_type | param_fast | config |", "|---|---|---|"]
    assert parquet.stdout == ""
    assert pq.read_table(tmp_path / "rows.parquet").num_rows == 2


def test_sql_says_how_many_rows_there_are(run, filled):
    assert "1000 rows" in run("sql", "from range(1000)").stdout


def test_sql_output_to_a_file_has_all_rows_and_columns(run, filled, tmp_path):
    run("sql", "from range(1000)", "-o", tmp_path / "rows.txt")

    assert "500" in (tmp_path / "rows.txt").read_text()


@pytest.mark.parametrize("words", [["sql", "select 42", "-o"], ["export"]])
def test_no_output_replaces_what_the_catalog_needs(run, filled, words, write_run):
    trace = filled.sql("select path from trace_files").fetchall()[0][0]
    for target in (filled.path, trace, f"{filled.path.parent}/catalog.d/lock"):
        before = pathlib.Path(target).read_bytes()
        as_parquet = ["--format", "parquet"] if words[0] == "sql" else []

        done = run(*words, target, *as_parquet)

        assert done.exit_code in (1, 2)
        assert pathlib.Path(target).read_bytes() == before


def test_output_goes_into_what_is_no_regular_file(run, filled, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE, text=True)

    done = run("sql", "select 42 as n", "--format", "csv", "-o", tmp_path / "pipe")

    assert done.exit_code == 0
    assert reader.communicate()[0] == "n\n42\n"
    assert (tmp_path / "pipe").is_fifo()


def test_json_is_json_whatever_the_types(run, filled):
    query = """
        select 1 as a, 2 as a, sum(3) as whole, 1.5 as decimal, 'nan'::double as nan,
            '\\x01'::blob as blob, interval 3 day as span, 'infinity'::timestamp as never,
            {'x': [1.5::decimal(5, 2)]} as nested
    """

    (row,) = json.loads(run("sql", query, "--format", "json").stdout)
    csv_row = run("sql", query, "--format", "csv").stdout.splitlines()[1]

    assert row == {
        "a": 1, "a_1": 2, "whole": 3, "decimal": 1.5, "nan": None, "blob": "\\x01",
        "span": "3 days", "never": "infinity", "nested": {"x": [1.5]},
    }  # fmt: skip
    assert "3 days" in csv_row and "infinity" in csv_row


def test_a_query_file_that_is_not_utf_8_is_wrong_usage(run, filled, tmp_path):
    (tmp_path / "latin.sql").write_bytes("select 'é'".encode("latin-1"))

    done = run("sql", "-f", tmp_path / "latin.sql")

    assert done.exit_code == 2
    assert "latin.sql is not UTF-8" in done.stderr


def test_an_empty_path_of_the_catalog_is_wrong_usage(run):
    assert run("info", "--catalog", "").exit_code == 2


def test_sql_refuses_to_write(run, filled, tmp_path):
    done = run("sql", f"copy strategies to '{tmp_path}/x.csv'")

    assert done.exit_code == 1
    assert "Only queries that read run here" in done.stderr
    assert not (tmp_path / "x.csv").exists()


def test_an_error_in_a_query_is_a_message_and_no_traceback(run, filled):
    done = run("sql", "select nonsense from strategies")

    assert done.exit_code == 1
    assert "nonsense" in done.stderr
    assert "Traceback" not in done.stderr


def test_parquet_needs_a_file(run, filled):
    assert run("sql", "select 1", "--format", "parquet").exit_code == 2


def test_asking_without_a_catalog_says_how_to_make_one(run, catalog):
    for words in (["sql", "select 1"], ["info"], ["show", "x"], ["find"], ["export", "x.csv"]):
        done = run(*words)

        assert done.exit_code == 1
        assert "catalog register" in done.stderr
    assert not catalog.path.exists()


def test_export_makes_paths_relative_where_traces_lie_below_the_file(run, own, tmp_path):
    (tmp_path / "elsewhere").mkdir()

    run("export", tmp_path / "index.parquet")
    run("export", tmp_path / "elsewhere" / "index.parquet")

    here = pq.read_table(tmp_path / "index.parquet").column("trace_path").to_pylist()
    there = pq.read_table(tmp_path / "elsewhere/index.parquet").column("trace_path").to_pylist()
    assert all(path.startswith("runs/run_a/") for path in here)
    assert all(path.startswith(f"{tmp_path}/runs/run_a/") for path in there)


@pytest.mark.parametrize("ending", ["parquet", "csv", "json", "jsonl"])
def test_export_writes_by_the_name_of_the_file(run, filled, tmp_path, ending):
    path = tmp_path / f"index.{ending}"

    done = run("export", path, "--where", "param_fast = 5")

    assert done.exit_code == 0, done.stderr
    assert done.stderr.startswith(f"exported   1 trace to {path}")
    import duckdb

    (row,) = duckdb.sql(f"select strategy_id, param_fast from '{path}'").fetchall()
    assert row == ("SPY_sma_grid_5_20", 5)


def test_export_keeps_the_types_of_parameters(run, filled, tmp_path):
    run("export", tmp_path / "index.parquet")

    schema = pq.read_schema(tmp_path / "index.parquet")
    assert str(schema.field("param_fast").type) == "int64"


@pytest.mark.parametrize(
    ("name", "where"),
    [("index.xls", None), ("index.csv", "fast = "), ("index.csv", "nonsense = 1")],
)
def test_an_export_that_fails_leaves_no_file(run, filled, tmp_path, name, where):
    words = ["export", tmp_path / name] + (["--where", where] if where else [])

    done = run(*words)

    assert done.exit_code == 1
    assert "hint:" in done.stderr
    assert not [path for path in tmp_path.iterdir() if "index" in path.name]


def test_info_counts(run, filled):
    lines = dict(line.split(None, 1) for line in run("info").stdout.splitlines())

    assert lines["strategies"] == "2 of 1 type, 2 parameters"
    assert lines["traces"] == "2 signals"
    assert lines["configs"] == "2 sweep"


CONFIG = {"type": "sma_crossover", "parameters": {"fast": 5, "slow": 20}}


@pytest.mark.parametrize(
    "reference",
    [strategy_hash(CONFIG), strategy_hash(CONFIG)[:6], "SPY_sma_grid_5_20"],
)
def test_show_finds_a_strategy_by_any_of_its_names(run, filled, reference):
    done = run("show", reference)

    assert done.exit_code == 0
    assert strategy_hash(CONFIG) in done.stdout
    assert "2 changes" in done.stdout


def test_show_finds_a_strategy_by_the_path_of_a_trace(run, filled):
    ((path,),) = filled.sql(
        "select path from trace_files where strategy_id like '%5_20'"
    ).fetchall()

    assert strategy_hash(CONFIG) in run("show", path).stdout


def test_show_of_a_trace_without_rows(run, catalog, tmp_path):
    old_trace(tmp_path / "run/traces/SPY_1m/signals/g/empty.parquet", [])
    catalog.register(tmp_path / "run")

    done = run("show", "empty")

    assert done.exit_code == 0
    assert "no rows" in done.stdout


def test_show_says_when_nothing_goes_by_a_name(run, filled):
    done = run("show", "nobody")

    assert done.exit_code == 1
    assert "'nobody'" in done.stderr


@pytest.mark.parametrize(
    ("conditions", "count"),
    [
        (["fast=5"], 1), (["fast>=5"], 2), (["fast>5", "slow<=50"], 1), (["fast!=5"], 1),
        (["param_fast=5"], 1), (["fast=5.0"], 1), (["strategy_type=sma_crossover"], 2), ([], 2),
        (["fast=7"], 0),
    ],
)  # fmt: skip
def test_find_compares_parameters(run, filled, conditions, count):
    done = run("find", *conditions)

    assert done.exit_code == 0, done.stderr
    assert f"found      {count} strateg" in done.stderr


@pytest.mark.parametrize("condition", ["fast=inf", "fast=٣", "fast!=nan"])
def test_find_takes_odd_numbers_for_words(run, filled, condition):
    assert run("find", condition).exit_code == 1


def test_find_knows_names_in_any_case_and_differs_across_forms(run, catalog, tmp_path):
    for number, value in enumerate([20, 30, "auto"]):
        config = {"type": "rsi", "parameters": {"period": value, "flag": True}}
        write_ours(tmp_path / "run", config=config, strategy_id=str(number))
    catalog.register(tmp_path / "run")

    for words, count in (
        (["period!=20"], 2), (["period!=auto"], 2), (["PERIOD=20"], 1), (["type=rsi"], 3),
        (["flag=true"], 3),
    ):  # fmt: skip
        assert f"found      {count} strateg" in run("find", *words).stderr, words
    assert run("find", "flag>0.5").exit_code in (0, 1)


def test_find_by_type(run, filled):
    assert "found      2 strategies" in run("find", "--type", "sma_crossover").stderr
    assert "found      0 strategies" in run("find", "--type", "rsi").stderr


@pytest.mark.parametrize(
    ("condition", "status", "message"),
    [
        ("fasst=5", 1, "Did you mean fast?"),
        ("fast", 2, "This is no condition"),
        ("=5", 2, "This is no condition"),
        ("fast=auto", 1, "fast is numbers in every strategy"),
    ],
)
def test_find_explains_what_is_wrong_with_a_condition(run, filled, condition, status, message):
    done = run("find", condition)

    assert done.exit_code == status
    assert message in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run, shell):
    assert "_CATALOG_COMPLETE" in run("completion", shell).stdout


def test_it_runs_as_a_module_and_stops_quietly_when_nobody_reads(filled):
    command = [sys.executable, "-m", "catalog", "sql", "from range(100000)", "--format", "csv"]
    command += ["--catalog", str(filled.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        first = process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()

    assert first == b"range\n"
    assert b"Traceback" not in errors


def test_sql_explain_says_what_is_opened_and_why(run, filled):
    done = run("sql", "--explain", "from signals where strategy_id = 'SPY_sma_grid_5_20'")
    every = run("sql", "--explain", "from signals where val > 0")
    none = run("sql", "--explain", "from strategies")
    wrong = run("sql", "--explain", "from nope")

    assert wrong.exit_code == 1
    assert "nope does not exist" in wrong.stderr
    assert done.exit_code == every.exit_code == none.exit_code == 0
    assert "opens 1 file in all" in done.stdout
    assert "trace_files.strategy_id = 'SPY_sma_grid_5_20'" in done.stdout
    assert done.stdout.endswith(
        "from signals_1 as signals where strategy_id = 'SPY_sma_grid_5_20'\n"
    )
    assert "all of them: no condition tells its files apart" in every.stdout
    assert none.stdout == "-- opens no trace file\nfrom strategies\n"


def test_sql_keeps_to_its_limits(run, filled):
    slow = "select count(*) from range(1000000000) a, range(100000) b"
    stopped = run("sql", slow, "--timeout", "0.3", "--threads", "1")
    wrong = run("sql", "select 1", "--memory-limit", "lots")

    assert (stopped.exit_code, wrong.exit_code) == (1, 2)
    assert "--timeout" in stopped.stderr
    assert "Write it as 4GB" in wrong.stderr


def test_compact_and_unpack_say_what_they_did(run, own):
    ((count,),) = own.sql("select count(*) from trace_files where kind = 'signal'").fetchall()

    packed = run("compact", "--delete-originals")
    again = run("compact")
    unpacked = run("unpack")
    nothing = run("compact", "--run", "nonsense")
    nobody = run("unpack", "nonsense")

    assert (packed.exit_code, again.exit_code, unpacked.exit_code) == (0, 0, 0)
    assert f"packed     {count} trace" in packed.stderr
    assert f"deleted    {count} file" in packed.stderr
    assert "0 traces: all that are meant are in packs" in again.stderr
    assert f"unpacked   {count} file" in unpacked.stderr
    assert (nothing.exit_code, nobody.exit_code) == (1, 1)
    assert "No signal trace has the trace_id 'nonsense'" in nobody.stderr
    assert "No signal trace is meant by that" in nothing.stderr


def test_ctrl_c_while_duckdb_writes_ends_with_a_message(run, monkeypatch, tmp_path):
    def interrupted(*_: object, **__: object) -> None:
        # So it comes out of DuckDB where that looks at signals: as this, and without a cause.
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(Catalog, "register", interrupted)

    stopped = run("register", tmp_path)

    assert (stopped.exit_code, stopped.stdout) == (1, "")
    assert stopped.stderr == "stopped: what was done so far stays as it is\n"


def test_any_other_error_of_the_runtime_is_a_bug_and_keeps_its_traceback(
    run, monkeypatch, tmp_path
):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr(Catalog, "register", broken)

    assert isinstance(run("register", tmp_path).exception, RuntimeError)
