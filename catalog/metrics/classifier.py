"""A classifier's states on the bars of price series, told in time."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from catalog.errors import QueryError, TraceFileError
from catalog.metrics.changes import row_times
from catalog.metrics.regimes import UNKNOWN, Regimes
from catalog.metrics.traces import Match, Trace, match_trace, select_traces
from catalog.prices.series import PriceSeries, load_series
from catalog.statements import statement
from catalog.store.paths import catalog_root
from catalog.traces.lake_file import read_lake_rows
from catalog.traces.registered_columns import read_columns

Series = tuple[str, str]


def load_regimes(con: DuckDBPyConnection, catalog: Path, reference: str) -> dict[Series, Regimes]:
    """
    Return the states of a classifier on every price series of its symbol.

    A state counts from the first bar after it was known: what a classifier said at the end of a
    bar is known then, whatever the timeframe.

    Args:
        reference: the classifier's hash (or its beginning), type, id or trace_id.

    Raises:
        QueryError: there is no such classifier, several go by that name, or its bars cannot be
            told or read.
    """
    found_by = con.execute(statement("select_classifiers"), {"reference": reference})
    names: dict[str, str | None] = dict(found_by.fetchall())
    traces = select_traces(con, catalog_root(catalog), only=names, kinds=["classifier"])
    if not traces:
        raise QueryError(
            f"There is no classifier {reference}",
            hint='See them with: catalog sql "select strategy_id, strategy_type, strategy_hash '
            "from trace_files where kind = 'classifier'\"",
        )
    made: dict[Series, Regimes] = {}
    by_symbol: dict[str | None, list[Trace]] = {}
    for trace in traces:
        by_symbol.setdefault(trace.symbol, []).append(trace)
    for symbol, found in by_symbol.items():
        if len(found) > 1:
            raise QueryError(
                f"{len(found)} classifiers of {symbol} go by {reference}: "
                + ", ".join(one.trace_id for one in found[:5]),
                hint="Name one by its trace_id",
            )
        (trace,) = found
        rows = con.execute(statement("select_price_digests")).fetchall()
        of_symbol = {(one, timeframe) for one, timeframe, _ in rows if one == symbol}
        series = load_series(con, catalog, of_symbol)
        own = series.get((trace.symbol or "", trace.timeframe or ""))
        if own is None:
            raise QueryError(
                f"There are no {trace.timeframe} prices of {symbol}, which {reference} ran on",
                hint=f"Add them: catalog prices add FILE --symbol {symbol} "
                f"--timeframe {trace.timeframe}",
            )
        match = match_trace(trace, own)
        if isinstance(match, str):
            raise QueryError(f"The classifier {reference} cannot be used: {match}")
        bars, states = _read(trace, own, match)
        # However people call it, its figures are kept under one name.
        name = names[trace.trace_id] or trace.trace_id
        for key, market in series.items():
            made[key] = _on(market, own, match, bars, states, name)
    return made


def _on(
    market: PriceSeries,
    own: PriceSeries,
    match: Match,
    bars: NDArray[np.int64],
    states: list[str],
    name: str,
) -> Regimes:
    """Return the states on the bars of another series of the symbol."""
    known_at = own.known_at[bars]
    first = np.searchsorted(market.known_at, known_at) + 1
    behind = int(np.searchsorted(market.known_at, own.known_at[match.last])) + 2
    starts = np.concatenate(([0], first, [behind]))
    names = sorted({*states, UNKNOWN})
    number = {name: place for place, name in enumerate(names)}
    state = np.array([number[UNKNOWN], *(number[one] for one in states), number[UNKNOWN]])
    # Of several states between two bars the last one counts.
    keep = np.append(starts[1:] != starts[:-1], True)
    starts, state = starts[keep], state[keep]
    parts = (starts.tobytes(), state.tobytes(), repr((name, names)).encode())
    said = sha256(b"".join(parts)).hexdigest()[:16]
    return Regimes(name, starts, state, tuple(names), digest=said)


def _read(trace: Trace, own: PriceSeries, match: Match) -> tuple[NDArray[np.int64], list[str]]:
    """Return the rows' bars in the classifier's own series, and their states."""
    try:
        if trace.pack_path is not None:
            table = read_lake_rows(trace.pack_path, [trace.trace_id])
        else:
            table = read_columns(trace.path, ["idx", "val", "ts"])
    except (OSError, pa.ArrowException, TraceFileError) as error:
        raise QueryError(
            f"The classifier's file cannot be read: {trace.path}: {error}",
            hint="Bring the catalog up to date: catalog register FOLDER",
        ) from error
    bars = table["idx"].combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64)
    if match.offset is not None:
        bars = bars - trace.idx_base + match.offset
    else:
        times = row_times(table["ts"].combine_chunks())
        bars = np.minimum(np.searchsorted(own.ts, times), len(own.ts) - 1)
    order = np.argsort(bars, kind="stable")
    states = table["val"].cast(pa.string()).to_pylist()
    return bars[order], [str(states[row]) for row in order.tolist()]
