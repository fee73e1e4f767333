"""What strategies earned, and which of them luck does not explain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from catalog.facade.located import Located

if TYPE_CHECKING:
    from catalog.compare.correlate import Correlations
    from catalog.compare.rank import Ranking
    from catalog.compare.repaint import Repaints
    from catalog.metrics.compute import Computation


class Measuring(Located):
    """What strategies earned, and which of them luck does not explain."""

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
        from catalog.metrics.compute import compute_metrics
        from catalog.metrics.sets import make_set

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
        progress: Callable[[int, int], None] | None = None,
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
            progress: called, for each data that `pbo` looks at, with how many ways to cut it in
                halves were tried, and how many there are.

        Raises:
            UsageError: an option is no cost, fill or range.
            QueryError: there are no such figures, nothing meets the condition, or it is none.
            StoreError: the catalog cannot be used.
        """
        from catalog.compare.rank import rank
        from catalog.metrics.sets import make_set

        wanted = make_set(cost_bps=cost_bps, fill=fill, start=start, end=end, last_days=last_days)
        chosen = None if columns is None else tuple(columns)
        return rank(
            self.path,
            wanted,
            by=by,
            where=where,
            top=top,
            columns=chosen,
            pbo=pbo,
            **({} if progress is None else {"progress": progress}),
        )

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
        from catalog.compare.correlate import correlate
        from catalog.metrics.sets import make_set

        wanted = make_set(cost_bps=cost_bps, fill=fill, start=start, end=end)
        return correlate(self.path, wanted, where=where, top=top)

    def repaint(
        self,
        *,
        where: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Repaints:
        """
        Compare the traces of each configuration where their ranges overlap: they should agree.

        Args:
            where: only pairs with a trace that meets a condition on `strategy_index`.
            progress: called with how many pairs were compared, and how many there are.

        Raises:
            QueryError: the condition is none, or nothing meets it.
            StoreError: the catalog cannot be used.
        """
        from catalog.compare.repaint import find_repaints

        return find_repaints(
            self.path, where=where, **({} if progress is None else {"progress": progress})
        )
