"""Write one file of a lake: rows from the catalog, and from files of the lake that it replaces."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlglot import exp

from catalog.errors import LakeError
from catalog.lake.contents import digest_of, find_written, write_contents
from catalog.lake.entries import key_of
from catalog.lake.layout import Table, file_path
from catalog.lake.manifest import Columns, ManifestFile, columns_of
from catalog.lake.plan import Part
from catalog.lake.snapshot import Snapshot
from catalog.lake.stage import Staging
from catalog.lake.trace_rows import Failure
from catalog.objects import is_url
from catalog.places import join, put, read_bytes
from catalog.store.patterns import escape
from catalog.store.registered import registered

ROW_GROUP = 100_000
_UTC = pa.timestamp("us", "UTC")
_downloads = count()


@dataclass(frozen=True)
class Written:
    """A file that is in its place, None where none of its entries could be read."""

    file: ManifestFile | None
    was_there: bool
    failed: dict[str, Failure]


@dataclass(frozen=True)
class LakeWriter:
    """Writes files of a lake, as one writer."""

    lake: str
    writer: str
    snapshot: Snapshot
    digests: dict[str, str]
    """Those of the files that the manifest names, by path."""

    def write(self, table: Table, part: Part) -> Written:
        """
        Write the file that is to hold some entries, unless it is there.

        An entry that cannot be read is in it as the lake had it, if it did.

        Raises:
            LakeError: a file of the lake that it is made from is gone or damaged.
            StoreError, ObjectStoreError: it cannot be written.
        """
        found = find_written(self.lake, self._path(table, part.folder, part.entries))
        if found is not None:
            return Written(found, True, {})
        staging = Staging(self.snapshot, table)
        try:
            entries, failed = part.entries, {}
            if table.has_folders:
                fresh = entries.filter(pc.is_null(entries["file"]))
                staging.read(fresh["key"].to_pylist())
                failed = staging.failed
                entries = _without(entries, failed)
                if failed:
                    found = find_written(self.lake, self._path(table, part.folder, entries))
            if found is None and entries.num_rows:
                found = self._write(table, part.folder, entries, staging.files)
            return Written(found, False, failed)
        finally:
            staging.remove()

    def _path(self, table: Table, folder: str, entries: pa.Table) -> str:
        keys, digests = entries["key"].to_pylist(), entries["digest"].to_pylist()
        name = digest_of(table.name, folder, keys, digests)
        return file_path(table.name, folder, self.writer, name)

    def _write(
        self, table: Table, folder: str, entries: pa.Table, staged: list[str]
    ) -> ManifestFile:
        path = self._path(table, folder, entries)
        is_old = pc.is_valid(entries["file"])
        old, fresh = entries.filter(is_old), entries.filter(pc.invert(is_old))
        local = [self._fetch(name) for name in old["file"].unique().to_pylist()]
        sources = []
        key = key_of(table).sql(dialect="duckdb")
        if not table.has_folders and fresh.num_rows:
            sources.append(f"from {table.name} where {key} in (select key from fresh_key)")
        if staged:
            sources.append(f"from {_read(staged)}")
        if local:
            sources.append(f"from {_read(local)} where {key} in (select key from old_key)")
        made: dict[str, Any] = {}
        with registered(self.snapshot.con, old_key=old, fresh_key=fresh):
            query = _query(" union all by name ".join(f"({one})" for one in sources), table, self)
            put(join(self.lake, path), lambda name: made.update(self._fill(name, query)))
        file = ManifestFile(path=path, keys=entries.num_rows, **made)
        write_contents(self.lake, file, entries)
        for name in local:
            if is_url(self.lake):
                os.unlink(name)
        return file

    def _fill(self, name: str, query: str) -> dict[str, Any]:
        # Where it cannot be written, an open result would keep the connection from other work.
        with self.snapshot.con.sql(query).to_arrow_reader(ROW_GROUP) as reader:
            schema = pa.schema([pa.field(one.name, _plain(one.type)) for one in reader.schema])
            rows = _write_batches(name, reader, schema)
        columns: Columns = columns_of(schema)
        with open(name, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {
            "rows": rows, "size": os.path.getsize(name), "digest": digest, "columns": columns
        }  # fmt: skip

    def _fetch(self, path: str) -> str:
        """Return a file of the lake on this machine, which is as it was written."""
        place = join(self.lake, path)
        try:
            if is_url(self.lake):
                data = read_bytes(place)
                digest = hashlib.sha256(data).hexdigest()
                place = os.fspath(self.snapshot.folder / f"lake_{next(_downloads)}")
                Path(place).write_bytes(data)
            else:
                with open(place, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            digest = "gone"
        if digest != self.digests[path]:
            raise LakeError(
                f"{join(self.lake, path)} is {'gone' if digest == 'gone' else 'damaged'}, and the "
                "lake's manifest names it",
                hint="Restore it; or publish all from this catalog anew, under another name: "
                "--writer with 12 hex digits",
            )
        return place


def _write_batches(name: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
    """Write rows in row groups, and return how many there were."""
    rows, waiting = 0, 0
    held: list[pa.RecordBatch] = []
    # A writer that fails to close its file keeps it open.
    with (
        open(name, "wb") as file,
        pq.ParquetWriter(
            file, schema, compression="zstd", write_page_checksum=True, store_schema=False
        ) as writer,
    ):
        for batch in batches:
            held.append(batch)
            waiting += batch.num_rows
            rows += batch.num_rows
            if waiting >= ROW_GROUP:
                writer.write_table(_table(held, schema), ROW_GROUP)
                waiting, held = 0, []
        if held or not rows:
            writer.write_table(_table(held, schema), ROW_GROUP)
    return rows


def _without(entries: pa.Table, failed: dict[str, Failure]) -> pa.Table:
    """Leave out entries that could not be read, or take them as the lake has them."""
    if not failed:
        return entries
    kept = []
    for entry in entries.to_pylist():
        if entry["key"] in failed:
            if entry["old_file"] is None:
                continue
            entry |= {"file": entry["old_file"], "digest": entry["old_digest"]}
        kept.append(entry)
    return pa.Table.from_pylist(kept, entries.schema)


def _query(rows: str, table: Table, lake: LakeWriter) -> str:
    """Return the query of a file's rows, in order, in types that every engine knows."""
    columns = lake.snapshot.con.sql(f"select * from ({rows}) limit 0").description
    names = [name for name, *_ in columns if name != "writer"]
    types = {name: str(kind) for name, kind, *_ in columns}
    selected = [
        exp.alias_(exp.cast(exp.column(name, quoted=True), "varchar"), name, quoted=True)
        if types[name] == "JSON"
        else exp.column(name, quoted=True)
        for name in names
    ]
    query = exp.select(*selected, exp.alias_(exp.Literal.string(lake.writer), "writer"))
    order = [exp.column(name, quoted=True) for name in table.order if name in names]
    text = query.from_("rows_to_write").order_by(*order).sql(dialect="duckdb")
    return text.replace("rows_to_write", f"({rows})", 1)


def _plain(kind: pa.DataType) -> pa.DataType:
    return _UTC if pa.types.is_timestamp(kind) and kind.tz is not None else kind


def _table(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    if not batches:
        return schema.empty_table()
    return pa.Table.from_batches(batches).combine_chunks().cast(schema)


def _read(paths: list[str]) -> str:
    files = exp.array(*(exp.Literal.string(escape(path)) for path in paths))
    return f"read_parquet({files.sql(dialect='duckdb')}, union_by_name = true)"
