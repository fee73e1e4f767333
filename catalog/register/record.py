"""Write what a scan found into the catalog, in one transaction."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.errors import StoreError
from catalog.objects import is_url
from catalog.places import existing
from catalog.register.columns import (
    entry_table,
    file_table,
    named_table,
    problem_table,
    run_table,
)
from catalog.register.entries import Entry, NamedStrategy, RunContext, Sighting
from catalog.register.files import Problem
from catalog.register.folders import SeenFolder, record_folders
from catalog.register.identity import assign_run_ids
from catalog.register.known import KnownRun, known_runs
from catalog.register.strategies import (
    Strategies,
    record_strategies,
    sightings,
    without_collisions,
)
from catalog.register.walk import Stamp
from catalog.statements import statement
from catalog.store.facts import noting
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.store.views import refresh_views


@dataclass(frozen=True)
class KeptTraces:
    """
    Traces without files that the catalog knew before: they are in packs.

    `rows` are in columns of the table `trace_file`, with `prefix` and `is_relative` of their
    folders; `sightings` are their strategies.
    """

    rows: pa.Table
    sightings: Sequence[Sighting]

    def table(self, latest_keys: Mapping[str, str | None]) -> pa.Table:
        """Return the rows, given which traces compete for being the latest."""
        keys = self.rows["strategy_key"].to_pylist()
        latest = pa.array([latest_keys.get(key) or key for key in keys], pa.string())
        place = self.rows.schema.get_field_index("latest_key")
        return self.rows.set_column(place, "latest_key", latest)


@dataclass
class Batch:
    """What is written together: files that were read, and what was seen around them."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    folders: list[SeenFolder] = field(default_factory=list)
    runs: list[RunContext] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)
    kept: KeptTraces | None = None

    def __bool__(self) -> bool:
        seen = self.entries or self.problems or self.folders or self.runs or self.gone
        return bool(seen or self.kept)

    def named(self) -> list[NamedStrategy]:
        """Return the strategies of known hash that orders, fills and positions name."""
        found = [
            NamedStrategy(entry.run, strategy_id, entry.run.sources.recover_by_id(strategy_id))
            for entry in self.entries
            for strategy_id in entry.trace.event_strategies
        ]
        return [one for one in found if one.recovered.hash is not None]


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
    try:
        recorded, strategies = _write(con, root, batch)
    except duckdb.Error as error:
        # DuckDB makes no view over files that are gone or damaged: these, which have been so
        # since they were read, or others that were registered before.
        if "/packs/" in str(error):
            raise StoreError(
                f"A pack of the catalog is gone: {str(error).splitlines()[0]}",
                hint="Bring it back, or read its traces from their files: catalog compact",
            ) from error
        if ".parquet" not in str(error) or not _look_again(con, root, batch):
            raise
        recorded, strategies = _write(con, root, batch)
    if strategies.retyped:
        # Take the rebuilt table out of the WAL, which an older client could not replay.
        con.execute("checkpoint")
    return recorded


def record_changes(con: DuckDBPyConnection, root: str) -> None:
    """Look at every registered file of this machine again, and write what is gone or changed."""
    batch = Batch()
    if _look_again(con, root, batch):
        _write(con, root, batch)


def _write(con: DuckDBPyConnection, root: str, batch: Batch) -> tuple[Recorded, Strategies]:
    with transaction(con):
        recorded, strategies = _record(con, root, batch)
        refresh_views(con, root, strategy_altered=strategies.altered)
    return recorded, strategies


def write_batch(con: DuckDBPyConnection, root: str, batch: Batch) -> None:
    """Write a batch as `record` does, within a transaction that is open; the views are not made."""
    _record(con, root, batch)


