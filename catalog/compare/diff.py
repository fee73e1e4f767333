"""Two strategies side by side: their parameters, their signals bar by bar, what they earned."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.compare.figures import side_by_side
from catalog.compare.held import read_positions, read_states
from catalog.compare.overlap import Overlap, compare
from catalog.compare.parameters import differing_parameters
from catalog.compare.traced import Pair, Traced, pairs_of, select_traced
from catalog.errors import QueryError
from catalog.query.referred import Referred, refer
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.paths import catalog_root

Row = dict[str, Any]
# How many pairs of traces are read to find one that shares a bar.
MOST_TRIED = 5
_SIGNALS = pa.schema(
    {
        "kind": pa.string(),
        "symbol": pa.string(),
        "timeframe": pa.string(),
        "bars": pa.int64(),
        "agree": pa.int64(),
        "agreement": pa.float64(),
        "where_differs": pa.string(),
        "first_bar": pa.int64(),
        "first_ts": pa.timestamp("us", "UTC"),
        "value_a": pa.string(),
        "value_b": pa.string(),
        "aligned_by": pa.string(),
        "run_a": pa.string(),
        "run_b": pa.string(),
        "trace_a": pa.string(),
        "trace_b": pa.string(),
    }
)


@dataclass(frozen=True)
class Side:
    """One of the two: a strategy, or one trace of it. `config` is None where it is unknown."""

    reference: str
    strategy_key: str
    strategy_hash: str | None
    strategy_type: str | None
    config_key: str | None
    config: dict[str, Any] | None


@dataclass(frozen=True, eq=False)
class Diff:
    """
    How two strategies, or two traces, differ.

    `parameters` has the columns parameter, a, b (JSON, NULL where one has none) and matters.

    `signals` has a row for each kind, symbol and timeframe that both have a trace on: how many
    `bars` both were evaluated at, at how many they `agree` and which share that is (NULL where one
    lacks bars of the other), and where they differ first: the bar as a numbers it, its time,
    and both values. `where_differs` is NULL where they do not, else as `Repaints` has it.

    `metrics` has what was measured of both on the same `terms`, the difference being b - a.

    `alone` names the symbols and timeframes that only one has a trace on, `unread` the
    traces that cannot be read, each with its reason.
    """

    a: Side
    b: Side
    parameters: pa.Table
    signals: pa.Table
    metrics: pa.Table
    terms: str | None = None
    alone: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def means_the_same(self) -> bool | None:
        """Whether the configurations mean the same; None where one is unknown."""
        if self.a.config_key is None or self.b.config_key is None:
            return None
        return self.a.config_key == self.b.config_key

    def rows(self) -> list[Row]:
        """Return all of it as rows of `what`, `name`, `a` and `b`, numbers as numbers."""
        rows = [
            {"what": "parameter", "name": row["parameter"],
             "a": None if row["a"] is None else json.loads(row["a"]),
             "b": None if row["b"] is None else json.loads(row["b"])}
            for row in self.parameters.to_pylist()
        ]  # fmt: skip
        for row in self.signals.to_pylist():
            what = f"{row['kind']} {row['symbol']} {row['timeframe']}"
            both = ("bars", "agree", "agreement", "where_differs", "first_bar", "first_ts")
            rows += [{"what": what, "name": name, "a": row[name], "b": row[name]} for name in both]
            if row["kind"] == "signal":
                for side in ("value_a", "value_b"):
                    row[side] = None if row[side] is None else float(row[side])
            rows += [
                {"what": what, "name": name, "a": row[f"{name}_a"], "b": row[f"{name}_b"]}
                for name in ("value", "run", "trace")
            ]
        return rows + [
            {"what": f"metric {row['symbol']} {row['timeframe']}", "name": row["metric"],
             "a": row["a"], "b": row["b"]}
            for row in self.metrics.to_pylist()
        ]  # fmt: skip

    def table(self) -> pa.Table:
        """Return `rows` in text: parameters as JSON, numbers with all of their digits."""
        rows = [row | {side: _text(row, side) for side in "ab"} for row in self.rows()]
        # Of a parameter that one has not, and that is null in the other, only JSON tells.
        for row, told in zip(rows, self.parameters.to_pylist(), strict=False):
            row |= {"a": told["a"], "b": told["b"]}
        return pa.Table.from_pylist(
            rows, pa.schema([(name, pa.string()) for name in ("what", "name", "a", "b")])
        )


def diff(catalog: Path, a: str, b: str) -> Diff:
    """
    Compare two strategies, or two traces.

    Of a strategy with several traces on a symbol and timeframe, the latest is compared, or where
    the ranges of the latest do not overlap, those two that share the most bars. Signals agree
    at a bar where the positions in force are equal, classifiers where the states are.

    Args:
        a: a hash or its first digits, a strategy id, a strategy key, a trace id, or the path of a
            trace file; the last two stand for that trace only.
        b: likewise.

    Raises:
        QueryError: nothing, or more than one thing, goes by one of the names; the two are the
            same, or one is the only trace of the other.
        StoreError: the catalog cannot be used.
    """
    unread: dict[str, str] = {}
    with reading(catalog) as con:
        first, second = refer(con, a), refer(con, b)
        if first == second:
            raise QueryError(
                f"{a!r} and {b!r} are the same", hint="Name two strategies, or two traces of one"
            )
        sides = _side(con, a, first), _side(con, b, second)
        root = catalog_root(catalog)
        found = _traced(con, root, first), _traced(con, root, second)
        candidates = list(pairs_of(*found))
        if not candidates and {one.on for one in found[0]} & {one.on for one in found[1]}:
            raise QueryError(
                f"There is no other trace of {first.strategy_key} to compare with",
                hint="Name another strategy, or see the traces with: catalog show "
                f"{quote(first.strategy_key)}",
            )
        compared = [_first_compared(pairs, unread) for pairs in candidates]
        ids = [
            (a.trace.trace_id, b.trace.trace_id, a.trace.symbol, a.trace.timeframe)
            for (a, b), _ in compared
            if a.kind == "signal"
        ]
        metrics, terms = side_by_side(con, ids)
    rows = [row for _, row in compared if row is not None]
    return Diff(
        *sides,
        differing_parameters(sides[0].config, sides[1].config),
        pa.Table.from_pylist(rows, _SIGNALS),
        metrics,
        terms,
        _alone(*found),
        unread,
    )


def _side(con: DuckDBPyConnection, reference: str, meant: Referred) -> Side:
    values = {"strategy_key": meant.strategy_key}
    query = con.execute(statement("select_side"), values)
    (row,) = query.fetchall() or [(None, None, None, None)]
    strategy_hash, strategy_type, config_key, config = row
    parsed = None if config is None else json.loads(config)
    return Side(reference, meant.strategy_key, strategy_hash, strategy_type, config_key, parsed)


def _traced(con: DuckDBPyConnection, root: str, meant: Referred) -> list[Traced]:
    only = None if meant.trace_id is None else [meant.trace_id]
    return select_traced(con, root, strategy_key=meant.strategy_key, only=only)


def _first_compared(pairs: Sequence[Pair], unread: dict[str, str]) -> tuple[Pair, Row | None]:
    """Return the first of some pairs that shares a bar, or else the first, as it compares."""
    first = _compared(*pairs[0], unread)
    if first is None or first["bars"] != 0:
        return pairs[0], first
    for pair in pairs[1:MOST_TRIED]:
        row = _compared(*pair, {})
        if row is not None and row["bars"] != 0:
            return pair, row
    return pairs[0], first


def _compared(a: Traced, b: Traced, unread: dict[str, str]) -> Row | None:
    names: list[str] | None = None
    both = [a.trace, b.trace]
    for one in (a, b):
        if not one.has_range:
            unread[one.trace.trace_id] = "the range it was evaluated over is unknown"
            return None
    if a.kind == "signal":
        held = read_positions(both, unread)
    else:
        held, names = read_states(both, unread)
    if len(held) < len(both):
        return None
    found = compare(held[a.trace.trace_id], held[b.trace.trace_id])
    if found is None:
        found = Overlap("", 0, begins_together=False)
    values = (None, None) if found.values is None else found.values
    agree = None if found.bars is None else found.bars - (found.bars_differ or 0)
    return {
        "kind": a.kind,
        "symbol": a.trace.symbol,
        "timeframe": a.trace.timeframe,
        "bars": found.bars,
        "agree": agree,
        "agreement": agree / found.bars if agree is not None and found.bars else None,
        "where_differs": found.where,
        "first_bar": found.bar,
        "first_ts": found.us,
        "value_a": _value(values[0], names),
        "value_b": _value(values[1], names),
        "aligned_by": found.aligned_by or None,
        "run_a": a.run_id,
        "run_b": b.run_id,
        "trace_a": a.trace.trace_id,
        "trace_b": b.trace.trace_id,
    }


def _value(value: float | None, names: Sequence[str] | None) -> str | None:
    if value is None:
        return None
    if names is None:
        return _digits(value)
    return names[int(value)] or "none yet"


def _alone(a: Sequence[Traced], b: Sequence[Traced]) -> dict[str, str]:
    """Return the kinds, symbols and timeframes that only a or only b has a trace on."""
    ours, theirs = ({one.on for one in side} for side in (a, b))
    return {
        " ".join(str(part) for part in on): "a" if on in ours else "b"
        for on in sorted(ours ^ theirs, key=str)
    }


def _text(row: Row, side: str) -> str | None:
    value = row[side]
    if value is None or isinstance(value, str):
        return value
    return _digits(value) if isinstance(value, float) else str(value)


def _digits(value: float) -> str:
    return repr(value).removesuffix(".0")
