"""Under which ids the runs of another catalog go in this one: a run that is known keeps its own."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from dataclasses import dataclass, field

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.statements import statement

_SUFFIX = re.compile(r"-[0-9a-f]{8}\Z")


@dataclass
class _Run:
    """A run: the folders that it lies in, its files by their paths below it, its oldest trace."""

    names: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    files: dict[str, str] = field(default_factory=dict)
    oldest: tuple[str, str] | None = None


def name_runs(
    con: DuckDBPyConnection, root: str, runs: pa.Table, traces: pa.Table
) -> dict[str, str]:
    """
    Return the id here of each run of another catalog.

    A run is the same where it lies in the same folder, or where its files are; another one of the
    same id gets a digest behind it, as `register` would do.

    Args:
        root: absolute folder of this catalog.
    """
    theirs = _runs_of(runs, traces)
    ours = _ours(con, root)
    homes = {folder: run_id for run_id, run in ours.items() for folder in run.folders}
    taken = set(ours)
    names: dict[str, str] = {}
    # A run that has its own name free keeps it, whatever comes before it.
    for run_id in sorted(theirs, key=lambda one: (one in ours, one)):
        run = theirs[run_id]
        known = next((homes[folder] for folder in sorted(run.folders) if folder in homes), None)
        if known is None:
            rivals = sorted(one for one in ours if _base(one) & _base(run_id, *run.names))
            known = next((one for one in rivals if _is_same(run, ours[one])), None)
        if known is None:
            known = run_id if run_id not in taken else f"{_bare(run_id)}-{_digest(run)}"
        names[run_id] = known
        taken.add(known)
    return names


def _ours(con: DuckDBPyConnection, root: str) -> dict[str, _Run]:
    values = {"root": root}
    runs = con.sql(statement("merge_runs"), params=values).to_arrow_table()
    traces = con.sql(statement("merge_traces"), params=values).to_arrow_table()
    return _runs_of(runs, traces)


def _runs_of(runs: pa.Table, traces: pa.Table) -> dict[str, _Run]:
    found: dict[str, _Run] = defaultdict(_Run)
    names = ("run_id", "recorded_id", "folder")
    for run_id, recorded, folder in zip(*(runs[one].to_pylist() for one in names), strict=True):
        found[run_id].folders.add(folder)
        found[run_id].names |= {recorded or os.path.basename(folder.rstrip("/"))}
    columns = ("run_id", "run_path", "file_digest", "created_at", "rows_digest")
    for run_id, path, digest, created, rows in zip(
        *(traces[one].to_pylist() for one in columns), strict=True
    ):
        run = found[run_id]
        run.files[path] = digest
        if created is not None:
            written = (created.isoformat(), rows)
            run.oldest = written if run.oldest is None else min(run.oldest, written)
    return found


def _is_same(one: _Run, other: _Run) -> bool:
    """
    Say whether two folders hold one run: they share files, and differ in none they share.

    Where both are there, one of them holds all that the other does: see `register`.
    """
    shared = one.files.keys() & other.files.keys()
    if not shared or any(one.files[path] != other.files[path] for path in shared):
        return False
    is_there = all(any(os.path.isdir(f) for f in run.folders) for run in (one, other))
    return not is_there or len(shared) in (len(one.files), len(other.files))


def _digest(run: _Run) -> str:
    made_of = repr(run.oldest or sorted(run.files.items()))
    return hashlib.sha256(made_of.encode()).hexdigest()[:8]


def _base(*names: str) -> set[str]:
    return {*names, *(_bare(name) for name in names)}


def _bare(name: str) -> str:
    return _SUFFIX.sub("", name)
