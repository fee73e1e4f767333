"""
Compute the figures that the catalog lacks, or that were computed from something else than now.

Traces are read and measured in batches, two threads on two cores, while others use the catalog;
what is done is written a piece at a time. Whoever is stopped goes on where the last piece ended.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import CatalogBusyError
from catalog.metrics.batches import Made, measure_batch, note_rows
from catalog.metrics.deflate import deflate
from catalog.metrics.plan import NO_PRICES, Group, Plan, groups, plan_metrics, trial_table
from catalog.metrics.record import Piece, record_piece
from catalog.metrics.returns import Returned
from catalog.metrics.sets import MetricSet, record_set
from catalog.metrics.traces import Match, Trace
from catalog.query.chosen import chosen_ids
from catalog.store.database import writing
from catalog.store.transactions import transaction

_CHANGES = 400_000
_SESSION_ROWS = 400_000
_PIECE_ROWS = 1_000_000


@dataclass
class Computation:
    """
    What a run did.

    `measured` counts traces; `skipped` are those whose figures were there, `sessions` the rows
    that daily_returns gained. `without_figures` counts the traces that have none by the reason,
    `notes` those of which some figure is NULL; `matched` counts by what traces were found among
    the prices with, ts or bar_index. `missing_series` are symbols and timeframes without prices.
    """

    measured: int = 0
    skipped: int = 0
    rows: int = 0
    sessions: int = 0
    without_figures: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    matched: Counter[str] = field(default_factory=Counter)
    missing_series: set[tuple[str, str]] = field(default_factory=set)
    set_id: int = 0


def compute_metrics(
    catalog: Path,
    wanted: MetricSet,
    *,
    where: str | None = None,
    by_regime: str | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Computation:
    """
    Compute what is missing or stale of a metric set.

    Args:
        where: only the traces that meet a condition on the columns of `strategy_index`.
        by_regime: also in each state of this classifier, by its hash, type or id.
        workers: threads; one per core unless given.

    Raises:
        QueryError: the condition is none, nothing meets it, or there is no such classifier.
        StoreError: the catalog cannot be used, or prices were added meanwhile.
    """
    report = Computation()
    only = chosen_ids(catalog, run=None, where=where)
    with writing(catalog) as con, transaction(con):
        report.set_id, wanted = record_set(con, wanted)
    plan = plan_metrics(catalog, wanted, report.set_id, only=only, by_regime=by_regime)
    report.skipped, report.missing_series = plan.skipped, plan.missing_series
    _record_without_prices(catalog, plan, wanted, report)
    done = 0
    for group in groups(catalog, plan):
        for count in _run(catalog, group, report, workers or os.cpu_count() or 1):
            done += count
            progress(done, plan.count)
    deflate(catalog, report.set_id)
    return report


def _record_without_prices(
    catalog: Path, plan: Plan, wanted: MetricSet, report: Computation
) -> None:
    if not plan.without_prices:
        return
    table = note_rows(
        plan.without_prices,
        set_id=report.set_id,
        inputs=NO_PRICES,
        computed_at=plan.computed_at,
    )
    piece = Piece(report.set_id, wanted.terms.fill, [table], [], [trial_table([])], [])
    record_piece(catalog, piece)
    _count(table, report)


def _run(catalog: Path, group: Group, report: Computation, workers: int) -> Iterator[int]:
    """Measure the traces of a group and write them, yielding how many were written."""
    series = group.job.market.series
    source = (series.symbol, series.timeframe, series.digest)
    made: list[Made] = []
    trials = group.trials
    if group.unmatched:
        same = {
            "set_id": group.job.set_id,
            "inputs": group.job.inputs,
            "computed_at": group.job.computed_at,
        }
        made.append(Made(note_rows(group.unmatched, **same), traces=len(group.unmatched)))
    for batch in _measured(group, workers):
        made += batch
        yield sum(one.traces for one in batch)
        if sum(_weight(one) for one in made) >= _PIECE_ROWS:
            _write(catalog, group, made, trials, source, report)
            made, trials = [], trials.slice(0, 0)
    if made:
        _write(catalog, group, made, trials, source, report)


def _weight(one: Made) -> int:
    return 0 if one.sessions is None else len(one.sessions.net)


def _measured(group: Group, workers: int) -> Iterator[list[Made]]:
    """Measure batches side by side; as many wait to be taken as there are workers."""
    batches = _batches(group)
    with ThreadPoolExecutor(workers) as pool:
        running: set[Future[list[Made]]] = set()
        try:
            for batch in batches:
                wants = any(trace.trace_id in group.lacks_returns for trace, _ in batch)
                running.add(pool.submit(measure_batch, group.job, batch, wants_returns=wants))
                if len(running) > workers:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for one in done:
                        yield one.result()
            for one in running:
                yield one.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _batches(group: Group) -> Iterator[list[tuple[Trace, Match]]]:
    """Cut the traces into batches of about the same work, each with session returns or without."""
    session = group.job.market.grid.of_bar
    for lacking in (True, False):
        batch: list[tuple[Trace, Match]] = []
        changes = rows = 0
        for trace, match in group.traces:
            if (trace.trace_id in group.lacks_returns) != lacking:
                continue
            batch.append((trace, match))
            changes += trace.row_count
            rows += int(session[match.last] - session[match.first]) + 1
            if changes >= _CHANGES or rows >= _SESSION_ROWS:
                yield batch
                batch, changes, rows = [], 0, 0
        if batch:
            yield batch


def _write(
    catalog: Path,
    group: Group,
    made: list[Made],
    trials: pa.Table,
    source: tuple[str, str, str],
    report: Computation,
) -> None:
    dates = group.job.market.series.session_dates
    returned = [
        (Returned(one.returned, one.sessions, dates), group.job.market.series.digest)
        for one in made
        if one.sessions is not None
    ]
    tables = [one.metrics for one in made]
    fill = group.job.wanted.terms.fill
    piece = Piece(group.job.set_id, fill, tables, returned, [trials], [source])
    if not record_piece(catalog, piece):
        raise CatalogBusyError(
            f"Other prices of {source[0]} {source[1]} were added while figures were computed",
            hint="Run catalog metrics again: it goes on with the new ones",
        )
    for table in tables:
        _count(table, report)
    report.sessions += sum(_weight(one) for one in made)


def _count(table: pa.Table, report: Computation) -> None:
    report.rows += table.num_rows
    own = table.filter((pc.field("period") == "all") & pc.field("regime").is_null())
    for matched_by, note in zip(
        own["matched_by"].to_pylist(), own["note"].to_pylist(), strict=True
    ):
        if matched_by is None:
            report.without_figures[note] += 1
            continue
        report.measured += 1
        report.matched[matched_by] += 1
        if note is not None:
            report.notes.update(note.split("; "))
