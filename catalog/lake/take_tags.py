"""Take tags in that are new, or that somebody set later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.store.tagged import add_facts, key_of, known_tags, write_rows


def take_tags(con: DuckDBPyConnection, catalog: Path, tags: pa.Table) -> int:
    """
    Write tags to the table and the journal, and return how many were news. In a transaction.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    known = known_tags(con)
    new = [
        row
        for row in tags.to_pylist()
        if (own := known.get(key_of(row))) is None or _rank(row) > _rank(own)
    ]
    write_rows(con, new)
    add_facts(con, catalog, new)
    return len(new)


def _rank(tag: dict[str, Any]) -> tuple[Any, str]:
    return tag["tagged_at"], tag["note"] or ""
