"""The application: every page's routes, behind the guard."""

from __future__ import annotations

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.catalog import Catalog
from catalog.errors import CatalogBusyError, CatalogError, QueryError, UsageError
from catalog.web.guard import HEADERS, METHODS, Guard
from catalog.web.leaving import Leaving
from catalog.web.page import render
from catalog.web.pages import compare, health, landscape, ranking, strategies, strategy
from catalog.web.static_files import static_file


def make_app(catalog: Catalog, *, token: str, port: int, key: str | None = None) -> Starlette:
    """
    Return the pages over a catalog; each request opens it for itself, and only reads.

    Who may ask is told by `token`, `port` and `key`; see `Guard`.
    """
    routes = [Route("/static/{name}", static_file, methods=METHODS)]
    for page in (strategies, strategy, landscape, ranking, compare, health):
        routes += page.ROUTES
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Guard, token=token, port=port, key=key),
            Middleware(Leaving),
            # Little text takes longer to pack than to send.
            Middleware(GZipMiddleware, minimum_size=10_000, compresslevel=1),
        ],
        exception_handlers={
            CatalogError: _say_error,
            HTTPException: _say_status,
            Exception: _say_bug,
        },
    )
    app.state.catalog = catalog
    return app


def _say_error(request: Request, error: Exception) -> Response:
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, (UsageError, QueryError)):
        status = HTTPStatus.BAD_REQUEST
    elif isinstance(error, CatalogBusyError):
        status = HTTPStatus.SERVICE_UNAVAILABLE
    hint = getattr(error, "hint", None)
    return render(request, "error", status=status, message=str(error), hint=hint)


def _say_status(request: Request, error: Exception) -> Response:
    status, said = getattr(error, "status_code", 500), getattr(error, "detail", str(error))
    if status == HTTPStatus.NOT_FOUND:
        said = f"There is no page {request.url.path}"
    return render(request, "error", status=status, message=said, hint=None)


def _say_bug(request: Request, error: Exception) -> Response:
    """Answer where the program is wrong; its traceback goes to the terminal."""
    hint = "What went wrong is said where catalog ui runs"
    said = f"This page failed: {type(error).__name__}"
    answer = render(request, "error", status=500, message=said, hint=hint)
    # It is sent past the guard, which stands within what calls this.
    answer.headers.update({**HEADERS, "Cache-Control": "no-store"})
    return answer
