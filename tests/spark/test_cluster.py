"""Apache Spark on a cluster: what it answers, and what becomes of a query when a part dies."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pytest

from catalog import Catalog
from catalog.errors import QueryError
from catalog.lake.publish import publish
from catalog.query.result import Result
from catalog.spark.sql import spark_sql
from catalog.traces.signals import write_signals
from spark.answers import assert_equal
from spark.cluster import Cluster
from spark.conftest import Published, asking, spark_python
from spark.questions import QUESTIONS, Question

pytestmark = pytest.mark.cluster

LONG = """
select count(*) as n from signals as a join signals as b
on a.bar_index % 7 <> b.bar_index % 11 and b.symbol = 'S0' and b.bar_index < 1000
"""


@pytest.fixture(scope="session", autouse=True)
def spark() -> str:
    """A Python that has Apache Spark: where there is none, nothing is made to be asked."""
    return spark_python()


@pytest.fixture(scope="module")
def ask(real: Published, cluster: Cluster) -> Iterator[Callable[[Question], pa.Table]]:
    """Ask the real lake through Apache Spark."""
    with asking(cluster.remote, real) as made:
        yield made


@pytest.mark.parametrize("name", QUESTIONS)
def test_spark_answers_what_the_catalog_answers(real, ask, name):
    assert_equal(ask(QUESTIONS[name]), QUESTIONS[name].answer(real.catalog))


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A lake whose signals are in eight files, so that both workers have some to read."""
    home = tmp_path_factory.mktemp("wide")
    catalog = Catalog(home / "catalog.duckdb")
    for number in range(8):
        values = np.random.default_rng(number).permutation(20_000).astype(float)
        write_signals(
            home / f"run_{number}", values.reshape(-1, 1),
            configs=[{"type": "sma", "parameters": {"n": number}}], strategy_ids=["sma"],
            symbol=f"S{number}", timeframe="1m",
        )  # fmt: skip
        catalog.register(home / f"run_{number}")
    publish(catalog.path, home / "lake")
    return Published(catalog, home / "lake")


def test_a_session_of_this_process_has_the_views_too(wide, tmp_path):
    code = f"""
import json
from pyspark.sql import SparkSession
from catalog import spark_views
settings = {{"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": 1}}
session = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
names = spark_views(session, {str(wide.lake)!r})
query = "select count(*) as n from strategy_index where is_latest"
count = session.sql(query).collect()[0].n
print(json.dumps(["strategy_index" in names, count]))
"""
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}

    done = subprocess.run(
        [spark_python(), "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment
    )

    assert done.returncode == 0, done.stderr
    query = "select count(*) from strategy_index where is_latest"
    wanted = wide.catalog.sql(query).fetchall()[0][0]
    assert json.loads(done.stdout.splitlines()[-1]) == [True, wanted]


def test_a_file_that_the_lake_lost_is_said(cluster, wide, tmp_path):
    lake = tmp_path / "lake"
    shutil.copytree(wide.lake, lake)
    next((lake / "signals").rglob("*.parquet")).unlink()

    with pytest.raises(QueryError, match="PATH_NOT_FOUND"):
        spark_sql("select count(*) from signals", remote=cluster.remote, lake=lake)


def test_a_query_is_stopped_after_its_time(cluster, wide):
    begun = time.monotonic()

    with pytest.raises(QueryError, match="it ran longer than 3 seconds"):
        spark_sql(LONG.replace("1000", "20000"), remote=cluster.remote, lake=wide.lake, timeout=3)

    assert time.monotonic() - begun < 15


@contextmanager
def asked(cluster: Cluster, wide: Published, query: str) -> Iterator[Future[Result]]:
    """Ask a query that takes long, and go on when both workers are at it."""
    log = cluster.logs / "connect.log"
    begun = len(log.read_text())
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(spark_sql, query, remote=cluster.remote, lake=wide.lake)
        until = time.monotonic() + 60
        while not re.search(r"Starting task 1\.0 in stage", log.read_text()[begun:]):
            assert time.monotonic() < until and not answer.done()
            time.sleep(0.05)
        yield answer


def test_a_query_is_answered_though_a_worker_is_killed(cluster, wide):
    wanted = wide.catalog.sql(LONG).table

    with asked(cluster, wide, LONG) as answer:
        cluster.kill("worker_1")

    cluster.start_worker("worker_1")
    assert_equal(answer.result().table, wanted)
    assert "Lost executor" in (cluster.logs / "connect.log").read_text()


def test_a_server_that_is_killed_during_a_query_is_said(cluster, wide):
    with asked(cluster, wide, LONG) as answer:
        cluster.kill("connect")
        killed = time.monotonic()

    assert time.monotonic() - killed < 30
    cluster.start_server()
    with pytest.raises(QueryError, match="went away while it worked"):
        answer.result()
