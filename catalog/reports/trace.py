"""What is told of one trace, in a report and on a page: its strategy, what it earned and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from catalog.errors import CatalogError, ObjectStoreError, QueryError
from catalog.plots.charts import Chart, drawdown_chart, equity_chart, position_chart
from catalog.plots.curves import read_curves
from catalog.query.rows import Row
from catalog.query.show import Shown, show
from catalog.reports.figures import Figures, Year, figures, years
from catalog.reports.rows import ask

T = TypeVar("T")

POINTS = 700
"""Of a curve in a picture that nobody zooms into."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """What traces grew to and how far below their peaks they were; of one also what it held."""

    equity: Chart
    drawdown: Chart
    position: Chart | None
    by_bar: bool


@dataclass(frozen=True, eq=False)
class Told:
    """One trace, whole; `why_not…` stands in the place of what is not known."""

    trace: Row
    shown: Shown
    figures: list[Figures]
    years: list[Year]
    trades: list[Row] | None
    why_no_trades: CatalogError | None
    pictures: Pictures | None
    why_no_pictures: CatalogError | None


def tell(catalog: Path, trace_id: str) -> Told:
    """
    Return what is known of a signal trace.

    Raises:
        StoreError: the catalog cannot be used.
    """
    trades, why_no_trades = attempt(lambda: ask(catalog, "report_trades", trace_id=trace_id))
    pictures, why_no_pictures = attempt(lambda: draw(catalog, [trace_id]))
    (trace,) = ask(catalog, "report_trace", trace_id=trace_id)
    return Told(
        trace,
        show(catalog, trace_id),
        figures(ask(catalog, "trace_figures", trace_id=trace_id)),
        months(catalog, trace_id),
        trades,
        why_no_trades,
        pictures,
        why_no_pictures,
    )


def months(catalog: Path, trace_id: str) -> list[Year]:
    """Return what a trace earned month by month, the newest year first; none where unknown."""
    return years(ask(catalog, "trace_months", trace_id=trace_id))


def draw(catalog: Path, trace_ids: Sequence[str], *, points: int = POINTS) -> Pictures:
    """
    Return the curves of some traces, beside buying and holding; of one also what it held.

    Args:
        points: so many of each curve at most.

    Raises:
        QueryError: one of them has no session returns.
        StoreError: the catalog cannot be used.
    """
    found = read_curves(catalog, trace_ids, points=points)
    is_held = found.price is not None and found.held is not None
    return Pictures(
        equity_chart(found.curves),
        drawdown_chart(found.curves),
        position_chart(found.price, found.held) if is_held else None,
        found.by_bar,
    )


def attempt(work: Callable[[], T]) -> tuple[T | None, CatalogError | None]:
    """Return what some work gives, or why it cannot: there is more to tell."""
    try:
        return work(), None
    except (QueryError, ObjectStoreError) as error:
        return None, error
