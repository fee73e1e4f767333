"""What all charts share: a frame, an axis of time, and numbers and times as a picture has them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from catalog.plots.colours import GRID

Chart = dict[str, Any]
"""A specification in Vega-Lite, which becomes JSON."""

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
# Controls, line and paragraph separators, and what marks a direction.
_NO_TEXT: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_OF_OBJECTS: Final = frozenset(
    {"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString",
     "toString", "valueOf", "__proto__", "__defineGetter__", "__defineSetter__",
     "__lookupGetter__", "__lookupSetter__"}
)  # fmt: skip
NARROWEST: Final = 30
"""So many pixels a number needs, and the cell around it."""
_NARROW: Final[Chart] = {"opacity": {"expr": f"bandwidth('x') < {NARROWEST} ? 0 : 1"}}
EXTENT: Final = 46
"""Pixels for the labels of a vertical axis, so that charts above each other begin at one line."""
HELP: Final = "help"
"""The beginning of the names of layers and parameters that only a pointer needs."""

# Vega tells months without their year, and hours without their day.
_AS_TIME = (
    r"test(/^\d{4}$/, datum.label) ? datum.label"
    " : test(/^[A-Z][a-z]{2,}$/, datum.label)"
    " ? [utcFormat(datum.value, '%b'), utcFormat(datum.value, '%Y')]"
    r" : test(/^[A-Z][a-z]{2} \d/, datum.label)"
    " ? [utcFormat(datum.value, '%d %b'), utcFormat(datum.value, '%Y')]"
    " : [utcFormat(datum.value, '%H:%M'), utcFormat(datum.value, '%d %b %Y')]"
)


def plain(text: str) -> str:
    """
    Return a name as one line that reads in one direction.

    A line separator ends a formula of Vega's, and what turns the direction turns its surroundings.
    What every object of JavaScript has, as `constructor`, is taken for something else there.
    """
    text = _NO_TEXT.sub(" ", text)
    return f"{text}\u00a0" if text in _OF_OBJECTS else text


def titled(chart: Chart, title: str, *more: str) -> Chart:
    """Return a chart with a title, and with lines below it that say what it is of."""
    below = {"subtitle": [plain(line) for line in more if line]}
    return chart | {"title": {"text": plain(title), "anchor": "start", **below}}


def framed(view: Chart) -> Chart:
    """Return a view as a whole specification, which fits the width that it is given."""
    made: Chart = {"$schema": SCHEMA, **view}
    if made.get("width") == "container":
        made["autosize"] = {"type": "fit-x", "contains": "padding"}
    made["config"] = {
        "view": {"stroke": None},
        "axis": {"gridColor": GRID, "gridOpacity": 0.25, "titleFontWeight": "normal"},
        "header": {"titleFontWeight": "normal"},
        "legend": {"titleFontWeight": "normal"},
    }
    return made


def cell_number(field: str, form: str, is_strong: str, strong: str, weak: str) -> Chart:
    """
    Return the layer of the numbers of coloured cells, which a narrow page leaves out.

    Args:
        form: the format of the numbers.
        is_strong: a formula that tells where the colour is strong; there they have the ink
            `strong`, elsewhere `weak`.
    """
    return {
        "mark": {"type": "text", "fontSize": 10, "tooltip": None, **_NARROW},
        "transform": [{"filter": f"isValid(datum.{field})"}],
        "encoding": {
            "text": {"field": field, "type": "quantitative", "format": form},
            "color": {"condition": {"test": is_strong, "value": strong}, "value": weak},
        },
    }


def zoom() -> Chart:
    """Return the parameter by which a wheel or a drag moves along the time axis."""
    return {
        "name": f"{HELP}_zoom",
        "select": {"type": "interval", "encodings": ["x"]},
        "bind": "scales",
    }


def time_axis(title: str) -> Chart:
    """Return the channel of a time axis, without its field."""
    return {
        "type": "temporal",
        "scale": {"type": "utc"},
        "title": title,
        "axis": {"labelExpr": _AS_TIME, "labelOverlap": True, "grid": False, "tickCount": 9},
    }


def when(field: str, title: str, *, unit: str = "utcyearmonthdatehoursminutes") -> Chart:
    """Return a line of a tooltip that tells a time."""
    return {"field": field, "type": "temporal", "timeUnit": unit, "title": title}


def short(value: float | None) -> float | None:
    """Return a number with as many digits as a picture can show: it is half as long to send."""
    return None if value is None else float(f"{value:.6g}")


def percent_format(span: tuple[float, float]) -> str:
    """Return the format of percentages in a range: the smaller they are, the more digits."""
    most = max(abs(span[0]), abs(span[1]))
    return ".0%" if most >= 0.2 else ".1%" if most >= 0.02 else ".2%"


def moment(value: datetime) -> str:
    """Return a time as text."""
    # A market's own time is drawn as it is, whichever zone the browser is in: as if it were UTC.
    return f"{value.isoformat()}Z"
