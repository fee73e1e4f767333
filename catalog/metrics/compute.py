"""
Compute the figures that the catalog lacks, or that were computed from something else than now.

Traces are read and measured in batches, two threads on two cores, while others use the catalog;
what is done is written a piece at a time. Whoever is stopped goes on where the last piece ended.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from catalog.errors import CatalogBusyError, QueryError
from catalog.metrics.batches import Job, Made, measure_batch, note_rows
from catalog.metrics.classifier import load_regimes
from catalog.metrics.deflate import deflate
from catalog.metrics.market import Market
from catalog.metrics.record import Piece, record_piece
from catalog.metrics.regimes import Regimes
from catalog.metrics.returns import Returned
from catalog.metrics.sets import MetricSet, find_set, record_set
from catalog.metrics.traces import Match, Trace, match_trace, select_traces
from catalog.prices.series import load_series
from catalog.query.chosen import chosen_ids
from catalog.statements import statement
from catalog.store.database import reading, writing
from catalog.store.paths import catalog_root
from catalog.store.transactions import transaction

VERSION = 1
"""Of the figures: what another version of this program computed is computed again."""

_CHANGES = 400_000
_SESSION_ROWS = 400_000
_PIECE_ROWS = 4_000_000
NO_PRICES = "no prices"

Series = tuple[str, str]


@dataclass
class Computation:
    """
    What a run did.

    `measured` counts traces; `skipped` are those whose figures were there, `sessions` the rows
    that daily_returns gained. `without_figures` counts the traces that have none by the reason,
    `notes` those of which some figure is NULL; `matched` counts by what traces were found among
    the prices with, ts or bar_index. `unpriced` are the symbols and timeframes without prices.
    """

    measured: int = 0
    skipped: int = 0
    rows: int = 0
    sessions: int = 0
    without_figures: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    matched: Counter[str] = field(default_factory=Counter)
    unpriced: set[tuple[str, str]] = field(default_factory=set)
    set_id: int = 0


@dataclass(frozen=True, eq=False)
class _Group:
    """The traces on one price series that are to be measured, and all that are there."""

    job: Job
    traces: list[tuple[Trace, Match]]
    unmatched: list[tuple[str, str]]
    trials: pa.Table
    lacks_returns: set[str]


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
        report.set_id = record_set(con, wanted)
        _, split = find_set(con, wanted)
    wanted = replace(wanted, split=split)
    groups = _plan(catalog, wanted, only, by_regime, report)
    total = sum(len(group.traces) for group in groups)
    done = 0
    for group in groups:
        for count in _run(catalog, group, report, workers or os.cpu_count() or 1):
            done += count
            progress(done, total)
    deflate(catalog, report.set_id)
    return report


def _plan(
    catalog: Path,
    wanted: MetricSet,
    only: list[str] | None,
    by_regime: str | None,
    report: Computation,
) -> list[_Group]:
    """Find out what is to be computed, and where each trace lies in its prices."""
    with reading(catalog) as con:
        every = select_traces(con, catalog_root(catalog))
        if not every:
            raise QueryError(
                "There is no signal trace to measure", hint="Register some: catalog register FOLDER"
            )
        series = load_series(con, catalog)
        regimes = load_regimes(con, by_regime, series) if by_regime is not None else {}
        values = {
            "set_id": report.set_id,
            "fill": wanted.terms.fill,
            "classifier": by_regime,
        }
        rows = con.execute(statement("select_measured"), values).fetchall()
        measured = {trace_id: state for trace_id, *state in rows}
        gone = _gone_packs(con, catalog)
    chosen = None if only is None else set(only)
    by_series: dict[Series, list[Trace]] = defaultdict(list)
    for trace in every:
        by_series[trace.symbol or "", trace.timeframe or ""].append(trace)
    now = datetime.now(UTC)
    groups = []
    timeframes: dict[str, list[str]] = defaultdict(list)
    for symbol, timeframe in series:
        timeframes[symbol].append(timeframe)
    for key, traces in by_series.items():
        one = series.get(key)
        market = None if one is None else Market(one)
        inputs = NO_PRICES if one is None else f"{one.digest} {wanted.split} v{VERSION}"
        states = None if one is None else regimes.get(key)
        marked = inputs if states is None else f"{inputs} {states.digest}"
        stale, lacks = [], set()
        for trace in traces:
            if chosen is not None and trace.trace_id not in chosen:
                continue
            known, returned, pack, by_state = measured.get(trace.trace_id, (None,) * 4)
            is_gone = pack in gone
            if one is not None and (is_gone or returned != one.digest):
                lacks.add(trace.trace_id)
            lacks_states = marked != inputs and by_state not in (marked, inputs)
            if known != inputs or lacks_states or is_gone:
                stale.append(trace)
            else:
                report.skipped += 1
        if not stale:
            continue
        if market is None:
            why = _no_series(key, timeframes.get(key[0], []))
            if all(key):
                report.unpriced.add(key)
            notes = [(trace.trace_id, why) for trace in stale]
            _record_unpriced(catalog, notes, report, wanted, now)
            continue
        groups.append(_group(market, traces, stale, lacks, wanted, report, inputs, now, states))
    return groups


def _gone_packs(con: DuckDBPyConnection, catalog: Path) -> set[str]:
    """Return the packs of session returns that somebody deleted."""
    root = catalog_root(catalog)
    paths = [path for (path,) in con.execute(statement("select_return_paths")).fetchall()]
    return {path for path in paths if not os.path.exists(f"{root}/{path}")}


def _no_series(key: Series, others: Sequence[str]) -> str:
    symbol, timeframe = key
    if not symbol or not timeframe:
        return "its symbol or timeframe is unknown"
    if others:
        return f"no {timeframe} prices of {symbol}, only {', '.join(sorted(others))}"
    return f"no prices of {symbol}"


def _record_unpriced(
    catalog: Path,
    notes: list[tuple[str, str]],
    report: Computation,
    wanted: MetricSet,
    now: datetime,
) -> None:
    table = note_rows(notes, set_id=report.set_id, inputs=NO_PRICES, computed_at=now)
    piece = Piece(report.set_id, wanted.terms.fill, [table], [], [_trial_table([])], [])
    record_piece(catalog, piece)
    report.without_figures[notes[0][1]] += len(notes)


def _group(
    market: Market,
    every: list[Trace],
    stale: list[Trace],
    lacks: set[str],
    wanted: MetricSet,
    report: Computation,
    inputs: str,
    now: datetime,
    regimes: Regimes | None,
) -> _Group:
    matches = {trace.trace_id: match_trace(trace, market.series) for trace in every}
    low, high = wanted.periods(market)["all"]
    trials = []
    for trace in every:
        match = matches[trace.trace_id]
        if isinstance(match, Match) and match.first <= high and match.last >= low:
            first, last = max(match.first, low), min(match.last, high)
            trials.append((first, last - first + 1, trace.content_digest, bool(trace.is_flat)))
    job = Job(market, wanted, report.set_id, inputs, now, regimes)
    traces, unmatched = [], []
    for trace in stale:
        match = matches[trace.trace_id]
        if isinstance(match, Match):
            traces.append((trace, match))
        else:
            unmatched.append((trace.trace_id, match))
    return _Group(job, traces, unmatched, _trial_table(trials, market, report.set_id), lacks)


def _trial_table(
    trials: list[tuple[int, int, str, bool]], market: Market | None = None, set_id: int = 0
) -> pa.Table:
    count = len(trials)
    symbol = "" if market is None else market.series.symbol
    timeframe = "" if market is None else market.series.timeframe
    columns: list[Any] = list(zip(*trials, strict=True)) if trials else [[], [], [], []]
    return pa.table(
        {
            "set_id": pa.repeat(pa.scalar(set_id, pa.int32()), count),
            "symbol": pa.repeat(pa.scalar(symbol, pa.string()), count),
            "timeframe": pa.repeat(pa.scalar(timeframe, pa.string()), count),
            "start_bar": pa.array(columns[0], pa.int64()),
            "bar_count": pa.array(columns[1], pa.int64()),
            "content_digest": pa.array(columns[2], pa.string()),
            "is_flat": pa.array(columns[3], pa.bool_()),
        }
    )


def _run(catalog: Path, group: _Group, report: Computation, workers: int) -> Iterator[int]:
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


def _measured(group: _Group, workers: int) -> Iterator[list[Made]]:
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


def _batches(group: _Group) -> Iterator[list[tuple[Trace, Match]]]:
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
    group: _Group,
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
