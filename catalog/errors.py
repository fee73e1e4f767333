"""
The errors that the catalog raises on purpose.

    CatalogError
    ├── ConfigurationError       a strategy's configuration cannot be hashed
    │   └── HashCollisionError   two configurations share twelve digits
    ├── TraceFileError           a file cannot be registered, with its reason
    │   └── NotATraceError       … because it is no trace file at all
    ├── SweepFileError           a sweep file cannot be read
    ├── PriceFileError           a file of prices cannot be added
    ├── StoreError               catalog.duckdb cannot be used
    │   ├── CatalogBusyError     … because another process holds it
    │   ├── MigrationError       … because its schema is not what this program knows
    │   └── NotACatalogError     … because it is somebody's other database
    ├── ObjectStoreError         an object store cannot be reached, or refuses
    │   └── ObjectError          … what is asked of one object only, with its reason
    ├── LakeError                a published lake cannot be read or written
    ├── QueryError               a query cannot be run
    ├── AbandonedError           who asked for it has gone
    └── UsageError               a command or a call was used wrongly

Anything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations


class CatalogError(Exception):
    """
    What went wrong, with which thing, and what to do next.

    `str(error)` is the message; `error.hint` says what to try, or is None.
    """

    exit_status = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ConfigurationError(CatalogError):
    """A strategy's configuration cannot be hashed."""


class HashCollisionError(ConfigurationError):
    """Two different configurations have the same twelve-digit hash."""


class TraceFileError(CatalogError):
    """
    A file cannot be registered.

    `error.reason` is a short, fixed phrase that files can be grouped by.
    """

    def __init__(self, reason: str, message: str = "", *, hint: str | None = None) -> None:
        super().__init__(message or reason, hint=hint)
        self.reason = reason


class NotATraceError(TraceFileError):
    """A readable Parquet file that was never meant to be a trace."""


class SweepFileError(CatalogError):
    """A sweep file cannot be read or expanded."""


class PriceFileError(CatalogError):
    """A file of prices cannot be read, or its bars make no series."""


class StoreError(CatalogError):
    """catalog.duckdb cannot be opened, read or written."""


class CatalogBusyError(StoreError):
    """Another process holds the catalog."""


class MigrationError(StoreError):
    """The catalog's schema is not one that this program can use."""


class NotACatalogError(StoreError):
    """The file is a DuckDB database that holds something else."""


class ObjectStoreError(CatalogError):
    """An object store, such as S3, cannot be reached or refuses what is asked of it."""


class ObjectError(ObjectStoreError):
    """
    One object may not be read, or never comes whole, and others of its store may be fine.

    `error.reason` is a short, fixed phrase that objects can be grouped by.
    """

    def __init__(self, reason: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class LakeError(CatalogError):
    """A published lake cannot be read, or not be written."""


class AbandonedError(CatalogError):
    """Whoever asked for this has gone: nobody reads what it says."""


class QueryError(CatalogError):
    """A query was refused or failed."""


class UsageError(CatalogError):
    """A command or a call was used wrongly."""

    exit_status = 2
