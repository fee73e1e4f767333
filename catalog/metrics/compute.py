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
from catalog.metrics.plan import NO_PRICES, Group, Plan, groups, plan_metrics
from catalog.metrics.record import Piece, record_piece
from catalog.metrics.returns import Returned
from catalog.metrics.sets import MetricSet, record_set
from catalog.metrics.traces import Match, Trace
from catalog.query.chosen import chosen_ids
from catalog.store.database import writing
from catalog.store.facts import facts_of, noting
from catalog.store.journal import append_facts
from catalog.store.transactions import transaction

_CHANGES = 400_000
_SESSION_ROWS = 400_000
_TRACES = 2_000  # Who waits is to see that it goes on.
_PIECE_ROWS = 1_000_000
_TRACE_WEIGHT = 100


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
    with writing(catalog) as con, transaction(con), noting(con, "metric_sets"):
        report.set_id, wanted = record_set(con, wanted, is_partial=where is not None)
    plan = plan_metrics(catalog, wanted, report.set_id, only=only, by_regime=by_regime)
    report.skipped, report.missing_series = plan.skipped, plan.missing_series
    asked = {"set_id": report.set_id, "by_regime": by_regime, "condition": where}
    if tuple(asked.values()) not in facts_of(catalog, "computations"):
        append_facts(catalog, "computations", [asked])
    results = _Results(catalog, plan, report)
    results.add_notes([(trace.trace_id, NO_PRICES, why) for trace, why in plan.without_prices])
    done = 0
    progress(done, plan.count)
    for group in groups(catalog, plan):
        results.begin(group)
        for batch in _measured(group, workers or os.cpu_count() or 1):
            results.add(group, batch)
            done += sum(one.traces for one in batch)
            progress(done, plan.count)
    results.write()
    deflate(catalog)
    return report


class _Results:
    """What was measured and is not written yet: it is, whenever there is enough of it."""

    def __init__(self, catalog: Path, plan: Plan, report: Computation) -> None:
        self._catalog = catalog
        self._plan = plan
        self._report = report
        self._weight = 0
        self._piece = self._new_piece()

    def _new_piece(self) -> Piece:
        return Piece(self._plan.set_id, self._plan.wanted.terms.fill, [])

    def add_notes(self, notes: list[tuple[str, str, str]]) -> None:
        """Add traces that cannot be measured: id, inputs and reason of each."""
        if notes:
            same = {"set_id": self._plan.set_id, "computed_at": self._plan.computed_at}
            self._piece.metrics.append(note_rows(notes, **same))
            self._weight += len(notes) * _TRACE_WEIGHT

    def begin(self, group: Group) -> None:
        """Add what is known of a group before it is measured."""
        series = group.job.market.series
        key = (series.symbol, series.timeframe)
        self._piece.sources.add((*key, series.digest))
        self._piece.trials.append(group.trials)
        low, high = group.job.wanted.periods(group.job.market)["all"]
        if low <= high:
            self._piece.ranges.append((*key, *series.known_at[[low, high]].tolist()))
        self.add_notes(
            [(one.trace_id, one.inputs(series.digest), why) for one, why in group.unmatched]
        )

    def add(self, group: Group, batch: list[Made]) -> None:
        """Add traces that were measured."""
        series = group.job.market.series
        self._piece.sources.add((series.symbol, series.timeframe, series.digest))
        for one in batch:
            self._piece.metrics.append(one.metrics)
            self._weight += one.traces * _TRACE_WEIGHT
            if one.sessions is not None:
                self._weight += len(one.sessions.net)
                self._piece.returned.append(
                    Returned(one.returned, one.inputs, one.sessions, series.session_dates)
                )
        if self._weight >= _PIECE_ROWS:
            self.write()

    def write(self) -> None:
        """
        Write what there is.

        Raises:
            CatalogBusyError: other prices were added meanwhile.
        """
        piece, self._piece, self._weight = self._piece, self._new_piece(), 0
        if not piece.metrics:
            return
        if not record_piece(self._catalog, piece):
            raise CatalogBusyError(
                "Other prices were added while figures were computed from "
                + ", ".join(f"{symbol} {timeframe}" for symbol, timeframe, _ in piece.sources),
                hint="Run catalog metrics again: it goes on with the new ones",
            )
        for table in piece.metrics:
            _count(table, self._report)
        self._report.sessions += sum(len(one.sessions.net) for one in piece.returned)


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
            if changes >= _CHANGES or rows >= _SESSION_ROWS or len(batch) >= _TRACES:
                yield batch
                batch, changes, rows = [], 0, 0
        if batch:
            yield batch


def _count(table: pa.Table, report: Computation) -> None:
    own = table.filter(pc.field("regime").is_null()).select(["period", "matched_by", "note"])
    for period, matched_by, note in zip(*(column.to_pylist() for column in own), strict=True):
        if period != "all":
            if matched_by is None:
                report.notes[f"{period}: {note}"] += 1
            continue
        if matched_by is None:
            report.without_figures[note] += 1
            continue
        report.measured += 1
        report.matched[matched_by] += 1
        if note is not None:
            report.notes.update(note.split("; "))
