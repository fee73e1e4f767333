"""The server: it listens on 127.0.0.1 until it is stopped."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Final

import uvicorn

from catalog.catalog import Catalog
from catalog.errors import CatalogError, UsageError
from catalog.web.app import make_app
from catalog.web.facets import facets_of

HOST: Final = "127.0.0.1"
PATIENCE: Final = 2.0
"""Seconds that Ctrl-C leaves to what is being answered."""


def serve(
    catalog: Catalog, *, port: int = 0, browser: bool = True, say: Callable[[str], None]
) -> None:
    """
    Serve the pages over a catalog until Ctrl-C, which ends the process if queries still run.

    Args:
        port: where to listen on 127.0.0.1; 0 for one that is free.
        browser: open the address in the user's browser.
        say: told the address, with its token, once it answers.

    Raises:
        StoreError: the catalog cannot be used.
        UsageError: something else listens on that port.
    """
    catalog.info()  # Say now, and not on the first page, that there is no catalog.
    with _listen(port) as listener:
        port = listener.getsockname()[1]
        token, key = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        address = f"http://{HOST}:{port}/?token="
        app = make_app(catalog, token=token, port=port, key=key if browser else None)
        # A browser takes as long to open as it takes to read what the first page needs.
        # It is waited for at the end: DuckDB cannot be left alone while Python goes.
        threading.Thread(target=_get_ready, args=(catalog,)).start()
        config = uvicorn.Config(
            app, log_config=None, access_log=False, ws="none", proxy_headers=False
        )
        opened = address + key if browser else None
        server = _Server(config, lambda: _ready(address + token, opened, say))
        # The server hands Ctrl-C on once it has stopped; it is how one ends it, and no failure.
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if sig == signal.SIGINT:
            # A query that runs in a thread cannot be called off; and it only reads.
            end = threading.Timer(PATIENCE, os._exit, [0])
            end.daemon = True
            end.start()


def _get_ready(catalog: Catalog) -> None:
    with suppress(CatalogError):  # The page says it.
        facets_of(catalog)


def _ready(address: str, opened: str | None, say: Callable[[str], None]) -> None:
    with suppress(OSError):  # Nobody may read what is said.
        say(address)
    if opened is not None:
        # A browser of the terminal would keep the server from answering it.
        threading.Thread(target=webbrowser.open, args=(opened,), daemon=True).start()


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise UsageError(
            f"Port {port} of {HOST} cannot be listened on: {error.strerror}",
            hint="Name another one with --port, or leave it out for one that is free",
        ) from error
    return listener
