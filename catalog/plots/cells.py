"""Charts of cells: a metric over two parameters, and the correlation of strategies two by two."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from catalog.metrics.kinds import COUNTS, SHARES, greater_is_better
from catalog.plots.colours import AROUND_ZERO, ONE_SIDED
from catalog.plots.view import Chart, framed, percent_format, plain, short

_TEXT_CELLS: Final = 200
"""In more cells numbers are not read any more."""
_TEXT_WIDTH: Final = 30
"""So many pixels a number needs, and the cell around it."""
# On a narrow page the numbers of cells would lie on each other.
_NARROW: Final[Chart] = {"opacity": {"expr": f"bandwidth('x') < {_TEXT_WIDTH} ? 0 : 1"}}
_AS_NUMBER = "isNumber(datum.value) ? format(datum.value, '.6~g') : datum.value"


def heat_map(
    cells: pa.Table,
    *,
    x: str,
    y: str,
    value: str,
    facet: str | None = None,
    coloured_by: str = "value",
) -> Chart:
    """
    Return a metric over two parameters as coloured cells; the best plateau has a frame.

    Args:
        cells: x, x_last, y, y_last, facet, facet_last, value, best, count, plateau; see
            `Landscape`. Perhaps address: where a click on a cell leads.
        x: what the columns stand for; likewise y, value and facet.
        coloured_by: the column that is shown, value or plateau.
    """
    x, y, value = plain(x), plain(y), plain(value)
    facet = None if facet is None else plain(facet)
    rows = [_row(row) for row in cells.to_pylist()]
    best = best_plateau(cells, value)
    if best is not None:
        rows[best]["framed"] = True
    across, down = (len(set(cells[name].to_pylist())) for name in ("x", "y"))
    # A figure has the same colour, whichever of the two is shown.
    both = (row[name] for row in rows for name in ("value", "plateau"))
    known = [one for one in both if one is not None] or [0.0]
    colour, is_strong = _colours(known, f"datum.{coloured_by}")
    shown = ".3~s" if value in COUNTS else ".2f"
    if value in SHARES:
        shown = percent_format((min(known), max(known)))
    axis: Chart = {
        "labelExpr": _AS_NUMBER,
        "labelOverlap": True,
        "labelAngle": 0,
        "labelSeparation": 4,
    }
    encoding: Chart = {
        "x": {"field": "x", "type": "ordinal", "title": x + _from(cells, "x"), "axis": axis},
        "y": {"field": "y", "type": "ordinal", "title": y + _from(cells, "y"), "axis": axis},
    }
    encoding["y"]["sort"] = "descending"
    tooltip = [
        {"field": "x_shown", "title": _as_key(x), "type": "nominal"},
        {"field": "y_shown", "title": _as_key(y), "type": "nominal"},
        *([{"field": "facet_shown", "title": _as_key(facet), "type": "nominal"}] if facet else []),
        {"field": "value", "title": f"{value} (median)", "type": "quantitative", "format": ".4~g"},
        {"field": "best", "title": "greatest", "type": "quantitative", "format": ".4~g"},
        {"field": "plateau", "title": "cells beside it", "type": "quantitative", "format": ".4~g"},
        {"field": "count", "title": "strategies", "type": "quantitative", "format": ","},
    ]
    coloured: Chart = {
        "mark": {"type": "rect", "cursor": "pointer"},
        "encoding": {
            "color": {
                "field": coloured_by,
                "type": "quantitative",
                "title": value if coloured_by == "value" else coloured_by,
                "scale": colour,
                "legend": {"format": shown, "gradientLength": 160},
            },
            "tooltip": tooltip,
        },
    }
    layers = [coloured]
    step = max(min(240 // across, 46), 3)
    if across * down <= _TEXT_CELLS and (facet is None or step >= _TEXT_WIDTH):
        strong, weak = ("#ffffff", "#111111") if "range" in colour else ("#111111", "#ffffff")
        number: Chart = {
            "mark": {"type": "text", "fontSize": 10, "tooltip": None, **_NARROW},
            "transform": [{"filter": f"isValid(datum.{coloured_by})"}],
            "encoding": {
                "text": {"field": coloured_by, "type": "quantitative", "format": shown},
                "color": {"condition": {"test": is_strong, "value": strong}, "value": weak},
            },
        }
        layers.append(number)
    frame: Chart = {
        "transform": [{"filter": "datum.framed"}],
        "mark": {"type": "rect", "filled": False, "stroke": "#000000", "strokeWidth": 2},
        "encoding": {"tooltip": tooltip},
    }
    layers.append(frame)
    view: Chart = {"layer": layers, "encoding": encoding}
    if facet is None:
        wide = min(max(across * 46, 360), 860)
        view |= {"width": "container", "height": min(max(down * 30, 160), 560)}
        return framed(view | {"data": {"values": rows}, "usermeta": {"width": wide}})
    view |= {"width": {"step": step}, "height": {"step": max(min(200 // down, 30), 3)}}
    faceted: Chart = {
        "facet": {
            "field": "facet_shown",
            "type": "ordinal",
            "title": facet,
            "sort": list(dict.fromkeys(row["facet_shown"] for row in rows)),
        },
        "columns": 3,
        "spec": view,
    }
    return framed(faceted | {"data": {"values": rows}})


def _row(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is drawn of a cell; a step of several values has the first as its place."""
    row = {name: cell[name] for name in ("x", "y", "count", "address") if name in cell}
    row |= {name: plain(cell[name]) for name in ("x", "y") if isinstance(cell[name], str)}
    row |= {name: short(cell[name]) for name in ("value", "best", "plateau")}
    row |= {f"{name}_shown": step_text(cell, name) for name in ("x", "y", "facet")}
    return row


