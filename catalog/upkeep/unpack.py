"""Write the files of packed traces again: rows, schema and footer keys as they were."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from catalog.errors import QueryError
from catalog.query.chosen import chosen_ids
from catalog.register.written import register_finalized
from catalog.store.database import reading
from catalog.traces.trace_table import write_trace_table
from catalog.traces.unpack import read_packed
from catalog.upkeep.packs import Known, full_path, select_traces


@dataclass
class Unpacking:
    """
    What was written again.

    `there` counts traces whose file is already there: it is left as it is.
    """

    written: list[str] = field(default_factory=list)
    there: int = 0
    loose: int = 0
    left: Counter[str] = field(default_factory=Counter)


def unpack(
    catalog: Path,
    *,
    run: str | None = None,
    where: str | None = None,
    trace_ids: Sequence[str] | None = None,
    to: Path | None = None,
) -> Unpacking:
    """
    Write the files of packed traces again, where they were, and register them.

    The traces stay in their packs, which the views go on reading.

    Args:
        run: only the traces of this run.
        where: only those that meet a condition on the columns of `strategy_index`.
        trace_ids: only these.
        to: write into this folder instead, by the paths below their runs; register nothing.

    Raises:
        QueryError: the condition is none, nothing meets it, or there is no such trace.
        TraceFileError: a pack cannot be read.
        CatalogError: a file cannot be written.
        StoreError: the catalog cannot be used.
    """
    report = Unpacking()
    wanted = list(trace_ids) if trace_ids else chosen_ids(catalog, run=run, where=where)
    with reading(catalog) as con:
        known = select_traces(catalog, con, wanted)
    unknown = sorted(set(trace_ids or ()) - {one.trace.trace_id for one in known})
    if unknown:
        raise QueryError(
            f"No signal trace has the trace_id {unknown[0]!r}",
            hint='See them with: catalog sql "select trace_id, strategy_id from trace_files"',
        )
    by_pack: dict[str, dict[str, Known]] = {}
    for one in known:
        if one.pack_path is None:
            report.loose += 1
        else:
            by_pack.setdefault(one.pack_path, {})[one.trace.trace_id] = one
    for pack_path, members in by_pack.items():
        places = {trace_id: _place(one, to) for trace_id, one in members.items()}
        absent = [trace_id for trace_id, path in places.items() if not os.path.lexists(path)]
        report.there += len(members) - len(absent)
        if not absent:
            continue
        for entry, read in read_packed(full_path(catalog, pack_path), absent):
            path = places[entry["trace_id"]]
            write_trace_table(path, read)
            report.written.append(str(path))
    if to is None and report.written:
        register_finalized(catalog, report.written)
    return report


def _place(one: Known, to: Path | None) -> Path:
    if to is None:
        return Path(one.trace.path)
    # A run is called what it likes to be, which need not be a folder below.
    name = one.trace.run_id.replace("/", "_")
    return to / (name if name.strip(".") else "_" + name) / one.trace.run_path
