"""Register files that were just finalized: in one transaction, or by a note in the inbox."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import (
    CatalogBusyError,
    CatalogError,
    ObjectError,
    ObjectStoreError,
    StoreError,
)
from catalog.objects import is_url
from catalog.places import absolute, look_at
from catalog.register.batches import RunSources, batches
from catalog.register.files import FileToRead, Problem
from catalog.register.folders import SeenFolder
from catalog.register.known import Known
from catalog.register.plan import Plan, RunToRead, kind_of_path
from catalog.register.record import Batch, record
from catalog.register.runs import record_paths, run_folder, stamp_of
from catalog.register.sweeps import SweepShelf
from catalog.register.walk import Stamp
from catalog.store.database import writing
from catalog.store.inbox import Note, leave_note, read_notes, remove_notes
from catalog.store.paths import catalog_root

_MONTH = 30 * 86_400.0

# After having waited in vain, others are not waited for so long again, for so many seconds.
_PATIENCE, _IMPATIENCE, _FOR = None, 0.2, 60.0
_busy_until: dict[Path, float] = {}


def register_finalized(catalog: Path, files: Sequence[str | os.PathLike[str]]) -> bool:
    """
    Register files that were finalized, all in one transaction, and take the inbox in with them.

    Returns whether they are in the catalog. Where it was in use for ten seconds they are in a
    note in its inbox instead, which the next writer takes in; so they are where the catalog
    cannot be written for another reason, which is raised.

    Raises:
        StoreError: the catalog cannot be written, or neither can a note be left.
        ObjectStoreError: the store that they lie in cannot be reached, or says no.
        CatalogError: one of the files was refused, as for a hash that another strategy has.
    """
    paths = [absolute(file) for file in files]
    wait = _IMPATIENCE if time.monotonic() < _busy_until.get(catalog, 0.0) else _PATIENCE
    try:
        refused = take_in(catalog, paths, wait=wait).refused
    except CatalogBusyError:
        leave_note(catalog, paths)
        _busy_until[catalog] = time.monotonic() + _FOR
        return False
    except (ObjectStoreError, StoreError):
        leave_note(catalog, paths)
        raise
    mine = [problem for problem in refused if problem.path in paths]
    if mine:
        raise CatalogError(
            f"A finalized trace was not registered: {mine[0].error}", hint=mine[0].hint
        )
    return True


@dataclass(frozen=True)
class TakenIn:
    """How many notes were taken in, and which files were refused."""

    notes: int = 0
    refused: tuple[Problem, ...] = ()


def take_in(catalog: Path, files: Sequence[str] = (), *, wait: float | None = None) -> TakenIn:
    """
    Register some files and those that the inbox names.

    Args:
        wait: how many seconds to wait for other processes, ten unless given.

    Raises:
        StoreError: the catalog cannot be written.
        CatalogBusyError: another process holds it.
    """
    notes = [note for note in read_notes(catalog) if not _is_out_of_reach(note)]
    plan = _plan([*(file for note in notes for file in note.files), *files])
    root = catalog_root(catalog)
    sources = RunSources(Known(), (), SweepShelf(catalog))
    roots = [folder.path for folder in plan.folders]
    refused: list[Problem] = []
    for batch in batches(plan, roots, sources, lambda done, total: None, size=None, are_named=True):
        with writing(catalog, wait=wait) as con:
            replaced = _take_out_what_changed(batch)
            for run in batch.runs:
                # As it is now: other processes of the run may have added to it meanwhile.
                run.records_stamp = stamp_of(record_paths(run.folder))
            recorded = record(con, root, batch)
        refused += [*batch.problems, *recorded.collisions]
        if replaced:
            refused += take_in(catalog, replaced, wait=wait).refused
    remove_notes(notes)
    return TakenIn(len(notes), tuple(refused))


def _take_out_what_changed(batch: Batch) -> list[str]:
    """Take files out of a batch that were replaced since they were read, and return their paths."""
    replaced: list[str] = []
    for entry in batch.entries:
        status = _status(entry.path)
        if status is not None and status != (entry.trace.size, entry.trace.mtime_ns):
            replaced.append(entry.path)
    if replaced:
        batch.entries = [entry for entry in batch.entries if entry.path not in replaced]
    return replaced


def _is_out_of_reach(note: Note) -> bool:
    """
    Say whether the files of a note may be there and cannot be looked at now.

    A run that is gone as a whole may be on a disk that is not there; for a month it is.
    """
    for path in note.files:
        try:
            found = look_at(path)
        except (OSError, ObjectStoreError):
            return True
        except ValueError:  # No file has such a name.
            continue
        # A bucket is there or refuses: what is not in it is gone.
        if found is None and not is_url(path):
            is_young = time.time() - note.path.stat().st_mtime < _MONTH
            if is_young and not os.path.isdir(run_folder(os.path.dirname(path))):
                return True
    return False


def _status(path: str) -> Stamp | None:
    """Return the size and the time of a file, None where it cannot be looked at."""
    try:
        found = look_at(path)
    except (OSError, ObjectError, ValueError):
        return None
    return None if found is None else Stamp(found.size, found.mtime_ns)


def _plan(files: Iterable[str]) -> Plan:
    """Say which files are to be read, run by run; those that are gone again are passed over."""
    plan = Plan()
    runs: dict[str, RunToRead] = {}
    for path in dict.fromkeys(files):
        folder, _, name = path.rpartition("/")
        stamp = _status(path)
        if stamp is None:
            continue
        run = run_folder(folder)
        if run not in runs:
            records = record_paths(run)
            runs[run] = RunToRead(run, records, stamp_of(records))
            plan.folders.append(SeenFolder(run, run))
        runs[run].files.append(FileToRead(folder, name, kind_of_path(folder), stamp))
        plan.folders.append(SeenFolder(folder, run, is_linked=False))
    plan.runs = list(runs.values())
    return plan
