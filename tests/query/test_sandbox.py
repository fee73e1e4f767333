"""A query reads the catalog, its traces and files that it names here, and does nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from catalog import Catalog
from catalog.errors import CatalogBusyError, CatalogError, QueryError, UsageError
from catalog.query.files import Allowed
from catalog.query.interrupt import interruptible
from catalog.query.sandbox import Limits, restrict
from catalog.store.database import reading
from conftest import old_trace

# What reads, writes, attaches, installs, exports, imports, runs text as SQL, tells or changes
# settings, or fetches, by the DuckDB documentation. {out} is a folder outside, {home} the
# catalog's, {run} that of its traces.
ESCAPES = [
    # Reading what is elsewhere.
    "select * from read_text('{out}/secret.txt')",
    "select * from read_blob('{out}/secret.txt')",
    "select * from read_csv('{out}/secret.csv')",
    "select * from read_csv_auto('{out}/secret.csv')",
    "select * from read_json('{out}/secret.json')",
    "select * from read_json_auto('{out}/secret.json')",
    "select * from read_json_objects('{out}/secret.json')",
    "select * from read_ndjson('{out}/secret.json')",
    "select * from read_ndjson_objects('{out}/secret.json')",
    "select * from read_parquet('{out}/secret.parquet')",
    "select * from parquet_scan('{out}/secret.parquet')",
    "select * from parquet_metadata('{out}/secret.parquet')",
    "select * from parquet_schema('{out}/secret.parquet')",
    "select * from parquet_kv_metadata('{out}/secret.parquet')",
    "select * from parquet_file_metadata('{out}/secret.parquet')",
    "select * from parquet_bloom_probe('{out}/secret.parquet', 'a', 1)",
    "select * from read_duckdb('{out}/secret.duckdb')",
    "select * from sniff_csv('{out}/secret.csv')",
    "from '{out}/secret.csv'",
    "from '{out}/secret.parquet'",
    "from '{out}/secret.json'",
    'select * from "{out}/secret.parquet"',
    "from '{out}/*.parquet'",
    "from read_parquet(['{out}/secret.parquet'])",
    "from read_parquet('{run}/../../out/secret.parquet')",
    "from read_parquet('{run}/link/secret.parquet')",
    "from read_parquet('~/secret.parquet')",
    "from read_parquet('/' || 'etc' || '/passwd')",
    "from read_csv(getvariable('x'))",
    "from read_csv('/etc/passwd')",
    "from read_csv('/proc/self/environ')",
    "from glob('{out}/*')",
    "from glob('{run}/*')",
    "select t.* from (select '{out}/secret.parquet' as p) s, read_parquet(s.p) t",
    "select t.* from (select '{run}/link/secret.parquet' as p) s, read_parquet(s.p) t",
    "select t.* from (select '/etc/passwd' as p) s, read_csv(s.p) t",
    "select t.* from (select 'https://example.org/x.parquet' as p) s, read_parquet(s.p) t",
    "describe from '{out}/secret.parquet'",
    "summarize '{out}/secret.parquet'",
    "select (select count(*) from '{out}/secret.parquet')",
    "with s as (from '{out}/secret.parquet') from s",
    "pivot '{out}/secret.parquet' on a using count(*)",
    "pivot (from glob('{run}/**')) on file using count(*)",
    "pivot (from pragma_database_list) on name using count(*)",
    "select * from (pivot (from duckdb_settings()) on name using count(*))",
    # Fetching.
    "from read_parquet('https://example.org/x.parquet')",
    "from 'http://example.org/x.csv'",
    "from read_csv('s3://bucket/x.csv')",
    "from read_json('hf://datasets/x/y.json')",
    "from read_csv('gs://bucket/x.csv')",
    # Writing.
    "copy (select 42) to '{run}/x.csv'",
    "copy (select 42) to '{run}/x.parquet' (format parquet)",
    "copy strategies to '{run}/x.csv'",
    "with x as (copy (select 42) to '{run}/x.csv') select 1",
    "select * from (with x as (copy (select 42) to '{run}/x.csv') select 1)",
    "explain analyze copy (select 42) to '{run}/x.csv'",
    "explain analyze with x as (copy (select 42) to '{run}/x.csv') select 1",
    "copy strategies from '{out}/secret.csv'",
    "copy from database memory to x",
    "export database '{run}/x'",
    "import database '{out}'",
    "create table x as select 1",
    "create macro m(a) as a",
    "create secret x (type s3)",
    "create type e as enum ('a')",
    "create sequence s",
    "insert into internal.run select * from internal.run",
    "update internal.run set name = 'x'",
    "delete from internal.run",
    "with x as (delete from internal.run returning *) from x",
    "truncate internal.run",
    "drop table internal.run",
    "alter table internal.run add column x int",
    "checkpoint",
    "vacuum",
    "select write_log('x')",
    "from checkpoint()",
    "from force_checkpoint()",
    "from enable_logging('QueryLog', storage := 'file', storage_path := '{run}/log')",
    "from enable_profiling()",
    "select nextval('s')",
    # Attaching, installing, loading.
    "attach '{out}/secret.duckdb' as x",
    "attach '{out}/secret.duckdb' (read_only)",
    "attach 'ducklake:{run}/x.ducklake'",
    "detach x",
    "use memory",
    "install httpfs",
    "install httpfs from '{out}'",
    "force install json",
    "load httpfs",
    "load '{out}/x.duckdb_extension'",
    "update extensions",
    # Text as SQL.
    "from query('copy (select 42) to ''{run}/x.csv''')",
    "from query_table('strategies')",
    "from json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "select json_serialize_sql('select 1')",
    "select json_serialize_plan('select 1')",
    "call query('select 1')",
    "prepare p as select 1",
    "execute p",
    "execute immediate 'select 1'",
    "select * from sql_auto_complete('sel')",
    # Settings, and what DuckDB knows of the machine.
    "set enable_external_access = true",
    "set allowed_directories = ['/']",
    "reset lock_configuration",
    "set variable x = 1",
    "pragma threads = 1",
    "pragma database_list",
    "call pragma_database_size()",
    "from duckdb_secrets()",
    "from duckdb_settings()",
    "from duckdb_extensions()",
    "from duckdb_databases()",
    "from duckdb_logs()",
    "from duckdb_temporary_files()",
    "from duckdb_settings",
    "from pragma_database_list",
    "from which_secret('s3://x', 's3')",
    "from pragma_storage_info('strategy')",
    "select current_setting('temp_directory')",
    "select getenv('HOME')",
    "select current_query()",
    # Python, the shell, waiting.
    "from python_map_function(1)",
    "from pandas_scan(1)",
    "from arrow_scan(1, 2, 3)",
    "from secret_variable",
    ".shell id",
    "select sleep_ms(10)",
    "select pg_sleep(1)",
    "select 1; select 2",
    "select 1; copy (select 42) to '{run}/x.csv'",
]


@pytest.fixture
def place(tmp_path: Path, catalog: Catalog, write_run, monkeypatch) -> dict[str, Path]:
    """A catalog with a run, a folder with secrets beside, and a link from the run to it."""
    run = write_run()
    out = tmp_path / "out"
    out.mkdir()
    (out / "secret.txt").write_text("secret")
    (out / "secret.csv").write_text("a,b\n1,secret\n")
    (out / "secret.json").write_text('{"a": "secret"}')
    duckdb.sql("select 1 as a, 'secret' as b").write_parquet(str(out / "secret.parquet"))
    duckdb.connect(str(out / "secret.duckdb")).close()
    catalog.register(run)
    (run / "link").symlink_to(out)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return {"out": out, "run": run, "home": catalog.path.parent}


def everything_below(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_size) for path in folder.rglob("*"))


def test_no_escape_gets_out(place, catalog, tmp_path):
    secret_variable = [1]  # noqa: F841 - DuckDB for Python would find it by its name
    before = everything_below(tmp_path)
    passed = []

    for escape in ESCAPES:
        query = escape.format(**place)
        with suppress(CatalogError):
            passed.append((query, catalog.sql(query, timeout=5).fetchall()))

    assert passed == []
    assert len(ESCAPES) > 100
    assert everything_below(tmp_path) == before


BEHIND_THE_LIST = [
    "from read_text('{out}/secret.txt')",
    "from read_parquet('{out}/secret.parquet')",
    "from read_parquet('{run}/link/secret.parquet')",
    "from '{out}/secret.csv'",
    "from glob('{out}/*')",
    "from 'https://example.org/x.parquet'",
    "attach '{out}/secret.duckdb' as x",
    "install httpfs",
    "load httpfs",
    "copy (select 42) to '{out}/x.csv'",
    "set enable_external_access = true",
    "set lock_configuration = false",
    "set memory_limit = '1TB'",
    "from secret_variable",
    "delete from internal.run",
]


@pytest.mark.parametrize("query", BEHIND_THE_LIST)
def test_duckdb_itself_refuses_where_the_list_would_not(place, catalog, query):
    secret_variable = [1]  # noqa: F841
    with reading(catalog.path) as con:
        restrict(con, [str(place["run"])], Allowed(), Limits())

        with pytest.raises(duckdb.Error):
            con.execute(query.format(**place)).fetchall()


def test_files_below_the_working_directory_are_read(place, catalog):
    here = Path.cwd()
    duckdb.sql("select 1 as a").write_parquet("one.parquet")
    (here / "deep").mkdir()
    duckdb.sql("select 2 as a").write_parquet("deep/two.parquet")
    (here / "some.csv").write_text("a\n3\n")

    for query, expected in {
        "from 'one.parquet'": [(1,)],
        f"from read_parquet('{here}/one.parquet')": [(1,)],
        "from read_parquet(['one.parquet', './deep/two.parquet'])": [(1,), (2,)],
        "from 'deep/*.parquet'": [(2,)],
        "from '**/*.parquet' order by a": [(1,), (2,)],
        "from read_csv('some.csv')": [(3,)],
        "select o.a, s.kind from 'one.parquet' o, strategies s limit 1": [(1, "signal")],
    }.items():
        assert catalog.sql(query).fetchall() == expected
    assert catalog.sql("from read_parquet($file)", {"file": "one.parquet"}).fetchall() == [(1,)]


def test_a_file_outside_is_named_in_the_error(place, catalog):
    with pytest.raises(QueryError, match=r"secret\.parquet lies outside of the working directory"):
        catalog.sql(f"from '{place['out']}/secret.parquet'")


def test_traces_behind_a_link_are_read(catalog, write_run, tmp_path):
    run = write_run()
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots" / "linked").symlink_to(run)
    catalog.register(tmp_path / "roots")

    assert len(catalog.sql("from signals")) == 3


SLOW = "select count(*) from range(100000000) a(i), range(100000) b(j) where hash(i + j) = 1"


def test_a_query_ends_with_its_time(filled_catalog):
    started = time.monotonic()

    with pytest.raises(QueryError, match=r"longer than 0\.5 seconds") as stopped:
        filled_catalog.sql(SLOW, timeout=0.5)

    assert stopped.value.hint is not None and "--timeout" in stopped.value.hint
    assert time.monotonic() - started < 30


def test_a_query_keeps_to_its_memory(filled_catalog):
    query = "select list(i) from range(100000000) t(i)"

    with pytest.raises(QueryError) as refused:
        filled_catalog.sql(query, memory_limit="60MB", threads=1)

    assert refused.value.hint is not None and "--memory-limit" in refused.value.hint


@pytest.mark.parametrize(
    "limits", [{"timeout": 0}, {"timeout": -1}, {"memory_limit": "much"}, {"threads": 0}]
)
def test_a_limit_that_is_none_is_refused(filled_catalog, limits):
    with pytest.raises(UsageError):
        filled_catalog.sql("select 1", **limits)


@pytest.fixture(scope="module")
def filled_catalog(tmp_path_factory) -> Catalog:
    """A catalog of one trace, to be read."""
    folder = tmp_path_factory.mktemp("sandbox")
    signals = folder / "runs" / "run_a" / "traces" / "SPY_1m" / "signals" / "sma_grid"
    old_trace(signals / "SPY_sma_grid_5_20.parquet", [1, 0, -1])
    (folder / "home").mkdir()
    catalog = Catalog(folder / "home" / "catalog.duckdb")
    catalog.register(folder / "runs")
    return catalog


def test_ctrl_c_stops_a_query_at_once(filled_catalog):
    command = [sys.executable, "-m", "catalog", "sql", SLOW, "--catalog", str(filled_catalog.path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    assert child.poll() is None

    child.send_signal(signal.SIGINT)
    try:
        # Not a measurement: without what is tested it would go on for hours.
        _, said = child.communicate(timeout=20)
    finally:
        child.kill()

    assert child.returncode == 1
    assert "stopped" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("has_begun", [False, True])
def test_ctrl_c_while_the_work_is_being_handed_over_stops_it(monkeypatch, has_begun):
    start = threading.Thread.start
    begun = threading.Event()

    def interrupted(thread: threading.Thread) -> None:
        if has_begun:
            start(thread)
            begun.wait(20)
        raise KeyboardInterrupt

    def work() -> None:
        begun.set()
        con.execute("select count(*) from range(100000000) a, range(100000) b where hash(a, b) = 1")

    with duckdb.connect() as con:
        monkeypatch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            interruptible(con, work)
        monkeypatch.undo()

        assert begun.is_set() == has_begun
        assert con.execute("select 42").fetchall() == [(42,)]


def test_ctrl_c_does_not_leave_the_catalog_locked(filled_catalog):
    code = (
        "import os, signal, sys, threading\nfrom catalog import Catalog\n"
        "catalog = Catalog(sys.argv[1])\n"
        "threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n    catalog.sql(sys.argv[2])\nexcept KeyboardInterrupt:\n"
        "    print(len(catalog.sql('from signals')))\n"
    )
    command = [sys.executable, "-c", code, str(filled_catalog.path), SLOW]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.stdout == "3\n", done.stderr


def test_rows_stream_in_a_with_block(filled_catalog):
    with filled_catalog.stream("from range(1000000) t(i)") as rows:
        assert rows.columns == ["i"]
        counts = [batch.num_rows for batch in rows]

    assert sum(counts) == 1_000_000
    assert len(counts) > 1
    with filled_catalog.stream("select 1 as a, 'b' as b") as rows:
        assert list(rows.rows()) == [(1, "b")]


def test_another_query_while_rows_stream_says_what_is_in_the_way(filled_catalog):
    with (
        filled_catalog.stream("from range(1000000) t(i)") as rows,
        pytest.raises(CatalogBusyError, match="still streaming"),
    ):
        for _ in rows:
            filled_catalog.sql("select 1")
    assert len(filled_catalog.sql("select 1")) == 1


def test_threads_of_one_process_can_ask_at_once(filled_catalog):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        counts = pool.map(lambda _: len(filled_catalog.sql("from signals")), range(12))

    assert list(counts) == [3] * 12


def test_a_result_shows_itself_in_a_notebook(filled_catalog):
    shown = filled_catalog.sql("select '<b>' as a, null as b, 1 as c from range(100)")._repr_html_()

    assert shown.count("<tr>") == 21
    assert "&lt;b&gt;" in shown
    assert "100 rows" in shown


def test_nothing_is_left_in_the_temporary_folder(filled_catalog, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    code = (
        "import sys\nfrom catalog import Catalog\n"
        "print(Catalog(sys.argv[1]).sql(sys.argv[2], memory_limit='100MB').fetchall())\n"
    )
    query = "select count(*) from (select distinct hash(i)::varchar from range(4000000) t(i))"
    command = [sys.executable, "-c", code, str(filled_catalog.path), query]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    # Without a script's file DuckDB takes it for interactive, and may draw how far it is.
    assert done.stdout.splitlines()[-1] == "[(4000000,)]"
    assert os.listdir(tmp_path / "temporary") == []