def _look_again(con: DuckDBPyConnection, root: str, batch: Batch) -> bool:
    """Let a batch say which files of this machine, its own or registered, are gone or changed."""
    known = con.execute(statement("select_registered_files"), {"root": root}).fetchall()
    files = [(folder.rstrip("/"), name, Stamp(*stamp)) for folder, name, *stamp in known]
    # No store is asked when a view is made, so that none has to be asked again for it.
    files = [file for file in files if not is_url(file[0])]
    read = [
        (entry.folder, entry.file_name, Stamp(entry.trace.size, entry.trace.mtime_ns))
        for entry in batch.entries
        if not is_url(entry.folder)
    ]
    gone: set[tuple[str, str]] = set()
    changed: dict[tuple[str, str], Problem] = {}
    for folder, name, stamp in files + read:
        path = f"{folder}/{name}"
        try:
            status = os.stat(path)
        except FileNotFoundError:
            gone.add((folder, name))
        except OSError as error:
            problem = Problem(path, "unreadable", f"{path}: {error.strerror}")
            changed[folder, name] = problem
        else:
            if (status.st_size, status.st_mtime_ns) != stamp:
                why = f"{path}: it has changed since it was registered"
                hint = f"Run: catalog register {folder}"
                changed[folder, name] = Problem(path, "changed", why, hint)
    batch.entries = [
        entry
        for entry in batch.entries
        if (entry.folder, entry.file_name) not in gone | changed.keys()
    ]
    batch.gone = [*{*batch.gone, *gone}]
    batch.problems += changed.values()
    return bool(gone or changed)


def _record(con: DuckDBPyConnection, root: str, batch: Batch) -> tuple[Recorded, Strategies]:
    now = datetime.now(UTC)
    record_folders(con, root, batch.folders)
    with registered(con, incoming_gone=file_table(batch.gone, root)):
        con.execute(statement("mark_missing"))
    # A run is known by its traces: a folder that has none is no run.
    with_traces = {entry.run.folder for entry in batch.entries}
    runs = [run for run in batch.runs if run.folder in with_traces]
    known = known_runs(con, root)
    identities = assign_run_ids(con, known, batch.entries, runs)
    # What they are is noted beside the catalog too: no trace of the older tracers says it.
    names = ["runs"] if any(_is_news(run, known.get(run.folder)) for run in runs) else []
    with (
        noting(con, *names),
        registered(con, incoming_run=run_table(runs, identities, root, now)),
    ):
        con.execute(statement("upsert_runs"))
    entries, collisions = without_collisions(con, batch.entries)
    named = batch.named()
    seen = sightings(entries, identities) + [one.sighting for one in named]
    seen += batch.kept.sightings if batch.kept else []
    strategies = record_strategies(con, seen, now)
    table = entry_table(entries, strategies.latest_keys, identities, root, now)
    if batch.kept:
        kept = batch.kept.table(strategies.latest_keys)
        table = pa.concat_tables([table, kept], promote_options="default")
    problems = [problem.path.rpartition("/") for problem in (*batch.problems, *collisions)]
    left = file_table([(folder, name) for folder, _, name in problems], root)
    with registered(con, incoming=table, incoming_problem=left):
        con.execute(statement("stage_traces"))
    con.execute(statement("promote_copies"))
    con.execute(statement("delete_replaced"))
    copies = _split_copies(con, root)
    con.execute(statement("insert_traces"))
    con.execute(statement("finish_packed"))
    with registered(con, incoming_event_strategy=named_table(named, identities)):
        con.execute(statement("replace_event_strategies"))
    with registered(con, incoming_other=problem_table([*batch.problems, *collisions], root, now)):
        con.execute(statement("replace_others"))
    con.execute(statement("finish_ranges"))
    con.execute(statement("finish_latest"))
    con.execute(statement("delete_idle_strategies"))
    run_ids = frozenset(identity.run_id for identity in identities.values())
    return Recorded(copies, collisions, strategies.without_column, run_ids), strategies


def _is_news(run: RunContext, known: KnownRun | None) -> bool:
    """Say whether a run is new, or says something else about itself than before."""
    return known is None or (run.records_stamp, run.sweep_digest or known.sweep_digest) != (
        known.records_stamp,
        known.sweep_digest,
    )


def _split_copies(con: DuckDBPyConnection, root: str) -> list[str]:
    """Keep second copies of registered traces apart, and return their paths."""
    values = {"root": root}
    twice = con.execute(statement("select_twice_registered"), values).fetchall()
    # What is registered at a place where it no longer is was moved, not copied.
    there = existing(path for _, path in twice)
    moved = [trace_id for trace_id, path in twice if path not in there]
    if moved:
        con.execute(statement("delete_traces"), {"trace_ids": moved})
    con.execute(statement("split_copies"))
    return [path for (path,) in con.execute(statement("select_copied"), values).fetchall()]
