"""A report as text: a template filled in, in which every text is escaped."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from itertools import count
from typing import Any

from catalog.errors import UsageError
from catalog.plots.draw import check_theme
from catalog.plots.view import Chart
from catalog.reports.picture import inline
from catalog.reports.shown import FILTERS


def check_libraries() -> None:
    """
    Say so early if a report cannot be made.

    Raises:
        UsageError: what fills in templates, or what draws, is not installed.
    """
    try:
        import_module("jinja2")
        check_theme("light")
    except (ImportError, UsageError):
        raise UsageError(
            "Reports need libraries that are not installed",
            hint="Install them: pip install 'strategy-trace-catalog[report]'",
        ) from None


def render(template: str, **values: Any) -> str:
    """
    Return a report.

    Args:
        template: its name, without `.html`.
        values: what it shows. Every text of them is escaped; charts become pictures in it.

    Raises:
        UsageError: see `check_libraries`.
    """
    check_libraries()
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    numbers = count(1)

    def picture(chart: Chart) -> Markup:
        # The text in a picture was escaped when it was drawn.
        return Markup(inline(chart, f"p{next(numbers)}"))  # noqa: S704

    templates = Environment(
        loader=PackageLoader("catalog.reports", package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(FILTERS)
    templates.filters["picture"] = picture
    return templates.get_template(f"{template}.html").render(made=datetime.now(UTC), **values)
