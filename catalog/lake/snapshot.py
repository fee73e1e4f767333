"""
What the catalog says at one moment, in a folder of temporary files.

The catalog is held only while these are written: what takes long, reading and writing the rows of
traces, happens while others use it. Packs are kept open, since a compaction may remove them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.errors import LakeError
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.registered import registered

PARTS = (
    "trace_files", "missing", "strategies", "runs", "components", "metrics", "price_series",
    "tags", "run_strategies", "returned", "in_lakes", "trials", "trial_figures", "metric_ranges",
)  # fmt: skip
"""The statements publish_<part>.sql that say what the catalog holds."""
MEMORY = "2GB"
"""What is held in memory at most while rows are compared and sorted; the rest is on the disk."""


@dataclass(frozen=True)
class Snapshot:
    """
    A moment of the catalog.

    `con` is a database of its own with a table for each of `PARTS`; `open_files` are packs and
    price files by their path.
    """

    con: DuckDBPyConnection
    folder: Path
    open_files: dict[str, BinaryIO]


@contextmanager
def snapshot(catalog: Path, folder: Path, trace_ids: Sequence[str] | None) -> Iterator[Snapshot]:
    """
    Yield what the catalog says now of all traces, or of some.

    Args:
        folder: where temporary files may be.

    Raises:
        StoreError: the catalog cannot be used.
        LakeError: there is no room for the temporary files.
    """
    with ExitStack() as stack, temporary_errors(folder):
        open_files: dict[str, BinaryIO] = {}
        with reading(catalog) as con:
            con.execute("set variable publish_all = $all", {"all": trace_ids is None})
            chosen = _chosen(con, trace_ids)
            with registered(con, chosen=chosen):
                con.execute(statement("publish_meant"))
                for name in PARTS:
                    query = statement(f"publish_{name}").strip().rstrip(";")
                    con.execute(f"copy ({query}) to {_literal(folder / name)} {_AS_PARQUET}")
            scratch = _scratch(folder)
            stack.callback(scratch.close)
            for path in _kept_open(scratch):
                with suppress(OSError):  # Whoever wants to read it says that it is gone.
                    open_files[path] = stack.enter_context(open(path, "rb"))
        yield Snapshot(scratch, folder, open_files)


@contextmanager
def temporary_errors(folder: Path) -> Iterator[None]:
    """Turn what the disk says of temporary files into an error of ours."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
        if "No space left" not in str(error):
            raise
        raise LakeError(
            f"There is no room left for temporary files in {folder.parent}",
            hint="Free some space, or name another folder in TMPDIR, and publish again: the lake "
            "is as it was",
        ) from error


_AS_PARQUET = "(format parquet, compression lz4_raw)"


def _chosen(con: DuckDBPyConnection, trace_ids: Sequence[str] | None) -> pa.Table:
    if trace_ids is not None:
        return pa.table({"trace_id": pa.array(trace_ids, pa.string())})
    return con.sql("select trace_id from trace_file where status = 'registered'").to_arrow_table()


def _scratch(folder: Path) -> DuckDBPyConnection:
    con = duckdb.connect(
        config={
            "temp_directory": os.fspath(folder / "spilled"),
            "memory_limit": MEMORY,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    con.execute("set timezone = 'UTC'")
    for name in PARTS:
        con.execute(f"create view {name} as from read_parquet({_literal(folder / name)})")
    return con


def _kept_open(con: DuckDBPyConnection) -> list[str]:
    return [path for (path,) in con.execute(statement("publish_kept_open")).fetchall()]


def _literal(path: Path) -> str:
    return exp.Literal.string(os.fspath(path)).sql(dialect="duckdb")
