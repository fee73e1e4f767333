"""All of some statements, or none of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb
from duckdb import DuckDBPyConnection


@contextmanager
def transaction(con: DuckDBPyConnection) -> Iterator[None]:
    """All of the block's statements, or none of them."""
    con.begin()
    try:
        yield
        con.commit()
    except BaseException:
        # A failed COMMIT has already ended the transaction.
        with suppress(duckdb.Error):
            con.rollback()
        raise
