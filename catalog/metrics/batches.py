"""A batch of traces on one price series: read, measured, and made into rows."""

from __future__ import annotations

from collections.abc import Iterator
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
from catalog.metrics.notes import OTHER_PRICES
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
_MOMENT = pa.timestamp("us", "UTC")
WHOLE = frozenset({"start_bar", "bar_count", "sessions", "drawdown_bars", "trades"})


@dataclass(frozen=True)
class Job:
    """What is the same for all batches on one price series."""

    market: Market
    wanted: MetricSet
    set_id: int
    computed_at: datetime
    regimes: Regimes | None = None


@dataclass(frozen=True, eq=False)
class Made:
    """Rows of the table `metric`, and what the traces in `returned` earned in each session."""

    metrics: pa.Table
    returned: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
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


def note_rows(notes: list[tuple[str, str, str]], **same: Any) -> pa.Table:
    """Return rows of `metric` for traces that cannot be measured: id, inputs and reason of each."""
    columns = {name: pa.nulls(len(notes), _type(name)) for name in FIGURES}
    nothing: list[Any] = [None] * len(notes)
    own = _Own([trace_id for trace_id, _, _ in notes], [inputs for _, inputs, _ in notes], nothing)
    ends = pa.nulls(len(notes), _MOMENT)
    return _rows(own, columns, ends, ends, notes=[note for _, _, note in notes], **same)


@dataclass(frozen=True)
class _Own:
    """What each row of some has of its own: the trace, its inputs, how it was found."""

    trace_ids: list[str]
    inputs: list[str]
    matched_by: list[Any]

    def of(self, rows: list[int], *, suffix: str = "") -> _Own:
        """Return some, with something added to their inputs."""
        return _Own(
            [self.trace_ids[row] for row in rows],
            [self.inputs[row] + suffix for row in rows],
            [self.matched_by[row] for row in rows],
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
    digest = job.market.series.digest
    tables = []
    if failed:
        traces_of = {trace.trace_id: trace for trace, _ in traces}
        notes = [(one, traces_of[one].inputs(digest), why) for one, why in failed.items()]
        tables.append(note_rows(notes, **same))
    if not sound:
        return Made(pa.concat_tables(tables), traces=len(traces))
    whole = holdings_of_changes(
        changes.bars[rows],
        changes.values[rows],
        offsets=np.concatenate(([0], np.cumsum(counts))),
        first=np.array([match.first for _, match in sound]),
        last=np.array([match.last for _, match in sound]),
    )
    own = _Own(
        [trace.trace_id for trace, _ in sound],
        [trace.inputs(digest) for trace, _ in sound],
        [match.by for _, match in sound],
    )
    strange = job.market.strange_prices(
        [trace.data_digest for trace, _ in sound], whole.first, whole.last
    )
    kept: SessionReturns | None = None
    for period, (low, high) in job.wanted.periods(job.market).items():
        inside = (whole.first <= high) & (whole.last >= low)
        outside = np.flatnonzero(~inside).tolist()
        if outside:
            notes = [(own.trace_ids[row], own.inputs[row], _OUTSIDE) for row in outside]
            tables.append(note_rows(notes, **(same | {"period": period})))
        if not inside.any():
            continue
        chosen = np.flatnonzero(inside).tolist()
        part = _only(whole, inside) if outside else whole
        first, last = np.maximum(part.first, low), np.minimum(part.last, high)
        is_whole = bool((first == part.first).all() and (last == part.last).all())
        part = part if is_whole else clip(part, first, last)
        measured = measure(part, job.market, job.wanted.terms)
        measured.notes.add(strange[inside], OTHER_PRICES)
        if is_whole and not outside and job.wanted.terms.cost_bps == 0:
            kept = measured.sessions
        here = same | {"period": period}
        tables.append(_metric_rows(job, measured, own.of(chosen), part, **here))
        if job.regimes is not None and period == "all":
            tables += _regime_rows(job, job.regimes, part, own.of(chosen), **here)
    if wants_returns and kept is None:
        kept = measure(whole, job.market, Terms(0.0, job.wanted.terms.fill)).sessions
    return Made(
        pa.concat_tables(tables),
        tuple(own.trace_ids),
        tuple(own.inputs),
        kept if wants_returns else None,
        len(traces),
    )


def _regime_rows(
    job: Job, regimes: Regimes, part: Holdings, own: _Own, **same: Any
) -> Iterator[pa.Table]:
    for regime, seen, found in regimes.measure(part, job.market, job.wanted.terms):
        rows = seen.tolist()
        named = {"classifier": regimes.classifier, "regime": regime}
        picked = own.of(rows, suffix=f" {regimes.digest}")
        yield _metric_rows(job, found, picked, part, rows=rows, **(same | named))


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


def _same(job: Job) -> dict[str, Any]:
    return {
        "set_id": job.set_id,
        "computed_at": job.computed_at,
        "sessions_per_year": job.market.sessions_per_year,
        "bars_per_year": job.market.bars_per_year,
    }


def _metric_rows(
    job: Job,
    measured: Measured,
    own: _Own,
    part: Holdings,
    *,
    rows: list[int] | None = None,
    **same: Any,
) -> pa.Table:
    columns = {}
    for name in FIGURES:
        values = measured.figures[name]
        mask = None if values.dtype != np.float64 else np.isnan(values)
        columns[name] = pa.array(values, mask=mask).cast(_type(name))
    known_at = job.market.series.known_at
    first, last = (part.first, part.last) if rows is None else (part.first[rows], part.last[rows])
    starts, ends = (pa.array(known_at[bars]).cast(_MOMENT) for bars in (first, last))
    return _rows(own, columns, starts, ends, notes=measured.notes.texts(), **same)


def _type(name: str) -> pa.DataType:
    return pa.int64() if name in WHOLE else pa.float64()


def _rows(
    own: _Own,
    columns: dict[str, Any],
    starts: Any,
    ends: Any,
    *,
    notes: list[str] | list[str | None],
    set_id: int,
    computed_at: datetime,
    period: str = "all",
    classifier: str | None = None,
    regime: str | None = None,
    sessions_per_year: float | None = None,
    bars_per_year: float | None = None,
) -> pa.Table:
    count = len(own.trace_ids)

    def repeated(value: Any, kind: pa.DataType) -> Any:
        return pa.repeat(pa.scalar(value, kind), count)

    text, number = pa.string(), pa.float64()
    return pa.table(
        {
            "trace_id": pa.array(own.trace_ids, text),
            "set_id": repeated(set_id, pa.int32()),
            "period": repeated(period, text),
            "classifier": repeated(classifier, text),
            "regime": repeated(regime, text),
            "inputs": pa.array(own.inputs, text),
            "matched_by": pa.array(own.matched_by, text),
            "from_ts": starts,
            "to_ts": ends,
            **columns,
            "sessions_per_year": repeated(sessions_per_year, number),
            "bars_per_year": repeated(bars_per_year, number),
            "note": pa.array(notes, text),
            "computed_at": repeated(computed_at, _MOMENT),
        }
    )
