"""Charts over time: what strategies grew to, how far they fell, and what they held."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from catalog.plots.colours import (
    BENCHMARK,
    BENCHMARK_DASHES,
    DASHES,
    LONG,
    PRICE,
    SHORT,
    STRATEGIES,
)
from catalog.plots.view import (
    EXTENT,
    HELP,
    Chart,
    framed,
    moment,
    percent_format,
    plain,
    short,
    time_axis,
    when,
    zoom,
)

_LOG_FROM: Final = 8.0
"""So many times its lowest, a curve is drawn on a logarithmic axis."""


def equity_chart(curves: pa.Table) -> Chart:
    """
    Return what 1 grew to, a line a strategy; on a logarithmic axis where it multiplied.

    Args:
        curves: label, trace_id, date, equity, drawdown; see `Curves`.
    """
    low, high = _range(curves["equity"])
    axis: Chart
    if is_log := low > 0 and high / low >= _LOG_FROM:
        # A nice domain would go to the next power of ten, and leave half of the paper empty.
        scale = {"type": "log", "domain": [low / 1.1, high * 1.1], "nice": False}
        axis = {"format": ".2~f" if low >= 0.05 else "~g", "tickCount": 8}
    else:
        scale, axis = (
            {"zero": False, "nice": True},
            {"format": ".2f" if high - low > 0.1 else ".4f"},
        )
    title = "growth of 1 (logarithmic)" if is_log else "growth of 1"
    return _lines(curves, "equity", title, scale=scale, axis=axis, height=340)


def drawdown_chart(curves: pa.Table) -> Chart:
    """
    Return how far equity was below its peak at session ends, a line a strategy.

    Args:
        curves: label, trace_id, date, equity, drawdown; see `Curves`.
    """
    scale: Chart = {"domainMax": 0, "nice": True}
    return _lines(
        curves,
        "drawdown",
        "below the peak",
        scale=scale,
        axis={"format": _percent(curves["drawdown"])},
        height=240,
    )


def position_chart(price: pa.Table, held: pa.Table) -> Chart:
    """
    Return a price as a line, over ribbons where a strategy was long or short.

    Args:
        price: ts, price, in the market's own time.
        held: from_ts, to_ts, position.
    """
    ribbons = [
        {
            "from": moment(row["from_ts"]),
            "to": moment(row["to_ts"]),
            "side": "long" if row["position"] > 0 else "short",
            "position": row["position"],
            "size": abs(row["position"]),
        }
        for row in held.to_pylist()
        if row["position"] and row["from_ts"] and row["to_ts"]
    ]
    line = [{"ts": moment(row["ts"]), "price": short(row["price"])} for row in price.to_pylist()]
    most = max((ribbon["size"] for ribbon in ribbons), default=1.0)
    time: Chart = time_axis("market time")
    ribbon: Chart = {
        "data": {"values": ribbons},
        "mark": {"type": "rect", "clip": True},
        "encoding": {
            "x": {"field": "from", **time},
            "x2": {"field": "to"},
            "color": {
                "field": "side",
                "type": "nominal",
                "title": None,
                "scale": {"domain": ["long", "short"], "range": [LONG, SHORT]},
                "legend": {"orient": "top"},
            },
            "opacity": {
                "field": "size",
                "type": "quantitative",
                "scale": {"domain": [0, most], "range": [0.06, 0.26]},
                "legend": None,
            },
            "tooltip": [
                {"field": "side", "type": "nominal"},
                {"field": "position", "type": "quantitative", "format": "~g"},
                when("from", "from"),
                when("to", "to"),
            ],
        },
    }
    course: Chart = {
        "data": {"values": line},
        "mark": {"type": "line", "strokeWidth": 1.5, "color": PRICE, "clip": True},
        "params": [zoom()],
        "encoding": {
            "x": {"field": "ts", **time},
            "y": {
                "field": "price",
                "type": "quantitative",
                "title": "price at close",
                "scale": {"zero": False},
                "axis": {"minExtent": EXTENT},
            },
        },
    }
    return framed({"width": "container", "height": 260, "layer": [ribbon, course]})


def _lines(
    curves: pa.Table, field: str, title: str, *, scale: Chart, axis: Chart, height: int
) -> Chart:
    pairs = zip(curves["label"].to_pylist(), curves["trace_id"].to_pylist(), strict=True)
    of_labels = {plain(label): trace_id for label, trace_id in pairs}
    labels, is_benchmark = list(of_labels), [one is None for one in of_labels.values()]
    own = [label for label, is_one in zip(labels, is_benchmark, strict=True) if not is_one]
    colours, dashes = [], []
    for number, is_one in enumerate(is_benchmark):
        if is_one:
            colours.append(BENCHMARK)
            dashes.append(BENCHMARK_DASHES[(number - len(own)) % len(BENCHMARK_DASHES)])
        else:
            colours.append(STRATEGIES[number % len(STRATEGIES)])
            dashes.append(DASHES[number // len(STRATEGIES) % len(DASHES)])
    by_bar = pa.types.is_timestamp(curves.schema.field("date").type)
    rows: list[Chart] = []
    seen: set[str] = set()
    for row in curves.select(["label", "date", field]).to_pylist():
        label, date = plain(row["label"]), row["date"]
        if label not in seen and not by_bar:
            # What a first session earned is a line, too: from the day before.
            start = {"label": label, "date": f"{date - timedelta(days=1)}"}
            rows.append(start | {field: 1.0 if field == "equity" else 0.0})
        seen.add(label)
        time = moment(date) if by_bar else f"{date}"
        rows.append({"label": label, "date": time, field: short(row[field])})
    legend = {
        "orient": "bottom",
        "direction": "vertical",
        "columns": 2 if max(map(len, labels), default=0) <= 26 and len(labels) > 2 else 1,
        "labelLimit": 460,
        "symbolType": "stroke",
        "symbolSize": 220,
        "symbolStrokeWidth": 2,
    }
    shown = {"condition": {"param": f"{HELP}_label", "value": 1}, "value": 0.12}
    line: Chart = {
        "mark": {"type": "line", "strokeWidth": 1.6, "clip": True},
        "params": [
            zoom(),
            {
                "name": f"{HELP}_label",
                "select": {"type": "point", "fields": ["label"]},
                "bind": "legend",
            },
        ],
        "encoding": {
            "color": {
                "field": "label",
                "type": "nominal",
                "title": None,
                "scale": {"domain": labels, "range": colours},
                "legend": legend,
            },
            "strokeDash": {
                "field": "label",
                "type": "nominal",
                "title": None,
                "scale": {"domain": labels, "range": dashes},
                "legend": legend,
            },
            "opacity": shown,
        },
    }
    points: Chart = {
        "name": f"{HELP}_points",
        "mark": {"type": "point", "opacity": 0, "size": 90, "clip": True},
        "encoding": {
            "tooltip": [
                {"field": "label", "type": "nominal", "title": "strategy"},
                when("date", "time")
                if by_bar
                else when("date", "session", unit="utcyearmonthdate"),
                {"field": field, "type": "quantitative", "format": axis["format"], "title": title},
            ]
        },
    }
    return framed(
        {
            "width": "container",
            "height": height,
            "data": {"values": rows},
            "layer": [line, points],
            "encoding": {
                "x": {"field": "date", **time_axis("market time" if by_bar else "session")},
                "y": {
                    "field": field,
                    "type": "quantitative",
                    "title": title,
                    "scale": scale,
                    "axis": {**axis, "labelOverlap": True, "minExtent": EXTENT},
                },
            },
        }
    )


def _percent(values: pa.ChunkedArray) -> str:
    """Return how percentages are written so that those near to each other differ."""
    return percent_format(_range(values))


def _range(values: pa.ChunkedArray) -> tuple[float, float]:
    found = pc.min_max(values).as_py()
    return (found["min"], found["max"]) if found["min"] is not None else (1.0, 1.0)
