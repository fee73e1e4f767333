"""The scripts and styles of the pages: our own, and those that draw charts, from their wheel."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

KINDS: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
CHARTS: Final = "vega.js"
# What the bundle is to give to charts.js.
_SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"
_MAKE: Final = "import sys, vl_convert; sys.stdout.write(vl_convert.javascript_bundle(sys.argv[1]))"
_making = threading.Lock()


def static_file(request: Request) -> Response:
    """Answer with a script or a style; a browser that has it is told so."""
    name = request.path_params["name"]
    body = content(name)
    if body is None:
        raise HTTPException(404)
    tag = f'"{_digest(name)}"'
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
        return _bundle()
    return (files("catalog.web") / "static" / name).read_bytes() if name in _own_names() else None


def _bundle() -> bytes:
    """Return the libraries that draw charts, as one script; who asks meanwhile waits for it."""
    with _making:
        return _made()


@cache
def _made() -> bytes:
    # In this process no other thread would run for a second or two, and 100 MB would be kept.
    command = [sys.executable, "-P", "-c", _MAKE, _SNIPPET]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout  # noqa: S603


@cache
def _digest(name: str) -> str:
    return sha256(content(name) or b"").hexdigest()[:16]


@cache
def _own_names() -> frozenset[str]:
    """Return the names there are, so that a name that leads elsewhere is none of them."""
    folder = files("catalog.web") / "static"
    return frozenset(one.name for one in folder.iterdir() if one.name.endswith(tuple(KINDS)))
