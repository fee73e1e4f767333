"""The same files in DuckLake, which runs in a Python of its own with the DuckDB that it is for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
from query_asking import Question, Rows, ask_all

Call = Callable[[], dict[str, Any]]


def _connect(lake: str) -> duckdb.DuckDBPyConnection:
    import duckdb_extension_ducklake

    (folder,) = duckdb_extension_ducklake.__path__
    (extension,) = Path(folder).glob("extensions/*/ducklake.duckdb_extension")
    con = duckdb.connect()
    con.execute(f"load '{extension}'")
    con.execute(f"attach 'ducklake:{lake}' as lake (data_path '{Path(lake).parent / 'data'}')")
    con.execute("set timezone = 'UTC'")
    return con


def make(lake: str, glob: str, strategies: str) -> Call:
    """Add the files to a new lake, and a table of strategies like the catalog's from a file."""

    def call() -> dict[str, Any]:
        con = _connect(lake)
        ((one,),) = con.execute(f"select file from glob('{glob}') limit 1").fetchall()
        con.execute(f"create table lake.signals as from read_parquet('{one}') limit 0")
        before = perf_counter()
        con.execute(f"call ducklake_add_data_files('lake', 'signals', '{glob}')")
        seconds = perf_counter() - before
        con.execute(f"create table lake.strategies as from read_parquet('{strategies}')")
        query = "select count(*) from ducklake_list_files('lake', 'signals')"
        ((files,),) = con.execute(query).fetchall()
        con.close()
        return {"files": files, "adding_seconds": seconds}

    return call


def ask(lake: str, questions: str, repetitions: int, files: int) -> Call:
    """Ask on an open connection; where strategies are to be found first, that is a step of it."""
    con = _connect(lake)

    def answer(question: Question) -> Rows:
        *first, last = question["lake"]
        for query in first:
            found = ", ".join(repr(value) for (value,) in con.execute(query).fetchall())
            last = last.replace("$hashes", found)
        return con.execute(last).fetchall()

    return lambda: ask_all(questions, "lake", repetitions, files, answer)
