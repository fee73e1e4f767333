"""Servers to ask: Sail in this process, Apache Spark as a cluster; and lakes for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from catalog import Catalog
from catalog.lake.lake import read_lake
from catalog.lake.publish import publish
from catalog.spark.session import connected
from catalog.spark.translate import to_spark
from catalog.spark.views import LakeViews
from conftest import SHARED
from spark.cluster import Cluster, started
from spark.questions import Question

# It says what it does at every step unless it is told otherwise before it is loaded.
os.environ.setdefault("RUST_LOG", "error")


@dataclass(frozen=True)
class Published:
    """A catalog, and the lake that it was published to."""

    catalog: Catalog
    lake: Path


@pytest.fixture(scope="session")
def sail() -> Iterator[str]:
    """The address of a Sail server."""
    # A session of all tests waits while others run: Sail would end it after five minutes.
    os.environ["SAIL_SPARK__SESSION_TIMEOUT_SECS"] = "86400"
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    yield f"sc://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Apache Spark: a master, two workers and a Connect server."""
    with started(spark_python(), tmp_path_factory.mktemp("spark")) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what a cluster said where a test that asked it failed."""
    report = yield
    running = getattr(item, "funcargs", {}).get("cluster")
    if report.failed and isinstance(running, Cluster):
        report.sections.append(("Logs of the cluster", running.tail()))
    return report


def spark_python() -> str:
    """Return a Python that has Apache Spark, or skip the test."""
    python = os.environ.get("CATALOG_TEST_SPARK")
    if not python:
        pytest.skip("CATALOG_TEST_SPARK names no Python that has Apache Spark")
    return python


@pytest.fixture(scope="session")
def sail_session(sail: str) -> Iterator[Any]:
    """A session of Sail, as people have one."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(sail).create()
    yield session
    session.stop()


@contextmanager
def asking(remote: str, published: Published) -> Iterator[Callable[[Question], pa.Table]]:
    """Yield what answers questions from a lake: the views are made once, as people have them."""
    with connected(remote) as session:
        views = LakeViews(read_lake(published.lake))
        views.make(session)
        shape = views.shape()

        def ask(question: Question) -> pa.Table:
            values = question.bound(published.catalog)
            return session.sql(to_spark(question.sql, params=values, columns=shape)).toArrow()

        yield ask


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The real traces with their parameters, prices and figures, published."""
    if not SHARED.is_dir():
        pytest.skip("the real data is not beside this repository")
    home = tmp_path_factory.mktemp("real")
    catalog = Catalog(home / "catalog.duckdb")
    sweeps = sorted((SHARED / "data" / "sweeps").glob("*.yaml"))
    catalog.register(SHARED / "data" / "old_traces", sweeps=sweeps)
    catalog.register(SHARED / "data" / "tracer_output")
    catalog.add_prices(
        SHARED / "data/prices/SPY_1m.parquet", symbol="SPY", timeframe="1m", tz="America/New_York"
    )
    catalog.metrics()
    return published(catalog, home / "lake")


def published(catalog: Catalog, lake: Path) -> Published:
    """Publish a catalog."""
    publish(catalog.path, lake)
    return Published(catalog, lake)
