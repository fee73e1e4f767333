"""Plot strategies into a file: equity, drawdown, a heat map of parameters, correlation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
from sqlglot import exp

from catalog.compare.correlate import DEFAULT_TOP, correlate
from catalog.errors import UsageError
from catalog.metrics.sets import MetricSet
from catalog.plots.charts import (
    Chart,
    correlation_chart,
    drawdown_chart,
    equity_chart,
    heat_map,
    titled,
)
from catalog.plots.chosen import traces_meant, traces_named
from catalog.plots.curves import Curves, read_curves
from catalog.plots.draw import check_ending, check_theme, draw
from catalog.plots.landscape import read_landscape
from catalog.query.parsing import parse_condition
from catalog.query.target import check_folder

DEFAULT = MetricSet()
MOST_CURVES = 10
MOST_CORRELATED = 40


@dataclass(frozen=True)
class Asked:
    """What a plot is to show; see `Catalog.plot`."""

    selection: tuple[str, ...] = ()
    where: str | None = None
    top: int | None = None
    metric: str | None = None
    x: str | None = None
    y: str | None = None
    facet: str | None = None
    wanted: MetricSet = DEFAULT


@dataclass(frozen=True)
class Plotted:
    """A chart that was drawn: what it is called, the lines below its title, what it is of."""

    chart: Chart
    title: str
    notes: tuple[str, ...]
    strategies: int


def plot(catalog: Path, kind: str, path: Path, asked: Asked, *, theme: str = "light") -> Plotted:
    """
    Draw a chart of a kind into a file; see `Catalog.plot`.

    Raises:
        UsageError: there is no such kind, theme, ending, metric or parameter; an option is for
            another kind; or more is meant than a plot has room for.
        QueryError: nothing is meant, or nothing of it was measured.
        StoreError: the catalog cannot be used, or the file cannot be written.
    """
    check_kind(kind, asked)
    check_ending(path)
    check_folder(path)
    check_theme(theme)
    made = make_plot(catalog, kind, asked)
    draw(titled(made.chart, made.title, *made.notes), path, catalog=catalog, theme=theme)
    return made


def make_plot(catalog: Path, kind: str, asked: Asked) -> Plotted:
    """
    Return a chart of a kind, which is not drawn yet; see `Catalog.chart`.

    Raises:
        UsageError: there is no such kind, metric or parameter; an option is for another kind; or
            more is meant than a plot has room for.
        QueryError: nothing is meant, or nothing of it was measured.
        StoreError: the catalog cannot be used.
    """
    check_kind(kind, asked)
    return _KINDS[kind](catalog, asked)


def check_kind(kind: str, asked: Asked) -> None:
    """
    Refuse a kind of plot that there is not, and options that it would ignore.

    Raises:
        UsageError: it is so.
    """
    if kind not in _KINDS:
        raise UsageError(
            f"There is no kind of plot {kind!r}", hint=f"Take one of: {', '.join(_KINDS)}"
        )
    _check_options(kind, asked)


def _equity(catalog: Path, asked: Asked) -> Plotted:
    return _of_curves(catalog, asked, "Equity", equity_chart)


def _drawdown(catalog: Path, asked: Asked) -> Plotted:
    return _of_curves(catalog, asked, "Drawdown", drawdown_chart)


def _of_curves(catalog: Path, asked: Asked, name: str, make: Callable[..., Chart]) -> Plotted:
    ids = traces_meant(
        catalog,
        asked.selection,
        where=asked.where,
        top=asked.top,
        most=MOST_CURVES,
        wanted=asked.wanted,
    )
    found = read_curves(catalog, ids, wanted=asked.wanted, position=False)
    title = f"{name} of {found.labels[0] if len(ids) == 1 else f'{len(ids)} traces'}"
    notes = (_sessions(found), _terms(asked.wanted), _ruined(found), _hidden(found))
    return Plotted(make(found.curves), title, tuple(filter(None, notes)), len(ids))


def _heat_map(catalog: Path, asked: Asked) -> Plotted:
    found = read_landscape(
        catalog,
        metric=asked.metric or "sharpe",
        x=asked.x,
        y=asked.y,
        facet=asked.facet,
        where=asked.where,
    )
    x, y, facet = found.x.name, found.y.name, found.facet.name if found.facet else None
    chart = heat_map(found.cells, x=x, y=y, value=found.metric, facet=facet)
    of = f" of {found.strategy_type}" if found.strategy_type else ""
    plateau = found.best_plateau
    notes = (
        f"each cell the median of its strategies, {found.strategies:,} in all, each on a symbol"
        + (f", where {asked.where}" if asked.where else ""),
        f"framed: the best plateau, where the median of the cells beside it is {plateau:.3g}"
        if plateau is not None
        else "",
        f"a step of {' and of '.join(found.merged)} is several values" if found.merged else "",
    )
    title = f"{found.metric}{of} over {x} and {y}" + (f", by {facet}" if facet else "")
    return Plotted(chart, title, tuple(filter(None, notes)), found.strategies)


def _correlation(catalog: Path, asked: Asked) -> Plotted:
    where, top = asked.where, asked.top
    if top is not None and not 2 <= top <= MOST_CORRELATED:
        raise UsageError(
            f"The best {top} cannot be shown together", hint=f"Take from 2 to {MOST_CORRELATED}"
        )
    if asked.selection:
        ids = traces_named(catalog, asked.selection)
        if len(ids) > MOST_CORRELATED and top is None:
            raise UsageError(
                f"{len(ids):,} traces are meant, and there is room for {MOST_CORRELATED}",
                hint=f"Name fewer, or take the best: --top {MOST_CORRELATED}",
            )
        named: exp.Expr = exp.column("trace_id").isin(*ids)
        both = named if where is None else exp.and_(parse_condition(where), named)
        where, top = both.sql("duckdb"), top or max(len(ids), 2)
    found = correlate(catalog, asked.wanted, where=where, top=top or DEFAULT_TOP)
    shown = len(found.names)
    better = ", the best by Sharpe ratio" if shown < found.meant else ""
    notes = [f"{shown} of {found.meant:,} strategies{better}", _terms(asked.wanted)]
    if found.mean is not None and found.effective is not None:
        notes.append(
            f"mean {found.mean:.2f}; about {found.effective:.1f} independent strategies over the "
            f"{found.common_sessions:,} sessions that all of them have"
        )
    pairs = found.pairs()
    if pairs["correlation"].null_count:
        notes.append("blank: one of the two earned the same in all sessions that both have")
    chart = correlation_chart(pairs, names=found.names)
    return Plotted(chart, "Correlation of session returns", tuple(notes), shown)


def _sessions(found: Curves) -> str:
    span = pc.min_max(found.curves["date"]).as_py()
    if found.by_bar:
        return (
            f"bar by bar, {span['min']:%Y-%m-%d %H:%M} to {span['max']:%Y-%m-%d %H:%M}, market time"
        )
    return f"sessions from {span['min']} to {span['max']}"


def _hidden(found: Curves) -> str:
    """Say of curves that lie on each other that they do: only the last one of them is seen."""
    curves = found.curves.select(["label", "date", "equity"])
    seen: dict[tuple[object, ...], list[str]] = {}
    for label in found.labels:
        own = curves.filter(pc.equal(curves["label"], label))
        rounded = (round(value, 12) for value in own["equity"].to_pylist())
        seen.setdefault((*own["date"].to_pylist(), *rounded), []).append(label)
    groups = [
        ", ".join(alike[:3]) + (f" and {len(alike) - 3} more" if alike[3:] else "")
        for alike in seen.values()
        if len(alike) > 1
    ]
    return f"one line: {'; '.join(groups)}" if groups else ""


def _ruined(found: Curves) -> str:
    """Say whose equity ends at nothing."""
    lost = found.curves.filter(pc.field("equity") <= 0).select(["label", "date"]).to_pylist()
    return "; ".join(f"{row['label']} lost everything on {row['date']:%Y-%m-%d}" for row in lost)


def _terms(wanted: MetricSet) -> str:
    cost = wanted.terms.cost_bps
    filled = "the next open" if wanted.terms.fill == "next_open" else "its bar's close"
    paid = f"cost {cost:g} bps one way" if cost else "without cost"
    return f"{paid}, filled at {filled}"


def _check_options(kind: str, asked: Asked) -> None:
    """Refuse what would be ignored."""
    if kind == "heat-map":
        if asked.selection:
            raise UsageError(
                "A heat map is of all strategies that meet a condition, not of single ones",
                hint="Give a condition: --where \"strategy_type = 'rsi'\"",
            )
        others = {
            "--top": asked.top is not None,
            "--cost-bps, --fill, --start and --end": asked.wanted != DEFAULT,
        }
    else:
        others = {
            f"--{name}": getattr(asked, name) is not None for name in ("metric", "x", "y", "facet")
        }
    for name, is_given in others.items():
        if is_given:
            raise UsageError(f"{name}: not for {kind}", hint="Leave it away")


_KINDS: dict[str, Callable[[Path, Asked], Plotted]] = {
    "equity": _equity,
    "drawdown": _drawdown,
    "heat-map": _heat_map,
    "correlation": _correlation,
}
