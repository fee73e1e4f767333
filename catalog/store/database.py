"""Connections to catalog.duckdb: opened for one piece of work, closed after it."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from catalog.abandoned import acquire
from catalog.disk import remove_unfinished
from catalog.errors import CatalogBusyError, StoreError
from catalog.store.failures import as_store_error
from catalog.store.lock import WAIT_SECONDS, writing_lock
from catalog.store.migrations import lacks_migrations, migrate, open_ledger
from catalog.store.paths import catalog_root
from catalog.store.remote import release
from catalog.store.replace import keep_aside, say_if_lost

# The newest storage that DuckDB 1.2.2 reads; 2.0's own default opens in nothing older.
STORAGE_VERSION = "v1.2.0"

# What the file, the disk or the memory do to a statement. Anything else is a bug.
_OF_THE_FILE = (duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException)
_threads: dict[str, threading.RLock] = {}
_COMMIT_FAILED = re.compile(r"Failed to commit: .*(?:No space left|Could not|Cannot)", re.DOTALL)


@contextmanager
def reading(catalog: Path) -> Iterator[DuckDBPyConnection]:
    """
    Open the catalog read-only, for one piece of work.

    Waits for a writing process to finish, ten seconds at most. A catalog that an older
    version of this program made is brought up to date first.

    Raises:
        StoreError: there is no catalog, or the file is none.
        CatalogBusyError: another process holds it.
        MigrationError: its schema is not this program's.
    """
    if not catalog.exists():
        raise StoreError(
            f"There is no catalog at {catalog}",
            hint="Make one with: catalog register FOLDER, or name one with --catalog PATH",
        )
    with _alone(catalog):
        yield from _reading(catalog)


def _reading(catalog: Path) -> Iterator[DuckDBPyConnection]:
    con = _connect(catalog, _deadline(), read_only=True)
    try:
        if lacks_migrations(con, catalog):
            con.close()
            _bring_up_to_date(catalog)
            con = _connect(catalog, _deadline(), read_only=True)
        try:
            _prepare(con, catalog)
        except duckdb.InvalidInputException as error:
            raise CatalogBusyError(
                f"The rows of another query on {catalog} are still streaming",
                hint="End that with block first, or fetch the rows with Catalog.sql",
            ) from error
        yield con
    finally:
        release(con)
        con.close()


def _bring_up_to_date(catalog: Path) -> None:
    folder = os.path.dirname(os.path.abspath(catalog))
    if not (os.access(catalog, os.W_OK) and os.access(folder, os.W_OK)):
        raise StoreError(
            f"The catalog {catalog} was made by an older program, and cannot be brought up to date "
            "where it is: you cannot write there",
            hint="Copy it, with the folder beside it, to where you can",
        )
    with writing(catalog):
        pass


@contextmanager
def writing(catalog: Path, *, wait: float | None = None) -> Iterator[DuckDBPyConnection]:
    """
    Open the catalog for writing, alone, and make or migrate it where needed.

    Waits for other writers, and for readers elsewhere, ten seconds at most.

    Args:
        wait: another number of seconds.

    Raises:
        StoreError: the file is no catalog, or cannot be written.
        CatalogBusyError: another process holds it.
        MigrationError: its schema is not one that this program can migrate.
    """
    wait = WAIT_SECONDS if wait is None else wait
    deadline = time.monotonic() + wait
    with _alone(catalog, wait=wait), writing_lock(catalog, wait=wait):
        if not catalog.exists():
            _create(catalog)
        # One bound for both locks: nobody waits longer than it.
        con = _connect(catalog, deadline, read_only=False)
        try:
            with _store_errors(catalog):
                _set_up(con, catalog)
                yield con
        finally:
            _close(con, catalog)


@contextmanager
def held(catalog: Path, *, wait: float | None = None) -> Iterator[None]:
    """
    Keep other threads and other writing processes away, for a piece of work made of several.

    Raises:
        CatalogBusyError: somebody held it for ten seconds, or `wait`.
        StoreError: the folder beside the catalog cannot be written.
    """
    wait = WAIT_SECONDS if wait is None else wait
    with _alone(catalog, wait=wait), writing_lock(catalog, wait=wait):
        yield


@contextmanager
def as_it_is(
    catalog: Path, *, read_only: bool = True, named: Path | None = None
) -> Iterator[DuckDBPyConnection]:
    """
    Open a catalog whichever version of this program made it, and leave its schema alone.

    An empty database becomes a catalog without tables, where it may be written. `named` is the
    one that errors are about, where it is not this one.

    Raises:
        StoreError: it cannot be opened, is damaged, or is no catalog.
        CatalogBusyError: another process holds it.
    """
    named = named or catalog
    with _alone(catalog):
        con = _connect(catalog, _deadline(), read_only=read_only, named=named)
        try:
            with _store_errors(named):
                if read_only:
                    lacks_migrations(con, catalog)
                else:
                    open_ledger(con, catalog)
                _prepare(con, catalog)
                yield con
        finally:
            _close(con, named)


@contextmanager
def _alone(catalog: Path, *, wait: float = -1) -> Iterator[None]:
    """
    Let one thread of this process at a time have the catalog open.

    DuckDB gives all of them one instance, and what a query may reach is set for an instance.
    """
    lock = _threads.setdefault(os.path.abspath(catalog), threading.RLock())
    if not acquire(lock, timeout=wait):
        raise CatalogBusyError(
            f"Another thread of this process has the catalog {catalog} open",
            hint="Try again when it is done",
        )
    try:
        yield
    finally:
        lock.release()


def _create(catalog: Path) -> None:
    """Make an empty catalog that appears whole or not at all."""
    unfinished = catalog.with_name(f".{catalog.name}.{os.getpid()}.tmp")
    try:
        remove_unfinished(catalog)
        con = _connect(unfinished, _deadline(), read_only=False, named=catalog)
        try:
            with _store_errors(catalog):
                _set_up(con, catalog)
        finally:
            _close(con, catalog)
        keep_aside(catalog)  # The WAL of one that is gone.
        unfinished.replace(catalog)
        say_if_lost(catalog)
    except OSError as error:
        raise StoreError(
            f"Cannot make a catalog at {catalog}: {error.strerror}",
            hint="Name another place with --catalog PATH",
        ) from error
    finally:
        for leftover in (unfinished, unfinished.with_name(unfinished.name + ".wal")):
            leftover.unlink(missing_ok=True)


def _set_up(con: DuckDBPyConnection, catalog: Path) -> None:
    open_ledger(con, catalog)
    _prepare(con, catalog)
    migrate(con, catalog)


def _prepare(con: DuckDBPyConnection, catalog: Path) -> None:
    con.execute("set timezone = 'UTC'")
    # Statements name the tables without their schema; the views are what is public.
    con.execute("set search_path = 'main,internal'")
    con.execute("set variable catalog_root = $root", {"root": catalog_root(catalog)})


def _deadline() -> float:
    return time.monotonic() + WAIT_SECONDS


def _connect(
    catalog: Path, deadline: float, *, read_only: bool, named: Path | None = None
) -> DuckDBPyConnection:
    """Open a database, which errors may name otherwise; wait for one that is in use."""
    pause = 0.002
    config: dict[str, str | bool | int | float | list[str]] = {
        "storage_compatibility_version": STORAGE_VERSION,
        # A catalog never needs an extension that is not built in.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    while True:
        try:
            return duckdb.connect(os.fspath(catalog), read_only=read_only, config=config)
        except duckdb.Error as error:
            busy = isinstance(error, duckdb.IOException) and "lock on file" in str(error)
            if not busy or time.monotonic() >= deadline:
                raise as_store_error(error, named or catalog) from error
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)


@contextmanager
def _store_errors(catalog: Path) -> Iterator[None]:
    """Turn what the file, the disk or the memory did to a statement into an error of ours."""
    try:
        yield
    except _OF_THE_FILE as error:
        raise as_store_error(error, catalog) from error
    except duckdb.TransactionException as error:
        if not _COMMIT_FAILED.search(str(error)):
            raise
        raise as_store_error(error, catalog) from error


def _close(con: DuckDBPyConnection, catalog: Path) -> None:
    release(con)
    try:
        con.close()
    except duckdb.Error as error:
        raise as_store_error(error, catalog) from error
