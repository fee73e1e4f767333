"""What strategies grew to, session by session, and buy and hold beside them."""

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
from catalog.plots.held import read_held
from catalog.plots.thin import thin
from catalog.query.run import execute
from catalog.statements import statement
from catalog.store.database import reading

Floats = NDArray[np.float64]

POINTS = 1500
CURVES = pa.schema(
    {
        "label": pa.string(),
        "trace_id": pa.string(),
        "date": pa.date32(),
        "equity": pa.float64(),
        "drawdown": pa.float64(),
    }
)


@dataclass(frozen=True, eq=False)
class Curves:
    """
    The equity of strategies, and of what buying and holding would have made.

    `curves` has label, trace_id (NULL for buy and hold), date, equity (of 1 at the start, after
    the session) and drawdown (a fraction of the peak so far, 0 or negative, at session ends).
    Labels come in the order that was asked for, each with its sessions in order; `buy and hold
    SYMBOL` comes last.

    Of one trace there is also `price` (ts, price) and `held` (from_ts, to_ts, position), in the
    market's own time; NULL where they are not known.
    """

    curves: pa.Table
    price: pa.Table | None
    held: pa.Table | None

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
    symbols = [symbol for symbol, _ in series]
    made = []
    for symbol, timeframe in series:
        own = np.array([key == (symbol, timeframe) for key in keys])
        # The same symbol by the minute and by the day is bought at nearly the same price.
        name = f"{symbol} {timeframe}" if symbols.count(symbol) > 1 else symbol
        dates, equity = found["date"].to_numpy()[own], found["equity"].to_numpy()[own]
        made.append(_curve(f"buy and hold {name}", None, dates, equity, points))
    return made


def _curve(
    label: str, trace_id: str | None, dates: NDArray[np.datetime64], equity: Floats, points: int
) -> pa.Table:
    drawdown = equity / np.maximum.accumulate(np.maximum(equity, 1.0)) - 1
    keep = thin(points, equity, drawdown)
    count = len(keep)
    columns = [
        pa.array([label] * count, pa.string()),
        pa.array([trace_id] * count, pa.string()),
        pa.array(dates[keep].astype("datetime64[D]")),
        pa.array(equity[keep]),
        pa.array(drawdown[keep]),
    ]
    return pa.table(columns, schema=CURVES)


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
        fill = "" if wanted.terms.fill == "close" else options_of(MetricSet(wanted.terms))
        raise QueryError(
            f"{some} no session returns{within}",
            hint=f"Compute them: catalog metrics{fill} (it needs prices: catalog prices add FILE)",
        )


def _first(dates: pa.ChunkedArray) -> object:
    return np.min(dates.to_numpy()).astype(object)


def _last(dates: pa.ChunkedArray) -> object:
    return np.max(dates.to_numpy()).astype(object)
