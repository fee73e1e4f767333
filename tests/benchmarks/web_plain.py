"""A bare Starlette server: page.html of a folder, and the styles and scripts of the pages."""

from __future__ import annotations

import socket
import sys
from importlib.resources import files
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles


def main(folder: str) -> None:
    """Serve until somebody ends it; the address is printed first."""
    html = (Path(folder) / "page.html").read_text()

    def page(request: Request) -> HTMLResponse:
        return HTMLResponse(html)

    static = StaticFiles(directory=str(files("catalog.web") / "static"))
    app = Starlette(routes=[Route("/", page), Mount("/static", static)])
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        config = uvicorn.Config(app, log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
