"""The façade that the command line and a user's code both talk to."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog.export import export_strategy_index
from catalog.query.find import Found, find
from catalog.query.info import Info, read_info
from catalog.query.lineage import Lineage, read_lineage
from catalog.query.result import Result
from catalog.query.run import run_query
from catalog.query.show import Shown, show
from catalog.register.register import register
from catalog.register.report import Registration
from catalog.sweep import Sweep, load_sweep

PathLike = str | os.PathLike[str]


class Catalog:
    """
    The catalog of strategy traces: one file, `catalog.duckdb`, that knows every trace.

    It holds a path, not a connection: each call opens the file for its own piece of work,
    so that many processes can share it.
    """

    def __init__(self, path: PathLike = "catalog.duckdb") -> None:
        self.path = Path(path)

    def register(
        self,
        *folders: PathLike,
        sweeps: Sequence[PathLike | Sweep] = (),
        dry_run: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Registration:
        """
        Register the trace files at and below some folders. Harmless when done twice.

        Args:
            sweeps: sweep files (YAML) to find parameters in that the traces do not carry.
            dry_run: read and report, and write nothing.
            progress: called with how many files were read, and how many are to be.

        Returns:
            What was registered, found, ignored and quarantined.

        Raises:
            UsageError: a folder does not exist.
            SweepFileError: a sweep file cannot be read.
            StoreError: the catalog cannot be used.
        """
        loaded = [sweep if isinstance(sweep, Sweep) else load_sweep(sweep) for sweep in sweeps]
        return register(
            self.path,
            folders,
            sweeps=loaded,
            dry_run=dry_run,
            **({} if progress is None else {"progress": progress}),
        )

    def sql(self, query: str) -> Result:
        """
        Run one SQL query on the catalog, which it cannot change.

        Raises:
            QueryError: it is no single query, or DuckDB refuses it.
            StoreError: the catalog cannot be used.
        """
        return run_query(self.path, query)

    def export_strategy_index(self, path: PathLike, *, where: str | None = None) -> int:
        """
        Write the strategy index to a Parquet, CSV or JSON file, by the file's name.

        Args:
            where: a condition on the columns of `strategy_index`.

        Returns:
            How many rows were written.

        Raises:
            QueryError: the condition is none, or the file's name ends in something else.
            StoreError: the catalog cannot be used, or the file cannot be written.
        """
        return export_strategy_index(self.path, Path(path), where=where)

    def info(self) -> Info:
        """Return what the catalog holds, in figures."""
        return read_info(self.path)

    def show(self, reference: str) -> Shown:
        """
        Return what is known about a strategy or trace.

        Args:
            reference: a hash (or its beginning), a strategy id, a trace id or a file's path.

        Raises:
            QueryError: nothing, or more than one thing, goes by that name.
        """
        return show(self.path, reference)

    def lineage(self, reference: str) -> Lineage:
        """
        Return what a strategy is made of, and who uses it.

        Args:
            reference: as for `show`.

        Raises:
            QueryError: nothing, or more than one thing, goes by that name.
        """
        return read_lineage(self.path, reference)

    def find(
        self, *conditions: str, strategy_type: str | None = None, limit: int | None = None
    ) -> Found:
        """
        Find strategies by their parameters.

        Args:
            conditions: such as `period=20`, `period>=20`, `pivot_type=standard`.

        Raises:
            QueryError: a condition is malformed, or there is no such parameter.
        """
        return find(self.path, conditions, strategy_type=strategy_type, limit=limit)

    def __repr__(self) -> str:
        return f"Catalog({os.fspath(self.path)!r})"
