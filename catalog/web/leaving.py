"""Who goes away while a page is made: what makes it stops, and the next one need not wait."""

from __future__ import annotations

import asyncio
import threading
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog.abandoned import abandoned_by

LONGEST: Final = 8.0
"""Seconds that one query of a page may take: who writes waits ten."""


class Leaving:
    """Abandon what an application does for a request as soon as its browser has gone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_gone = threading.Event()
        gone = asyncio.Event()

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass  # A body, which nobody asks for.
            has_gone.set()
            gone.set()

        async def wait_until_gone() -> Message:
            await gone.wait()
            return {"type": "http.disconnect"}

        watching = asyncio.create_task(watch())
        try:
            with abandoned_by(has_gone, seconds=LONGEST):
                await self._app(scope, wait_until_gone, send)
        finally:
            watching.cancel()
