"""The scripts and styles of the pages: our own, and those that draw charts, from their wheel."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

KINDS: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
CHARTS: Final = "vega.js"
# What the bundle is to give to charts.js.
_SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"


def static_file(request: Request) -> Response:
    """Answer with a script or a style; a browser that has it is told so."""
    name = request.path_params["name"]
    body = content(name)
    if body is None:
        return PlainTextResponse("There is no such file.\n", 404)
    tag = f'"{sha256(body).hexdigest()[:16]}"'
    # Asked for anew each time, which is one small request: a new version is seen at once.
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    kind = KINDS[name[name.rindex(".") :]]
    return Response(body, media_type=kind, headers=headers)


@cache
def content(name: str) -> bytes | None:
    """Return what a file holds, None where there is none of that name."""
    if name == CHARTS:
        from vl_convert import javascript_bundle

        return str(javascript_bundle(_SNIPPET)).encode()
    path = files("catalog.web") / "static" / name
    is_one = name in _own_names() and path.is_file()
    return path.read_bytes() if is_one else None


@cache
def _own_names() -> frozenset[str]:
    """Return the names there are, so that a name that leads elsewhere is none of them."""
    return frozenset(one.name for one in (files("catalog.web") / "static").iterdir())
