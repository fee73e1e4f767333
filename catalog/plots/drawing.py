"""A chart that a notebook shows where a cell ends in it."""

from __future__ import annotations

from base64 import b64encode
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from catalog.errors import UsageError
from catalog.plots.draw import WIDTH, picture
from catalog.plots.view import SCHEMA, Chart

MIME = f"application/vnd.vegalite.{SCHEMA.rsplit('/', 1)[1].removesuffix('.json')}+json"


@dataclass(frozen=True, eq=False)
class Drawing:
    """
    A chart in Vega-Lite, with what it is called and what stands below its title.

    A notebook draws it where it knows Vega-Lite, and shows a picture of it where it does not.
    """

    chart: Chart
    title: str
    notes: tuple[str, ...] = ()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return the chart for a notebook: its specification, and a picture where one can draw."""
        shown = deepcopy(self.chart)
        if shown.get("width") == "container":
            # What a cell prints into has no width of its own everywhere.
            shown["width"] = shown.get("usermeta", {}).get("width", WIDTH)
        bundle: dict[str, Any] = {MIME: shown, "text/plain": repr(self)}
        try:
            bundle["image/png"] = b64encode(picture(self.chart, ".png")).decode("ascii")
        except UsageError:
            # Without the library that draws, the specification alone is shown.
            return bundle
        return bundle

    def __repr__(self) -> str:
        return f"Drawing({self.title!r})"
