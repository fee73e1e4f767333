"""catalog sql --engine spark: what is printed, what is refused, and what ends within bounds."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from catalog import Catalog
from catalog.cli import main
from catalog.errors import QueryError, UsageError
from catalog.lake.publish import publish
from catalog.spark import session
from catalog.spark.sql import spark_sql
from catalog.traces.signals import write_signals
from daily import walks

SLOW = "select count(*) from signals a, signals b, signals c, signals d where a.idx < b.idx + c.idx"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("lake")
    catalog = Catalog(home / "catalog.duckdb")
    configs = [{"type": "sma", "parameters": {"n": n}} for n in range(3)]
    write_signals(
        home / "run", walks(2000, 3, hold=1), configs=configs, strategy_ids=["a", "b", "c"],
        symbol="SPY", timeframe="1d",
    )  # fmt: skip
    catalog.register(home / "run")
    publish(catalog.path, home / "lake")
    return home / "lake"


@pytest.fixture
def ask(sail, lake, tmp_path, monkeypatch):
    """Run catalog sql --engine spark where there is no catalog."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, remote: str = sail, where: str = str(lake)) -> Result:
        command = ["sql", "--engine", "spark", "--remote", remote, "--lake", where]
        return CliRunner().invoke(main, [*command, *arguments])

    return run


def test_rows_are_printed_in_every_form(ask, tmp_path):
    query = "select strategy_id, change_count > 1 as moves from trace_files order by strategy_id"

    assert ask(query, "--format", "csv").stdout == "strategy_id,moves\na,True\nb,True\nc,True\n"
    found = json.loads(ask(query, "--format", "json").stdout)
    assert found == [{"strategy_id": name, "moves": True} for name in "abc"]
    assert ask(query, "--format", "jsonl").stdout.splitlines()[0] == (
        '{"strategy_id": "a", "moves": true}'
    )
    assert "│ a           │ true    │" in ask(query).stdout
    assert ask(query, "--format", "markdown").stdout.startswith("| strategy_id | moves |\n")
    for _ in range(2):
        done = ask(query, "-o", "rows.parquet")
        assert (done.exit_code, done.stdout) == (0, "")
    assert pq.read_table(tmp_path / "rows.parquet").to_pylist() == found


def test_the_query_may_come_from_a_file(ask, tmp_path):
    (tmp_path / "query.sql").write_text("select count(*) as n from strategies;\n")

    assert ask("-f", "query.sql", "--format", "csv").stdout == "n\n3\n"


def test_values_are_bound(sail, lake):
    found = spark_sql(
        "select strategy_id from trace_files where strategy_id = $name",
        {"name": "b"},
        remote=sail,
        lake=lake,
    )

    assert found.fetchall() == [("b",)]


