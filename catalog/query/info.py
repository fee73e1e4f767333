"""What the catalog holds, in figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalog.query.rows import read_rows
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.inbox import waiting_notes
from catalog.store.migrations import known_migrations


@dataclass(frozen=True)
class Info:
    """
    Counts of what the catalog holds.

    `inbox` counts notes that wait for the next writer; `size_bytes` is the size of the file, and
    `free_bytes` what of it holds nothing.
    """

    path: Path
    size_bytes: int
    schema_version: int
    strategies: int
    types: int
    parameters: int
    runs: int
    kinds: dict[str, int]
    sources: dict[str, int]
    contents: int
    missing: int
    quarantined: int
    copies: int
    without_bar_times: int
    roots: list[str]
    inbox: int
    free_bytes: int


def read_info(catalog: Path) -> Info:
    """
    Count what the catalog holds.

    Raises:
        StoreError: the catalog cannot be used.
    """
    with reading(catalog) as con:
        (counts,) = read_rows(con, "select_info")
        kinds = con.execute(statement("select_info_kinds")).fetchall()
        sources = con.execute(statement("select_info_sources")).fetchall()
        roots = con.execute(statement("select_info_roots")).fetchall()
        ((free,),) = con.execute(statement("select_free_room")).fetchall()
    return Info(
        path=catalog,
        size_bytes=catalog.stat().st_size,
        schema_version=len(known_migrations()),
        kinds=dict(kinds),
        sources=dict(sources),
        roots=[root for (root,) in roots],
        inbox=waiting_notes(catalog),
        free_bytes=free,
        **counts,
    )
