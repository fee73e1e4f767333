"""A page that nobody waits for any more stops, and the next one need not wait for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from catalog.abandoned import abandoned_by
from catalog.errors import AbandonedError, QueryError
from catalog.query.run import run_query
from catalog.store.database import held, reading
from catalog.web.leaving import Leaving

ENDLESS = "select max(sin(a.range)) from range(1000000) a, range(1000000) b"
SCOPE = {"type": "http", "method": "GET", "path": "/"}


def test_a_query_ends_when_its_browser_has_gone(web_catalog):
    ended: list[BaseException] = []
    begun = threading.Event()

    def ask() -> None:
        begun.set()
        try:
            run_query(web_catalog.path, ENDLESS)
        except AbandonedError as error:
            ended.append(error)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.to_thread(ask)

    async def receive() -> dict[str, str]:
        await asyncio.to_thread(begun.wait)
        await asyncio.sleep(0.2)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError("nobody listens")

    run(Leaving(application)(SCOPE, receive, send))

    assert len(ended) == 1
    with reading(web_catalog.path) as con:
        assert con.execute("select 1").fetchall() == [(1,)]


def test_what_waits_for_a_catalog_that_another_thread_has_open_ends_too(web_catalog):
    leave, has_gone = threading.Event(), threading.Event()
    began = threading.Event()
    seen: list[type[BaseException]] = []

    def hold() -> None:
        with held(web_catalog.path):
            began.set()
            leave.wait(60)

    def wait() -> None:
        try:
            with abandoned_by(has_gone), reading(web_catalog.path):
                pass
        except AbandonedError as error:
            seen.append(type(error))

    holding, waiting = threading.Thread(target=hold), threading.Thread(target=wait)
    holding.start()
    assert began.wait(60)
    waiting.start()
    has_gone.set()
    waiting.join(60)
    leave.set()
    holding.join(60)

    assert seen == [AbandonedError]


def test_a_page_that_is_waited_for_is_made_whole(web_catalog):
    answered: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        found = await asyncio.to_thread(run_query, web_catalog.path, "select 42")
        await send(found.fetchall())

    async def receive() -> dict[str, str]:
        await asyncio.Event().wait()
        return {}

    async def send(message: Any) -> None:
        answered.append(message)

    run(Leaving(application)(SCOPE, receive, send))

    assert answered == [[(42,)]]
    with pytest.raises(AbandonedError), abandoned_by(gone()):
        run_query(web_catalog.path, "select 42")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own: that of the tests has a browser's loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, asyncio.wait_for(work, 60)).result()


def test_a_query_that_takes_too_long_for_those_who_write_is_ended(web_catalog):
    with (
        pytest.raises(QueryError, match=r"more than 0\.3 seconds"),
        abandoned_by(threading.Event(), seconds=0.3),
    ):
        run_query(web_catalog.path, ENDLESS)

    assert run_query(web_catalog.path, "select 42").fetchall() == [(42,)]


def gone() -> threading.Event:
    event = threading.Event()
    event.set()
    return event
