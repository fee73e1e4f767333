"""
Make the file of a catalog as small as what is in it.

DuckDB keeps the room of what was deleted or written anew for what comes, and gives little of it
back. All tables are written into a new file, which takes the place of the old one once it is
whole. Whoever is stopped leaves the old one as it was.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.errors import StoreError, UsageError
from catalog.register.record import record_changes
from catalog.statements import statement
from catalog.store.database import as_it_is, held, writing
from catalog.store.own import own_objects
from catalog.store.paths import anew, catalog_root
from catalog.store.replace import put_in_place, remove_unfinished
from catalog.store.transactions import transaction
from catalog.store.views import refresh_views

WORTHWHILE: Final = 0.9
"""A new file is kept where it has less than this share of the old one's size."""
_ROWS: Final = 122_880
# What it holds is made anew, with the views and macros that it is about.
_LEFT_OUT: Final = "view_signature"
# Every catalog has it from the beginning.
_THERE: Final = "migration"


@dataclass(frozen=True)
class Vacuuming:
    """The size of the file before and after, in bytes: the same where nothing was to be gained."""

    size_before: int
    size_after: int
    seconds: float

    @property
    def gained(self) -> int:
        """How many bytes smaller the file is now."""
        return self.size_before - self.size_after


def vacuum(catalog: Path) -> Vacuuming:
    """
    Write the catalog into a new file, and keep that where it is smaller by a tenth.

    Raises:
        UsageError: there are tables, views or macros in it that users made, which would be lost.
        StoreError: there is no catalog, it cannot be used, or the disk is full.
        CatalogBusyError: another process has it.
    """
    started = time.monotonic()
    if not catalog.exists():
        raise StoreError(
            f"There is no catalog at {catalog}", hint="Name one with: catalog vacuum --catalog PATH"
        )
    with held(catalog):
        new = anew(catalog)
        remove_unfinished(new)
        with writing(catalog) as con:
            _check_is_ours(con, catalog)
            # DuckDB makes no view over a file that is gone.
            record_changes(con, catalog_root(catalog))
            con.execute("checkpoint")
        before = catalog.stat().st_size
        try:
            # As long as it is open here for reading, nobody writes to it.
            with as_it_is(catalog) as old:
                _write(old, new, catalog)
                after = new.stat().st_size
                if after < before * WORTHWHILE:
                    put_in_place(new, catalog)
                else:
                    after = before
        finally:
            remove_unfinished(new)
    return Vacuuming(before, after, time.monotonic() - started)


def _check_is_ours(con: DuckDBPyConnection, catalog: Path) -> None:
    own = own_objects(con)
    if own:
        raise UsageError(
            f"A new file of {catalog} would be without what you made in it: {', '.join(own)}",
            hint="Move it to a database of your own, to which a catalog can be attached, and "
            "drop it here",
        )


def _write(old: DuckDBPyConnection, new: Path, catalog: Path) -> None:
    with as_it_is(new, read_only=False, named=catalog) as con:
        with transaction(con):
            for name, create in old.execute(statement("select_table_texts")).fetchall():
                if name != _THERE:
                    con.execute(create)
                if name != _LEFT_OUT:
                    _copy(old, con, name)
            refresh_views(con, catalog_root(catalog))
        con.execute("checkpoint")


def _copy(old: DuckDBPyConnection, con: DuckDBPyConnection, name: str) -> None:
    table = exp.table_(name, db="internal", quoted=True)
    every = exp.select("*").from_(table)
    rows = old.sql(every.sql("duckdb")).to_arrow_reader(_ROWS)
    con.register("incoming_rows", rows)
    try:
        con.execute(exp.insert(exp.select("*").from_("incoming_rows"), table).sql("duckdb"))
    finally:
        con.unregister("incoming_rows")
    counted = exp.select(exp.func("count", exp.Star())).from_(table).sql("duckdb")
    if old.execute(counted).fetchall() != con.execute(counted).fetchall():
        raise StoreError(f"The table {name} has other rows in the new file than in the old one")
