"""Rows as DuckDB draws them: a table of lines and letters, with how many rows there are."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

from duckdb import DuckDBPyRelation


def drawn(relation: DuckDBPyRelation, *, width: int | None, rows: int) -> str:
    """
    Return a relation as a table, with a line end.

    Args:
        width: columns of text; columns of data that do not fit are left out. None for all.
        rows: how many rows are shown at most.
    """
    text = io.StringIO()
    with redirect_stdout(text):
        relation.show(max_width=width or 1_000_000, max_rows=max(rows, 1))
    return text.getvalue().rstrip("\n") + "\n"
