"""
Which run a folder holds: a new one, a known one that moved, or a copy of a known one.

Two copies of one run are one run. They are told by their files: the same paths
below the run with the same bytes. Two different runs of one name are kept apart
by a digest behind the name of the later one.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from catalog.register.entries import Entry, RunContext
from catalog.register.known import KnownRun
from catalog.statements import statement

Files = dict[str, str]


@dataclass(frozen=True, slots=True)
class Identity:
    """The id of the run in a folder; `moved` where the folder it was in is gone."""

    run_id: str
    moved: bool = False


def assign_run_ids(
    con: DuckDBPyConnection,
    known: Mapping[str, KnownRun],
    entries: Iterable[Entry],
    runs: Sequence[RunContext],
) -> dict[str, Identity]:
    """
    Return the identity of the run in each folder of `runs`.

    Args:
        known: the runs of the catalog by their absolute folders.
    """
    by_folder = {folder: run.run_id for folder, run in known.items()}
    folders: dict[str, list[str]] = {}
    for folder, run_id in by_folder.items():
        folders.setdefault(run_id, []).append(folder)
    files: dict[str, Files] = {}
    for entry in entries:
        files.setdefault(entry.run.folder, {})[entry.run_path] = entry.trace.file_digest
    identities: dict[str, Identity] = {}
    for run in sorted(runs, key=lambda run: run.folder):
        if run.folder in by_folder:
            identities[run.folder] = Identity(by_folder[run.folder])
            continue
        mine = files.get(run.folder, {})
        identity = _identify(con, run, mine, folders, files)
        identities[run.folder] = identity
        by_folder[run.folder] = identity.run_id
        folders.setdefault(identity.run_id, []).append(run.folder)
    return identities


def _identify(
    con: DuckDBPyConnection,
    run: RunContext,
    mine: Files,
    folders: dict[str, list[str]],
    files: dict[str, Files],
) -> Identity:
    wanted, *_ = names = run.wanted_ids
    named = re.compile(f"({'|'.join(map(re.escape, names))})(-[0-9a-f]{{8}})?", re.DOTALL)
    rivals = [known for known in folders if named.fullmatch(known)]
    for rival in sorted(rivals):
        theirs = dict[str, str]()
        for folder in folders[rival]:
            theirs |= files.get(folder, {})
        values = {"run_ids": [rival]}
        theirs |= {
            path: digest
            for _, path, digest in con.execute(statement("select_run_files"), values).fetchall()
        }
        moved = not any(os.path.isdir(folder) for folder in folders[rival])
        if _is_same(mine, theirs, moved=moved):
            return Identity(rival, moved=moved)
    if wanted not in folders:
        return Identity(wanted)
    # By the trace that was written first, where traces say when: the same whoever registers them,
    # and however many there are by then.
    digest = hashlib.sha256(repr(run.oldest or sorted(mine.items())).encode()).hexdigest()
    return Identity(f"{wanted}-{digest[:8]}")


def _is_same(mine: Files, theirs: Files, *, moved: bool) -> bool:
    """
    Say whether two folders hold one run: they share files, and differ in none they share.

    Beside a folder that is still there, one of the two must hold all that the other does: runs
    of one name that have a file or two in common, such as of what never trades, are not copies.
    """
    shared = mine.keys() & theirs.keys()
    if not shared or any(mine[path] != theirs[path] for path in shared):
        return False
    return moved or len(shared) in (len(mine), len(theirs))
