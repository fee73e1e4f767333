"""Which strategies behave most like one: at how many bars they hold the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.compare.agreement import Agreement, Steps, count_agreement
from catalog.compare.held import read_states
from catalog.compare.traced import Traced, select_traced
from catalog.errors import QueryError
from catalog.metrics.changes import read_changes
from catalog.metrics.traces import Trace, select_traces
from catalog.query.referred import Referred
from catalog.statements import statement

_ROWS = 5_000_000
COLUMNS = pa.schema(
    {
        "strategy_hash": pa.string(),
        "strategy_key": pa.string(),
        "strategy_type": pa.string(),
        "strategy_id": pa.string(),
        "agreement": pa.float64(),
        "in_market": pa.float64(),
        "bars": pa.int64(),
    }
)


@dataclass(frozen=True, slots=True)
class _Other:
    """A trace to compare, whose strategy it is, and by how many bars its numbers are ahead."""

    trace: Trace
    strategy_key: str
    ahead: int


@dataclass(eq=False)
class _Sums:
    """Counts of bars, summed over symbols and timeframes."""

    bars: int = 0
    equal: int = 0
    same_side: int = 0
    either: int = 0


@dataclass(frozen=True, eq=False)
class Nearest:
    """The strategies that behave most like one, and the traces that could not be read."""

    table: pa.Table
    compared: int
    unread: dict[str, str] = field(default_factory=dict)


def nearest_behaviour(
    con: DuckDBPyConnection,
    meant: Referred,
    root: str,
    *,
    among: Collection[str] | None = None,
    limit: int,
) -> Nearest:
    """
    Return the strategies in order of the share of bars at which they hold what one holds.

    Compared are the latest traces on the symbols and timeframes of its own latest traces (or of
    the one trace that is meant), over the bars that both were evaluated at; one that shares less
    than half of these bars is left out.

    A row has strategy_hash, strategy_key, strategy_type, strategy_id; `agreement`, the share of
    the shared `bars` at which both hold the same position (or state); and `in_market`, of the bars
    at which either is in the market, the share at which both are, on the same side. It tells
    more where strategies are flat most of the time, decides between equal agreements, and is NULL
    for classifiers and where both are always flat.

    Args:
        root: the folder of the catalog.
        among: the keys of those that may be returned.

    Raises:
        QueryError: it has no registered trace of a known range that can be read.
    """
    own = [one for one in _own_traces(con, meant, root) if one.has_range]
    if not own:
        raise QueryError(
            f"{meant.trace_id or meant.strategy_key} has no registered trace of a known range",
            hint="Compare by parameters: catalog find --like HASH --by parameters",
        )
    unread: dict[str, str] = {}
    sums: dict[str, _Sums] = {}
    own_bars = 0
    for one in own:
        reference = _steps(one.kind, [_Other(one.trace, meant.strategy_key, 0)], unread)
        if one.trace.trace_id in unread:
            continue
        own_bars += int(reference.last[0] - reference.first[0]) + 1
        keys = None if among is None else set(among)
        others = [
            other
            for other in _others(con, one, root)
            if other.strategy_key != meant.strategy_key
            and (keys is None or other.strategy_key in keys)
        ]
        _add(sums, one, reference, others, unread)
    if not own_bars:
        reason = next(iter(unread.values()))
        raise QueryError(f"The trace {own[0].trace.trace_id} cannot be compared: {reason}")
    sums = {key: one for key, one in sums.items() if 2 * one.bars >= own_bars}
    is_signal = own[0].kind == "signal"
    return Nearest(_ranked(con, meant, sums, limit, is_signal=is_signal), len(sums), unread)


def _own_traces(con: DuckDBPyConnection, meant: Referred, root: str) -> list[Traced]:
    only = None if meant.trace_id is None else [meant.trace_id]
    own = select_traced(con, root, strategy_key=meant.strategy_key, only=only)
    # They come latest first. Another hash of the same configuration may have the latest one.
    return list({one.on: one for one in reversed(own)}.values())


def _others(con: DuckDBPyConnection, one: Traced, root: str) -> Iterator[_Other]:
    values = {
        "kind": one.kind,
        "symbol": one.trace.symbol,
        "timeframe": one.trace.timeframe,
        "first_bar": one.trace.first_bar,
        "last_bar": one.trace.last_bar,
        "first_us": one.trace.first_us,
        "last_us": one.trace.last_us,
    }
    rows = con.execute(statement("select_behaving"), values).fetchall()
    places = {trace_id: place for trace_id, *place in rows}
    for trace in select_traces(con, root, only=places, kinds=[one.kind]):
        yield _Other(trace, *places[trace.trace_id])


def _add(
    sums: dict[str, _Sums],
    one: Traced,
    reference: Steps,
    others: Sequence[_Other],
    unread: dict[str, str],
) -> None:
    """Count how one trace agrees with the others, each content and range being read once."""
    alike: dict[tuple[Any, ...], list[_Other]] = {}
    for other in others:
        trace = other.trace
        key = (trace.content_digest, trace.first_bar, trace.last_bar, other.ahead)
        alike.setdefault(key, []).append(other)
    distinct = [same[0] for same in alike.values()]
    for batch in _batches(distinct):
        if one.kind == "signal":
            found = count_agreement(reference, _steps(one.kind, batch, unread))
        else:
            # Numbers of states hold among those that are read together only.
            both = _steps(one.kind, [_Other(one.trace, "", 0), *batch], unread)
            found = count_agreement(_cut(both, 0, 1), _cut(both, 1, len(batch) + 1))
        for place, other in enumerate(batch):
            trace = other.trace
            if trace.trace_id in unread:
                continue
            key = (trace.content_digest, trace.first_bar, trace.last_bar, other.ahead)
            for same in alike[key]:
                _sum(sums.setdefault(same.strategy_key, _Sums()), found, place)


def _sum(sums: _Sums, found: Agreement, place: int) -> None:
    sums.bars += int(found.bars[place])
    sums.equal += int(found.equal[place])
    sums.same_side += int(found.same_side[place])
    sums.either += int(found.either[place])


def _batches(others: Sequence[_Other]) -> Iterator[list[_Other]]:
    batch: list[_Other] = []
    rows = 0
    for other in others:
        batch.append(other)
        rows += other.trace.row_count
        if rows >= _ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _steps(kind: str, others: Sequence[_Other], unread: dict[str, str]) -> Steps:
    """Read what traces hold, on the bars of the one that they are compared with."""
    traces = [other.trace for other in others]
    ahead = np.array([other.ahead for other in others], np.int64)
    if kind == "signal":
        changes = read_changes(traces)
        unread |= changes.failed
        bars, values, offsets = changes.bars, changes.values, changes.offsets
    else:
        held, _ = read_states(traces, unread)
        nothing = (np.zeros(0, np.int64), np.zeros(0))
        pieces = [
            (held[one.trace_id].bars, held[one.trace_id].values)
            if one.trace_id in held
            else nothing
            for one in traces
        ]
        bars, values = (np.concatenate(part) for part in zip(*pieces, strict=True))
        offsets = np.concatenate(([0], np.cumsum([len(piece[0]) for piece in pieces])))
    return Steps(
        bars - np.repeat(ahead, np.diff(offsets)),
        values,
        offsets,
        np.array([one.first_bar for one in traces], np.int64) - ahead,
        np.array([one.last_bar for one in traces], np.int64) - ahead,
    )


def _cut(steps: Steps, start: int, stop: int) -> Steps:
    rows = slice(steps.offsets[start], steps.offsets[stop])
    return Steps(
        steps.bars[rows],
        steps.values[rows],
        steps.offsets[start : stop + 1] - steps.offsets[start],
        steps.first[start:stop],
        steps.last[start:stop],
    )


def _ranked(
    con: DuckDBPyConnection, meant: Referred, sums: dict[str, _Sums], limit: int, *, is_signal: bool
) -> pa.Table:
    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    def nearness(item: tuple[str, _Sums]) -> tuple[float, float, str]:
        key, one = item
        return -one.equal / one.bars, -(share(one.same_side, one.either) or 0.0), key

    # Hashes that mean the same as the one are left out below.
    some = sorted(sums.items(), key=nearness)[: 2 * limit + 100]
    keys = [key for key, _ in some]
    named = con.sql(
        statement("select_named_strategies"), params={"keys": [*keys, meant.strategy_key]}
    )
    names = {row["strategy_key"]: row for row in named.to_arrow_table().to_pylist()}
    own_key = names.get(meant.strategy_key, {}).get("config_key")
    told = []
    for key, one in some:
        name = names.get(key, {})
        if own_key is not None and name.get("config_key") == own_key:
            continue
        told.append(
            {
                "strategy_hash": name.get("strategy_hash"),
                "strategy_key": key,
                "strategy_type": name.get("strategy_type"),
                "strategy_id": name.get("strategy_id"),
                "agreement": share(one.equal, one.bars),
                "in_market": share(one.same_side, one.either) if is_signal else None,
                "bars": one.bars,
            }
        )
    return pa.Table.from_pylist(told[:limit], COLUMNS)
