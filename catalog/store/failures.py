"""What DuckDB says of a catalog that it cannot open, read or write, as an error of ours."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from catalog.errors import CatalogBusyError, StoreError

_DAMAGED = re.compile(r"[Cc]orrupt|[Cc]hecksum|replaying WAL|WAL file")


def as_store_error(error: duckdb.Error, catalog: Path) -> StoreError:
    """Return what the file, the disk or another process did to a catalog, with what to do."""
    text = str(error)
    if "different configuration" in text:
        return CatalogBusyError(
            f"This process has the catalog {catalog} open otherwise",
            hint="Close the connection to it, or use Catalog.sql, which holds none",
        )
    if "lock on file" in text:
        holder = re.search(r"held in (.+?) \(PID (\d+)\)", text)
        by = f" by process {holder[2]} ({holder[1]})" if holder else ""
        return CatalogBusyError(
            f"The catalog {catalog} is in use{by}",
            hint="Close it there, or wait until that process is done",
        )
    if "not a valid DuckDB database file" in text:
        return StoreError(
            f"{catalog} is not a DuckDB database",
            hint="If it was a catalog, make it anew with: catalog rebuild; or name another file "
            "with --catalog PATH",
        )
    if _DAMAGED.search(text):
        return StoreError(
            f"{catalog} is damaged: {text.splitlines()[0]}",
            hint="Make it anew, and keep this one aside, with: catalog rebuild",
        )
    if "version number" in text or "storage version" in text.lower():
        return StoreError(
            f"{catalog} was written by a DuckDB that is newer than this one ({duckdb.__version__})",
            hint="Upgrade with: pip install --upgrade duckdb",
        )
    if "No space left" in text:
        return StoreError(
            f"The disk is full: {catalog} was left as it was before",
            hint="Free some space and run the command again: it goes on where it stopped",
        )
    first_line = text.splitlines()[0] if text else type(error).__name__
    return StoreError(
        f"Cannot use the catalog {catalog}: {first_line}",
        hint="Check the file and the permissions of its folder, or name another with --catalog",
    )
