"""
Read the rows of new entries from trace files, packs and price files, as the views show them.

They are read by pyarrow, which checks the checksums of pages and says of each file on its own
what is wrong with it; the columns of the views are then made by the very SQL of the views. What
was read waits in temporary files until a file of the lake is written from all of it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
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
from catalog.metrics.changes import may_hold
from catalog.objects import is_url
from catalog.statements import statement
from catalog.store.patterns import Pattern, escape
from catalog.store.registered import registered
from catalog.store.view_queries import Layout, ViewInputs, build_query, parsed

BATCH_ROWS = 200_000
"""Rows that are held in memory while their columns are made."""
BATCH_FILES = 4_000
_HELD = 16 << 20
"""Larger files are read from the disk column by column."""
_COLUMNS = {
    "idx": "bigint", "ts": "varchar", "sym": "varchar", "val": "varchar", "strat": "varchar",
    "px": "double",
}  # fmt: skip
_LOOSE = {"signals": "rows_signal_loose", "classifications": "view_classifications"}
_UNREADABLE = (OSError, pa.ArrowException, duckdb.Error)


@dataclass(frozen=True, slots=True)
class _Trace:
    trace_id: str
    path: str
    size: int
    mtime_ns: int
    digest: str
    rows: int
    layout: str | None
    pack_path: str | None
    number: int | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an entry could not be read, as a short phrase, and the file that it was to be in."""

    reason: str
    path: str


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
        traces = [trace for row in rows if (trace := _Trace(*row)).trace_id not in in_lakes]
        if self.table.name not in _LOOSE:
            for trace in traces:
                self._read_events(trace)
            return
        loose = [one for one in traces if one.pack_path is None]
        packed: dict[str, list[_Trace]] = {}
        for one in traces:
            if one.pack_path is not None:
                packed.setdefault(one.pack_path, []).append(one)
        for batch in _batches(loose):
            self._read_loose(batch)
        for pack, members in packed.items():
            for batch in _batches(sorted(members, key=lambda one: one.number or 0)):
                self._read_packed(pack, batch)

    def _read_lake(self, place: str, trace_ids: Sequence[str]) -> None:
        name = "changes" if self.table.name in _LOOSE else "rows"
        query = statement(f"publish_{name}_of_lakes").strip().rstrip(";")
        try:
            table = rows_of_file(place, trace_ids)
        except (OSError, pa.ArrowException) as error:
            failure = Failure(_reason(error, "the file of the lake that has it"), place)
            self.failed |= dict.fromkeys(trace_ids, failure)
            return
        with registered(self.snapshot.con, lake_rows=table):
            self._stage(query)

    def _read_loose(self, traces: Sequence[_Trace]) -> None:
        groups: dict[pa.Schema, list[pa.Table]] = {}
        for trace, read in zip(traces, _read_files(traces), strict=True):
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

    def _read_packed(self, pack: str, traces: Sequence[_Trace]) -> None:
        numbers = np.array([trace.number for trace in traces], np.int64)
        try:
            table = self._pack_rows(pack, "trace_number", numbers)
        except (OSError, pa.ArrowException) as error:
            reason = _reason(error, "its pack")
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

    def _read_events(self, trace: _Trace) -> None:
        path = trace.path
        try:
            if is_url(path):
                path = self._download(trace)
            else:
                _check_unchanged(trace)
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
            self.failed[trace.trace_id] = Failure(_reason(error, "its file"), trace.path)
        finally:
            if path != trace.path:
                os.unlink(path)

    def _download(self, trace: _Trace) -> str:
        data = objects.read(trace.path)
        _check_digest(trace, data)
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
                reason = _reason(error, "the pack of its session returns")
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
                self.failed[key] = Failure(_reason(error, "its prices' file"), places[key])
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


def _batches(traces: Sequence[_Trace]) -> Iterator[list[_Trace]]:
    batch: list[_Trace] = []
    rows = 0
    for trace in traces:
        batch.append(trace)
        rows += trace.rows
        if rows >= BATCH_ROWS or len(batch) >= BATCH_FILES:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _read_files(traces: Sequence[_Trace]) -> Iterator[pa.Table | Failure]:
    if any(is_url(trace.path) for trace in traces):
        yield from objects.many_at_once(_read_file, traces)
    else:
        yield from map(_read_file, traces)


def _read_file(trace: _Trace) -> pa.Table | Failure:
    """Return the columns that views read of a file, and its path, or why they cannot be read."""
    try:
        # As many files are read, what pq.ParquetFile does beside that would be a third of it.
        reader = pq.ParquetReader()
        reader.open(_source(trace), pre_buffer=False, page_checksum_verification=True)
        paths = enumerate(reader.column_paths)
        leaves = [place for place, path in paths if len(path) == 1 and path[0] in _COLUMNS]
        table = reader.read_all(leaves, use_threads=False).replace_schema_metadata(None)
        if table.num_rows != trace.rows:
            raise _ChangedError
    except (OSError, pa.ArrowException) as error:
        return Failure(_reason(error, "its file"), trace.path)
    path = pa.DictionaryArray.from_arrays(
        pa.repeat(pa.scalar(0, pa.int32()), table.num_rows), pa.array([trace.path])
    )
    return table.append_column("filename", path)


def _source(trace: _Trace) -> Any:
    """Return what a trace file is read from, if it is the one that was registered."""
    if is_url(trace.path):
        data = objects.read(trace.path)
        _check_digest(trace, data)
        return pa.BufferReader(data)
    if trace.size > _HELD:
        _check_unchanged(trace)
        return pa.OSFile(trace.path)
    with open(trace.path, "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if (status.st_size, status.st_mtime_ns) != (trace.size, trace.mtime_ns):
            raise _ChangedError
        return pa.BufferReader(file.readall())


class _ChangedError(OSError):
    """The file is not the one that was registered."""


def _check_unchanged(trace: _Trace) -> None:
    status = os.stat(trace.path)
    if (status.st_size, status.st_mtime_ns) != (trace.size, trace.mtime_ns):
        raise _ChangedError


def _check_digest(trace: _Trace, data: bytes) -> None:
    if hashlib.sha256(data).hexdigest() != trace.digest:
        raise _ChangedError


def _reason(error: Exception, what: str) -> str:
    if isinstance(error, _ChangedError):
        return f"{what} has changed since it was registered"
    if isinstance(error, FileNotFoundError):
        return f"{what} is gone"
    return f"{what} cannot be read"


def _as_view_reads(name: str, columns: Sequence[str]) -> str:
    """Return the columns of a file in the types in which the views read them."""
    casts = [
        f"{column if column in columns else 'null'}::{kind} as {column}"
        for column, kind in _COLUMNS.items()
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
