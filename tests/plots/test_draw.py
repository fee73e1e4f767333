"""What is drawn: pictures that show what they should, and pages that need no network."""

from __future__ import annotations

import json
import re
import struct
from datetime import date, datetime
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from catalog.errors import StoreError, UsageError
from catalog.plots.charts import (
    correlation_chart,
    drawdown_chart,
    equity_chart,
    heat_map,
    position_chart,
    titled,
)
from catalog.plots.colours import BENCHMARK, STRATEGIES
from catalog.plots.draw import SCALE, WIDTH, draw, picture
from pictures import texts

CURVES = pa.table(
    {
        "label": ["one", "one", "two", "two", "buy and hold SPY", "buy and hold SPY"],
        "date": [date(2024, 1, 2), date(2024, 1, 3)] * 3,
        "equity": [1.0, 1.05, 1.0, 0.9, 1.0, 1.02],
        "drawdown": [0.0, 0.0, 0.0, -0.1, 0.0, 0.0],
        "trace_id": ["t1", "t1", "t2", "t2", None, None],
    }
)
CELLS = pa.table(
    {
        "x": [5, 5, 10, 10],
        "x_last": [5, 5, 10, 10],
        "y": [0.5, 0.25, 0.5, 0.25],
        "y_last": [0.5, 0.25, 0.5, 0.25],
        "facet": pa.array(["SPY", "SPY", "QQQ", "QQQ"]),
        "facet_last": pa.array(["SPY", "SPY", "QQQ", "QQQ"]),
        "value": [1.25, -0.5, None, 0.75],
        "best": [1.5, 0.0, None, 0.75],
        "count": [3, 3, 1, 1],
        "plateau": [0.1, 0.2, 0.3, 0.4],
    }
)
PAIRS = pa.table({"a": ["one", "one"], "b": ["two", "three"], "correlation": [0.25, None]})
PRICE = pa.table(
    {
        "ts": [datetime(2024, 1, 2, 9, 30), datetime(2024, 1, 2, 16, 0)],
        "price": [100.0, 101.0],
    }
)
HELD = pa.table(
    {
        "from_ts": [datetime(2024, 1, 2, 9, 30), datetime(2024, 1, 2, 10, 0)],
        "to_ts": [datetime(2024, 1, 2, 10, 0), datetime(2024, 1, 2, 12, 0)],
        "position": [1.0, -0.5],
    }
)
CHARTS = {
    "equity": (equity_chart(CURVES), {"one", "two", "buy and hold SPY", "growth of 1", "session"}),
    "drawdown": (drawdown_chart(CURVES), {"one", "below the peak", "−10.0%"}),
    "heat_map": (
        heat_map(CELLS, x="period", y="width", value="sharpe"),
        {"period", "width", "sharpe", "1.25", "−0.50", "0.75", "5", "10", "0.25"},
    ),
    "facets": (
        heat_map(CELLS, x="period", y="width", value="sharpe", facet="symbol"),
        {"symbol", "SPY", "QQQ", "period", "width"},
    ),
    "correlation": (correlation_chart(PAIRS), {"1  one", "3  three", "0.25", "1.00"}),
    "position": (position_chart(PRICE, HELD), {"long", "short", "price at close", "market time"}),
}


