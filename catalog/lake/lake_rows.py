"""What a catalog takes in of a lake: what it says of traces, and where in it their rows are."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from catalog.lake.taken import Series, Taken


@dataclass(frozen=True, eq=False)
class LakeRows:
    """
    What a catalog takes in of a lake.

    `writers` says whose row a trace has, `held` which file of the lake has its rows, by the path
    below the lake, and `returned` from which file its session returns are read. `price_writers`
    are those whose bars a price series has.
    """

    taken: Taken
    writers: pa.Table
    held: pa.Table
    returned: pa.Table
    price_writers: Mapping[Series, str]

    def without(self, trace_ids: Set[str]) -> LakeRows:
        """Return the same without some traces, and without runs that have no other ones."""
        if not trace_ids:
            return self
        ids = pa.array(sorted(trace_ids), pa.string())

        def kept(table: pa.Table) -> pa.Table:
            return table.filter(pc.invert(pc.is_in(table["trace_id"], ids)))

        traces = kept(self.taken.traces)
        runs = {*self.taken.traces["run_id"].to_pylist()} - {*traces["run_id"].to_pylist()}
        emptied = pa.array(sorted(runs), pa.string())

        def of_others(table: pa.Table) -> pa.Table:
            return table.filter(pc.invert(pc.is_in(table["run_id"], emptied)))

        taken = replace(
            self.taken,
            traces=traces,
            runs=of_others(self.taken.runs),
            events=of_others(self.taken.events),
            metrics=kept(self.taken.metrics),
        )
        return replace(self, taken=taken, writers=kept(self.writers), returned=kept(self.returned))


def by_file(returned: pa.Table) -> Mapping[tuple[str, str], list[tuple[str, str]]]:
    """Return trace ids with what their session returns were computed from, by fill and file."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    names = ("trace_id", "fill", "file", "inputs")
    for trace_id, fill, file, inputs in zip(
        *(returned[one].to_pylist() for one in names), strict=True
    ):
        found.setdefault((fill, file), []).append((trace_id, inputs))
    return found
