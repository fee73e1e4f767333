"""A batch of traces on one price series: read, measured, and made into rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.metrics.changes import Changes, read_changes
from catalog.metrics.holdings import Holdings, clip, holdings_of_changes
from catalog.metrics.market import Market
from catalog.metrics.measure import Measured, measure
from catalog.metrics.regimes import Regimes
from catalog.metrics.sessions import SessionReturns
from catalog.metrics.sets import MetricSet
from catalog.metrics.terms import Terms
from catalog.metrics.traces import Match, Trace

FIGURES = (
    "start_bar", "bar_count", "sessions", "total_return", "annual_return", "volatility", "sharpe",
    "sharpe_bar", "sharpe_session", "sortino", "calmar", "max_drawdown", "drawdown_bars",
    "exposure", "net_exposure", "time_in_market", "turnover", "trades", "hit_rate",
    "profit_factor", "mean_holding", "breakeven_cost_bps", "overnight_share", "skew", "kurtosis",
    "benchmark_return", "benchmark_sharpe", "beta", "alpha", "correlation", "drift_sharpe",
)  # fmt: skip
WHOLE = frozenset({"start_bar", "bar_count", "sessions", "drawdown_bars", "trades"})


@dataclass(frozen=True)
class Job:
    """What is the same for all batches on one price series."""

    market: Market
    wanted: MetricSet
    set_id: int
    inputs: str
    computed_at: datetime
    regimes: Regimes | None = None


@dataclass(frozen=True, eq=False)
class Made:
    """Rows for the tables `metric` and, without their numbers, `session_returns`."""

    metrics: pa.Table
    returned: tuple[str, ...] = ()
    sessions: SessionReturns | None = None
    traces: int = 0


def measure_batch(
    job: Job, traces: list[tuple[Trace, Match]], *, wants_returns: bool
) -> list[Made]:
    """
    Measure traces of one price series over every period and regime.

    Args:
        wants_returns: return what they earned each session as well, gross.
    """
    plain = [one for one in traces if one[1].offset is not None]
    by_time = [one for one in traces if one[1].offset is None]
    made = []
    for part, with_times in ((plain, False), (by_time, True)):
        if part:
            changes = read_changes([trace for trace, _ in part], with_times=with_times)
            bars, failed = _series_bars(changes, [match for _, match in part], job.market)
            made.append(_measure(job, part, replace(changes, bars=bars), failed, wants_returns))
    return made


def note_rows(notes: list[tuple[str, str]], **same: Any) -> pa.Table:
    """Return rows of `metric` for traces that cannot be measured, with the reason."""
    columns = {name: pa.nulls(len(notes), _type(name)) for name in FIGURES}
    return _rows(
        [trace_id for trace_id, _ in notes],
        columns,
        notes=[note for _, note in notes],
        matched_by=[None] * len(notes),
        **same,
    )


def _series_bars(
    changes: Changes, matches: list[Match], market: Market
) -> tuple[NDArray[np.int64], dict[str, str]]:
    """Return the rows' bars in the price series, and which traces have rows without a bar."""
    failed = dict(changes.failed)
    counts = np.diff(changes.offsets)
    if len(changes.times) == 0:
        offsets = np.array([match.offset or 0 for match in matches], np.int64)
        return changes.bars + np.repeat(offsets, counts), failed
    times = market.series.ts
    found = np.minimum(np.searchsorted(times, changes.times), len(times) - 1)
    strange = times[found] != changes.times
    for row in np.unique(np.repeat(np.arange(len(counts)), counts)[strange]).tolist():
        failed[changes.traces[row].trace_id] = "the prices lack bars that it has rows at"
    return found, failed


