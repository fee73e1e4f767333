"""Two runs side by side: what only one of them traced, and what came out alike or otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.compare.held import read_positions, read_states
from catalog.compare.overlap import compare
from catalog.compare.traced import Traced, select_traced
from catalog.errors import QueryError
from catalog.query.result import Result
from catalog.query.run import execute
from catalog.query.runs import find_run
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.paths import catalog_root

CHANGED = "changed content"
SAME = "same content"
ONLY_A = "only in a"
ONLY_B = "only in b"
OTHER_RANGE = "other range"
OVERLAP_CHANGED = "changed where both are"
OVERLAP_SAME = "same where both are"
FINDINGS = (CHANGED, OVERLAP_CHANGED, ONLY_A, ONLY_B, OTHER_RANGE, OVERLAP_SAME, SAME)

_AT_A_TIME = 5_000
Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class RunDiff:
    """
    What two runs traced: a row per strategy, kind, symbol and timeframe, with its `finding`.

    Strategies are the same where their configurations mean the same; one whose configuration is
    unknown in one of the runs goes by the name that these gave it. `changed content` and
    `same content` are of the same range, a row for each range that both have. What only one has
    beside these is `other range`: the range that ends last against that of the other run, or if the
    bars that both have were compared, `changed where both are` or `same where both are`.

    `unread` has the traces that could not be read, each with its reason.
    """

    run_a: str
    run_b: str
    rows: Result
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows there are of each finding."""
        found = Counter(self.rows.table["finding"].to_pylist())
        return {finding: found[finding] for finding in FINDINGS}

    @property
    def differing(self) -> pa.Table:
        """The rows that are not the same in both."""
        table = self.rows.table
        return table.filter(pc.invert(pc.is_in(table["finding"], pa.array([SAME, OVERLAP_SAME]))))


def diff_runs(catalog: Path, a: str, b: str, *, overlap: bool = False) -> RunDiff:
    """
    Compare what two runs traced.

    Args:
        a: the run_id, its beginning or end, the name or the folder of a run.
        b: likewise.
        overlap: read the traces whose ranges are not the same, and compare the bars that both
            have. Takes as long as reading them.

    Raises:
        QueryError: nothing, or more than one run, goes by one of the names; or both are one run.
        StoreError: the catalog cannot be used.
    """
    unread: dict[str, str] = {}
    with reading(catalog) as con:
        run_a, run_b = find_run(con, a), find_run(con, b)
        if run_a == run_b:
            raise QueryError(f"{a!r} and {b!r} are the same run", hint="Name two runs")
        rows = execute(con, statement("select_run_differences"), {"a": run_a, "b": run_b})
        other = rows.table.filter(pc.equal(rows.table["finding"], OTHER_RANGE))
        pairs = list(
            zip(*(other[name].to_pylist() for name in ("trace_a", "trace_b")), strict=True)
        )
        root = catalog_root(catalog)
        ids = [trace_id for pair in pairs for trace_id in pair] if overlap else []
        traced = select_traced(con, root, only=ids)
    if not ids:
        return RunDiff(run_a, run_b, rows)
    findings = dict(_compared(pairs, {one.trace.trace_id: one for one in traced}, unread))
    return RunDiff(run_a, run_b, Result(_told(rows.table, findings), rows.types), unread)


def _told(table: pa.Table, findings: dict[Pair, str]) -> pa.Table:
    """Return the rows with what comparing has found, in the order of the findings."""
    ids = zip(table["trace_a"].to_pylist(), table["trace_b"].to_pylist(), strict=True)
    told = [
        findings.get(pair, finding)
        for pair, finding in zip(ids, table["finding"].to_pylist(), strict=True)
    ]
    table = table.set_column(0, "finding", pa.array(told, pa.string()))
    order = sorted(range(len(told)), key=lambda row: FINDINGS.index(told[row]))
    return table.take(pa.array(order, pa.int64()))


def _compared(
    pairs: list[Pair], traced: dict[str, Traced], unread: dict[str, str]
) -> Iterator[tuple[Pair, str]]:
    for kind in ("signal", "classifier"):
        ours = [pair for pair in pairs if pair[0] in traced and traced[pair[0]].kind == kind]
        ours = [pair for pair in ours if all(traced[one].has_range for one in pair)]
        for start in range(0, len(ours), _AT_A_TIME):
            some = ours[start : start + _AT_A_TIME]
            wanted = [traced[one].trace for pair in some for one in pair]
            held: dict[str, Any] = (
                read_positions(wanted, unread)
                if kind == "signal"
                else read_states(wanted, unread)[0]
            )
            for pair in some:
                if all(one in held for one in pair):
                    found = compare(held[pair[0]], held[pair[1]])
                    if found is not None:
                        yield pair, OVERLAP_SAME if found.where is None else OVERLAP_CHANGED
