"""What is to be computed: the traces that lack figures, each with its place among the prices."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.errors import CatalogBusyError, QueryError
from catalog.metrics.batches import Job
from catalog.metrics.classifier import load_regimes
from catalog.metrics.market import Market
from catalog.metrics.regimes import Regimes
from catalog.metrics.sets import MetricSet
from catalog.metrics.traces import Match, Trace, match_trace, select_traces
from catalog.prices.series import load_series
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.paths import catalog_root

NO_PRICES = "no prices"

Series = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Group:
    """
    The traces on one price series that are to be measured.

    `unmatched` are those whose bars cannot be told, with the reason; `lacks_returns` those whose
    session returns are wanted too. `trials` has all that was ever tried on the series.
    """

    job: Job
    traces: list[tuple[Trace, Match]]
    unmatched: list[tuple[Trace, str]]
    trials: pa.Table
    lacks_returns: set[str]


@dataclass(eq=False)
class Plan:
    """
    All that is to be measured: `count` traces. `skipped` counts those whose figures are there.

    `without_prices` are traces with the reason, `missing_series` their symbols and timeframes.
    """

    set_id: int
    wanted: MetricSet
    computed_at: datetime
    known: _Known
    stale: dict[Series, list[Trace]] = field(default_factory=dict)
    without_prices: list[tuple[Trace, str]] = field(default_factory=list)
    missing_series: set[Series] = field(default_factory=set)
    skipped: int = 0

    @property
    def count(self) -> int:
        return sum(len(traces) for traces in self.stale.values())


@dataclass(frozen=True, eq=False)
class _Known:
    """What the catalog holds: traces by series, digests of prices, what was measured."""

    traces: dict[Series, list[Trace]]
    digests: dict[Series, str]
    regimes: dict[Series, Regimes]
    measured: dict[str, tuple[Any, ...]]
    gone: set[str]


def plan_metrics(
    catalog: Path,
    wanted: MetricSet,
    set_id: int,
    *,
    only: list[str] | None,
    by_regime: str | None,
) -> Plan:
    """
    Find out which traces of a metric set are to be measured.

    Args:
        only: the ids of those that may be, or None for all.
        by_regime: the classifier in whose states they are to be measured too.

    Raises:
        QueryError: there are no traces, or no such classifier.
        StoreError: the catalog or its prices cannot be read.
    """
    known = _load(catalog, wanted, set_id, by_regime)
    chosen = None if only is None else set(only)
    plan = Plan(set_id, wanted, datetime.now(UTC), known)
    for key, traces in known.traces.items():
        asked = [one for one in traces if chosen is None or one.trace_id in chosen]
        digest = known.digests.get(key)
        if digest is None:
            stale = [one for one in asked if _inputs_of(known, one) != NO_PRICES]
            why = _no_series(key, [own for symbol, own in known.digests if symbol == key[0]])
            plan.without_prices += [(one, why) for one in stale]
            plan.missing_series |= {key} if stale and all(key) else set()
        else:
            stale = _stale(asked, known, digest, plan)
            if stale:
                plan.stale[key] = stale
        plan.skipped += len(asked) - len(stale)
    return plan


def groups(catalog: Path, plan: Plan) -> Iterator[Group]:
    """
    Yield the traces that are to be measured, a price series at a time, which is loaded then.

    Raises:
        StoreError: prices cannot be read.
    """
    for key, stale in plan.stale.items():
        with reading(catalog) as con:
            series = load_series(con, catalog, {key}).get(key)
        if series is None:
            raise CatalogBusyError(
                f"The prices of {key[0]} {key[1]} were taken away while figures were computed",
                hint="Run catalog metrics again",
            )
        job = Job(
            Market(series),
            plan.wanted,
            plan.set_id,
            plan.computed_at,
            plan.known.regimes.get(key),
        )
        yield _group(job, plan.known.traces[key], stale, plan.known)


def trial_table(trials: Sequence[tuple[int, int, str, bool]], series: Series) -> pa.Table:
    """
    Return rows of `trial`.

    Args:
        trials: of each when its first and last bar ended (microseconds since 1970), its content
            digest, and whether it is flat.
    """
    count = len(trials)
    columns: list[Any] = list(zip(*trials, strict=True)) if trials else [[], [], [], []]
    moment = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "symbol": pa.repeat(pa.scalar(series[0], pa.string()), count),
            "timeframe": pa.repeat(pa.scalar(series[1], pa.string()), count),
            "from_ts": pa.array(columns[0], pa.int64()).cast(moment),
            "to_ts": pa.array(columns[1], pa.int64()).cast(moment),
            "content_digest": pa.array(columns[2], pa.string()),
            "is_flat": pa.array(columns[3], pa.bool_()),
        }
    )


def _load(catalog: Path, wanted: MetricSet, set_id: int, by_regime: str | None) -> _Known:
    with reading(catalog) as con:
        traces: dict[Series, list[Trace]] = defaultdict(list)
        for trace in select_traces(con, catalog_root(catalog)):
            traces[trace.symbol or "", trace.timeframe or ""].append(trace)
        if not traces:
            raise QueryError(
                "There is no signal trace to measure", hint="Register some: catalog register FOLDER"
            )
        rows = con.execute(statement("select_price_digests")).fetchall()
        digests = {(symbol, timeframe): digest for symbol, timeframe, digest in rows}
        regimes = load_regimes(con, catalog, by_regime) if by_regime is not None else {}
        values = {"set_id": set_id, "fill": wanted.terms.fill}
        rows = con.execute(statement("select_measured"), values).fetchall()
        measured = {trace_id: tuple(state) for trace_id, *state in rows}
        return _Known(traces, digests, regimes, measured, _gone_packs(con, catalog))


def _gone_packs(con: DuckDBPyConnection, catalog: Path) -> set[str]:
    """Return the packs of session returns that somebody deleted."""
    root = catalog_root(catalog)
    paths = [path for (path,) in con.execute(statement("select_return_paths")).fetchall()]
    return {path for path in paths if not os.path.exists(f"{root}/{path}")}


def _inputs_of(known: _Known, trace: Trace) -> str | None:
    inputs: str | None = known.measured.get(trace.trace_id, (None,))[0]
    return inputs


def _stale(traces: list[Trace], known: _Known, digest: str, plan: Plan) -> list[Trace]:
    """Return those of which some figure, period, regime or return is not of what is there now."""
    periods = 1 + 2 * (plan.wanted.split is not None) + (plan.wanted.folds or 0)
    stale = []
    for trace in traces:
        inputs = trace.inputs(digest)
        own, is_matched, count, returned, pack, by_regime = known.measured.get(
            trace.trace_id, (None,) * 6
        )
        regimes = known.regimes.get((trace.symbol or "", trace.timeframe or ""))
        lacks = own != inputs
        if is_matched and not lacks:
            lacks = count != periods or returned != inputs or pack in known.gone
            lacks |= regimes is not None and f"{inputs} {regimes.digest}" not in (by_regime or [])
        if lacks:
            stale.append(trace)
    return stale


def _no_series(key: Series, others: Sequence[str]) -> str:
    symbol, timeframe = key
    if not symbol or not timeframe:
        return "its symbol or timeframe is unknown"
    if others:
        return f"no {timeframe} prices of {symbol}, only {', '.join(sorted(others))}"
    return f"no prices of {symbol}"


def _group(job: Job, every: list[Trace], stale: list[Trace], known: _Known) -> Group:
    """Match all traces of a series: those that are not measured now were tried as well."""
    series = job.market.series
    matches = {trace.trace_id: match_trace(trace, series) for trace in every}
    trials = []
    for trace in every:
        match = matches[trace.trace_id]
        if isinstance(match, Match):
            ends = series.known_at[[match.first, match.last]].tolist()
            trials.append((*ends, trace.content_digest, bool(trace.is_flat)))
    traces, unmatched, lacking = [], [], set()
    for trace in stale:
        match = matches[trace.trace_id]
        if isinstance(match, Match):
            traces.append((trace, match))
        else:
            unmatched.append((trace, match))
        _, _, _, returned, pack, _ = known.measured.get(trace.trace_id, (None,) * 6)
        if returned != trace.inputs(series.digest) or pack in known.gone:
            lacking.add(trace.trace_id)
    key = (series.symbol, series.timeframe)
    return Group(job, traces, unmatched, trial_table(trials, key), lacking)
