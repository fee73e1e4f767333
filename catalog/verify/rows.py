"""Rows of the catalog: whether they follow from themselves, and belong to others that are there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from catalog.errors import ConfigurationError
from catalog.register.columns import trace_id as make_trace_id
from catalog.statements import statement
from catalog.store.paths import catalog_root
from catalog.strategy import config_digest, config_key
from catalog.traces.content import content_digest
from catalog.traces.pack import companion
from catalog.upkeep.forgotten import read_forgotten
from catalog.upkeep.packs import full_path
from catalog.verify.derived import wrong_derived, wrong_latest
from catalog.verify.finding import (
    DANGLING,
    ORPHAN,
    REBUILD,
    WRONG_CONFIG,
    WRONG_LATEST,
    WRONG_ROW,
    Finding,
    found,
)
from catalog.verify.known import Scope

ORPHANS: Final = {
    "trace without folder": "a trace whose folder is gone from the catalog",
    "trace without run": "a trace whose run is gone from the catalog",
    "trace without strategy": "a trace whose strategy is gone from the catalog",
    "file without folder": "a file that was met, whose folder is gone from the catalog",
    "strategy without traces": "a strategy that nothing was traced with",
    "run without folder": "a run whose folder is gone from the catalog",
    "folder without root": "a folder below no registered root",
    "event of no run": "a strategy that orders name in a run that is gone from the catalog",
}


def wrong_traces(con: DuckDBPyConnection, catalog: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the path and id of traces whose row does not follow from itself, and why."""
    # DuckDB writes some texts otherwise than Python does; what it takes for wrong is looked into.
    rows = con.execute(statement("verify_traces"), {"root": catalog_root(catalog)}).fetchall()
    for path, trace_id, run_id, run_path, content, symbol, timeframe, kind, digest in rows:
        if content != content_digest(symbol, timeframe, kind, digest):
            yield path, trace_id, "its content digest is not that of its rows"
        elif trace_id != make_trace_id(run_id, run_path, content):
            yield path, trace_id, "its id is not that of its run, its path and its content"


def wrong_strategies(con: DuckDBPyConnection, *, deep: bool) -> Iterator[tuple[str, str]]:
    """
    Yield the keys of strategies of which something does not follow from their configuration.

    Args:
        deep: look at all of them, and at what they count as equal to.
    """
    wrong = dict(_wrong_hashes(con, deep=deep))
    yield from wrong.items()
    for key, why in wrong_derived(con):
        if key not in wrong:
            wrong[key] = why
            yield key, why


def _wrong_hashes(con: DuckDBPyConnection, *, deep: bool) -> Iterator[tuple[str, str]]:
    rows = con.execute(statement("verify_strategies"), {"every": deep}).fetchall()
    for key, short, digest, config, equal_to, is_used_alike in rows:
        if not is_used_alike:
            yield key, "its traces say another hash"
            continue
        if config is None:
            continue
        try:
            own = json.loads(config)
            right = config_digest(own), config_key(own)
        except (ValueError, ConfigurationError):
            yield key, "its configuration cannot be read"
            continue
        if (digest, short, key) != (right[0], right[0][:12], right[0][:12]):
            yield key, "its hash is not that of its configuration"
        elif equal_to != right[1]:
            yield key, "its config_key is not that of its configuration"


def check_rows(
    con: DuckDBPyConnection, catalog: Path, scope: Scope, *, fast: bool, deep: bool
) -> Iterator[Finding]:
    """
    Yield what is wrong with the rows themselves.

    Args:
        fast: compute no digests.
        deep: compute all of them.
    """
    if not fast:
        for path, trace_id, why in wrong_traces(con, catalog):
            if scope.holds(path):
                yield found(WRONG_ROW, path, f"trace {trace_id}: {why}", key=trace_id)
        for path, trace_id, is_latest in wrong_latest(con, catalog):
            if scope.holds(path):
                why = "it is the latest" if is_latest else "it is not the latest"
                yield found(WRONG_LATEST, path, f"trace {trace_id}: {why}", key=trace_id)
    if scope:
        return
    own = os.path.abspath(catalog)
    if not fast:
        for key, why in wrong_strategies(con, deep=deep):
            yield found(WRONG_CONFIG, own, f"strategy {key}: {why}", key=key)
    for sort, name, needs_rebuild in orphans(con):
        hint = REBUILD if needs_rebuild else None
        if sort == "component":
            detail = f"{name}: a component that is no strategy here"
            yield found(DANGLING, own, detail, key=name)
        else:
            yield found(ORPHAN, own, f"{name}: {ORPHANS[sort]}", what_to_do=hint, key=name)
    yield from _packed_of_none(con, catalog)


def orphans(con: DuckDBPyConnection) -> list[tuple[str, str, bool]]:
    """Return the sorts and names of orphaned rows, and whether only `rebuild` can mend them."""
    return con.execute(statement("verify_orphans")).fetchall()


def _packed_of_none(con: DuckDBPyConnection, catalog: Path) -> Iterator[Finding]:
    """
    Yield the traces in packs that no row of a trace knows, and no other took the place of.

    The next compaction takes for unwanted what no row knows.
    """
    rows = con.execute(statement("verify_packed_of_none")).fetchall()
    if not rows:
        return
    forgotten = read_forgotten(catalog)
    there = set(con.execute(statement("select_trace_places")).fetchall())
    by_pack: dict[str, set[str]] = {}
    for pack_path, trace_id in rows:
        if trace_id not in forgotten:
            by_pack.setdefault(pack_path, set()).add(trace_id)
    for pack_path, ids in by_pack.items():
        pack = full_path(catalog, pack_path)
        try:
            table = pq.read_table(companion(pack), columns=["trace_id", "run_id", "run_path"])
        except (OSError, pa.ArrowException):
            continue  # That is a finding of its own.
        for trace_id, *place in zip(*(column.to_pylist() for column in table.columns), strict=True):
            if trace_id in ids and tuple(place) not in there:
                yield found(
                    ORPHAN, os.path.abspath(pack),
                    f"trace {trace_id}: it is in this pack, and no row says what it is",
                    what_to_do=REBUILD, key=f"trace {trace_id}",
                )  # fmt: skip
