"""A chart of a metric over two parameters, and over a third as a map for each of its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from catalog.metrics.kinds import COUNTS, SHARES
from catalog.plots.colours import AROUND_ZERO, ONE_SIDED
from catalog.plots.plateau import best_plateau, step_text
from catalog.plots.view import NARROWEST, Chart, cell_number, framed, percent_format, plain, short

_TEXT_CELLS: Final = 200
"""In more cells numbers are not read any more."""
_AS_NUMBER = "isNumber(datum.value) ? format(datum.value, '.6~g') : datum.value"
_AXIS: Final[Chart] = {
    "labelExpr": _AS_NUMBER,
    "labelOverlap": True,
    "labelAngle": 0,
    "labelSeparation": 4,
}


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
    names = {"x": plain(x), "y": plain(y)} | ({"facet": plain(facet)} if facet else {})
    rows = [_row(row, names) for row in cells.to_pylist()]
    best = best_plateau(cells, value)
    if best is not None:
        rows[best]["framed"] = True
    across, down = (len(set(cells[name].to_pylist())) for name in ("x", "y"))
    step = max(min(240 // across, 46), 3)
    tooltip = _tooltip(names, value)
    paint = _paint(rows, value, coloured_by)
    layers = [_coloured(paint, value, coloured_by, tooltip)]
    if across * down <= _TEXT_CELLS and (facet is None or step >= NARROWEST):
        layers.append(cell_number(coloured_by, paint.number, paint.is_strong, *paint.inks))
    frame: Chart = {
        "transform": [{"filter": "datum.framed"}],
        "mark": {"type": "rect", "filled": False, "stroke": "#000000", "strokeWidth": 2},
        "encoding": {"tooltip": tooltip},
    }
    axes: Chart = {
        name: {"field": name, "type": "ordinal", "title": _title(cells, name, names), "axis": _AXIS}
        for name in ("x", "y")
    }
    axes["y"]["sort"] = "descending"
    view: Chart = {"layer": [*layers, frame], "encoding": axes}
    data: Chart = {"data": {"values": rows}}
    if facet is None:
        wide = min(max(across * 46, 360), 860)
        view |= {"width": "container", "height": min(max(down * 30, 160), 560)}
        return framed(view | data | {"usermeta": {"width": wide}})
    view |= {"width": {"step": step}, "height": {"step": max(min(200 // down, 30), 3)}}
    maps: Chart = {
        "field": "facet",
        "type": "ordinal",
        "title": _title(cells, "facet", names),
        "header": {"labelExpr": _AS_NUMBER.replace(".6", ".9")},
    }
    return framed({"facet": maps, "columns": 3, "spec": view} | data)


@dataclass(frozen=True)
class _Paint:
    """
    How figures are shown: a scale of colours, the format of numbers, and where cells are dark.

    `inks` are what numbers are written in: where the colour is strong, and elsewhere.
    """

    scale: Chart
    number: str
    is_strong: str
    inks: tuple[str, str]


def _paint(rows: Sequence[Mapping[str, Any]], value: str, coloured_by: str) -> _Paint:
    # A figure has the same colour, whichever of the two is shown.
    both = (row[name] for row in rows for name in ("value", "plateau"))
    known = [one for one in both if one is not None] or [0.0]
    low, high = min(known), max(known)
    number = ".3~s" if value in COUNTS else ".2f"
    if value in SHARES:
        number = percent_format((low, high))
    light, dark = "#ffffff", "#111111"
    if low < 0 < high:
        most = max(-low, high)
        scale = {"domain": [-most, most], "range": list(AROUND_ZERO), "interpolate": "lab"}
        return _Paint(scale, number, f"abs(datum.{coloured_by}) > {0.6 * most!r}", (light, dark))
    middle = low + 0.6 * (high - low)
    scale = {"domain": [low, high], "scheme": ONE_SIDED}
    return _Paint(scale, number, f"datum.{coloured_by} > {middle!r}", (dark, light))


def _coloured(paint: _Paint, value: str, coloured_by: str, tooltip: list[Chart]) -> Chart:
    return {
        "mark": {"type": "rect", "cursor": "pointer"},
        "encoding": {
            "color": {
                "field": coloured_by,
                "type": "quantitative",
                "title": value if coloured_by == "value" else coloured_by,
                "scale": paint.scale,
                "legend": {"format": paint.number, "gradientLength": 160},
            },
            "tooltip": tooltip,
        },
    }


def _tooltip(names: Mapping[str, str], value: str) -> list[Chart]:
    # To what shows them some titles, as `image`, would mean something else.
    places = [
        {"field": f"{one}_shown", "title": f"{name}\u00a0", "type": "nominal"}
        for one, name in names.items()
    ]
    titles = {
        "value": f"{value} (median)", "best": "greatest", "plateau": "cells beside it"
    }  # fmt: skip
    figures = [
        {"field": one, "title": title, "type": "quantitative", "format": ".4~g"}
        for one, title in titles.items()
    ]
    count = {"field": "count", "title": "strategies", "type": "quantitative", "format": ","}
    return [*places, *figures, count]


def _row(cell: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return what is drawn of a cell; a step of several values has the first as its place."""
    row = {name: cell[name] for name in (*names, "count", "address") if name in cell}
    row |= {name: plain(cell[name]) for name in names if isinstance(cell[name], str)}
    row |= {name: short(cell[name]) for name in ("value", "best", "plateau")}
    return row | {f"{name}_shown": plain(step_text(cell, name)) for name in names}


def _title(cells: pa.Table, name: str, names: Mapping[str, str]) -> str:
    """Return the title of an axis; where a step is several values, it stands at the first."""
    is_single = cells[name].equals(cells[f"{name}_last"])
    return names[name] if is_single else f"{names[name]}, from"
