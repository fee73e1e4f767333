"""Charts in Vega-Lite, made of tables alone: equity, drawdown, position, heat map, correlation."""

from __future__ import annotations

from catalog.plots.correlation import correlation_chart
from catalog.plots.heat_map import heat_map
from catalog.plots.lines import drawdown_chart, equity_chart, position_chart
from catalog.plots.view import Chart, titled

__all__ = [
    "Chart",
    "correlation_chart",
    "drawdown_chart",
    "equity_chart",
    "heat_map",
    "position_chart",
    "titled",
]
