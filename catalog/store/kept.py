"""Small Parquet files of what the tables know, beside the catalog: they appear whole."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from catalog.disk import sync
from catalog.errors import StoreError
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
    unfinished = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            pq.write_table(table, unfinished, compression="zstd", write_page_checksum=True)
            sync(unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        sync(path.parent)
        sync(path.parent.parent)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"Cannot write {path}: {getattr(error, 'strerror', None) or error}",
            hint="Free some space, or check the permissions of the folder",
        ) from error


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
    Keep what the catalog knows of the traces in packs of which nothing is kept.

    Raises:
        StoreError: a file cannot be written.
    """
    if not has_table(con, "packed_trace"):
        return
    packed = con.sql(statement("select_packed_known")).to_arrow_table()
    root = Path(catalog_root(catalog))
    lacking = {
        pack
        for pack in set(packed["pack_path"].to_pylist())
        if (root / pack).exists() and not pack_facts(root / pack).exists()
    }
    if lacking:
        own = [pack in lacking for pack in packed["pack_path"].to_pylist()]
        keep_pack_facts(con, root, packed.filter(pa.array(own, pa.bool_())))
