"""What a comparison of strategies shows: curves, figures, parameters, agreement, correlation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import pyarrow as pa
from sqlglot import exp

from catalog.catalog import Catalog
from catalog.compare.parameters import SeveralValues, parameters_of_several
from catalog.compare.told_apart import told_apart
from catalog.errors import CatalogError, QueryError
from catalog.metrics.kinds import LESS_IS_MORE, NEUTRAL
from catalog.plots.charts import Chart, correlation_chart
from catalog.plots.curves import POINTS
from catalog.query.rows import Row
from catalog.reports.figures import FIGURES
from catalog.reports.rows import ask
from catalog.reports.run import curved, why_no_curves
from catalog.reports.trace import Pictures, attempt, draw

FEWEST: Final = 2
MOST: Final = 10
_DATA: Final = ("symbol", "timeframe", "first_ts", "last_ts")


@dataclass(frozen=True)
class Figure:
    """One figure of each strategy; `best` are the places of the best ones."""

    name: str
    values: list[Any]
    best: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Parameter:
    """One parameter of each strategy, in text: as its configuration has it."""

    name: str
    values: list[str | None]


@dataclass(frozen=True)
class Agreement:
    """How two strategies agree bar by bar: a row of `Diff.signals`, or why there is none."""

    one: str
    other: str
    signals: Row | None
    why_not: str = ""


@dataclass(frozen=True)
class Comparison:
    """
    Some traces side by side; `why_no_…` stands in the place of what is not known.

    `names` tell them apart. `without_returns` are those whose equity is not known, and so not
    drawn; `is_same_data` says whether all are of the same symbol, timeframe and range. `unknown`
    are those whose configuration is, of which no parameter is known to differ.
    """

    names: list[str]
    pictures: Pictures | None
    why_no_pictures: CatalogError | None
    without_returns: list[str]
    correlations: Chart | None
    why_no_correlations: CatalogError | None
    figures: list[Figure]
    is_same_data: bool
    different: list[Parameter]
    common: list[Parameter]
    unknown: list[str]
    agreements: list[Agreement]


def compare(catalog: Catalog, traces: Sequence[Row]) -> Comparison:
    """
    Compare some traces, two to ten.

    Args:
        traces: rows of `sql/web_strategy_traces.sql`, with strategy_key.

    Raises:
        StoreError: the catalog cannot be used.
    """
    ids = [trace["trace_id"] for trace in traces]
    names = told_apart(pa.Table.from_pylist(list(traces)))
    known = set(curved(catalog.path, ids))
    drawn = [one for one in ids if one in known]
    pictures, why_no_pictures = None, None
    if drawn:
        pictures, why_no_pictures = attempt(lambda: draw(catalog.path, drawn, points=POINTS))
    correlations, why_no_correlations = attempt(lambda: _correlate(catalog, traces))
    measured = ask(catalog.path, "web_compare_figures", trace_ids=ids)
    figures = {row["trace_id"]: row for row in measured}
    of_each = [figures.get(one, {}) for one in ids]
    is_same_data = len({tuple(trace[name] for name in _DATA) for trace in traces}) == 1
    rows = ask(catalog.path, "web_compare_configs", trace_ids=ids)
    texts = {row["trace_id"]: row["config"] for row in rows}
    configs = [json.loads(texts[one]) if texts.get(one) else None for one in ids]
    parameters = parameters_of_several(configs)
    return Comparison(
        names,
        pictures,
        why_no_pictures or why_no_curves(),
        [name for name, one in zip(names, ids, strict=True) if one not in known],
        correlations,
        why_no_correlations,
        [
            compare_figure(name, [row.get(name) for row in of_each], is_same_data=is_same_data)
            for name in FIGURES
            if any(row.get(name) is not None for row in of_each)
        ],
        is_same_data,
        [_parameter(one) for one in parameters if not one.is_alike],
        [_parameter(one) for one in parameters if one.is_alike],
        [name for name, config in zip(names, configs, strict=True) if config is None],
        [_agreement(catalog, traces, names, a, b) for a, b in pairs(len(traces))],
    )


def pairs(count: int) -> list[tuple[int, int]]:
    """Return the pairs that are compared bar by bar: of more than three, each with the first."""
    if count <= 3:
        return list(combinations(range(count), 2))
    return [(0, other) for other in range(1, count)]


def compare_figure(name: str, values: list[Any], *, is_same_data: bool = True) -> Figure:
    """Return a figure of each, with the places of the best ones where one is better at all."""
    known = [value for value in values if value is not None]
    if not is_same_data or name in NEUTRAL or len(known) < 2 or len(set(known)) == 1:
        return Figure(name, values)
    best = min(known) if name in LESS_IS_MORE else max(known)
    return Figure(name, values, frozenset(i for i, one in enumerate(values) if one == best))


def _parameter(one: SeveralValues) -> Parameter:
    # As JSON where a word could be taken for a number, and otherwise without its quotes.
    is_mixed = len({isinstance(value, str) for value in one.values if value is not None}) > 1
    return Parameter(
        one.name,
        [
            value if isinstance(value, str) and not is_mixed else _json(value)
            for value in one.values
        ],
    )


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _correlate(catalog: Catalog, traces: Sequence[Row]) -> Chart:
    strategies = {(one["strategy_key"], one["symbol"], one["timeframe"]) for one in traces}
    if len(strategies) < FEWEST:
        raise QueryError(
            "These are traces of one strategy on one symbol, of which only the latest counts here"
        )
    ids = [trace["trace_id"] for trace in traces]
    known = curved(catalog.path, ids)
    if len(known) < FEWEST:
        raise QueryError("Fewer than two of these have session returns")
    where = exp.column("trace_id").isin(*ids).sql("duckdb")
    found = catalog.correlate(where=where, top=MOST)
    return correlation_chart(found.pairs(), names=found.names)


def _agreement(
    catalog: Catalog, traces: Sequence[Row], names: Sequence[str], a: int, b: int
) -> Agreement:
    one, other = traces[a], traces[b]
    for trace, name in ((one, names[a]), (other, names[b])):
        if trace["status"] != "registered":
            return Agreement(names[a], names[b], None, f"the file of {name} is gone")
    found, why_not = attempt(lambda: catalog.diff(one["trace_id"], other["trace_id"]))
    if found is None:
        return Agreement(names[a], names[b], None, str(why_not))
    for row in found.signals.to_pylist():
        if row["kind"] == "signal" and row["bars"]:
            return Agreement(names[a], names[b], row)
    sides = [f"{side['symbol']} {side['timeframe']}" for side in (one, other)]
    if sides[0] != sides[1]:
        return Agreement(names[a], names[b], None, f"{sides[0]} is other data than {sides[1]}")
    unread = "; ".join(dict.fromkeys(found.unread.values()))
    return Agreement(names[a], names[b], None, unread or "they share no bars")
