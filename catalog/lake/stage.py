"""
Read the rows of new entries from trace files, packs and price files, as the views show them.

They are read by pyarrow, which checks the checksums of pages and says of each file on its own
what is wrong with it; the columns of the views are then made by the very SQL of the views. What
was read waits in temporary files until a file of the lake is written from all of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlglot import exp

import catalog.objects as objects
from catalog.lake.entries import RETURNS
from catalog.lake.layout import Table
from catalog.lake.snapshot import Snapshot
from catalog.lake.stage_lakes import places_of, rows_of_file
from catalog.lake.trace_rows import (
    COLUMNS,
    Failure,
    Trace,
    batches,
    check_digest,
    check_unchanged,
    read_files,
    reason_of,
)
from catalog.metrics.changes import may_hold
from catalog.objects import is_url
from catalog.statements import statement
from catalog.store.patterns import Pattern, escape
from catalog.store.registered import registered
from catalog.store.view_queries import Layout, ViewInputs, build_query, parsed

_LOOSE = {"signals": "rows_signal_loose", "classifications": "view_classifications"}
_UNREADABLE = (OSError, pa.ArrowException, duckdb.Error)


@dataclass
class Staging:
    """
    Rows that were read for one file of the lake: temporary files that hold them.

    `failed` says of entries that could not be read why; none of their rows are there.
    """

    snapshot: Snapshot
    table: Table
    files: list[str] = field(default_factory=list)
    failed: dict[str, Failure] = field(default_factory=dict)

    def read(self, keys: Sequence[str]) -> None:
        """Read the rows of entries."""
        with registered(self.snapshot.con, incoming_key=_key_table(keys)):
            if self.table.name in RETURNS:
                self._read_returns(RETURNS[self.table.name])
            elif self.table.kind is None:
                self._read_bars(keys)
            else:
                self._read_traces()

    def remove(self) -> None:
        """Remove the temporary files."""
        for path in self.files:
            os.unlink(path)
        self.files.clear()

    def _read_traces(self) -> None:
        con = self.snapshot.con
        con.execute(statement("publish_part_traces"))
        rows = con.execute(statement("publish_part_traces_read")).fetchall()
        elsewhere = places_of(con, [trace_id for trace_id, *_ in rows])
        for place, trace_ids in elsewhere.items():
            self._read_lake(place, trace_ids)
        in_lakes = {one for trace_ids in elsewhere.values() for one in trace_ids}
        traces = [trace for row in rows if (trace := Trace(*row)).trace_id not in in_lakes]
        if self.table.name not in _LOOSE:
            for trace in traces:
                self._read_events(trace)
            return
        loose = [one for one in traces if one.pack_path is None]
        packed: dict[str, list[Trace]] = {}
        for one in traces:
            if one.pack_path is not None:
                packed.setdefault(one.pack_path, []).append(one)
        for batch in batches(loose):
            self._read_loose(batch)
        for pack, members in packed.items():
            for batch in batches(sorted(members, key=lambda one: one.number or 0)):
                self._read_packed(pack, batch)

    def _read_lake(self, place: str, trace_ids: Sequence[str]) -> None:
        name = "changes" if self.table.name in _LOOSE else "rows"
        query = statement(f"publish_{name}_of_lakes").strip().rstrip(";")
        try:
            table = rows_of_file(place, trace_ids)
        except (OSError, pa.ArrowException) as error:
            failure = Failure(reason_of(error, "the file of the lake that has it"), place)
            self.failed |= dict.fromkeys(trace_ids, failure)
            return
        with registered(self.snapshot.con, lake_rows=table):
            self._stage(query)

    def _read_loose(self, traces: Sequence[Trace]) -> None:
        groups: dict[pa.Schema, list[pa.Table]] = {}
        for trace, read in zip(traces, read_files(traces), strict=True):
            if isinstance(read, Failure):
                self.failed[trace.trace_id] = read
                continue
            groups.setdefault(read.schema, []).append(read)
        if not groups:
            return
        tables = {f"loose_{n}": pa.concat_tables(part) for n, part in enumerate(groups.values())}
        selects = [_as_view_reads(name, table.column_names) for name, table in tables.items()]
        rows = f"({' union all '.join(selects)})"
        query = _loose_query(self.table.name).replace("loose_rows", rows)
        with registered(self.snapshot.con, **tables):
            self._stage(query)

    def _read_packed(self, pack: str, traces: Sequence[Trace]) -> None:
        numbers = np.array([trace.number for trace in traces], np.int64)
        try:
            table = self._pack_rows(pack, "trace_number", numbers)
        except (OSError, pa.ArrowException) as error:
            reason = reason_of(error, "its pack")
            self.failed |= {one.trace_id: Failure(reason, pack) for one in traces}
            return
        found = table.group_by("trace_number").aggregate([([], "count_all")]).to_pydict()
        counts = dict(zip(found["trace_number"], found["count_all"], strict=True))
        for trace in traces:
            if counts.get(trace.number, 0) != trace.rows:
                self.failed[trace.trace_id] = Failure("its pack lacks rows of it", pack)
        sound = [one.number for one in traces if one.trace_id not in self.failed]
        table = table.filter(pc.is_in(table["trace_number"], pa.array(sound, pa.int64())))
        with registered(self.snapshot.con, pack_rows=table):
            self._stage(_packed_query())

    def _read_events(self, trace: Trace) -> None:
        path = trace.path
        try:
            if is_url(path):
                path = self._download(trace)
            else:
                check_unchanged(trace)
            kind = f"rows_{self.table.kind}_{'flat' if trace.layout is None else 'nested'}"
            layouts = (Layout(kind, (Pattern(escape(path), False),)),)
            query = _of_part(build_query(self.table.name, ViewInputs("", layouts=layouts), ()))
            if path != trace.path:
                query = query.replace(
                    "part_trace AS f",
                    f"(select * replace ({_text(path)} as path) from part_trace) AS f",
                )
            self._stage(query)
        except _UNREADABLE as error:
            self.failed[trace.trace_id] = Failure(reason_of(error, "its file"), trace.path)
        finally:
            if path != trace.path:
                os.unlink(path)

    def _download(self, trace: Trace) -> str:
        data = objects.read(trace.path)
        check_digest(trace, data)
        path = self.snapshot.folder / f"downloaded_{next(_numbers)}"
        path.write_bytes(data)
        return os.fspath(path)

    def _read_returns(self, fill: str) -> None:
        con = self.snapshot.con
        values = {"fill": fill}
        packs: dict[str, list[tuple[str, int]]] = {}
        for trace_id, number, pack in con.execute(
            statement("publish_part_returns"), values
        ).fetchall():
            packs.setdefault(pack, []).append((trace_id, number))
        for pack, members in packs.items():
            numbers = np.array([number for _, number in members], np.int64)
            try:
                table = self._pack_rows(pack, "return_number", numbers)
            except (OSError, pa.ArrowException) as error:
                reason = reason_of(error, "the pack of its session returns")
                self.failed |= {trace_id: Failure(reason, pack) for trace_id, _ in members}
                continue
            with registered(con, pack_rows=table):
                query = statement("publish_rows_of_returns").strip().rstrip(";")
                self._stage(query.replace("$fill", _text(fill)))

    def _read_bars(self, keys: Sequence[str]) -> None:
        con = self.snapshot.con
        query = "select concat_ws(chr(31), symbol, timeframe), path from price_series"
        places = dict(con.execute(query).fetchall())
        for key in keys:
            try:
                with pq.ParquetFile(
                    self._opened(places[key]), page_checksum_verification=True
                ) as file:
                    table = file.read(use_threads=False)
            except (OSError, pa.ArrowException) as error:
                self.failed[key] = Failure(reason_of(error, "its prices' file"), places[key])
                continue
            with registered(con, pack_rows=table):
                self._stage(statement("publish_rows_of_bars").strip().rstrip(";"))

    def _pack_rows(self, pack: str, number: str, wanted: Any) -> pa.Table:
        """Return the rows of a pack that have one of some numbers, which ascend."""
        with pq.ParquetFile(self._opened(pack), page_checksum_verification=True) as file:
            column = file.schema_arrow.get_field_index(number)
            groups = [
                group
                for group in range(file.num_row_groups)
                if may_hold(file.metadata.row_group(group).column(column).statistics, wanted)
            ]
            table = file.read_row_groups(groups, use_threads=False)
        return table.filter(pc.is_in(table[number], pa.array(wanted)))

    def _opened(self, path: str) -> Any:
        file = self.snapshot.open_files.get(path)
        if file is None:
            raise FileNotFoundError(path)
        file.seek(0)
        return pa.PythonFile(file, mode="r")

    def _stage(self, query: str) -> None:
        path = os.fspath(self.snapshot.folder / f"staged_{next(_numbers)}")
        self.files.append(path)
        self.snapshot.con.execute(
            f"copy ({query}) to {_text(path)} (format parquet, compression lz4_raw)"
        )


_numbers = count()


def _as_view_reads(name: str, columns: Sequence[str]) -> str:
    """Return the columns of a file in the types in which the views read them."""
    casts = [
        f"{column if column in columns else 'null'}::{kind} as {column}"
        for column, kind in COLUMNS.items()
    ]
    return f"select {', '.join(casts)}, filename::varchar as filename from {name}"


@cache
def _loose_query(table: str) -> str:
    query = parsed(_LOOSE[table]).copy()
    call = query.find(exp.ReadParquet)
    assert call is not None  # noqa: S101 - it is the statement that reads files
    call.replace(exp.to_identifier("loose_rows"))
    return _of_part(query).replace("f.trace_number IS NULL", "true")


@cache
def _packed_query() -> str:
    query = parsed("rows_signal_packed").copy()
    call = query.find(exp.ReadParquet)
    assert call is not None  # noqa: S101 - it is the statement that reads packs
    call.replace(exp.to_identifier("pack_rows"))
    return _of_part(query)


def _of_part(query: exp.Expr) -> str:
    for source in query.find_all(exp.Table):
        if source.name == "trace_files":
            source.set("this", exp.to_identifier("part_trace"))
    return query.sql(dialect="duckdb")


def _text(value: str) -> str:
    return exp.Literal.string(value).sql(dialect="duckdb")


def _key_table(keys: Sequence[str]) -> pa.Table:
    return pa.table({"key": pa.array(keys, pa.string())})
