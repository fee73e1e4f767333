"""What strategies grew to, session by session or by the bar, and buy and hold beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from catalog.compare.told_apart import told_apart
from catalog.errors import QueryError
from catalog.metrics.sets import MetricSet, options_of
from catalog.plots.bars import read_courses
from catalog.plots.held import read_held
from catalog.plots.thin import thin
from catalog.query.run import execute
from catalog.statements import statement
from catalog.store.database import reading

Floats = NDArray[np.float64]

POINTS = 1500
FEW_SESSIONS = 20
"""Below so many, as for annualised figures, sessions are too few to see anything."""
COLUMNS = ["label", "trace_id", "date", "equity", "drawdown"]


@dataclass(frozen=True, eq=False)
class Curves:
    """
    The equity of strategies, and of what buying and holding would have made.

    `curves` has label, trace_id (NULL for buy and hold), date, equity (of 1 at the start, after
    the session) and drawdown (a fraction of the peak so far, 0 or negative, at session ends).
    Labels come in the order that was asked for, each with its sessions in order; `buy and hold
    SYMBOL` comes last. Where no trace has twenty sessions, the rows are of bars (`by_bar`), and
    date is the time of a bar.

    Of one trace there is also `price` (ts, price) and `held` (from_ts, to_ts, position), in the
    market's own time; NULL where they are not known.
    """

    curves: pa.Table
    price: pa.Table | None
    held: pa.Table | None

    @property
    def by_bar(self) -> bool:
        """Whether rows are of bars, because there are too few sessions."""
        return bool(pa.types.is_timestamp(self.curves.schema.field("date").type))

    @property
    def labels(self) -> list[str]:
        """The label of each curve, in order."""
        return list(dict.fromkeys(self.curves["label"].to_pylist()))


def read_curves(
    catalog: Path,
    trace_ids: Sequence[str],
    *,
    points: int = POINTS,
    wanted: MetricSet | None = None,
    position: bool = True,
) -> Curves:
    """
    Return the equity and drawdown of some traces, net of cost as cost × turnover.

    Args:
        points: so many of each curve at most; the extremes among those left out stay.
        wanted: the terms, the first session and the last; without cost and all unless given.
        position: whether to read price and position too, where it is one trace.

    Raises:
        QueryError: one of them has no session returns.
        StoreError: the catalog cannot be used.
    """
    wanted = wanted or MetricSet()
    ids = list(dict.fromkeys(trace_ids))
    values: dict[str, object] = {"trace_ids": ids, "first": wanted.start, "last": wanted.end}
    terms = {"fill": wanted.terms.fill, "cost": wanted.terms.cost_bps / 1e4}
    with reading(catalog) as con:
        traces = execute(con, statement("plot_named"), {"trace_ids": ids}).table
        net = execute(con, statement("select_net_returns"), values | terms).table
        number = net["number"].to_numpy()
        _check(traces, ids, number, wanted)
        bounds = {
            "first": wanted.start or _first(net["session_date"]),
            "last": wanted.end or _last(net["session_date"]),
        }
        parts = _strategies(traces, net, points)
        parts += _benchmarks(con, values | bounds, points)
    if wanted == MetricSet() and np.bincount(number).max() < FEW_SESSIONS:
        parts = _by_bar(catalog, traces, points) or parts
    price, held = None, None
    if position and len(ids) == 1:
        price, held = read_held(catalog, ids[0], points=points)
    return Curves(pa.concat_tables(parts), price, held)


def _strategies(traces: pa.Table, net: pa.Table, points: int) -> list[pa.Table]:
    number, dates = net["number"].to_numpy(), net["session_date"].to_numpy()
    returns = net["net"].to_numpy()
    order = np.lexsort((dates, number))
    bounds = np.searchsorted(number[order], np.arange(traces.num_rows + 1))
    made = []
    for place, (label, trace_id) in enumerate(
        zip(told_apart(traces), traces["trace_id"].to_pylist(), strict=True)
    ):
        rows = order[bounds[place] : bounds[place + 1]]
        made.append(_curve(label, trace_id, dates[rows], np.cumprod(1 + returns[rows]), points))
    return made


def _benchmarks(con: DuckDBPyConnection, values: dict[str, object], points: int) -> list[pa.Table]:
    found = execute(con, statement("plot_benchmarks"), values).table
    keys = list(zip(found["symbol"].to_pylist(), found["timeframe"].to_pylist(), strict=True))
    series = list(dict.fromkeys(keys))
    made = []
    for label, on in zip(_benchmark_labels(series), series, strict=True):
        own = np.array([key == on for key in keys])
        dates, equity = found["date"].to_numpy()[own], found["equity"].to_numpy()[own]
        made.append(_curve(label, None, dates, equity, points))
    return made


def _by_bar(catalog: Path, traces: pa.Table, points: int) -> list[pa.Table] | None:
    """Return the curves bar by bar, None where they are not known so."""
    ids = traces["trace_id"].to_pylist()
    found = read_courses(catalog, ids)
    if found is None or max(len(one.equity) for one in found.strategies.values()) < FEW_SESSIONS:
        return None
    own = [
        (label, one, found.strategies[one])
        for label, one in zip(told_apart(traces), ids, strict=True)
    ]
    labels = _benchmark_labels(list(found.benchmarks))
    held = [
        (label, None, one) for label, one in zip(labels, found.benchmarks.values(), strict=True)
    ]
    return [
        _curve(label, one, course.times, course.equity, points)
        for label, one, course in (*own, *held)
    ]


def _benchmark_labels(series: list[tuple[str, str]]) -> list[str]:
    symbols = [symbol for symbol, _ in series]
    return [
        # By the minute and by the day it is nearly the same, and two lines all the same.
        f"buy and hold {symbol}" + (f" {timeframe}" if symbols.count(symbol) > 1 else "")
        for symbol, timeframe in series
    ]


def _curve(
    label: str, trace_id: str | None, times: NDArray[np.datetime64], equity: Floats, points: int
) -> pa.Table:
    ruined = np.flatnonzero(equity <= 0)
    if len(ruined):
        # Who has lost everything trades no more, whatever the prices do.
        times, equity = times[: ruined[0] + 1], equity[: ruined[0] + 1].copy()
        equity[-1] = 0.0
    drawdown = equity / np.maximum.accumulate(np.maximum(equity, 1.0)) - 1
    keep = thin(points, equity, drawdown)
    count = len(keep)
    columns = [
        pa.array([label] * count, pa.string()),
        pa.array([trace_id] * count, pa.string()),
        pa.array(times[keep]),
        pa.array(equity[keep]),
        pa.array(drawdown[keep]),
    ]
    return pa.table(columns, COLUMNS)


def _check(traces: pa.Table, ids: list[str], number: NDArray[np.int64], wanted: MetricSet) -> None:
    if not ids:
        raise QueryError("There is no strategy to plot", hint="Name one, or give a condition")
    known = set(traces["trace_id"].to_pylist())
    strange = [one for one in ids if one not in known]
    if strange:
        raise QueryError(
            f"There is no signal trace {strange[0]}",
            hint='See which there are: catalog sql "from strategy_index limit 20"',
        )
    without = sorted(set(range(len(ids))) - set(number.tolist()))
    if without:
        name = told_apart(traces)[without[0]]
        some = f"{name} has" if len(without) == 1 else f"{name} and {len(without) - 1} more have"
        within = " in those sessions" if wanted.start or wanted.end else ""
        note = traces["metrics_note"].to_pylist()[without[0]]
        if note is not None:
            raise QueryError(
                f"{some} no session returns: {note}",
                hint="Leave it away, or mend that: catalog prices add FILE, then catalog metrics",
            )
        if within:
            raise QueryError(
                f"{some} no session returns{within}",
                hint=f"See from when to when it ran: catalog show {ids[without[0]]}",
            )
        fill = "" if wanted.terms.fill == "close" else options_of(MetricSet(wanted.terms))
        raise QueryError(
            f"{some} no session returns",
            hint=f"Compute them: catalog metrics{fill} (it needs prices: catalog prices add FILE)",
        )


def _first(dates: pa.ChunkedArray) -> object:
    return np.min(dates.to_numpy()).astype(object)


def _last(dates: pa.ChunkedArray) -> object:
    return np.max(dates.to_numpy()).astype(object)
