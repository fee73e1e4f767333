"""Take tags in that are new, or that somebody set later, and drop those that left a lake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.store.tagged import add_facts, key_of, known_tags, tags_of_lake, write_rows


def take_tags(
    con: DuckDBPyConnection, catalog: Path, tags: pa.Table, *, lake: str | None = None
) -> int:
    """
    Write tags to the table and the journal, and return how many more there are. In a transaction.

    Args:
        lake: the stored place of the lake that these are all tags of. Those that came from it
            before, and that nobody set here since, go if it has them no more.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    known = known_tags(con)
    new = [
        row | {"lake": lake}
        for row in tags.to_pylist()
        if (own := known.get(key_of(row))) is None or _rank(row) > _rank(own)
    ]
    left: list[dict[str, Any]] = []
    if lake is not None:
        there = {key_of(row) for row in tags.to_pylist()}
        gone = tags_of_lake(catalog, lake) & known.keys() - there
        left = [known[key] | {"removed": True} for key in gone]
    write_rows(con, [*new, *left])
    add_facts(con, catalog, [*new, *left])
    return len({key_of(row) for row in new} - known.keys()) - len(left)


def _rank(tag: dict[str, Any]) -> tuple[Any, str]:
    return tag["tagged_at"], tag["note"] or ""
