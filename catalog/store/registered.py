"""Arrow tables that DuckDB can read by a name, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection


@contextmanager
def registered(con: DuckDBPyConnection, **tables: pa.Table) -> Iterator[None]:
    """Let statements read the tables by their keyword names."""
    for name, table in tables.items():
        con.register(name, table)
    try:
        yield
    finally:
        for name in tables:
            # A statement that failed has aborted the transaction, and the names went with it.
            with suppress(duckdb.TransactionException):
                con.unregister(name)
