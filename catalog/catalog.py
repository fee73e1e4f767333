"""The façade that the command line and a user's code both talk to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

from catalog.compare.correlate import Correlations, correlate
from catalog.compare.rank import Ranking, rank
from catalog.compare.repaint import Repaints, find_repaints
from catalog.export import export_strategy_index
from catalog.metrics.compute import Computation, compute_metrics
from catalog.metrics.sets import make_set
from catalog.prices.add import PricesAdded, add_prices
from catalog.query.find import Found, find
from catalog.query.info import Info, read_info
from catalog.query.lineage import Lineage, read_lineage
from catalog.query.plan import Plan
from catalog.query.result import Result, Stream
from catalog.query.run import explain_query, run_query, stream_query
from catalog.query.sandbox import Limits
from catalog.query.show import Shown, show
from catalog.register.register import register
from catalog.register.report import Registration
from catalog.sweep import Sweep, load_sweep
from catalog.upkeep.compact import Compaction, compact
from catalog.upkeep.unpack import Unpacking, unpack

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
        limits = Limits(timeout, memory_limit, threads)
        return stream_query(self.path, query, parameters, limits=limits)

    def explain(self, query: str, parameters: Mapping[str, object] | None = None) -> Plan:
        """
        Return how a query would be run: its text as rewritten, and which files it reads.

        Raises:
            QueryError: it is no single query that reads.
            StoreError: the catalog cannot be used.
        """
        return explain_query(self.path, query, parameters)

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

    def metrics(
        self,
        *,
        where: str | None = None,
        cost_bps: float = 0.0,
        fill: str = "close",
        start: date | str | None = None,
        end: date | str | None = None,
        last_days: int | None = None,
        split: date | str | None = None,
        folds: int | None = None,
        by_regime: str | None = None,
        workers: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Computation:
        """
        Compute what strategies earned on the prices of the catalog: what is missing or stale.

        Args:
            where: only the traces that meet a condition on the columns of `strategy_index`.
            cost_bps: cost of every change of position, one way, in basis points of equity.
            fill: `close` (of the signal's own bar) or `next_open`.
            start: first session.
            end: last session.
            last_days: only the last so many days of each price series, in the place of `start`.
            split: first session that is out of sample; it stays until another is given.
            folds: into how many stretches of sessions the range is cut, each a period too.
            by_regime: also in each state of this classifier, by its hash, type or id.
            workers: threads, one per core unless given.
            progress: called with how many traces were measured, and how many are to be.

        Raises:
            UsageError: an option is no cost, fill or range.
            QueryError: the condition is none, nothing meets it, or there is no such classifier.
            StoreError: the catalog cannot be used, or prices changed meanwhile.
        """
        wanted = make_set(
            cost_bps=cost_bps,
            fill=fill,
            start=start,
            end=end,
            last_days=last_days,
            split=split,
            folds=folds,
        )
        return compute_metrics(
            self.path,
            wanted,
            where=where,
            by_regime=by_regime,
            workers=workers,
            **({} if progress is None else {"progress": progress}),
        )

    def rank(
        self,
        *,
        by: str = "sharpe",
        where: str | None = None,
        top: int = 20,
        columns: Sequence[str] | None = None,
        cost_bps: float = 0.0,
        fill: str = "close",
        start: date | str | None = None,
        end: date | str | None = None,
        last_days: int | None = None,
        pbo: bool = False,
    ) -> Ranking:
        """
        Rank strategies that were measured on these terms, and say what luck explains.

        Args:
            by: a figure of `metrics`, `deflated_sharpe`, `sharpe_is` or `sharpe_oos`; the
                greatest comes first.
            where: a condition on the columns of `strategy_index` and `metrics`. It narrows what
                is shown, never how many were tried.
            top: rows at most.
            columns: the columns to show, in the place of the usual ones.
            pbo: also estimate the probability that the best was chosen for its luck.

        Raises:
            UsageError: an option is no cost, fill or range.
            QueryError: there are no such figures, nothing meets the condition, or it is none.
            StoreError: the catalog cannot be used.
        """
        wanted = make_set(cost_bps=cost_bps, fill=fill, start=start, end=end, last_days=last_days)
        chosen = None if columns is None else tuple(columns)
        return rank(self.path, wanted, by=by, where=where, top=top, columns=chosen, pbo=pbo)

    def correlate(
        self,
        *,
        where: str | None = None,
        top: int | None = None,
        fill: str = "close",
        cost_bps: float = 0.0,
        start: date | None = None,
        end: date | None = None,
    ) -> Correlations:
        """
        Correlate what strategies earned each session; `metrics` has to have measured them.

        Args:
            where: only traces that meet a condition on the columns of `strategy_index`.
            top: so many at most, the best by Sharpe ratio; 20 unless given.
            fill: `close` (of the signal's own bar) or `next_open`.
            cost_bps: cost of every change of position, one way, in basis points of equity.
            start: first session.
            end: last session.

        Raises:
            UsageError: an option is no cost, fill, range or number of strategies.
            QueryError: the condition is none, or there are not two strategies to compare.
            StoreError: the catalog cannot be used.
        """
        wanted = make_set(cost_bps=cost_bps, fill=fill, start=start, end=end)
        return correlate(self.path, wanted, where=where, top=top)

    def repaint(self, *, where: str | None = None) -> Repaints:
        """
        Compare the traces of each configuration where their ranges overlap: they should agree.

        Args:
            where: only pairs with a trace that meets a condition on `strategy_index`.

        Raises:
            QueryError: the condition is none, or nothing meets it.
            StoreError: the catalog cannot be used.
        """
        return find_repaints(self.path, where=where)

    def compact(
        self,
        *,
        run: str | None = None,
        where: str | None = None,
        delete_originals: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Compaction:
        """
        Write registered signal traces into a few packs, which the views then read.

        Args:
            run: only the traces of this run.
            where: only those that meet a condition on the columns of `strategy_index`.
            delete_originals: delete the packed files, once the packs were read back and compared.
            progress: called with how many traces were packed, and how many are to be.

        Raises:
            QueryError: the condition is none, or nothing meets it.
            StoreError: the catalog cannot be used.
            CatalogError: a pack cannot be written.
        """
        return compact(
            self.path,
            run=run,
            where=where,
            delete=delete_originals,
            **({} if progress is None else {"progress": progress}),
        )

    def unpack(
        self,
        *trace_ids: str,
        run: str | None = None,
        where: str | None = None,
        to: PathLike | None = None,
    ) -> Unpacking:
        """
        Write the files of packed traces again, where they were or into a folder.

        A file that is there is left as it is, and the packs stay.

        Args:
            trace_ids: only these.
            run: only the traces of this run.
            where: only those that meet a condition on the columns of `strategy_index`.
            to: the folder; nothing is registered there.

        Raises:
            QueryError: the condition is none, or nothing meets it.
            CatalogError: a pack cannot be read, or a file cannot be written.
        """
        return unpack(
            self.path,
            run=run,
            where=where,
            trace_ids=trace_ids,
            to=None if to is None else Path(to),
        )

    def add_prices(
        self,
        source: Any,
        *,
        symbol: str,
        timeframe: str,
        tz: str | None = None,
        label: str = "open",
        adjustment: str | None = None,
        columns: Mapping[str, str] | None = None,
        regular_hours: str | None = None,
        renumber: bool = False,
    ) -> PricesAdded:
        """
        Add the bars of a symbol and timeframe, or a newer version of them.

        The same again changes nothing. Other prices take the place of those that were there,
        and what was computed from those is forgotten.

        Args:
            source: the path of a Parquet or CSV file, or a pandas, polars or Arrow table.
            symbol: as the traces have it, such as `SPY`.
            timeframe: the length of a bar, such as `1m`, `5m`, `1h`, `1d`.
            tz: the market's time zone: its days are the sessions, and times without an offset
                are local in it. UTC where none is given and times have an offset.
            label: `open` where a bar's time is its beginning, `close` where it is its end.
            adjustment: how prices were adjusted for splits and dividends, to be remembered.
            columns: names of columns by ts, open, high, low, close or volume, where they are not
                the usual ones.
            regular_hours: such as `09:30-16:00`, which it is for bars of less than a day in New
                York unless given; elsewhere all bars are regular.
            renumber: that traces mean the bar numbers of these prices, and not those of the
                version that was added first.

        Returns:
            The series as the catalog knows it now, and what is odd about it.

        Raises:
            UsageError: an argument is wrong, or there is no such file.
            PriceFileError: the file cannot be read, or its bars make no series.
            StoreError: the catalog cannot be used.
            CatalogError: the series cannot be written.
        """
        return add_prices(
            self.path,
            source,
            symbol=symbol,
            timeframe=timeframe,
            tz=tz,
            label=label,
            adjustment=adjustment,
            columns=columns,
            regular_hours=regular_hours,
            renumber=renumber,
        )

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
