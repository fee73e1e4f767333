"""The sides of the benchmark of scale: what is done with many traces, each in its own process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
from query_asking import Question, Rows, ask_all
from scale_data import SYMBOL, TIMEFRAME, bar_prices, bar_times

from catalog import Catalog

Call = Callable[[], dict[str, Any]]


def registered(catalog: str, folder: str) -> Call:
    """Register what is new in a folder; its modules are loaded before."""
    for module in ("catalog.register.register", "catalog.tags"):
        import_module(module)

    def call() -> dict[str, Any]:
        report = Catalog(catalog).register(folder)
        assert not report.quarantined
        return {"files": report.registered}

    return call


def compacted(catalog: str) -> Call:
    """Write all traces into packs."""

    def call() -> dict[str, Any]:
        report = Catalog(catalog).compact()
        return {"files": report.traces}

    return call


def measured(catalog: str) -> Call:
    """Compute what all strategies earned."""
    prices = bar_prices()
    times = pa.array(bar_times(), pa.timestamp("us", "UTC"))
    bars = pa.table({"ts": times, **dict.fromkeys(("open", "high", "low", "close"), prices)})
    Catalog(catalog).add_prices(bars, symbol=SYMBOL, timeframe=TIMEFRAME, tz="America/New_York")

    def call() -> dict[str, Any]:
        report = Catalog(catalog).metrics()
        return {"files": report.measured, "rows": report.sessions}

    return call


def published(catalog: str, lake: str) -> Call:
    """Publish a catalog to a lake that is not there yet."""

    def call() -> dict[str, Any]:
        Catalog(catalog).publish(lake)
        ((traces,),) = Catalog(catalog).sql("select count(*) from trace_files").fetchall()
        return {"files": traces}

    return call


def spark(lake: str, remote: str, questions: str, repetitions: int, files: int) -> Call:
    """Ask a Spark Connect server about a lake; where no server is named, Sail in this process."""
    from catalog.spark.sql import spark_sql

    def call() -> dict[str, Any]:
        with _server(remote) as there:

            def answer(question: Question) -> Rows:
                return spark_sql(question["catalog"], remote=there, lake=lake).fetchall()

            return ask_all(questions, "catalog", repetitions, files, answer)

    return call


@contextmanager
def _server(remote: str) -> Iterator[str]:
    if remote:
        yield remote
        return
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    try:
        yield f"sc://127.0.0.1:{server.listening_address[1]}"
    finally:
        server.stop()


def bytes_below(folder: Path) -> int:
    """Return how many bytes the files at and below a folder have."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
