"""
The catalog's schema, moved forward one migration at a time.

A migration is a file `migrations/NNNN_name.sql`. It runs in one transaction
together with the ledger row that says so, with its checksum; it is never
edited after that, and there is no way back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from catalog.errors import MigrationError, NotACatalogError, StoreError
from catalog.statements import statement
from catalog.store.paths import catalog_root
from catalog.store.transactions import transaction

# Version, name, checksum, and which version of this program applied it.
Applied = tuple[int, str, str, str]


@dataclass(frozen=True)
class Migration:
    """One step of the schema. `version` counts from 1 without gaps."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the script, 64 hex digits."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def known_migrations() -> tuple[Migration, ...]:
    """Return the migrations that this program ships, oldest first."""
    scripts = sorted(
        (entry for entry in files("catalog.migrations").iterdir() if entry.name.endswith(".sql")),
        key=lambda entry: entry.name,
    )
    return tuple(
        Migration(int(entry.name[:4]), entry.name[:-4], entry.read_text(encoding="utf-8"))
        for entry in scripts
    )


def open_ledger(con: DuckDBPyConnection, catalog: Path) -> None:
    """
    Make sure that the database has a ledger of migrations.

    Raises:
        StoreError: the database holds something else than a catalog.
    """
    if _applied(con) is not None:
        return
    if con.execute(statement("select_any_table")).fetchall():
        raise _not_a_catalog(catalog)
    con.execute(statement("create_migration_ledger"))


def migrate(
    con: DuckDBPyConnection, catalog: Path, migrations: Sequence[Migration] | None = None
) -> int:
    """
    Apply the migrations that the catalog lacks, and make its views anew.

    One that an older program made is copied first. Returns how many were applied.

    Raises:
        StoreError: it cannot be copied; then no migration is applied.
        MigrationError: the catalog is newer than this program, an applied migration
            was edited or is missing, or a script fails or ends its transaction.
    """
    migrations = known_migrations() if migrations is None else migrations
    pending = _pending(_applied(con) or [], catalog, migrations)
    is_older = bool(pending) and pending[0].version > 1
    if is_older:
        # Only a catalog that was made before needs what keeps it.
        from catalog.store.upgrades import drop_old_copies, prepare_upgrade

        prepare_upgrade(con, catalog)
    for migration in pending:
        _apply(con, migration, catalog, make_views=migration is pending[-1])
    if is_older:
        drop_old_copies(catalog)
    return len(pending)


def lacks_migrations(
    con: DuckDBPyConnection, catalog: Path, migrations: Sequence[Migration] | None = None
) -> bool:
    """
    Say whether an older version of this program made the catalog.

    Raises:
        MigrationError: a newer one did, or an applied migration was edited or is missing.
        StoreError: the database holds something else than a catalog.
    """
    migrations = known_migrations() if migrations is None else migrations
    applied = _applied(con)
    if applied is None:
        raise _not_a_catalog(catalog)
    return bool(_pending(applied, catalog, migrations))


def _pending(
    applied: Sequence[Applied], catalog: Path, migrations: Sequence[Migration]
) -> list[Migration]:
    known = {migration.version: migration for migration in migrations}
    newest = max(known, default=0)
    for number, name, checksum, program in applied:
        if number > newest:
            raise MigrationError(
                f"The catalog {catalog} was made by a newer version of this program "
                f"({program}): it has migration {name}",
                hint="Upgrade with: pip install --upgrade strategy-trace-catalog",
            )
        if number not in known:
            raise MigrationError(
                f"Migration {name} was applied to {catalog} and is missing from this program",
                hint="Restore the file migrations/" + name + ".sql",
            )
        if known[number].checksum != checksum:
            raise MigrationError(
                f"Migration {name} was edited after it was applied to {catalog}",
                hint="Restore the file, and put the change in a new migration",
            )
    done = {row[0] for row in applied}
    return [migration for migration in migrations if migration.version not in done]


def _apply(
    con: DuckDBPyConnection, migration: Migration, catalog: Path, *, make_views: bool
) -> None:
    # Reading a catalog that lacks none needs no views made, nor what makes them.
    from catalog.store.views import refresh_views

    scripts = con.extract_statements(migration.sql)
    # A `commit;` in a script would end its transaction silently, half way through.
    if any(part.type == duckdb.StatementType.TRANSACTION for part in scripts):
        raise MigrationError(
            f"Migration {migration.name} begins or ends a transaction",
            hint="Take the statement out: every migration runs in one transaction of its own",
        )
    values = {
        "version": migration.version,
        "name": migration.name,
        "checksum": migration.checksum,
        "program": program_version(),
    }
    try:
        with transaction(con):
            for part in scripts:
                con.execute(part)
            con.execute(statement("insert_applied_migration"), values)
            if make_views:
                refresh_views(con, catalog_root(catalog), only_present=True)
    except duckdb.Error as error:
        if "No space left" in str(error):
            # That is nothing to report: whoever opened the catalog says what to do.
            raise
        raise MigrationError(
            f"Migration {migration.name} failed and changed nothing: {error}",
            hint="Report this, with the message above",
        ) from error


def _applied(con: DuckDBPyConnection) -> list[Applied] | None:
    """Return the rows of the ledger, None where there is none."""
    # Asking for it is ten times quicker than listing the tables.
    try:
        return con.execute(statement("select_applied_migrations")).fetchall()
    except duckdb.CatalogException:
        return None


def _not_a_catalog(catalog: Path) -> StoreError:
    return NotACatalogError(
        f"{catalog} is a DuckDB database, but no catalog",
        hint="Name another file with --catalog PATH",
    )


def program_version() -> str:
    """Return this program's version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("strategy-trace-catalog")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "unknown"
