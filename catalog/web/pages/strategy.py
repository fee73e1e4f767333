"""The page strategy."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.web.page import render


def page(request: Request) -> Response:
    """Answer with the page."""
    return render(request, "error", message="This page is not there yet", hint=None)


ROUTES: Final = [Route("/strategies/{key:path}", page)]
