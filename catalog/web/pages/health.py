"""The health of the catalog: runs, what is missing or quarantined and why, the last verify."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.reports.rows import ask, rows_of
from catalog.web.page import catalog_of, render

RUNS: Final = 200
"""Runs that are listed; the newest."""


def page(request: Request) -> Response:
    """Answer with the page."""
    catalog = catalog_of(request)
    last = catalog.last_verification()
    runs = rows_of(catalog.runs())
    return render(
        request,
        "health",
        info=catalog.info(),
        runs=runs[:RUNS],
        more_runs=max(0, len(runs) - RUNS),
        reasons=ask(catalog.path, "web_quarantine_reasons"),
        missing=ask(catalog.path, "web_missing_runs"),
        without_figures=ask(catalog.path, "web_without_figures"),
        last=last,
        age=None if last is None else said_age(datetime.now(UTC) - last.finished_at),
    )


def said_age(age: timedelta) -> str:
    """Return a stretch of time in its greatest unit."""
    seconds = max(0, int(age.total_seconds()))
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count:,} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


ROUTES: Final = [Route("/health", page)]
