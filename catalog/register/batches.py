"""Read the files of a plan, and gather what they and their runs say in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, groupby

from catalog.errors import ObjectStoreError
from catalog.objects import is_url, many_at_once
from catalog.register.analytics import AnalyticsReader
from catalog.register.bundled import BundledRun, read_bundled
from catalog.register.configs import ConfigSources
from catalog.register.entries import Reading, RunContext, make_entries
from catalog.register.files import FileToRead, Outcome
from catalog.register.folders import SeenFolder
from catalog.register.known import Known
from catalog.register.plan import Plan, RunToRead
from catalog.register.reading import read_files
from catalog.register.record import Batch
from catalog.register.refused import unless_all_refused
from catalog.register.runs import RunRecords, read_records
from catalog.register.sweeps import SweepShelf
from catalog.sweeps.grid import Sweep
from catalog.sweeps.match import match_sweeps
from catalog.traces.trace_file import TraceFile

# Large enough that a transaction costs little beside the files in it, small enough that
# memory stays bounded and an interrupted registration loses little.
BATCH_SIZE = 8_192

Progress = Callable[[int, int], None]
"""Called with how many files were read so far, and how many there are to read."""


@dataclass(frozen=True)
class RunSources:
    """Where what a run does not say itself may be found: before, in given sweeps, on the shelf."""

    known: Known
    sweeps: Sequence[Sweep]
    shelf: SweepShelf


def batches(
    plan: Plan,
    roots: Sequence[str],
    sources: RunSources,
    progress: Progress,
    *,
    size: int | None,
    is_stated_enough: bool = False,
    are_named: bool = False,
) -> Iterator[Batch]:
    """
    Read the files of a plan, and yield what was found.

    Args:
        size: how many files there are in a batch at most; None for all in one.
        is_stated_enough: nothing is to be recorded, and what the footers of objects state will do.
        are_named: each file was named, and is a problem if it is refused, though all of them are.

    Raises:
        ObjectStoreError: a store cannot be reached, or refuses all that was asked for.
    """
    with closing(AnalyticsReader()) as analytics:
        here = sum(len(run.files) for run in plan.runs if not is_url(run.folder))
        there = plan.to_read - here
        outcomes = read_files(
            _files_of(plan), here=here, there=there, is_stated_enough=is_stated_enough
        )
        if not are_named:
            outcomes = unless_all_refused(_files_of(plan), outcomes, sources.known)
        size = size or plan.to_read + 1
        yield from _batches(plan, roots, sources, analytics, outcomes, progress, size)


def _files_of(plan: Plan) -> Iterator[FileToRead]:
    return (file for run in plan.runs for file in run.files)


def _batches(
    plan: Plan,
    roots: Sequence[str],
    sources: RunSources,
    analytics: AnalyticsReader,
    outcomes: Iterator[Outcome],
    progress: Progress,
    size: int,
) -> Iterator[Batch]:
    batch = Batch(problems=plan.problems, folders=plan.folders, gone=plan.gone)
    readings: list[Reading] = []
    done, total = 0, plan.to_read
    progress(done, total)
    try:
        for run, said in zip(plan.runs, _read_said(plan.runs, analytics), strict=True):
            context = _context(run, sources, said)
            root = _root_of(roots, run.files[0].folder)
            _add_run(batch, context, root)
            # The outcomes go on with the next run.
            for left, file, outcome in zip(count(len(run.files) - 1, -1), run.files, outcomes):
                if left == 0:
                    # Only now is what the run says about itself known to all of its traces.
                    context.records_stamp = run.records_stamp
                    batch.problems.extend(context.records.problems)
                if isinstance(outcome, TraceFile):
                    readings.append((context, file.folder, file.name, outcome))
                elif outcome is not None:
                    batch.problems.append(outcome)
                done += 1
                if done % 64 == 0:
                    progress(done, total)
                if len(batch.entries) + len(readings) + len(batch.problems) >= size:
                    batch.entries += make_entries(readings)
                    yield _with_folders(batch, roots)
                    batch, readings = Batch(), []
                    _add_run(batch, context, root)
            # Now, and not when the batch is full: the other processes read on meanwhile.
            batch.entries += make_entries(readings)
            readings = []
    except ObjectStoreError:
        # What was read until then need not be read again.
        batch.entries += make_entries(readings)
        if batch.entries:
            yield _with_folders(batch, roots)
        raise
    progress(done, total)
    if batch:
        yield _with_folders(batch, roots)


def _root_of(roots: Sequence[str], folder: str) -> str:
    """Return the root that a folder lies in; a run's folder may lie above all of them."""
    inside = (root for root in roots if f"{folder}/".startswith(root.rstrip("/") + "/"))
    return next(inside, roots[0])


def _add_run(batch: Batch, context: RunContext, root: str) -> None:
    batch.runs.append(context)
    # The run's own folder may hold no trace, and may even lie above the root.
    batch.folders.append(SeenFolder(context.folder, root))


def _with_folders(batch: Batch, roots: Sequence[str]) -> Batch:
    for folder in {problem.path.rpartition("/")[0] for problem in batch.problems}:
        batch.folders.append(SeenFolder(folder, _root_of(roots, folder)))
    return batch


Said = tuple[RunRecords, BundledRun]
"""What lies beside the traces of a run and says something about them, read."""


def _read_said(runs: Iterable[RunToRead], analytics: AnalyticsReader) -> Iterator[Said]:
    """Read what runs say about themselves, in their order; many at a time where a store says it."""
    read = partial(read_said, analytics=analytics)
    for is_remote, some in groupby(runs, key=lambda run: is_url(run.folder)):
        read_some = many_at_once if is_remote else map
        yield from read_some(read, some)


def read_said(run: RunToRead, analytics: AnalyticsReader) -> Said:
    records = read_records(run.records, analytics, run.listed)
    problems = list(records.problems)
    bundled = read_bundled(run.folder, problems, run.listed)
    return replace(records, problems=tuple(problems)), bundled


def open_run(run: RunToRead, sources: RunSources, analytics: AnalyticsReader) -> RunContext:
    return _context(run, sources, read_said(run, analytics))


def _context(run: RunToRead, sources: RunSources, said: Said) -> RunContext:
    records, bundled = said
    before = sources.known.runs.get(run.folder)
    matches = match_sweeps(sources.sweeps, run.names)
    if not (matches.configs or matches.disagreements) and before and before.sweep_digest:
        # What made the run before still did, where nothing is given instead.
        kept = sources.shelf.load(before.sweep_digest)
        matches = match_sweeps([kept] if kept is not None else [], run.names)
    return RunContext(
        folder=run.folder,
        records=records,
        records_stamp=run.records_stamp if before is None else before.records_stamp,
        sources=ConfigSources(records, matches, run.folder, bundled),
        sweep_digest=before.sweep_digest if before is not None else None,
        stated_id=bundled.run_id,
    )
