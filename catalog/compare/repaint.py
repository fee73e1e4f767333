"""
Traces of one configuration over different ranges that differ where both were evaluated.

They must not: where they do, the strategy looks ahead, or its code or its prices changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.compare.held import read_positions
from catalog.compare.overlap import Overlap, compare
from catalog.metrics.traces import Trace, select_traces
from catalog.query.chosen import chosen_ids
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.paths import catalog_root

ALL_PAIRS = 12
"""Of a configuration with more traces on a symbol, each is compared with the longest only."""

_ROWS = 2_000_000
SIDES = ("shorter", "longer")
Pair = dict[str, Any]
_COLUMNS = pa.schema(
    {
        "strategy_id": pa.string(),
        "strategy_hash": pa.string(),
        "strategy_type": pa.string(),
        "symbol": pa.string(),
        "timeframe": pa.string(),
        "shorter_run": pa.string(),
        "longer_run": pa.string(),
        "where_differs": pa.string(),
        "first_bar": pa.int64(),
        "first_ts": pa.timestamp("us", "UTC"),
        "shorter_value": pa.float64(),
        "longer_value": pa.float64(),
        "bars_differ": pa.int64(),
        "bars": pa.int64(),
        "begins_together": pa.bool_(),
        "aligned_by": pa.string(),
        "same_code": pa.bool_(),
        "shorter": pa.string(),
        "longer": pa.string(),
    }
)


@dataclass(frozen=True, eq=False)
class Repaints:
    """
    The pairs that were compared, a row each, differing ones first.

    `shorter` and `longer` are trace ids. `where_differs` is NULL where the positions agree, else
    `last bar only` (the run that ended there may have closed what it held), `start` (the ranges
    begin at different bars and agree from some bar on: perhaps warm-up) or `within`. `first_bar`
    is the first bar that differs, as the shorter trace numbers it, `first_ts` its time,
    `bars_differ` how many do, of `bars` that both were evaluated at; both counts are NULL where
    one of the two lacks bars of the other. `same_code` is NULL where a trace does not say.

    `unread` has the traces that could not be read, each with its reason.
    """

    pairs: pa.Table
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def differing(self) -> pa.Table:
        """The pairs that differ."""
        return self.pairs.filter(pc.is_valid(self.pairs["where_differs"]))

    @property
    def agree(self) -> int:
        """How many pairs agree on every bar that they share."""
        return int(self.pairs["where_differs"].null_count)


def find_repaints(
    catalog: Path,
    *,
    where: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Repaints:
    """
    Compare the traces of each configuration, symbol and timeframe where their ranges overlap.

    Compared is the position in force at each bar. Bars are the same that have the same time, or
    where a trace knows no bar times, the same number. All pairs are compared, but of more than
    twelve traces of a configuration each with the longest; copies are no pairs. Equal ranges with
    different signals are one.

    Args:
        where: only pairs with a trace that meets a condition on the columns of `strategy_index`.
        progress: called with how many pairs were compared, and how many there are.

    Raises:
        QueryError: the condition is none, or nothing meets it.
        StoreError: the catalog cannot be used.
    """
    only = chosen_ids(catalog, run=None, where=where)
    with reading(catalog) as con:
        values = {"most": ALL_PAIRS, "only": only}
        query = con.sql(statement("select_repaint_pairs"), params=values)
        pairs = query.to_arrow_table().to_pylist()
        ids = {pair[side] for pair in pairs for side in SIDES}
        traces = {one.trace_id: one for one in select_traces(con, catalog_root(catalog), only=ids)}
    unread: dict[str, str] = {}
    rows = []
    done = 0
    for batch in _batches(pairs, traces):
        held = read_positions([traces[pair[side]] for pair in batch for side in SIDES], unread)
        for pair in batch:
            shorter, longer = (held.get(pair[side]) for side in SIDES)
            found = None if shorter is None or longer is None else compare(shorter, longer)
            if found is not None:
                rows.append(pair | _row(found))
            done += 1
            progress(done, len(pairs))
    rows.sort(key=lambda row: row["where_differs"] is None)
    return Repaints(pa.Table.from_pylist(rows, _COLUMNS), unread)


def _batches(pairs: Sequence[Pair], traces: dict[str, Trace]) -> Iterator[list[Pair]]:
    """Cut the pairs, those of a configuration being together, by how much there is to read."""
    batch: list[Pair] = []
    ids: set[str] = set()
    rows = 0
    for pair in pairs:
        batch.append(pair)
        for trace_id in (pair[side] for side in SIDES):
            rows += 0 if trace_id in ids else traces[trace_id].row_count
            ids.add(trace_id)
        if rows >= _ROWS:
            yield batch
            batch, ids, rows = [], set(), 0
    if batch:
        yield batch


def _row(found: Overlap) -> Pair:
    shorter, longer = (None, None) if found.values is None else found.values
    return {
        "where_differs": found.where,
        "first_bar": found.bar,
        "first_ts": found.us,
        "shorter_value": shorter,
        "longer_value": longer,
        "bars_differ": found.bars_differ,
        "bars": found.bars,
        "begins_together": found.begins_together,
        "aligned_by": found.aligned_by,
    }