def _measure(
    job: Job,
    traces: list[tuple[Trace, Match]],
    changes: Changes,
    failed: dict[str, str],
    wants_returns: bool,
) -> Made:
    keep = np.array([trace.trace_id not in failed for trace, _ in traces])
    rows = np.repeat(keep, np.diff(changes.offsets))
    counts = np.diff(changes.offsets)[keep]
    sound = [one for one, is_sound in zip(traces, keep.tolist(), strict=True) if is_sound]
    same = _same(job)
    tables = [note_rows(list(failed.items()), **same)] if failed else []
    if not sound:
        return Made(pa.concat_tables(tables), traces=len(traces))
    whole = holdings_of_changes(
        changes.bars[rows],
        changes.values[rows],
        offsets=np.concatenate(([0], np.cumsum(counts))),
        first=np.array([match.first for _, match in sound]),
        last=np.array([match.last for _, match in sound]),
    )
    ids = [trace.trace_id for trace, _ in sound]
    by = [match.by for _, match in sound]
    kept: SessionReturns | None = None
    periods = job.wanted.periods(job.market)
    for period, (low, high) in periods.items():
        inside = (whole.first <= high) & (whole.last >= low)
        if not inside.all():
            outside = [(ids[row], _OUTSIDE) for row in np.flatnonzero(~inside).tolist()]
            tables.append(note_rows(outside, **(same | {"period": period})))
        if not inside.any():
            continue
        chosen = np.flatnonzero(inside).tolist()
        part = whole if inside.all() else _only(whole, inside)
        first, last = np.maximum(part.first, low), np.minimum(part.last, high)
        is_whole = bool((first == part.first).all() and (last == part.last).all())
        part = part if is_whole else clip(part, first, last)
        measured = measure(part, job.market, job.wanted.terms)
        if is_whole and inside.all() and job.wanted.terms.cost_bps == 0:
            kept = measured.sessions
        names, matched = [ids[row] for row in chosen], [by[row] for row in chosen]
        tables.append(_metric_rows(measured, names, matched, **(same | {"period": period})))
        if job.regimes is not None and period == "all":
            for regime, rows_in, found in job.regimes.measure(part, job.market, job.wanted.terms):
                picked = [chosen[row] for row in rows_in.tolist()]
                tables.append(
                    _metric_rows(
                        found,
                        [ids[row] for row in picked],
                        [by[row] for row in picked],
                        **(same | _of_regime(job, job.regimes, regime)),
                    )
                )
    if wants_returns and kept is None:
        kept = measure(whole, job.market, Terms(0.0, job.wanted.terms.fill)).sessions
    return Made(pa.concat_tables(tables), tuple(ids), kept if wants_returns else None, len(traces))


_OUTSIDE = "none of its bars are in the range asked for"


def _only(holdings: Holdings, keep: NDArray[np.bool_]) -> Holdings:
    """Return the holdings of some strategies."""
    rows = keep[holdings.strategy]
    number = np.cumsum(keep) - 1
    counts = np.diff(holdings.offsets)[keep]
    return Holdings(
        number[holdings.strategy[rows]],
        holdings.start[rows],
        holdings.end[rows],
        holdings.position[rows],
        holdings.previous[rows],
        np.concatenate(([0], np.cumsum(counts))),
        holdings.first[keep],
        holdings.last[keep],
        holdings.origin[keep],
    )


def _of_regime(job: Job, regimes: Regimes, regime: str) -> dict[str, Any]:
    return {
        "inputs": f"{job.inputs} {regimes.digest}",
        "classifier": regimes.classifier,
        "regime": regime,
    }


def _same(job: Job) -> dict[str, Any]:
    return {
        "set_id": job.set_id,
        "inputs": job.inputs,
        "computed_at": job.computed_at,
        "sessions_per_year": job.market.sessions_per_year,
        "bars_per_year": job.market.bars_per_year,
    }


def _metric_rows(
    measured: Measured, trace_ids: list[str], matched_by: list[str], **same: Any
) -> pa.Table:
    columns = {}
    for name in FIGURES:
        values = measured.figures[name]
        mask = None if name in WHOLE else np.isnan(values)
        columns[name] = pa.array(values, _type(name), mask=mask)
    return _rows(trace_ids, columns, notes=measured.notes.texts(), matched_by=matched_by, **same)


def _type(name: str) -> pa.DataType:
    return pa.int64() if name in WHOLE else pa.float64()


def _rows(
    trace_ids: list[str],
    columns: dict[str, Any],
    *,
    notes: list[str] | list[str | None],
    matched_by: list[Any],
    set_id: int,
    inputs: str,
    computed_at: datetime,
    period: str = "all",
    classifier: str | None = None,
    regime: str | None = None,
    sessions_per_year: float | None = None,
    bars_per_year: float | None = None,
) -> pa.Table:
    count = len(trace_ids)

    def repeated(value: Any, kind: pa.DataType) -> Any:
        return pa.repeat(pa.scalar(value, kind), count)

    text, number = pa.string(), pa.float64()
    return pa.table(
        {
            "trace_id": pa.array(trace_ids, text),
            "set_id": repeated(set_id, pa.int32()),
            "period": repeated(period, text),
            "classifier": repeated(classifier, text),
            "regime": repeated(regime, text),
            "inputs": repeated(inputs, text),
            "matched_by": pa.array(matched_by, text),
            **columns,
            "sessions_per_year": repeated(sessions_per_year, number),
            "bars_per_year": repeated(bars_per_year, number),
            "note": pa.array(notes, text),
            "computed_at": repeated(computed_at, pa.timestamp("us", "UTC")),
        }
    )
