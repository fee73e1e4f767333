"""The catalog opens in every DuckDB from 1.2.2 on, and its views answer there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from conftest import rows

QUERIES = [
    "select count(*), count(ts), sum(val) from signals",
    "select count(*) from classifications",
    "select count(*), sum(bars)::bigint from holdings",
    "select count(*) from twins",
    "select count(*), sum(param_fast)::bigint from strategies",
    "select count(*) from type_sma_crossover",
    "select count(*) from strategy_index",
    "select count(*) from orders",
    "select count(*) from quarantine",
    "select count(*) from runs",
    "select count(*) from parameters",
]

PYTHON = """
import duckdb, json, sys
con = duckdb.connect(sys.argv[1], read_only=True)
print(json.dumps([con.sql(query).fetchall() for query in sys.argv[2:]]))
"""

NODE = """
import { DuckDBInstance } from '@duckdb/node-api';
const [path, ...queries] = process.argv.slice(2);
const instance = await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' });
const connection = await instance.connect();
const answers = [];
for (const query of queries) {
    const reader = await connection.runAndReadAll(query);
    answers.push(reader.getRows().map((row) => row.map((v) => (v === null ? null : Number(v)))));
}
console.log(JSON.stringify(answers));
"""


def python_1_2_2(path: Path, tmp_path: Path) -> list[list[list[float]]]:
    python = os.environ.get("CATALOG_TEST_OLD_PYTHON")
    if python is None:
        pytest.skip("CATALOG_TEST_OLD_PYTHON names no Python with duckdb 1.2.2")
    return json.loads(run([python, "-c", PYTHON, str(path), *QUERIES]))


def command_line_1_5_6(path: Path, tmp_path: Path) -> list[list[list[float]]]:
    client = Path(sys.executable).parent / "duckdb"
    if not client.exists():
        pytest.skip("the package duckdb-cli is not installed")
    answers = []
    for query in QUERIES:
        answer = json.loads(run([str(client), "-readonly", "-json", str(path), query]))
        answers.append([list(row.values()) for row in answer])
    return answers


def node(path: Path, tmp_path: Path) -> list[list[list[float]]]:
    modules = os.environ.get("CATALOG_TEST_NODE")
    if modules is None or shutil.which("node") is None:
        pytest.skip("CATALOG_TEST_NODE names no folder with @duckdb/node-api")
    script = Path(modules) / "query.mjs"
    script.write_text(NODE)
    return json.loads(run(["node", str(script), str(path), *QUERIES]))


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def filled(catalog, write_run, write_sweep, tmp_path):
    write_run("run_a", {"SPY_sma_grid_5_20": [1, 0, -1], "SPY_sma_grid_10_50": [0, 1]})
    write_run("run_b", {"SPY_regime": ["up", "down"]}, kind="classifiers")
    write_run("run_c", {"bad": [1]})
    (tmp_path / "runs/run_c/traces/SPY_1m/signals/sma_grid/bad.parquet").write_bytes(b"no parquet")
    catalog.register(tmp_path / "runs", sweeps=[write_sweep()])
    return catalog


@pytest.mark.parametrize("client", [python_1_2_2, command_line_1_5_6, node])
def test_the_views_answer_alike_in_other_clients(filled, client, tmp_path):
    ours = [[list(row) for row in rows(filled, query)] for query in QUERIES]

    theirs = client(filled.path, tmp_path)

    assert theirs == ours
    assert ours[0] == [[5, 5, 1.0]]


@pytest.mark.parametrize("client", [python_1_2_2, command_line_1_5_6])
def test_they_answer_after_columns_were_added_and_retyped(
    filled, client, write_run, write_sweep, tmp_path
):
    write_run("run_d", {"SPY_sma_grid_5.5_20": [1, 0]})
    sweep = write_sweep("fractions.yaml", fast=[5.5], slow=[20], other=["x"])
    write_run("run_d", {"SPY_sma_grid_5.5_20_x": [1, 0]})
    filled.register(tmp_path / "runs", sweeps=[sweep])

    theirs = client(filled.path, tmp_path)

    assert theirs == [[list(row) for row in rows(filled, query)] for query in QUERIES]


def test_times_do_not_depend_on_the_time_zone_of_the_reader(filled):
    query = "select min(epoch_us(ts)), min(ts_raw) from signals"
    ours = rows(filled, query)

    with duckdb.connect(str(filled.path), read_only=True) as con:
        con.execute("set timezone = 'America/New_York'")
        theirs = con.execute(query).fetchall()

    assert theirs == ours


def test_a_moved_catalog_is_read_where_it_is_with_one_variable(catalog, write_run, tmp_path):
    home = catalog.path.parent
    write_run("run_a", {"a": [1, 0]}, root=home / "runs")
    catalog.register(home / "runs")
    home.rename(tmp_path / "moved")

    with duckdb.connect(str(tmp_path / "moved" / "catalog.duckdb"), read_only=True) as con:
        con.execute("set variable catalog_root = ?", [str(tmp_path / "moved")])
        assert con.execute("select count(*) from signals").fetchall() == [(2,)]


def test_every_public_view_and_column_says_what_it_means(filled):
    with duckdb.connect(str(filled.path), read_only=True) as con:
        views = con.execute("""
            select view_name from duckdb_views()
            where not internal and comment is null
        """).fetchall()
        columns = con.execute("""
            select table_name, column_name from duckdb_columns()
            where schema_name = 'main' and not internal and comment is null
        """).fetchall()

    assert (views, columns) == ([], [])


def test_a_plain_client_sees_the_views_and_not_the_tables(filled):
    with duckdb.connect(str(filled.path), read_only=True) as con:
        names = {name for (name,) in con.execute("show tables").fetchall()}

    assert {"strategies", "trace_files", "signals", "type_sma_crossover"} <= names
    assert not {"strategy", "trace_file", "migration"} & names
