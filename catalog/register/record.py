"""Write what a scan found into the catalog, in one transaction."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from catalog.register.columns import (
    entry_table,
    file_table,
    named_table,
    problem_table,
    run_table,
)
from catalog.register.entries import Entry, NamedStrategy, RunContext
from catalog.register.folders import SeenFolder, record_folders
from catalog.register.identity import assign_run_ids
from catalog.register.runs import Problem
from catalog.register.strategies import (
    Strategies,
    record_strategies,
    sightings,
    without_collisions,
)
from catalog.statements import statement
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.store.views import refresh_views


@dataclass
class Batch:
    """What is written together: files that were read, and what was seen around them."""

    entries: list[Entry] = field(default_factory=list)
    named: list[NamedStrategy] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    folders: list[SeenFolder] = field(default_factory=list)
    runs: list[RunContext] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.entries or self.problems or self.folders or self.runs or self.gone)


@dataclass(frozen=True)
class Recorded:
    """What a batch changed."""

    copies: list[str]
    collisions: list[Problem]
    without_column: int
    run_ids: frozenset[str]


def record(con: DuckDBPyConnection, root: str, batch: Batch) -> Recorded:
    """
    Write a batch in one transaction, the public views included.

    A file that was registered before is registered anew, so that writing a batch
    twice is harmless.

    Args:
        root: absolute folder of the catalog, without a slash at its end.
    """
    with transaction(con):
        recorded, strategies = _record(con, root, batch)
        refresh_views(con, root, strategy_altered=strategies.altered)
    if strategies.retyped:
        # Take the rebuilt table out of the WAL, which an older client could not replay.
        con.execute("checkpoint")
    return recorded


def _record(con: DuckDBPyConnection, root: str, batch: Batch) -> tuple[Recorded, Strategies]:
    now = datetime.now(UTC)
    record_folders(con, root, batch.folders)
    with registered(con, incoming_gone=file_table(batch.gone, root)):
        con.execute(statement("mark_missing"))
    # A run is known by its traces: a folder that has none is no run.
    with_traces = {entry.run.folder for entry in batch.entries}
    runs = [run for run in batch.runs if run.folder in with_traces]
    identities = assign_run_ids(con, root, batch.entries, runs)
    with registered(con, incoming_run=run_table(runs, identities, root, now)):
        con.execute(statement("upsert_runs"))
    entries, collisions = without_collisions(con, batch.entries)
    named = [one for one in batch.named if one.recovered.hash is not None]
    seen = sightings(entries, identities) + [one.sighting for one in named]
    strategies = record_strategies(con, seen, now)
    table = entry_table(entries, strategies.latest_keys, identities, root, now)
    with registered(con, incoming=table):
        con.execute(statement("stage_traces"))
    con.execute(statement("delete_replaced"))
    copies = _split_copies(con, root)
    con.execute(statement("insert_traces"))
    with registered(con, incoming_event_strategy=named_table(named, identities)):
        con.execute(statement("replace_event_strategies"))
    with registered(con, incoming_other=problem_table([*batch.problems, *collisions], root, now)):
        con.execute(statement("replace_others"))
    con.execute(statement("finish_ranges"))
    con.execute(statement("finish_latest"))
    con.execute(statement("delete_unused_strategies"))
    run_ids = frozenset(identity.run_id for identity in identities.values())
    return Recorded(copies, collisions, strategies.without_column, run_ids), strategies


def _split_copies(con: DuckDBPyConnection, root: str) -> list[str]:
    """Keep second copies of registered traces apart, and return their paths."""
    values = {"root": root}
    twice = con.execute(statement("select_twice_registered"), values).fetchall()
    # What is registered at a place where it no longer is was moved, not copied.
    moved = [trace_id for trace_id, path in twice if not os.path.exists(path)]
    if moved:
        con.execute(statement("delete_traces"), {"trace_ids": moved})
    con.execute(statement("split_copies"))
    return [path for (path,) in con.execute(statement("select_copied"), values).fetchall()]
