"""
Register directories: walk them, read what is new or has changed, and record it.

    walk  ->  Plan  ->  read_trace_file  ->  Entry  ->  record
              (size,    (the bytes,          (+ run,    (one transaction
               time)     once)                + config)  a batch)
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from catalog.errors import UsageError
from catalog.register.configs import ConfigSources
from catalog.register.entries import Reading, RunContext, make_entries
from catalog.register.folders import SeenFolder
from catalog.register.known import Known, load_known
from catalog.register.plan import Plan, RunToRead, make_plan
from catalog.register.reading import read_files
from catalog.register.record import Batch, record
from catalog.register.report import Registration
from catalog.register.runs import read_records
from catalog.register.sweeps import SweepShelf
from catalog.store.database import reading, writing
from catalog.store.paths import catalog_root, side_folder
from catalog.sweep import Sweep, match_sweeps
from catalog.traces.format import EVENT_KINDS
from catalog.traces.trace_file import TraceFile

# Large enough that a transaction costs little beside the files in it, small enough that
# memory stays bounded and an interrupted registration loses little.
BATCH_SIZE = 8_192

Progress = Callable[[int, int], None]
"""Called with how many files were read so far, and how many there are to read."""


def register(
    catalog: Path,
    folders: Sequence[str | os.PathLike[str]],
    *,
    sweeps: Sequence[Sweep] = (),
    dry_run: bool = False,
    progress: Progress = lambda done, total: None,
) -> Registration:
    """
    Register the trace files at and below some folders.

    Only files that are new, or whose size or time of change differs from when they were
    registered, are read. Batches are recorded as they fill, so that a registration that
    was interrupted goes on where it stopped.

    Raises:
        UsageError: a folder does not exist.
        StoreError: the catalog cannot be used.
    """
    started = time.monotonic()
    report = Registration(dry_run=dry_run)
    root = catalog_root(catalog)
    roots = _distinct(folders)
    known = _known(catalog, roots, root)
    plan = make_plan(
        roots,
        known,
        skip=frozenset({os.path.abspath(side_folder(catalog))}),
        reread_unknown=bool(sweeps),
    )
    _note_plan(report, plan)
    shelf = SweepShelf(catalog)
    for batch in _batches(plan, roots, known, sweeps, shelf, progress):
        _note_batch(report, batch)
        if dry_run:
            continue
        sweeps_used = (entry.recovered.sweep for entry in batch.entries)
        used = {sweep.digest: sweep for sweep in sweeps_used if sweep is not None}
        with writing(catalog) as con:
            for sweep in used.values():
                shelf.keep(sweep)
            recorded = record(con, root, batch)
        report.copies += recorded.copies
        report.quarantined += recorded.collisions
        report.without_column += recorded.without_column
        report.runs |= recorded.run_ids
    if not catalog.exists() and not dry_run:
        # An empty folder makes an empty catalog: its views exist and have no rows.
        with writing(catalog):
            pass
    report.seconds = time.monotonic() - started
    return report


def _distinct(folders: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Return absolute folders, without those that lie below another one."""
    roots: list[str] = []
    for folder in sorted({os.path.abspath(os.fspath(folder)) for folder in folders}):
        if not os.path.exists(folder):
            raise UsageError(f"There is no folder {folder}", hint="Check the path")
        if not os.path.isdir(folder):
            raise UsageError(
                f"{folder} is a file", hint=f"Register its folder: {os.path.dirname(folder)}"
            )
        if not any(folder.startswith(root.rstrip("/") + "/") for root in roots):
            roots.append(folder)
    return roots


def _known(catalog: Path, roots: Sequence[str], root: str) -> Known:
    if not catalog.exists():
        return Known()
    with reading(catalog) as con:
        return load_known(con, roots, root)


def _batches(
    plan: Plan,
    roots: Sequence[str],
    known: Known,
    sweeps: Sequence[Sweep],
    shelf: SweepShelf,
    progress: Progress,
) -> Iterator[Batch]:
    """Read the files of a plan, and yield what was found in pieces of bounded size."""
    batch = Batch(problems=plan.problems, folders=plan.folders, gone=plan.gone)
    readings: list[Reading] = []
    done, total = 0, plan.to_read
    outcomes = read_files((file for run in plan.runs for file in run.files), total)
    for run in plan.runs:
        context = _open_run(run, known, sweeps, shelf)
        batch.problems.extend(context.records.problems)
        root = _root_of(roots, run.files[0].folder)
        _add_run(batch, context, root)
        # The outcomes go on with the next run.
        for file, outcome in zip(run.files, outcomes, strict=False):
            if isinstance(outcome, TraceFile):
                readings.append((context, file.folder, file.name, outcome))
            elif outcome is not None:
                batch.problems.append(outcome)
            done += 1
            if done % 64 == 0:
                progress(done, total)
            if len(readings) + len(batch.problems) >= BATCH_SIZE:
                yield _filled(batch, readings, roots)
                batch, readings = Batch(), []
                _add_run(batch, context, root)
    progress(done, total)
    if batch or readings:
        yield _filled(batch, readings, roots)


def _root_of(roots: Sequence[str], folder: str) -> str:
    """Return the root that a folder lies in; a run's folder may lie above all of them."""
    inside = (root for root in roots if f"{folder}/".startswith(root.rstrip("/") + "/"))
    return next(inside, roots[0])


def _add_run(batch: Batch, context: RunContext, root: str) -> None:
    batch.runs.append(context)
    # The run's own folder may hold no trace, and may even lie above the root.
    batch.folders.append(SeenFolder(context.folder, root))


def _filled(batch: Batch, readings: Sequence[Reading], roots: Sequence[str]) -> Batch:
    for folder in {problem.path.rpartition("/")[0] for problem in batch.problems}:
        batch.folders.append(SeenFolder(folder, _root_of(roots, folder)))
    batch.entries = make_entries(readings)
    return batch


def _open_run(
    run: RunToRead, known: Known, sweeps: Sequence[Sweep], shelf: SweepShelf
) -> RunContext:
    records = read_records(run.records)
    before = known.runs.get(run.folder)
    asked = list(sweeps)
    if before is not None and before.sweep_digest is not None:
        # What made the run before still did, whether or not it is given again.
        kept = shelf.load(before.sweep_digest)
        asked += [kept] if kept is not None else []
    return RunContext(
        folder=run.folder,
        records=records,
        records_stamp=run.records_stamp,
        sources=ConfigSources(records, match_sweeps(asked, run.names)),
        sweep_digest=before.sweep_digest if before is not None else None,
    )


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


def _note_batch(report: Registration, batch: Batch) -> None:
    for entry in batch.entries:
        trace = entry.trace
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
