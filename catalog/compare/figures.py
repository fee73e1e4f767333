"""What two traces earned, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.query.run import execute
from catalog.statements import statement

_COLUMNS = pa.schema(
    {
        "symbol": pa.string(),
        "timeframe": pa.string(),
        "metric": pa.string(),
        "a": pa.float64(),
        "b": pa.float64(),
        "difference": pa.float64(),
    }
)
# Columns of the view metrics that are no figures of a strategy.
_NO_FIGURES = frozenset(
    {
        "set_id", "cost_bps", "last_days", "folds", "start_bar", "sessions_per_year",
        "bars_per_year", "benchmark_return", "benchmark_sharpe",
    }
)  # fmt: skip
Row = dict[str, Any]


def side_by_side(
    con: DuckDBPyConnection, pairs: Iterable[tuple[str, str, str | None, str | None]]
) -> tuple[pa.Table, str | None]:
    """
    Return the figures of pairs of traces, over their whole ranges, and on which terms.

    The terms are the best that were measured: on which both are, and without cost if they may be
    chosen. A row has symbol, timeframe, metric, a, b, and their difference, b - a.

    Args:
        pairs: both trace ids, the symbol and the timeframe.
    """
    rows: list[Row] = []
    terms: list[str] = []
    for a, b, symbol, timeframe in pairs:
        values = {"a": a, "b": b}
        found = execute(con, statement("select_compared_metrics"), values).table
        by_trace = {row["trace_id"]: row for row in found.to_pylist()}
        if not by_trace:
            continue
        terms += [_terms(row) for row in by_trace.values()][:1]
        names = [
            name
            for name, kind in zip(found.column_names, found.schema.types, strict=True)
            if name not in _NO_FIGURES and (pa.types.is_floating(kind) or pa.types.is_integer(kind))
        ]
        for name in names:
            one, other = (_figure(by_trace, side, name) for side in (a, b))
            if one is not None or other is not None:
                rows.append(
                    {
                        "symbol": symbol,
                        "timeframe": timeframe,
                        "metric": name,
                        "a": one,
                        "b": other,
                        "difference": None if one is None or other is None else other - one,
                    }
                )
    return pa.Table.from_pylist(rows, _COLUMNS), ", ".join(dict.fromkeys(terms)) or None


def _figure(by_trace: Mapping[str, Row], trace_id: str, name: str) -> float | None:
    value = by_trace.get(trace_id, {}).get(name)
    return None if value is None else float(value)


def _terms(row: Row) -> str:
    said = f"cost {row['cost_bps']:g} bps one way, filled at {row['fill']}"
    ends = [str(row[name]) for name in ("range_start", "range_end") if row[name] is not None]
    if row["last_days"] is not None:
        ends.append(f"the last {row['last_days']} days")
    return said + (f", {' to '.join(ends)}" if ends else "")
