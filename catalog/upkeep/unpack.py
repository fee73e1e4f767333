"""Write the files of packed traces again: rows, schema and footer keys as they were."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from catalog.errors import QueryError
from catalog.objects import many_at_once
from catalog.places import existing
from catalog.query.chosen import chosen_ids
from catalog.register.written import register_finalized
from catalog.store.database import reading
from catalog.traces.target import Target, below, place_of, target_of
from catalog.traces.trace_table import TraceTable, write_trace_table
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
    to: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Unpacking:
    """
    Write the files of packed traces again, where they were, and register them.

    The traces stay in their packs, which the views go on reading.

    Args:
        run: only the traces of this run.
        where: only those that meet a condition on the columns of `strategy_index`.
        trace_ids: only these.
        to: write into this folder or URL instead, by the paths below their runs; register nothing.
        progress: called with how many traces have their file, and how many are in packs.

    Raises:
        QueryError: the condition is none, nothing meets it, or there is no such trace.
        TraceFileError: a pack cannot be read.
        CatalogError: a file cannot be written.
        StoreError: the catalog cannot be used.
    """
    report = Unpacking()
    target = None if to is None else place_of(to)
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
    total = len(known) - report.loose
    for pack_path, members in by_pack.items():
        places = {trace_id: _place(one, target) for trace_id, one in members.items()}
        absent = _absent(places)
        report.there += len(members) - len(absent)
        if not absent:
            continue
        given = (
            (places[entry["trace_id"]], read)
            for entry, read in read_packed(full_path(catalog, pack_path), absent)
        )
        are_objects = any(isinstance(place, str) for place in places.values())
        for written in many_at_once(_write, given) if are_objects else map(_write, given):
            report.written.append(written)
            progress(report.there + len(report.written), total)
    if to is None and report.written:
        register_finalized(catalog, report.written)
    return report


def _absent(places: Mapping[str, Target]) -> list[str]:
    """Return the traces at whose places nothing is."""
    stored = existing(place for place in places.values() if isinstance(place, str))
    return [
        trace_id
        for trace_id, place in places.items()
        if not (place in stored if isinstance(place, str) else os.path.lexists(place))
    ]


def _write(given: tuple[Target, TraceTable]) -> str:
    write_trace_table(*given)
    return str(given[0])


def _place(one: Known, to: Target | None) -> Target:
    if to is None:
        return target_of(one.trace.path)
    # A run is called what it likes to be, which need not be a folder below.
    name = one.trace.run_id.replace("/", "_")
    return below(to, name if name.strip(".") else "_" + name, one.trace.run_path)
