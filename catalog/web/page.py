"""A page: a template filled in for one request, or only the part of it that has changed."""

from __future__ import annotations

from typing import Any, Final, cast

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from catalog.catalog import Catalog
from catalog.reports.shown import FILTERS

_templates: Final = Environment(
    # Reports show some of the same tables.
    loader=ChoiceLoader([PackageLoader("catalog.web"), PackageLoader("catalog.reports", "")]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(FILTERS)

PAGES: Final = {
    "/": "Strategies",
    "/landscape": "Landscape",
    "/ranking": "Ranking",
    "/compare": "Compare",
    "/health": "Health",
}
"""What the head of every page leads to."""


def catalog_of(request: Request) -> Catalog:
    """Return the catalog that is looked at."""
    return cast(Catalog, request.app.state.catalog)


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """
    Return a page; the block of it that the header `X-Part` names, where there is one.

    Such a block is filled in by itself: it imports what it needs within it.

    Args:
        template: its name, without `.html`.
        values: what it shows. Every text of them is escaped.
    """
    page = _templates.get_template(f"{template}.html")
    values |= {"request": request, "pages": PAGES, "catalog": catalog_of(request)}
    part = page.blocks.get(request.headers.get("x-part", ""))
    text = "".join(part(page.new_context(values))) if part else page.render(values)
    return HTMLResponse(text, status)
