"""Charts in Vega-Lite, made of tables alone: equity, drawdown, position, heat map, correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.plots.colours import (
    AROUND_ZERO,
    BENCHMARK,
    BENCHMARK_DASHES,
    DASHES,
    LONG,
    ONE_SIDED,
    SHORT,
    STRATEGIES,
)

Chart = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
HELP = "help"
"""The beginning of the names of layers and parameters that only a pointer needs."""
_LOG_FROM = 8.0
_TEXT_CELLS = 200


def equity_chart(curves: pa.Table) -> Chart:
    """
    Return what 1 grew to, a line a strategy; on a logarithmic axis where it multiplied.

    Args:
        curves: label, date, equity, drawdown; see `Curves`.
    """
    low, high = _range(curves["equity"])
    is_log = low > 0 and high / low >= _LOG_FROM
    title = "growth of 1 (logarithmic)" if is_log else "growth of 1"
    scale = {"type": "log" if is_log else "linear", "zero": False, "nice": True}
    axis: Chart = {"format": "~g" if is_log else ".2f"}
    return _lines(curves, "equity", title, scale=scale, axis=axis, height=340)


def drawdown_chart(curves: pa.Table) -> Chart:
    """
    Return how far equity was below its peak at session ends, a line a strategy.

    Args:
        curves: label, date, equity, drawdown; see `Curves`.
    """
    scale: Chart = {"domainMax": 0, "nice": True}
    return _lines(
        curves, "drawdown", "below the peak", scale=scale, axis={"format": ".0%"}, height=240
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
            "from": _moment(row["from_ts"]),
            "to": _moment(row["to_ts"]),
            "side": "long" if row["position"] > 0 else "short",
            "position": row["position"],
            "size": abs(row["position"]),
        }
        for row in held.to_pylist()
        if row["position"] and row["from_ts"] and row["to_ts"]
    ]
    line = [{"ts": _moment(row["ts"]), "price": _short(row["price"])} for row in price.to_pylist()]
    most = max((ribbon["size"] for ribbon in ribbons), default=1.0)
    time: Chart = {"type": "temporal", "scale": {"type": "utc"}, "title": "market time"}
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
                "scale": {"domain": [0, most], "range": [0.08, 0.4]},
                "legend": None,
            },
            "tooltip": [
                {"field": "side", "type": "nominal"},
                {"field": "position", "type": "quantitative", "format": "~g"},
                _when("from", "from"),
                _when("to", "to"),
            ],
        },
    }
    course: Chart = {
        "data": {"values": line},
        "mark": {"type": "line", "strokeWidth": 1.2, "color": BENCHMARK, "clip": True},
        "params": [_zoom()],
        "encoding": {
            "x": {"field": "ts", **time},
            "y": {
                "field": "price",
                "type": "quantitative",
                "title": "price at close",
                "scale": {"zero": False},
            },
        },
    }
    return _chart({"width": "container", "height": 260, "layer": [ribbon, course]})


def heat_map(cells: pa.Table, *, x: str, y: str, value: str, facet: str | None = None) -> Chart:
    """
    Return a metric over two parameters as coloured cells; the best plateau has a frame.

    Args:
        cells: x, y, facet, value, best, count, plateau; see `Landscape`.
        x: what the columns stand for; likewise y, value and facet.
    """
    rows = [
        {name: _short(one) if isinstance(one, float) else one for name, one in row.items()}
        for row in cells.to_pylist()
    ]
    plateaus = [row["plateau"] for row in rows if row["plateau"] is not None]
    for row in rows:
        row["framed"] = bool(plateaus) and value not in _NEUTRAL and row["plateau"] == max(plateaus)
    across, down = (len(set(cells[name].to_pylist())) for name in ("x", "y"))
    colour, is_strong = _colours([row["value"] for row in rows if row["value"] is not None])
    shown = ".0%" if value in _SHARES else ".2f" if value not in _COUNTS else ".3~s"
    axis: Chart = {"labelExpr": _AS_NUMBER, "labelOverlap": True, "labelAngle": 0}
    encoding: Chart = {
        "x": {"field": "x", "type": "ordinal", "title": x, "axis": axis},
        "y": {"field": "y", "type": "ordinal", "title": y, "axis": axis, "sort": "descending"},
    }
    tooltip = [
        {"field": "x", "title": x, "type": "nominal"},
        {"field": "y", "title": y, "type": "nominal"},
        *([{"field": "facet", "title": facet, "type": "nominal"}] if facet else []),
        {"field": "value", "title": f"{value} (median)", "type": "quantitative", "format": ".4~g"},
        {"field": "best", "title": "greatest", "type": "quantitative", "format": ".4~g"},
        {"field": "plateau", "title": "cells beside it", "type": "quantitative", "format": ".4~g"},
        {"field": "count", "title": "strategies", "type": "quantitative", "format": ","},
    ]
    coloured: Chart = {
        "mark": {"type": "rect", "cursor": "pointer"},
        "encoding": {
            "color": {
                "field": "value",
                "type": "quantitative",
                "title": value,
                "scale": colour,
                "legend": {"format": shown, "gradientLength": 160},
            },
            "tooltip": tooltip,
        },
    }
    layers = [coloured]
    if across * down <= _TEXT_CELLS:
        strong, weak = ("#ffffff", "#111111") if "range" in colour else ("#111111", "#ffffff")
        number: Chart = {
            "mark": {"type": "text", "fontSize": 10, "tooltip": None},
            "transform": [{"filter": "isValid(datum.value)"}],
            "encoding": {
                "text": {"field": "value", "type": "quantitative", "format": shown},
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
        return _chart(view | {"data": {"values": rows}, "usermeta": {"width": wide}})
    step = max(min(240 // across, 46), 3)
    view |= {"width": {"step": step}, "height": {"step": max(min(200 // down, 30), 3)}}
    faceted: Chart = {
        "facet": {
            "field": "facet",
            "type": "ordinal",
            "title": facet,
            "header": {"labelExpr": _AS_NUMBER},
        },
        "columns": 3,
        "spec": view,
    }
    return _chart(faceted | {"data": {"values": rows}})


def correlation_chart(pairs: pa.Table, *, names: Sequence[str] | None = None) -> Chart:
    """
    Return the correlation of each two strategies as coloured cells.

    Args:
        pairs: a, b, correlation (NULL where there is none), each pair once.
        names: in which order they are shown; as they come unless given.
    """
    found = {
        (row["a"], row["b"]): row["correlation"]
        for row in pairs.select(["a", "b", "correlation"]).to_pylist()
    }
    if names is None:
        names = list(dict.fromkeys(name for pair in found for name in pair))
    rows = []
    for i, a in enumerate(names, 1):
        for j, b in enumerate(names, 1):
            value = 1.0 if a == b else found.get((a, b), found.get((b, a)))
            shown = None if value is None else round(value, 4)
            rows.append(
                {"a": a, "b": b, "row": f"{i}  {a}", "column": i and j, "correlation": shown}
            )
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
            "mark": {"type": "text", "fontSize": 10, "tooltip": None},
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
    return _chart(
        {
            "width": "container",
            "height": {"step": max(min(560 // len(names), 28), 8)},
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
                    "axis": {"labelLimit": 320, "labelAlign": "left", "labelOverlap": True},
                },
            },
            "usermeta": {"width": min(max(len(names) * 36, 240), 720)},
        }
    )


def titled(chart: Chart, title: str, *more: str) -> Chart:
    """Return a chart with a title, and with lines below it that say what it is of."""
    below = {"subtitle": [line for line in more if line]}
    return chart | {"title": {"text": title, "anchor": "start", **below}}


_AS_NUMBER = "isNumber(datum.value) ? format(datum.value, '.6~g') : datum.value"
_SHARES = {
    "total_return", "annual_return", "volatility", "max_drawdown", "exposure", "time_in_market",
    "hit_rate",
}  # fmt: skip
_COUNTS = {"trades", "sessions", "turnover", "mean_holding", "breakeven_cost_bps"}
_NEUTRAL = {
    "volatility", "exposure", "time_in_market", "turnover", "trades", "mean_holding", "sessions",
    "benchmark_sharpe",
}  # fmt: skip


def _lines(
    curves: pa.Table, field: str, title: str, *, scale: Chart, axis: Chart, height: int
) -> Chart:
    labels = list(dict.fromkeys(curves["label"].to_pylist()))
    is_benchmark = [label.startswith("buy and hold ") for label in labels]
    own = [label for label, is_one in zip(labels, is_benchmark, strict=True) if not is_one]
    colours, dashes = [], []
    for number, label in enumerate(labels):
        if is_benchmark[number]:
            colours.append(BENCHMARK)
            dashes.append(BENCHMARK_DASHES[(number - len(own)) % len(BENCHMARK_DASHES)])
        else:
            colours.append(STRATEGIES[number % len(STRATEGIES)])
            dashes.append(DASHES[number // len(STRATEGIES) % len(DASHES)])
    rows = [
        {"label": label, "date": f"{date}", field: _short(value)}
        for label, date, value in zip(
            *(curves[name].to_pylist() for name in ("label", "date", field)), strict=True
        )
    ]
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
            _zoom(),
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
                _when("date", "session", unit="utcyearmonthdate"),
                {"field": field, "type": "quantitative", "format": axis["format"], "title": title},
            ]
        },
    }
    return _chart(
        {
            "width": "container",
            "height": height,
            "data": {"values": rows},
            "layer": [line, points],
            "encoding": {
                "x": {
                    "field": "date",
                    "type": "temporal",
                    "scale": {"type": "utc"},
                    "title": "session",
                    "axis": {"labelOverlap": True, "grid": False},
                },
                "y": {
                    "field": field,
                    "type": "quantitative",
                    "title": title,
                    "scale": scale,
                    "axis": {**axis, "labelOverlap": True},
                },
            },
        }
    )


def _chart(view: Chart) -> Chart:
    made: Chart = {"$schema": SCHEMA, **view}
    if made.get("width") == "container":
        made["autosize"] = {"type": "fit-x", "contains": "padding"}
    made["config"] = {
        "view": {"stroke": None},
        "axis": {"gridOpacity": 0.4, "titleFontWeight": "normal"},
        "legend": {"titleFontWeight": "normal"},
    }
    return made


def _zoom() -> Chart:
    return {
        "name": f"{HELP}_zoom",
        "select": {"type": "interval", "encodings": ["x"]},
        "bind": "scales",
    }


def _when(field: str, title: str, *, unit: str = "utcyearmonthdatehoursminutes") -> Chart:
    return {"field": field, "type": "temporal", "timeUnit": unit, "title": title}


def _colours(values: list[float]) -> tuple[Chart, str]:
    """Return a scale of colours for some values, and which cells are so dark that text is light."""
    low, high = min(values), max(values)
    if low < 0 < high:
        most = max(-low, high)
        scale = {"domain": [-most, most], "range": list(AROUND_ZERO), "interpolate": "lab"}
        return scale, f"abs(datum.value) > {0.6 * most!r}"
    return {
        "domain": [low, high],
        "scheme": ONE_SIDED,
    }, f"datum.value > {low + 0.6 * (high - low)!r}"


def _range(values: pa.ChunkedArray) -> tuple[float, float]:
    found = pc.min_max(values).as_py()
    return (found["min"], found["max"]) if found["min"] is not None else (1.0, 1.0)


def _short(value: float | None) -> float | None:
    """Return a number with as many digits as a picture can show: it is half as long to send."""
    return None if value is None else float(f"{value:.6g}")


def _moment(value: Any) -> str:
    # A market's own time is drawn as it is, whichever zone the browser is in: as if it were UTC.
    return f"{value.isoformat()}Z"
