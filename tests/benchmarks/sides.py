"""What is measured of the catalog, and the bare loops that it is measured beside."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import duckdb
import pyarrow.parquet as pq

from catalog.catalog import Catalog

Call = Callable[[], int]


def register(catalog: str, folder: str, sweeps: Sequence[str]) -> Call:
    """Register a folder; every file must be new."""

    def call() -> int:
        report = Catalog(catalog).register(folder, sweeps=sweeps)
        assert not report.unchanged, "some files were registered before"
        assert not report.copies, "some runs were taken for copies of one run"
        assert not report.needs_attention, "some files could not be registered"
        return report.registered

    return call


def register_again(catalog: str, folder: str, sweeps: Sequence[str]) -> Call:
    """Register a folder in which nothing has changed."""

    def call() -> int:
        report = Catalog(catalog).register(folder, sweeps=sweeps)
        assert not report.registered, "some files were read again"
        return report.unchanged

    return call


def floor(folder: str) -> Call:
    """Read the footer of each file with pyarrow: its keys, its schema and all statistics."""
    paths = [entry.path for entry in _parquet_files(folder)]

    def call() -> int:
        for path in paths:
            with pq.ParquetFile(path) as file:
                _look_at_footer(file)
        return len(paths)

    return call


def look(catalog: str, folder: str) -> Call:
    """List a folder, ask each file for its size and time, and open the catalog once."""

    def call() -> int:
        count = 0
        for entry in _parquet_files(folder):
            entry.stat()
            count += 1
        with duckdb.connect(catalog, read_only=True) as con:
            con.execute("select 1").fetchall()
        return count

    return call


def _parquet_files(folder: str) -> Iterator[os.DirEntry[str]]:
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    waiting.append(entry.path)
                elif entry.name.endswith(".parquet"):
                    yield entry


def _look_at_footer(file: pq.ParquetFile) -> None:
    metadata = file.metadata
    _ = metadata.metadata, file.schema_arrow
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for column in range(group.num_columns):
            statistics = group.column(column).statistics
            if statistics is not None and statistics.has_min_max:
                _ = statistics.min, statistics.max, statistics.null_count
