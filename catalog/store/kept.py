"""Small Parquet files of what the tables know, beside the catalog: they appear whole."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from catalog.places import put
from catalog.statements import statement
from catalog.store.facts import has_table
from catalog.store.paths import catalog_root
from catalog.store.registered import registered


def pack_facts(pack: Path) -> Path:
    """Return the file that keeps all that the catalog knows of the traces in a pack."""
    return pack.parent.with_name("packed") / pack.name


def write_kept(path: Path, table: pa.Table) -> None:
    """
    Write a table, which is on the disk under its name when this returns.

    Raises:
        StoreError: it cannot be written.
    """

    def fill(name: str) -> None:
        pq.write_table(table, name, compression="zstd", write_page_checksum=True)

    put(os.fspath(path), fill)


def read_kept(path: Path) -> pa.Table | None:
    """Return a kept table, None where it is gone or damaged."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read(use_threads=False)
    except (OSError, pa.ArrowException):
        return None


def keep_pack_facts(con: DuckDBPyConnection, root: Path, packed: pa.Table) -> list[Path]:
    """
    Keep what the catalog knows of traces that are in packs, in a file for each pack.

    Args:
        root: the catalog's folder, which the paths of packs are relative to.
        packed: `trace_id`, `trace_number` and `pack_path` of each.

    Raises:
        StoreError: a file cannot be written.
    """
    with registered(con, incoming_packed=packed):
        rows = con.sql(statement("facts_packed")).to_arrow_table()
    paths = []
    stored = rows["pack_path"].to_pylist()
    for pack in dict.fromkeys(stored):
        own = pa.array([one == pack for one in stored], pa.bool_())
        path = pack_facts(root / pack)
        write_kept(path, rows.filter(own))
        paths.append(path)
    return paths


def write_missing_pack_facts(con: DuckDBPyConnection, catalog: Path) -> None:
    """
    Keep what the catalog knows of traces in packs, where nothing that can be read says it.

    Raises:
        StoreError: a file cannot be written.
    """
    if not has_table(con, "packed_trace"):
        return
    known = con.sql(statement("select_packed_described")).to_arrow_table()
    root = Path(catalog_root(catalog))
    packs = known["pack_path"].to_pylist()
    for pack in sorted(set(packs)):
        if not (root / pack).exists():
            continue
        own = known.filter(pa.array([one == pack for one in packs], pa.bool_()))
        path = pack_facts(root / pack)
        kept = read_kept(path)
        there = set() if kept is None else set(kept["trace_id"].to_pylist())
        lacking = pa.array([one not in there for one in own["trace_id"].to_pylist()], pa.bool_())
        own = own.filter(lacking)
        if own.num_rows:
            with registered(con, incoming_packed=own):
                rows = con.sql(statement("facts_packed")).to_arrow_table()
            # What is kept of traces that this catalog does not know stays.
            parts = [rows] if kept is None else [kept, rows]
            write_kept(path, pa.concat_tables(parts, promote_options="permissive"))
