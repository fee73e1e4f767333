"""What the analytics.duckdb of runs say about their strategies."""

from __future__ import annotations

from threading import Lock
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.errors import ConfigurationError, ObjectError, TraceFileError
from catalog.places import on_this_machine
from catalog.statements import statement
from catalog.strategy import leaf_parameters, parse_config

Config = dict[str, Any]


class AnalyticsReader:
    """
    Reads the analytics.duckdb of one run after the other.

    All through one instance of DuckDB, opened for the first: to start one takes ten times as
    long as to attach a file.
    """

    def __init__(self) -> None:
        self._con: DuckDBPyConnection | None = None
        self._lock = Lock()

    def read(self, path: str) -> dict[str, Config]:
        """
        Return the configurations by strategy name; a name that is there twice is left out.

        The `config_hash` in it is an MD5 of the parameters, and no claim on a strategy hash.

        Raises:
            TraceFileError: it is no database that can be read, or another process holds it.
            ObjectStoreError: the store that it lies in cannot be reached, or says no.
        """
        found: dict[str, list[Config]] = {}
        for name, kind, parameters in self._fetched(path):
            try:
                config = {"type": kind, "parameters": parse_config(parameters)}
            except ConfigurationError:
                continue
            if leaf_parameters(config):
                found.setdefault(name, []).append(config)
        return {name: configs[0] for name, configs in found.items() if len(configs) == 1}

    def close(self) -> None:
        """Close the instance of DuckDB."""
        if self._con is not None:
            self._con.close()
            self._con = None

    def _fetched(self, path: str) -> list[tuple[str, str, str]]:
        try:
            # Several runs are read at once where they lie in a store, and one is attached then.
            with on_this_machine(path) as file, self._lock:
                return self._rows(file)
        except (ObjectError, FileNotFoundError) as error:
            raise _unreadable(error) from error

    def _rows(self, path: str) -> list[tuple[str, str, str]]:
        try:
            if self._con is None:
                self._con = duckdb.connect()
            file = exp.Literal.string(path).sql(dialect="duckdb")
            self._con.execute(f"attach {file} as run (read_only)")
            # A view could read any file of this machine; a table is what it is.
            if not self._con.execute(statement("select_has_analytics")).fetchall():
                return []
            rows = self._con.execute(statement("select_analytics_strategies")).fetchall()
        except (duckdb.Error, OSError) as error:
            # Whatever state it is in now: the next run gets another.
            self.close()
            raise _unreadable(error) from error
        else:
            return rows
        finally:
            if self._con is not None:
                self._con.execute("detach database if exists run")


def _unreadable(error: Exception) -> TraceFileError:
    return TraceFileError(
        "unreadable analytics.duckdb",
        str(error).splitlines()[0],
        hint="Its run may lack configurations: repair the file, or close it elsewhere",
    )
