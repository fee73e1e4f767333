"""A chart of how alike strategies earn, two by two."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from catalog.plots.colours import AROUND_ZERO
from catalog.plots.view import Chart, cell_number, framed, plain


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
        strong = "abs(datum.correlation) > 0.65"
        layers.append(cell_number("correlation", ".2f", strong, "#ffffff", "#111111"))
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
