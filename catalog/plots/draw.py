"""A chart becomes a file: a picture (.png, .svg), or a page that needs nothing else (.html)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from html import escape
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from textwrap import wrap
from typing import Any

from catalog.errors import UsageError
from catalog.plots.view import HELP, Chart
from catalog.query.target import written_whole

THEMES = ("light", "dark")
WIDTH = 860
"""Of a picture, in pixels, where the chart says nothing else."""
_TITLE, _SUBTITLE = 110, 140
"""So many characters fit on a line of a title, and on one below it."""
SCALE = 2.0
"""A PNG has so many pixels for each of them, so that it stays sharp when it is shown large."""
_NUMBERED = re.compile(r'(\bid="|url\(#)((?:clip|gradient_)\d+)("|\))')
_PAPER = {"light": "#ffffff", "dark": "#16181d"}


def draw(chart: Chart, path: Path, *, catalog: Path, theme: str = "light") -> None:
    """
    Write a chart to a file that appears whole, by the ending of its name.

    Args:
        catalog: the catalog that it is of, which is not written over.
        theme: light or dark.

    Raises:
        UsageError: the ending is none of .png, .svg and .html; the file belongs to the catalog; or
            what draws is not installed.
        StoreError: the file cannot be written.
    """
    drawn = picture(chart, check_ending(path), theme=theme)
    with written_whole(catalog, path) as unfinished:
        unfinished.write_bytes(drawn)


def check_ending(path: Path) -> str:
    """
    Return the ending of the name of a file that can be drawn.

    Raises:
        UsageError: it is none of .png, .svg and .html.
    """
    ending = path.suffix.lower()
    if ending not in _MADE_BY:
        raise UsageError(
            f"Cannot tell what to draw into {path}",
            hint=f"End its name in one of: {', '.join(_MADE_BY)}",
        )
    return ending


def check_theme(theme: str) -> None:
    """
    Say so early if what is asked for cannot be drawn.

    Raises:
        UsageError: there is no such theme, or what draws is not installed.
    """
    if theme not in THEMES:
        raise UsageError(f"There is no theme {theme!r}", hint=f"Take one of: {', '.join(THEMES)}")
    _library()


def picture(chart: Chart, ending: str, *, theme: str = "light") -> bytes:
    """
    Return the bytes of a chart as a file with this ending; the same chart gives the same bytes.

    Raises:
        UsageError: there is no such theme, or what draws is not installed.
    """
    check_theme(theme)
    return _MADE_BY[ending](chart, theme)


def _png(chart: Chart, theme: str) -> bytes:
    drawn = _library().vegalite_to_png(
        _still(chart), scale=SCALE, **_looks(theme), allowed_base_urls=[]
    )
    return bytes(drawn)


def _svg(chart: Chart, theme: str) -> bytes:
    drawn = _library().vegalite_to_svg(_still(chart), **_looks(theme), allowed_base_urls=[])
    # They are numbered through a process; in a file they shall not tell what it drew before.
    names: dict[str, str] = {}
    numbered = _NUMBERED.sub(
        lambda found: found[1] + names.setdefault(found[2], f"part_{len(names)}") + found[3], drawn
    )
    return numbered.encode()


def _html(chart: Chart, theme: str) -> bytes:
    # As text of the page a title breaks into lines where the window is narrow.
    chart = dict(chart)
    title = chart.pop("title", {})
    lines = [title.get("text", ""), *title.get("subtitle", [])]
    heading, *below = (escape(line) for line in lines)
    page = files("catalog.plots").joinpath("page.html").read_text("utf-8")
    parts = {
        "THEME": theme,
        "PAPER": _PAPER[theme],
        "TITLE": heading or "catalog plot",
        "HEADING": f"<h1>{heading}</h1>" if heading else "",
        "BELOW": "".join(f"<p>{line}</p>" for line in below),
        "SCRIPT": _bundle(),
        # Within a script only "<" could end it, or begin a comment.
        "CHART": json.dumps(chart, ensure_ascii=False).replace("<", "\\u003c"),
    }
    # In one pass: nothing is put into what was put in.
    made = re.sub("@([A-Z]+)@", lambda found: parts[found[1]], page)
    return made.encode()


@cache
def _bundle() -> str:
    return str(_library().javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def _looks(theme: str) -> dict[str, Any]:
    looks: dict[str, Any] = {"config": {"background": _PAPER[theme]}}
    return looks | ({"theme": "dark"} if theme == "dark" else {})


def _still(chart: Chart) -> Chart:
    """Return a chart without what only a pointer needs, and with a width of its own."""
    still = deepcopy(chart)
    _drop_help(still)
    if still.get("width") == "container":
        still["width"] = still.get("usermeta", {}).get("width", WIDTH)
        still["autosize"] = {"type": "pad"}
    if title := still.get("title"):
        # A picture is not to be as wide as a long line above it.
        title["text"] = wrap(title["text"], _TITLE) or ""
        title["subtitle"] = [part for line in title["subtitle"] for part in wrap(line, _SUBTITLE)]
    return still


def _drop_help(view: Chart) -> None:
    view.pop("params", None)
    if "spec" in view:
        _drop_help(view["spec"])
    layers = view.get("layer", [])
    layers[:] = [one for one in layers if not one.get("name", "").startswith(HELP)]
    for one in layers:
        one.get("encoding", {}).pop("tooltip", None)
        opacity = one.get("encoding", {}).get("opacity", {})
        if "param" in opacity.get("condition", {}):
            del one["encoding"]["opacity"]
        _drop_help(one)


@cache
def _library() -> Any:
    try:
        return import_module("vl_convert")
    except ImportError:
        raise UsageError(
            "Drawing needs a library that is not installed",
            hint="Install it: pip install 'strategy-trace-catalog[plot]'",
        ) from None


_MADE_BY: dict[str, Callable[[Chart, str], bytes]] = {".png": _png, ".svg": _svg, ".html": _html}
