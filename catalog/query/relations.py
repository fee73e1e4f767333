"""The relations that people ask: their columns, and which columns tell trace files apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.view_queries import view_columns
from catalog.store.views import VIEWS

_OF_A_FILE = (
    "trace_id", "run_id", "strategy_hash", "strategy_id", "strategy_type", "symbol", "timeframe",
)  # fmt: skip
_BARS = ("f.first_change_bar", "f.last_change_bar")
_TIMES = ("f.first_change_ts", "f.last_change_ts")


@dataclass(frozen=True)
class TraceRelation:
    """
    A view over trace files.

    Every row of a file has the same value in the `exact` columns, which trace_files has too. A
    value in a column of `ranges` lies between two expressions over trace_files as f.
    """

    name: str
    kind: str
    exact: frozenset[str] = frozenset(_OF_A_FILE)
    ranges: Mapping[str, tuple[str, str]] = field(default_factory=dict)


_CHANGES = {
    "bar_index": _BARS,
    "idx": ("f.first_change_bar + f.idx_base", "f.last_change_bar + f.idx_base"),
    "ts": _TIMES,
}
_EVENTS = frozenset({"trace_id", "run_id"})

TRACE_RELATIONS = {
    one.name: one
    for one in (
        TraceRelation("signals", "signal", ranges=_CHANGES),
        TraceRelation("classifications", "classifier", ranges=_CHANGES),
        TraceRelation(
            "holdings",
            "signal",
            ranges={
                "from_bar": _BARS,
                "from_ts": _TIMES,
                # The last holding ends with the range, which may be anywhere.
                "to_bar": (
                    "least(f.first_change_bar, f.last_bar + 1)",
                    "greatest(f.last_change_bar, f.last_bar + 1)",
                ),
                "to_ts": (
                    "least(f.first_change_ts, f.last_ts)",
                    "greatest(f.last_change_ts, f.last_ts)",
                ),
            },
        ),
        TraceRelation(
            "trades",
            "signal",
            # Of traces that are matched to the prices by bar the prices alone know the times.
            ranges={
                "entry_bar": _BARS,
                "entry_ts": (
                    "coalesce(f.first_change_ts, timestamptz '-infinity')",
                    "coalesce(f.last_change_ts, timestamptz 'infinity')",
                ),
            },
        ),
        # The events of a file are those of many strategies.
        TraceRelation("orders", "order", exact=_EVENTS),
        TraceRelation("fills", "fill", exact=_EVENTS),
        TraceRelation("positions", "position", exact=_EVENTS),
    )
}


@cache
def _own_columns(name: str) -> tuple[str, ...]:
    return view_columns(name)


def columns_of(con: DuckDBPyConnection, name: str) -> tuple[str, ...] | None:
    """
    Return the columns of a view of the catalog in lower case, or None if it is none.

    Asking DuckDB would make it look at every trace file.
    """
    if name in ("strategies", "strategy_index", "leaderboard"):
        rows = con.execute(statement("select_parameter_columns")).fetchall()
        return (*_own_columns(name), *(column.lower() for (column,) in rows))
    if name in VIEWS:
        return _own_columns(name)
    return None