def test_nothing_but_rows_goes_to_stdout(sail, lake, tmp_path):
    query = "select count(*) as n from signals"
    command = [sys.executable, "-m", "catalog", "sql", "--engine", "spark", "--format", "csv"]
    expected = spark_sql(query, remote=sail, lake=lake).fetchall()[0][0]

    done = subprocess.run(
        [*command, "--remote", sail, "--lake", str(lake), query],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip

    assert done.stdout == f"n\n{expected}\n"
    assert list(tmp_path.iterdir()) == []


def test_explain_prints_what_would_be_sent_and_asks_no_server(ask, lake, tmp_path, monkeypatch):
    monkeypatch.setattr("catalog.spark.sql.connected", None)

    done = ask("--explain", "from strategies limit 1")

    assert done.exit_code == 0
    assert "strategies" in done.stdout and "LIMIT 1" in done.stdout.upper()


@pytest.mark.parametrize("name", ["quarantine", "missing_files", "other_files", "parameters"])
def test_what_only_a_catalog_knows_is_refused_by_its_name(ask, name):
    done = ask(f"select * from {name}", remote="sc://127.0.0.1:1")

    assert done.exit_code == 1
    assert f"{name} is not in a lake" in done.stderr


def test_what_writes_is_refused_before_a_server_is_asked(ask):
    for query in ("delete from strategies", "create table t (i int)", "drop view strategies"):
        done = ask(query, remote="sc://127.0.0.1:1")

        assert done.exit_code == 1
        assert "no Spark Connect server" not in done.stderr


def test_where_nothing_listens_it_is_said_at_once(ask):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        remote = f"sc://127.0.0.1:{held.getsockname()[1]}"
        begun = time.monotonic()

        done = ask("from strategies", remote=remote)

    assert time.monotonic() - begun < 5
    assert done.exit_code == 1
    assert f"There is no Spark Connect server at {remote}: Connection refused" in done.stderr
    assert "hint: Start one" in done.stderr


@pytest.mark.parametrize("says", [None, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_what_listens_and_is_no_spark_server_is_said_within_bounds(ask, monkeypatch, says):
    monkeypatch.setattr(session, "CONNECT_SECONDS", 1.0)
    held: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                held.append(server.accept()[0])
                held[-1].sendall(says or b"")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        begun = time.monotonic()

        done = ask("from strategies", remote=f"sc://127.0.0.1:{server.getsockname()[1]}")

        server.shutdown(socket.SHUT_RDWR)
    thread.join()
    for one in held:
        one.close()
    assert time.monotonic() - begun < 15
    assert done.exit_code == 1
    assert "did not answer as a Spark Connect server" in done.stderr


@pytest.mark.parametrize(
    "remote", ["127.0.0.1:15002", "http://host", "sc://", "sc://a/b", "", "sc://h:x"]
)
def test_an_address_that_is_none_is_wrong_usage(ask, remote):
    done = ask("from strategies", remote=remote)

    assert done.exit_code == 2
    assert "sc://HOST:PORT" in done.stderr


def test_a_lake_that_is_not_there_is_said(ask, tmp_path):
    done = ask("from strategies", where=str(tmp_path / "none"))

    assert done.exit_code == 1
    assert f"There is no lake at {tmp_path / 'none'}" in done.stderr


def test_a_mistake_in_the_query_is_said_without_a_stack(ask):
    for query, word in {
        "select nonsense from strategies": "nonsense",
        "from nowhere": "nowhere",
        "selec 1 as a": "not understood",
    }.items():
        done = ask(query)

        assert done.exit_code == 1, query
        assert word in done.stderr
        assert "Traceback" not in done.stderr and "\tat " not in done.stderr


def test_a_query_is_stopped_after_its_time(ask):
    begun = time.monotonic()

    done = ask(SLOW, "--timeout", "2")

    assert time.monotonic() - begun < 15
    assert done.exit_code == 1
    assert "it ran longer than 2 seconds" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--engine", "spark"], "needs --remote sc://HOST:PORT and --lake LAKE"),
        (["--engine", "spark", "--lake", "x"], "needs --remote sc://HOST:PORT and --lake LAKE"),
        (["--remote", "sc://h"], "are for --engine spark"),
        (["--lake", "x"], "are for --engine spark"),
        (
            ["--engine", "spark", "--remote", "sc://h", "--lake", "x", "--threads", "2"],
            "--memory-limit and --threads are DuckDB's",
        ),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(options, message):
    done = CliRunner().invoke(main, ["sql", *options, "select 1"])

    assert done.exit_code == 2
    assert message in done.stderr


def test_without_the_extra_its_name_is_said(lake, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql.connect.session", None)

    with pytest.raises(UsageError, match="not installed") as raised:
        spark_sql("from strategies", remote="sc://127.0.0.1:1", lake=lake)

    assert raised.value.hint == "Install it with: pip install 'strategy-trace-catalog[spark]'"


def test_a_server_that_ends_during_a_query_is_said(lake):
    code = (
        "import time; from pysail.spark import SparkConnectServer as S; "
        "s = S('127.0.0.1', 0); s.start(background=True); "
        "print(s.listening_address[1], flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        remote = f"sc://127.0.0.1:{int(server.stdout.readline())}"
        timer = threading.Timer(3, server.kill)
        timer.start()
        begun = time.monotonic()

        with pytest.raises(QueryError, match=f"The Spark server at {remote} went away"):
            spark_sql(SLOW, remote=remote, lake=lake)

        timer.cancel()
        server.kill()
    assert time.monotonic() - begun < 40
