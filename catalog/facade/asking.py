"""Ask the catalog: SQL, one strategy, what there is; and export it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.query.find import Found
    from catalog.query.info import Info
    from catalog.query.lineage import Lineage
    from catalog.query.plan import Plan
    from catalog.query.result import Result, Stream
    from catalog.query.show import Shown


class Asking(Located):
    """Ask the catalog: SQL, one strategy, what there is; and export it."""

    def sql(
        self,
        query: str,
        parameters: Mapping[str, object] | None = None,
        *,
        timeout: float | None = 300.0,
        memory_limit: str | None = None,
        threads: int | None = None,
    ) -> Result:
        """
        Run one SQL query on the catalog, which it cannot change, and return its rows.

        Only the trace files that can matter to it are opened.

        Args:
            parameters: a value for each `$name` in the query.
            timeout: seconds after which it is stopped, None for never.
            memory_limit: text such as `4GB`.
            threads: how many work on it.

        Raises:
            QueryError: it is no single query that reads, or DuckDB refuses it.
            UsageError: a limit is none.
            StoreError: the catalog cannot be used.
        """
        from catalog.query.run import run_query
        from catalog.query.sandbox import Limits

        limits = Limits(timeout, memory_limit, threads)
        return run_query(self.path, query, parameters, limits=limits)

    def stream(
        self,
        query: str,
        parameters: Mapping[str, object] | None = None,
        *,
        timeout: float | None = 300.0,
        memory_limit: str | None = None,
        threads: int | None = None,
    ) -> AbstractContextManager[Stream]:
        """
        Run a query as `sql` does, for a `with` block that takes its rows as they come.

        Until the block ends nobody can write to the catalog.
        """
        from catalog.query.run import stream_query
        from catalog.query.sandbox import Limits

        limits = Limits(timeout, memory_limit, threads)
        return stream_query(self.path, query, parameters, limits=limits)

    def explain(self, query: str, parameters: Mapping[str, object] | None = None) -> Plan:
        """
        Return how a query would be run: its text as rewritten, and which files it reads.

        Raises:
            QueryError: it is no single query that reads.
            StoreError: the catalog cannot be used.
        """
        from catalog.query.run import explain_query

        return explain_query(self.path, query, parameters)

    def find(
        self,
        *conditions: str,
        strategy_type: str | None = None,
        limit: int | None = None,
        tags: Sequence[str] = (),
        width: int | None = None,
    ) -> Found:
        """
        Find strategies by their parameters.

        Args:
            conditions: such as `period=20`, `period>=20`, `pivot_type=standard`, `tag=good`.
            tags: only strategies that have all of these tags, or a trace that has them.
            width: also draw what was found as a table of text, so many characters wide.

        Raises:
            QueryError: a condition is malformed, or there is no such parameter.
        """
        from catalog.query.find import find

        return find(
            self.path,
            conditions,
            strategy_type=strategy_type,
            limit=limit,
            tags=tags,
            width=width,
        )

    def show(self, reference: PathLike) -> Shown:
        """
        Return what is known about a strategy or trace.

        Args:
            reference: a hash (or its beginning), a strategy id, a trace id, or the path or URL of
                a file.

        Raises:
            UsageError: it is a URL that was made a path: a URL is given as text.
            QueryError: nothing, or more than one thing, goes by that name.
        """
        from catalog.query.show import show

        return show(self.path, reference)

    def lineage(self, reference: str) -> Lineage:
        """
        Return what a strategy is made of, and who uses it.

        Args:
            reference: as for `show`.

        Raises:
            QueryError: nothing, or more than one thing, goes by that name.
        """
        from catalog.query.lineage import read_lineage

        return read_lineage(self.path, reference)

    def info(self) -> Info:
        """Return what the catalog holds, in figures."""
        from catalog.query.info import read_info

        return read_info(self.path)

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
        from catalog.export import export_strategy_index

        return export_strategy_index(self.path, Path(path), where=where)