def size(png: bytes) -> tuple[int, int]:
    """Return the width and height that a PNG says of itself."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n") and png.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize("kind", CHARTS)
def test_a_picture_shows_its_labels_in_both_themes(kind):
    chart, labels = CHARTS[kind]

    for theme in ("light", "dark"):
        shown = texts(picture(titled(chart, "The title", "below it"), ".svg", theme=theme))

        assert {*labels, "The title", "below it"} <= shown


def test_the_same_chart_gives_the_same_bytes():
    chart, _ = CHARTS["heat_map"]

    for ending in (".svg", ".png", ".html"):
        assert picture(chart, ending) == picture(chart, ending)


def test_a_png_is_as_large_as_its_chart_and_dark_where_asked():
    chart, _ = CHARTS["equity"]

    light, dark = (picture(chart, ".png", theme=theme) for theme in ("light", "dark"))

    width, height = size(light)
    assert WIDTH * SCALE < width < WIDTH * SCALE * 1.3
    assert 340 * SCALE < height < 340 * SCALE * 2
    assert size(dark) == (width, height)
    assert light != dark


def test_a_page_loads_nothing_and_holds_its_chart():
    chart, _ = CHARTS["equity"]

    page = picture(titled(chart, "A <b>title", "below & it"), ".html").decode()

    # Within scripts only what they say counts, not what stands in their texts.
    markup = re.sub(r"(<script[^>]*>).*?</script>", r"\1", page, flags=re.S)
    assert markup.count("<script") == 3
    assert not re.search(r"\b(?:src|href)=|url\(|@import|https?:", markup)
    assert "default-src 'none'" in page
    assert "<title>A &lt;b&gt;title</title>" in page
    assert "<h1>A &lt;b&gt;title</h1><p>below &amp; it</p>" in page
    (held,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert json.loads(held) == chart


def test_the_name_of_a_strategy_ends_no_script_and_is_no_markup():
    bad = "</script><script>alert(1)</script><!--<script>"
    curves = CURVES.set_column(0, "label", pa.array([bad] * 6))

    page = picture(titled(equity_chart(curves), bad), ".html").decode()
    svg = picture(titled(equity_chart(curves), bad), ".svg")

    assert "alert(1)</script>" not in page and "<script>alert" not in page
    assert bad in texts(svg)
    assert not [one for one in ElementTree.fromstring(svg).iter() if one.tag.endswith("script")]


def test_a_first_session_is_drawn_from_the_day_before():
    rows = equity_chart(CURVES)["data"]["values"]

    assert rows[:2] == [
        {"label": "one", "date": "2024-01-01", "equity": 1.0},
        {"label": "one", "date": "2024-01-02", "equity": 1.0},
    ]


def test_the_best_plateau_has_a_frame_and_alike_ones_have_none():
    framed = ["framed" in row for row in CHARTS["heat_map"][0]["data"]["values"]]
    place = CELLS.column_names.index("plateau")
    alike = CELLS.set_column(place, "plateau", pa.array([0.1] * 4))
    of_alike, of_turnover = (
        heat_map(cells, x="x", y="y", value=value)["data"]["values"]
        for cells, value in ((alike, "sharpe"), (CELLS, "turnover"))
    )

    assert framed == [False, False, False, True]
    assert not any("framed" in row for row in (*of_alike, *of_turnover))


def test_a_step_of_several_values_stands_at_the_first_and_says_both_ends():
    place = CELLS.column_names.index("x_last")
    wider = CELLS.set_column(place, "x_last", pa.array([9, 9, 12, 12]))

    chart = heat_map(wider, x="period", y="width", value="sharpe", facet="symbol")

    axes = chart["spec"]["encoding"]
    assert (axes["x"]["title"], axes["y"]["title"]) == ("period, from", "width")
    assert [row["x_shown"] for row in chart["data"]["values"]] == ["5 to 9", "5 to 9"] + [
        "10 to 12"
    ] * 2


def test_values_that_differ_in_their_last_digits_have_maps_of_their_own():
    cells = CELLS
    for name in ("facet", "facet_last"):
        place = cells.column_names.index(name)
        close = pa.array([1000001.25, 1000001.25, 1000001.5, 1000001.5])
        cells = cells.set_column(place, name, close)

    chart = heat_map(cells, x="period", y="width", value="sharpe", facet="f")

    field = chart["facet"]["field"]
    assert {row[field] for row in chart["data"]["values"]} == {1000001.25, 1000001.5}
    shown = {row["facet_shown"] for row in chart["data"]["values"]}
    assert shown == {"1000001.25", "1000001.5"}


def test_curves_that_multiply_are_on_a_logarithmic_axis():
    grown = CURVES.set_column(2, "equity", pa.array([1.0, 9.0, 1.0, 0.9, 1.0, 1.0]))

    kinds = [
        equity_chart(curves)["encoding"]["y"]["scale"].get("type") for curves in (CURVES, grown)
    ]

    assert kinds == [None, "log"]


def test_small_equity_on_a_logarithmic_axis_is_told_apart():
    place = CURVES.column_names.index("equity")
    fallen = CURVES.set_column(place, "equity", pa.array([1.0, 0.002, 1.0, 0.9, 1.0, 1.0]))

    axis = equity_chart(fallen)["encoding"]["y"]

    assert (axis["scale"]["type"], axis["axis"]["format"]) == ("log", "~g")


def test_a_strategy_that_is_called_as_the_benchmark_is_drawn_as_a_strategy():
    label = "buy and hold FAKE"
    labels = [label if one == "one" else one for one in CURVES["label"].to_pylist()]
    renamed = CURVES.set_column(0, "label", pa.array(labels))

    scale = equity_chart(renamed)["layer"][0]["encoding"]["color"]["scale"]

    colours = dict(zip(scale["domain"], scale["range"], strict=True))
    assert colours[label] == STRATEGIES[0] and colours["buy and hold SPY"] == BENCHMARK


@pytest.mark.parametrize(
    "name", ["image", "title", "constructor", "a\u2028b", "\u202elive", "x\ny"]
)
def test_names_that_mean_something_to_what_draws_are_drawn(name):
    cells = heat_map(CELLS, x=name, y="width", value="sharpe")
    keys = [one["title"] for one in cells["layer"][0]["encoding"]["tooltip"]]
    pairs = pa.table({"a": [name], "b": ["two"], "correlation": [0.25]})
    labels = [name if one == "one" else one for one in CURVES["label"].to_pylist()]
    curves = CURVES.set_column(0, "label", pa.array(labels))

    assert not {"image", "title", "constructor"} & set(keys)
    for chart in (cells, correlation_chart(pairs), equity_chart(curves)):
        drawn = picture(titled(chart, name, name), ".svg").decode()
        assert drawn.count("<path") > 2
        assert "\u2028" not in drawn and "\u202e" not in drawn


def test_a_long_line_above_a_picture_makes_it_no_wider():
    chart = CHARTS["heat_map"][0]

    narrow, wide = (picture(titled(chart, "t", "x = 1 and " * n), ".svg") for n in (1, 80))

    sizes = [re.search(rb'<svg[^>]* width="([\d.]+)"', one)[1] for one in (narrow, wide)]
    assert float(sizes[1]) < 1.3 * max(float(sizes[0]), WIDTH)


def test_a_file_that_cannot_be_drawn_is_refused_and_left_alone(tmp_path):
    chart, _ = CHARTS["equity"]
    catalog = tmp_path / "catalog.duckdb"

    for name in ("plot.jpg", "plot", "plot.pdf"):
        with pytest.raises(UsageError, match="Cannot tell what to draw") as told:
            draw(chart, tmp_path / name, catalog=catalog)
        assert ".png" in str(told.value.hint)
    with pytest.raises(UsageError, match="no theme 'pink'"):
        draw(chart, tmp_path / "plot.svg", catalog=catalog, theme="pink")
    with pytest.raises(StoreError, match="Cannot write"):
        draw(chart, tmp_path / "nowhere" / "plot.svg", catalog=catalog)
    assert list(tmp_path.iterdir()) == []


def test_what_draws_is_named_where_it_is_not_installed(monkeypatch):
    import sys

    from catalog.plots.draw import _library

    _library.cache_clear()
    monkeypatch.setitem(sys.modules, "vl_convert", None)

    with pytest.raises(UsageError) as told:
        picture(CHARTS["equity"][0], ".svg")
    assert "strategy-trace-catalog[plot]" in str(told.value.hint)
