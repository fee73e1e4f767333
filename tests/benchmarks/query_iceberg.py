"""The same files in an Iceberg table, scanned with a row filter by pyiceberg."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import BooleanExpression, In, Or
from query_asking import Question, Rows, ask_all

Call = Callable[[], dict[str, Any]]

# Of every file in which a column holds nothing it would say so.
logging.getLogger("pyiceberg").setLevel(logging.ERROR)


def _open(warehouse: str) -> SqlCatalog:
    return SqlCatalog(
        "benchmark", uri=f"sqlite:///{warehouse}/catalog.db", warehouse=f"file://{warehouse}"
    )


def make(warehouse: str, folder: str) -> Call:
    """Add the files to a new table, with full metrics."""
    paths = sorted(str(path) for path in Path(folder).rglob("*.parquet"))

    def call() -> dict[str, Any]:
        catalog = _open(warehouse)
        catalog.create_namespace("benchmark")
        table = catalog.create_table(
            "benchmark.traces",
            schema=pq.read_schema(paths[0]).remove_metadata(),
            properties={"write.metadata.metrics.default": "full"},
        )
        table.add_files(paths, check_duplicate_files=False)
        return {"files": len(paths)}

    return call


def _is_one_of(hashes: list[str]) -> BooleanExpression:
    # Of more than 200 values in one list it would skip no file.
    if len(hashes) <= 200:
        return In("strategy_hash", hashes)
    return Or(In("strategy_hash", hashes[:200]), _is_one_of(hashes[200:]))


def ask(warehouse: str, questions: str, repetitions: int, files: int) -> Call:
    """Scan with the strategies as a row filter, which are given; the table is loaded before."""
    table = _open(warehouse).load_table("benchmark.traces")

    def answer(question: Question) -> Rows:
        found = table.scan(
            row_filter=_is_one_of(question["hashes"]),
            selected_fields=("val", "strategy_hash"),
        ).to_arrow()
        if "group by" in question["list"]:
            counted = found.group_by("strategy_hash").aggregate([([], "count_all")])
            return [(row["strategy_hash"], row["count_all"]) for row in counted.to_pylist()]
        return [(found.num_rows, pc.sum(found["val"]).as_py())]

    # What it is asked is what a bound list is: the right strategies.
    return lambda: ask_all(questions, "list", repetitions, files, answer)