def _as_key(name: str) -> str:
    """Return a parameter's name as the key of a tooltip, where some, as `image`, mean another."""
    return f"{name}\u00a0"


def _from(cells: pa.Table, name: str) -> str:
    """Return what to add to the name of an axis of which a step is several values."""
    return "" if cells[name].equals(cells[f"{name}_last"]) else ", from"


def step_text(cell: Mapping[str, Any], name: str) -> str:
    """Return where a cell is on an axis, in words: a value, or the first and last of several."""
    first, last = cell[name], cell[f"{name}_last"]
    ends = [f"{one:.6g}" if isinstance(one, float) else plain(str(one)) for one in (first, last)]
    return ends[0] if first == last else " to ".join(ends)


def best_plateau(cells: pa.Table, metric: str) -> int | None:
    """
    Return the row of the cell that is good and stands among good ones; see `plateau_rank`.

    None where there is none, where all are alike, or where a greater figure is no better one.
    """
    known = [one for one in cells["plateau"].to_pylist() if one is not None]
    if not greater_is_better(metric) or not known or min(known) == max(known):
        return None
    ranked = [plateau_rank(row) for row in cells.to_pylist()]
    return ranked.index(max(ranked))


def plateau_rank(cell: Mapping[str, Any]) -> tuple[float, ...]:
    """Return what the best plateau has most of: the lesser of a cell and of those beside it."""
    value, beside = (-math.inf if cell[n] is None else cell[n] for n in ("value", "plateau"))
    return min(value, beside), beside, value


def correlation_chart(pairs: pa.Table, *, names: Sequence[str] | None = None) -> Chart:
    """
    Return the correlation of each two strategies as coloured cells.

    Args:
        pairs: a, b, correlation (NULL where there is none), each pair once.
        names: in which order they are shown; as they come unless given.
    """
    found = {
        (plain(row["a"]), plain(row["b"])): row["correlation"]
        for row in pairs.select(["a", "b", "correlation"]).to_pylist()
    }
    if names is None:
        names = list(dict.fromkeys(name for pair in found for name in pair))
    names = [plain(name) for name in names]
    rows = []
    for i, a in enumerate(names, 1):
        for j, b in enumerate(names, 1):
            value = 1.0 if a == b else found.get((a, b), found.get((b, a)))
            place = {"a": a, "b": b, "row": f"{i}  {a}", "column": j}
            rows.append(place | {"correlation": None if value is None else round(value, 4)})
    labels = [f"{i}  {name}" for i, name in enumerate(names, 1)]
    coloured: Chart = {
        "mark": "rect",
        "encoding": {
            "color": {
                "field": "correlation",
                "type": "quantitative",
                "scale": {"domain": [-1, 1], "range": list(AROUND_ZERO), "interpolate": "lab"},
            },
            "tooltip": [
                {"field": "a", "type": "nominal", "title": "one"},
                {"field": "b", "type": "nominal", "title": "other"},
                {"field": "correlation", "type": "quantitative", "format": ".3f"},
            ],
        },
    }
    layers = [coloured]
    if len(names) <= 20:
        number: Chart = {
            "mark": {"type": "text", "fontSize": 10, "tooltip": None, **_NARROW},
            "transform": [{"filter": "isValid(datum.correlation)"}],
            "encoding": {
                "text": {"field": "correlation", "type": "quantitative", "format": ".2f"},
                "color": {
                    "condition": {"test": "abs(datum.correlation) > 0.65", "value": "#ffffff"},
                    "value": "#111111",
                },
            },
        }
        layers.append(number)
    step = max(min(560 // max(len(names), 1), 44), 8)
    return framed(
        {
            "width": step * len(names),
            "height": step * len(names),
            "data": {"values": rows},
            "layer": layers,
            "encoding": {
                "x": {
                    "field": "column",
                    "type": "ordinal",
                    "title": None,
                    "axis": {"orient": "top", "labelAngle": 0, "labelOverlap": True},
                },
                "y": {
                    "field": "row",
                    "type": "ordinal",
                    "title": None,
                    "sort": labels,
                    "axis": {"labelLimit": 320, "labelOverlap": True},
                },
            },
        }
    )


def _colours(values: Sequence[float], field: str) -> tuple[Chart, str]:
    """Return colours for a field, and in which cells they are so dark that text is light."""
    low, high = min(values), max(values)
    if low < 0 < high:
        most = max(-low, high)
        scale = {"domain": [-most, most], "range": list(AROUND_ZERO), "interpolate": "lab"}
        return scale, f"abs({field}) > {0.6 * most!r}"
    return {
        "domain": [low, high],
        "scheme": ONE_SIDED,
    }, f"{field} > {low + 0.6 * (high - low)!r}"
