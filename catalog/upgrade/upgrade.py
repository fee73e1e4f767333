"""
Write a folder of old traces anew in our own format, beside it.

    register into a      ->  Plan         ->  convert           ->  appear
    catalog for the moment   (where each      (a temporary          (its name,
                             goes)            file, compared)       on the disk)

What is known of a trace is what `register` knows of it, its range and configuration included.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import duckdb

from catalog.disk import sync
from catalog.errors import TraceFileError
from catalog.prices.series import PriceSeries, load_series
from catalog.register.batches import Progress
from catalog.register.files import Problem
from catalog.store.database import reading
from catalog.sweeps.grid import Sweep
from catalog.traces import format as layout
from catalog.traces.finalize import appear, make_folder, writing_errors
from catalog.upgrade.convert import convert
from catalog.upgrade.events import convert_events
from catalog.upgrade.output import opened, origin_of
from catalog.upgrade.plan import Plan, make_plan, run_output
from catalog.upgrade.records import write_run_records
from catalog.upgrade.report import Upgrade
from catalog.upgrade.sources import Found, Source, find_sources
from catalog.upgrade.task import Bars, SeriesKey, Task

_TOGETHER = 256
"""Files that appear together."""
_THREADS = 4


def upgrade(
    catalog: Path,
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    sweeps: Sequence[Sweep] = (),
    dry_run: bool = False,
    progress: Progress = lambda done, total: None,
) -> Upgrade:
    """
    Write the traces at and below a folder anew in our format, and leave the folder alone.

    A file that is there already, made from the same source with the same knowledge, is passed
    over, so that the command can be run again: after a kill, or when more is known.

    Args:
        catalog: where prices are known from; it need not exist.
        output: a folder that does not exist, is empty, or was made from this folder before.
        sweeps: sweep files to find parameters in.
        progress: called with how many files were converted, and how many are to be.

    Raises:
        UsageError: the folder is none, or the output is in it or holds something else.
        StoreError: the catalog cannot be read.
        CatalogError: the output cannot be written.
    """
    started = time.monotonic()
    folder, output = Path(os.path.abspath(folder)), Path(os.path.abspath(output))
    report = Upgrade(folder, output, dry_run=dry_run)
    with opened(output, folder, dry_run=dry_run):
        found = find_sources(
            folder, catalog=catalog, sweeps=sweeps, progress=lambda done, total: None
        )
        series = _series(catalog, found)
        plan = make_plan(found.traces, series, folder=folder, output=output)
        _note(report, found, plan)
        if not dry_run:
            bars = {key: Bars(one.ts, one.close) for key, one in series.items()}
            _convert_all(plan, bars, report, progress)
            _write_records(plan, folder, output)
            _remove_replaced(plan, folder, output, report)
    report.seconds = time.monotonic() - started
    return report


def _series(catalog: Path, found: Found) -> dict[SeriesKey, PriceSeries]:
    if not catalog.exists():
        return {}
    wanted = {
        (source.symbol, source.timeframe)
        for source in found.traces
        if source.symbol is not None and source.timeframe is not None
    }
    with reading(catalog) as con:
        return load_series(con, catalog, wanted)


def _note(report: Upgrade, found: Found, plan: Plan) -> None:
    report.quarantined = found.quarantined
    for problem in found.ignored:
        if problem.reason != "hidden file":
            report.ignored[problem.reason] += 1
    report.runs = {source.run_id for source in found.traces}
    report.without_times = plan.without_times
    if report.dry_run:
        for source, task in (*plan.traces, *plan.events):
            _count(report, source, task)
            report.converted[source.generation] += 1
        report.copied = len(plan.ours)


def _count(report: Upgrade, source: Source, task: Task) -> None:
    report.kinds[source.kind] += 1
    report.rows += source.row_count
    if source.kind not in layout.EVENT_KINDS:
        report.times[task.times] += 1
        report.sources[source.config_source or "unknown"] += 1


def _convert_all(
    plan: Plan, bars: dict[SeriesKey, Bars], report: Upgrade, progress: Progress
) -> None:
    total = len(plan.traces) + len(plan.events) + len(plan.ours)
    done = 0
    # A disk takes files from several threads in the time that one takes for one of them.
    with ThreadPoolExecutor(_THREADS) as threads:
        for some in _chunks(plan.traces):
            _convert_some(some, lambda _, task: convert(task, bars), report, threads)
            done += len(some)
            progress(done, total)
    with duckdb.connect() as con, ThreadPoolExecutor(1) as thread:
        con.execute("set timezone = 'UTC'")

        def write(source: Source, task: Task) -> Path:
            return convert_events(con, task, bars, is_nested=source.layout is not None)

        for one in plan.events:
            _convert_some([one], write, report, thread)
            done += 1
            progress(done, total)
    for source, target in plan.ours:
        _copy(source, target, report)
        done += 1
        progress(done, total)


def _convert_some(
    some: Sequence[tuple[Source, Task]],
    write: Callable[[Source, Task], Path],
    report: Upgrade,
    threads: ThreadPoolExecutor,
) -> None:
    """Convert files that appear together, when all of them are on the disk."""
    waiting = [threads.submit(_attempt, source, task, write) for source, task in some]
    try:
        outcomes = [one.result() for one in waiting]
        appear(
            [
                (outcome, task.target)
                for (_, task), outcome in zip(some, outcomes, strict=True)
                if isinstance(outcome, Path)
            ]
        )
    except BaseException:
        for one in waiting:
            # Those that are being written are waited for; of the others nothing is there.
            if not one.cancel() and one.exception() is None and isinstance(one.result(), Path):
                Path(str(one.result())).unlink(missing_ok=True)
        raise
    for (source, task), outcome in zip(some, outcomes, strict=True):
        if isinstance(outcome, Problem):
            report.failed.append(outcome)
            continue
        if outcome is None:
            report.there += 1
        else:
            report.converted[source.generation] += 1
        _count(report, source, task)


def _attempt(
    source: Source, task: Task, write: Callable[[Source, Task], Path]
) -> Path | Problem | None:
    """Return the temporary file of a source, or what is wrong with it; None where it is done."""
    origin = origin_of(task.target) if task.target.exists() else None
    if origin is not None and origin.get("terms") == task.origin["terms"]:
        return None
    try:
        temporary = write(source, task)
    except TraceFileError as error:
        return Problem(source.path, error.reason, str(error), error.hint)
    with writing_errors(temporary):
        sync(temporary)
    return temporary


def _copy(source: Source, target: Path, report: Upgrade) -> None:
    """Copy a file of our format, byte by byte, unless it is there."""
    if _digest(target) == source.file_digest:
        report.there += 1
        return
    temporary = target.with_name(layout.temporary_name(target.name))
    with writing_errors(target):
        make_folder(target.parent)
        try:
            shutil.copyfile(source.path, temporary)
            if _digest(temporary) != source.file_digest:
                error = f"{source.path}: it is not what it was a moment ago"
                report.failed.append(Problem(source.path, "changed while it was read", error))
                return
            appear([(temporary, target)])
        finally:
            temporary.unlink(missing_ok=True)
    report.copied += 1


def _digest(path: Path) -> str | None:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _write_records(plan: Plan, folder: Path, output: Path) -> None:
    by_run: dict[tuple[str, str], list[tuple[Source, Task]]] = defaultdict(list)
    for source, task in plan.traces:
        if task.target.exists():
            by_run[source.run_folder, source.run_id].append((source, task))
    for (old_run, run_id), traces in by_run.items():
        write_run_records(run_output(old_run, folder, output), old_run, traces, run_id=run_id)


def _remove_replaced(plan: Plan, folder: Path, output: Path, report: Upgrade) -> None:
    """Remove files that this command made from sources whose files are elsewhere by now."""
    targets = plan.targets
    current = set(targets.values())
    for path in output.rglob("*.parquet"):
        if path in current:
            continue
        origin = origin_of(path)
        made_from = None if origin is None else os.path.join(folder, str(origin.get("path")))
        now = targets.get(str(made_from))
        if now is not None and now.exists():
            path.unlink()
            report.removed += 1
        else:
            report.left_over.append(path)


def _chunks(
    traces: Sequence[tuple[Source, Task]],
) -> Iterable[list[tuple[Source, Task]]]:
    waiting = iter(traces)
    while some := list(islice(waiting, _TOGETHER)):
        yield some
