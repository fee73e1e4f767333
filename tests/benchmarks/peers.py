"""The same files in two table formats, which like the catalog register files where they lie."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from deltalake import convert_to_deltalake
from pyiceberg.catalog.sql import SqlCatalog

Call = Callable[[], int]


def iceberg(folder: str, warehouse: str) -> Call:
    """Add the files to a new Iceberg table in a catalog on SQLite, with full metrics."""
    paths = sorted(str(path) for path in Path(folder).rglob("*.parquet"))
    catalog = SqlCatalog(
        "benchmark", uri=f"sqlite:///{warehouse}/catalog.db", warehouse=f"file://{warehouse}"
    )
    catalog.create_namespace("benchmark")
    table = catalog.create_table(
        "benchmark.traces",
        schema=pq.read_schema(paths[0]).remove_metadata(),
        properties={"write.metadata.metrics.default": "full"},
    )

    def call() -> int:
        # The table is empty: to look for files that it has already would be for nothing.
        table.add_files(paths, check_duplicate_files=False)
        return len(paths)

    return call


def delta(folder: str) -> Call:
    """Make a folder of files of one schema a Delta table, with statistics."""
    count = len(list(Path(folder).glob("*.parquet")))
    shutil.rmtree(Path(folder) / "_delta_log", ignore_errors=True)

    def call() -> int:
        convert_to_deltalake(folder, collect_stats=True)
        return count

    return call
