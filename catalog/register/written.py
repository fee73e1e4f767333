"""Register files that were just finalized: in one transaction, or by a note in the inbox."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from catalog.errors import CatalogBusyError
from catalog.register.batches import RunSources, batches
from catalog.register.files import FileToRead
from catalog.register.folders import SeenFolder
from catalog.register.known import Known
from catalog.register.plan import Plan, RunToRead, kind_of_path
from catalog.register.record import record
from catalog.register.runs import record_paths, run_folder, stamp_of
from catalog.register.sweeps import SweepShelf
from catalog.register.walk import Stamp
from catalog.store.database import writing
from catalog.store.inbox import leave_note, read_notes, remove_notes
from catalog.store.paths import catalog_root


def register_finalized(catalog: Path, files: Sequence[str | os.PathLike[str]]) -> bool:
    """
    Register files that were finalized, all in one transaction, and take the inbox in with them.

    Returns whether they are in the catalog. Where it was in use for ten seconds they are in a
    note in its inbox instead, which the next writer takes in.

    Raises:
        StoreError: the catalog cannot be written, and neither can a note be left.
    """
    paths = [os.path.abspath(os.fspath(file)) for file in files]
    try:
        take_in(catalog, paths)
    except CatalogBusyError:
        leave_note(catalog, paths)
        return False
    return True


def take_in(catalog: Path, files: Sequence[str] = ()) -> int:
    """
    Register some files and those that the inbox names, and return how many notes there were.

    Raises:
        StoreError: the catalog cannot be written.
        CatalogBusyError: another process holds it.
    """
    notes = [note for note in read_notes(catalog) if not any(map(_is_out_of_reach, note.files))]
    noted = (file for note in notes for file in note.files)
    plan = _plan([*noted, *files])
    if not plan.runs and not notes:
        return 0
    root = catalog_root(catalog)
    sources = RunSources(Known(), (), SweepShelf(catalog))
    roots = [folder.path for folder in plan.folders]
    for batch in batches(plan, roots, sources, lambda done, total: None, size=None):
        with writing(catalog) as con:
            for run in batch.runs:
                # As it is now: other processes of the run may have added to it meanwhile.
                run.records_stamp = stamp_of(record_paths(run.folder))
            record(con, root, batch)
    remove_notes(notes)
    return len(notes)


def _is_out_of_reach(path: str) -> bool:
    """Say whether a file may be there and cannot be looked at, as on a disk that is not there."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _plan(files: Iterable[str]) -> Plan:
    """Say which files are to be read, run by run; those that are gone again are passed over."""
    plan = Plan()
    runs: dict[str, RunToRead] = {}
    for path in dict.fromkeys(files):
        folder, _, name = path.rpartition("/")
        try:
            status = os.stat(path)
        except OSError:
            continue
        run = run_folder(folder)
        if run not in runs:
            records = record_paths(run)
            runs[run] = RunToRead(run, records, stamp_of(records))
            plan.folders.append(SeenFolder(run, run))
        stamp = Stamp(status.st_size, status.st_mtime_ns)
        runs[run].files.append(FileToRead(folder, name, kind_of_path(folder), stamp))
        plan.folders.append(SeenFolder(folder, run, is_linked=False))
    plan.runs = list(runs.values())
    return plan
