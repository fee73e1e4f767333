"""
Register directories: walk them, read what is new or has changed, and record it.

    walk  ->  Plan  ->  read_trace_file  ->  Batch  ->  record
              (size,    (the bytes,          (+ run,    (one transaction
               time)     once)                + config)  a batch)
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import UsageError
from catalog.objects import is_url
from catalog.places import absolute
from catalog.register.batches import BATCH_SIZE, Progress, RunSources, batches
from catalog.register.known import Known, load_known
from catalog.register.plan import Plan, make_plan
from catalog.register.record import Batch, Recorded, record
from catalog.register.report import Registration
from catalog.register.sweeps import SweepShelf
from catalog.register.written import take_in
from catalog.store.database import reading, writing
from catalog.store.paths import catalog_root, side_folder
from catalog.sweeps.grid import Sweep
from catalog.traces.format import EVENT_KINDS


def register(
    catalog: Path,
    folders: Sequence[str | os.PathLike[str]],
    *,
    sweeps: Sequence[Sweep] = (),
    dry_run: bool = False,
    progress: Progress = lambda done, total: None,
) -> Registration:
    """
    Register the trace files at and below some folders and URLs.

    Only files that are new, or whose size or time of change differs from when they were
    registered, are read. Batches are recorded as they fill, so that a registration that
    was interrupted goes on where it stopped.

    Raises:
        UsageError: a folder does not exist, or nothing lies below a URL.
        ObjectStoreError: a store cannot be reached, or says no: one that refuses every object
            that was asked for is no reason to put any of them in quarantine.
        StoreError: the catalog cannot be used.
    """
    started = time.monotonic()
    roots = _distinct(folders)
    notes = 0 if dry_run else take_in(catalog).notes
    report = scan(catalog, roots, sweeps=sweeps, dry_run=dry_run, progress=progress)
    report.notes = notes
    report.seconds = time.monotonic() - started
    return report


def scan(
    catalog: Path,
    folders: Sequence[str | os.PathLike[str]],
    *,
    sweeps: Sequence[Sweep] = (),
    dry_run: bool = False,
    progress: Progress = lambda done, total: None,
) -> Registration:
    """
    Register as `register` does, and leave what waits in the inbox where it is.

    Raises:
        UsageError: a folder does not exist, or nothing lies below a URL.
        ObjectStoreError: a store cannot be reached, or says no.
        StoreError: the catalog cannot be used.
    """
    report = Registration(dry_run=dry_run)
    root = catalog_root(catalog)
    roots = _distinct(folders)
    known = _known(catalog, roots, root)
    plan = make_plan(
        roots,
        known,
        skip=frozenset({os.path.abspath(side_folder(catalog))}),
        sweeps=sweeps,
    )
    _note_plan(report, plan)
    shelf = SweepShelf(catalog)
    with _collecting_between_batches():
        sources = RunSources(known, sweeps, shelf)
        found = batches(plan, roots, sources, progress, size=BATCH_SIZE, is_stated_enough=dry_run)
        for batch in found:
            recorded = None if dry_run else _record(catalog, root, batch, shelf)
            _note_batch(report, batch, recorded)
            gc.collect(0)
    if not catalog.exists() and not dry_run:
        # An empty folder makes an empty catalog: its views exist and have no rows.
        with writing(catalog):
            pass
    return report


@contextmanager
def _collecting_between_batches() -> Iterator[None]:
    """
    Look for garbage only when asked to.

    A batch is made of some hundred thousand objects that live until it is recorded: to look
    for cycles among them again and again takes a sixth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _record(catalog: Path, root: str, batch: Batch, shelf: SweepShelf) -> Recorded:
    sweeps_used = (entry.recovered.sweep for entry in batch.entries)
    used = {sweep.digest: sweep for sweep in sweeps_used if sweep is not None}
    with writing(catalog) as con:
        for sweep in used.values():
            shelf.keep(sweep)
        return record(con, root, batch)


def _distinct(folders: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Return absolute folders and URLs, without those that lie below another one."""
    roots: list[str] = []
    for folder in sorted({absolute(folder) for folder in folders}):
        if not is_url(folder):
            _check_is_folder(folder)
        if not any(folder.startswith(root.rstrip("/") + "/") for root in roots):
            roots.append(folder)
    return roots


def _check_is_folder(folder: str) -> None:
    if not os.path.exists(folder):
        raise UsageError(f"There is no folder {folder}", hint="Check the path")
    if not os.path.isdir(folder):
        raise UsageError(
            f"{folder} is a file", hint=f"Register its folder: {os.path.dirname(folder)}"
        )


def _known(catalog: Path, roots: Sequence[str], root: str) -> Known:
    if not catalog.exists():
        return Known()
    with reading(catalog) as con:
        return load_known(con, roots, root)


def _note_plan(report: Registration, plan: Plan) -> None:
    report.unchanged = plan.unchanged
    report.missing = plan.missing
    report.still_quarantined = plan.still_quarantined
    report.ignored = plan.ignored
    if plan.unfinished:
        report.warnings.append(
            f"{len(plan.unfinished):,} unfinished files were passed over, "
            f"such as {plan.unfinished[0]}"
        )


def _note_batch(report: Registration, batch: Batch, recorded: Recorded | None) -> None:
    left_out: set[str] = set()
    if recorded is not None:
        report.copies += recorded.copies
        report.quarantined += recorded.collisions
        report.without_column += recorded.without_column
        report.runs |= recorded.run_ids
        left_out = {*recorded.copies, *(problem.path for problem in recorded.collisions)}
    for entry in batch.entries:
        trace = entry.trace
        if entry.path in left_out:
            continue
        report.kinds[trace.kind] += 1
        if trace.kind in EVENT_KINDS:
            continue
        report.sources[entry.recovered.source] += 1
        report.without_bar_times += not trace.knows_bar_times
        if trace.kind == "signal":
            report.contents.add(entry.content_digest)
    for problem in batch.problems:
        if problem.status == "quarantined":
            report.quarantined.append(problem)
        elif problem.status == "ignored" and problem.reason != "hidden file":
            report.ignored[problem.reason] += 1
    for context in batch.runs:
        if report.dry_run:
            report.runs.add(context.name)
        for lost in context.sources.disagreements:
            paths = " and ".join(str(path) for path in lost.paths)
            warning = f"{lost.strategy_id} stays unknown: {paths} disagree about it"
            if warning not in report.warnings:
                report.warnings.append(warning)
