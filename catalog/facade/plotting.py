"""Plot what strategies earned: into a file to share, or in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.plots.drawing import Drawing
    from catalog.plots.plot import Plotted


class Plotting(Located):
    """Plot what strategies earned: into a file to share, or in a notebook."""

    def plot(
        self,
        kind: str,
        selection: str | Sequence[str],
        path: PathLike,
        *,
        where: str | None = None,
        top: int | None = None,
        metric: str | None = None,
        x: str | None = None,
        y: str | None = None,
        facet: str | None = None,
        cost_bps: float = 0.0,
        fill: str = "close",
        start: date | str | None = None,
        end: date | str | None = None,
        theme: str = "light",
    ) -> Plotted:
        """
        Draw a chart into a file: a picture (.png, .svg) or a page that needs nothing else (.html).

        Args:
            kind: `equity` or `drawdown` (with buy and hold beside it), `heat-map` (a metric over
                two parameters) or `correlation`.
            selection: strategies or traces, as for `show`; `()` for all that meet the condition. A
                trace id or a path means that trace, a strategy's id its latest trace under that
                id, any other name the strategy on every symbol. Not for a heat map.
            path: ends in .png, .svg or .html.
            where: only what meets a condition on `strategy_index`; of a heat map on `leaderboard`.
            top: so many at most, the best by Sharpe ratio: 10 curves, or 40 (20 unless given) in a
                correlation.
            metric: of a heat map, a figure of `leaderboard`; `sharpe` unless given.
            x: of a heat map, a parameter (or symbol, timeframe, strategy_type, run_id); where x or
                y is not given, those with most values in the largest type are taken.
            y: likewise.
            facet: likewise, for a heat map of each of its values; none unless given.
            cost_bps: cost of every change of position, one way, in basis points of equity.
            fill: `close` (of the signal's own bar) or `next_open`.
            start: first session.
            end: last session.
            theme: `light` or `dark`.

        Raises:
            UsageError: there is no such kind, theme, ending, metric or parameter; an option is for
                another kind; more is meant than a plot has room for; or the extra `plot` is not
                installed.
            QueryError: nothing is meant, or nothing of it was measured.
            StoreError: the catalog cannot be used, or the file cannot be written.
        """
        from catalog.metrics.sets import make_set
        from catalog.plots.plot import Asked, plot

        wanted = make_set(cost_bps=cost_bps, fill=fill, start=start, end=end)
        asked = Asked(_names(selection), where, top, metric, x, y, facet, wanted)
        return plot(self.path, kind, Path(path), asked, theme=theme)

    def chart(
        self,
        kind: str,
        selection: str | Sequence[str] = (),
        *,
        where: str | None = None,
        top: int | None = None,
        metric: str | None = None,
        x: str | None = None,
        y: str | None = None,
        facet: str | None = None,
        cost_bps: float = 0.0,
        fill: str = "close",
        start: date | str | None = None,
        end: date | str | None = None,
    ) -> Drawing:
        """
        Return a chart that a notebook shows; what can be asked for is that of `plot`.

        Raises:
            UsageError: there is no such kind, metric or parameter; an option is for another kind;
                or more is meant than a chart has room for.
            QueryError: nothing is meant, or nothing of it was measured.
            StoreError: the catalog cannot be used.
        """
        from catalog.metrics.sets import make_set
        from catalog.plots.charts import titled
        from catalog.plots.drawing import Drawing
        from catalog.plots.plot import Asked, make_plot

        wanted = make_set(cost_bps=cost_bps, fill=fill, start=start, end=end)
        asked = Asked(_names(selection), where, top, metric, x, y, facet, wanted)
        made = make_plot(self.path, kind, asked)
        return Drawing(titled(made.chart, made.title, *made.notes), made.title)


def _names(selection: str | Sequence[str]) -> tuple[str, ...]:
    return (selection,) if isinstance(selection, str) else tuple(selection)
