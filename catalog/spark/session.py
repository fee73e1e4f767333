"""A session on a Spark Connect server, within bounds: what does not answer in time is an error."""

from __future__ import annotations

import re
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from urllib.parse import urlsplit

from catalog.errors import QueryError, UsageError

CONNECT_SECONDS = 10.0
"""How long a server may take to answer at first."""
RETRIES = 4
"""How often a request is made again that a server did not answer: some ten seconds in all."""
_PORT = 15002

_URL = re.compile(r"sc://(\[[^]\s]+\]|[^/:;\s]+)(:\d{1,5})?(/(;.*)?)?")
_NOT_THERE = re.compile(r"PATH_NOT_FOUND|FILE_NOT_EXIST|FileNotFound|No such file|NoSuchKey")
_NAMES = re.compile(r"UNRESOLVED_COLUMN|TABLE_OR_VIEW_NOT_FOUND|[Cc]annot resolve")
_WENT_AWAY = re.compile(
    r"UNAVAILABLE|Connection reset|Socket closed|INVALID_HANDLE\.(SESSION|OPERATION)|"
    r"SparkContext was shut down|stopped SparkContext|NO_ACTIVE_SESSION"
)
_EXECUTOR_LOST = re.compile(r"ExecutorLostFailure|Executor(s)? .* (lost|exited)|Job aborted", re.S)

T = TypeVar("T")


@contextmanager
def connected(remote: str) -> Iterator[Any]:
    """
    Yield a session of our own on a Spark Connect server, with UTC as its time zone.

    Args:
        remote: `sc://HOST:PORT`, with what Spark Connect lets follow (`/;token=…`).

    Raises:
        UsageError: pyspark is not installed, or that is no such URL.
        QueryError: there is no server, or it does not answer in time.
    """
    _check_url(remote)
    made = _library()
    _knock(remote)
    session = within(CONNECT_SECONDS, lambda: _open(made, remote), remote=remote)
    if session is None:
        raise QueryError(
            f"What listens at {remote} did not answer as a Spark Connect server within "
            f"{CONNECT_SECONDS:g} seconds",
            hint="Check the host and the port",
        )
    try:
        yield session
    finally:
        _close(session)


def within(seconds: float | None, work: Callable[[], T], *, remote: str) -> T | None:
    """
    Return what some work with a server returns, or None where it takes longer than that.

    Ctrl-C is heard meanwhile.

    Raises:
        QueryError: the server refuses, fails, or goes away.
    """
    done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            done.put((work(), None))
        except BaseException as error:
            done.put((None, error))

    with _quiet():
        # What is left waiting for a server that never answers must not keep the process.
        threading.Thread(target=run, daemon=True).start()
        try:
            result, error = done.get(timeout=seconds)
        except Empty:
            return None
    if error is not None:
        raise as_query_error(error, remote) from error
    return result


def is_apache_spark(session: Any) -> bool:
    """Say whether a session is one of Apache Spark. Another engine that speaks for it is not."""
    from pyspark.errors import PySparkException

    try:
        return bool(session.conf.get("spark.app.id"))
    except PySparkException:
        return False


def as_query_error(error: BaseException, remote: str) -> BaseException:
    """Return what a server, or the way to it, says of a query as an error of ours."""
    import grpc
    from pyspark.errors import PySparkException

    if not isinstance(error, PySparkException | grpc.RpcError):
        return error
    text = _words(error)
    if _WENT_AWAY.search(text):
        return QueryError(
            f"The Spark server at {remote} went away while it worked",
            hint="See whether it is running, and ask again: nothing was changed",
        )
    if _NOT_THERE.search(text):
        return QueryError(
            text,
            hint="The lake's files must be where the Spark workers see them under the same path; "
            "if garbage was collected meanwhile, ask again",
        )
    if _EXECUTOR_LOST.search(text):
        return QueryError(text, hint="See the logs of the Spark workers, and ask again")
    if _NAMES.search(text):
        return QueryError(text, hint="The names are those of the catalog: see README.md")
    return QueryError(text)


def _words(error: BaseException) -> str:
    """Return what an error says to a person: not the stack of the server's machine."""
    details = getattr(error, "details", None)
    text = str(details() if callable(details) else error).strip()
    text = re.split(r"\n+(?:JVM stacktrace|Driver stacktrace|== SQL)", text)[0]
    lines = [line.rstrip() for line in text.splitlines() if not re.match(r"\s+at [\w.$]+\(", line)]
    return "\n".join(line for line in lines if line)[:2000] or type(error).__name__


def _check_url(remote: str) -> None:
    if _URL.fullmatch(remote) is None:
        raise UsageError(
            f"{remote!r} is no address of a Spark Connect server",
            hint=f"Write it as sc://HOST:PORT; the port is {_PORT} unless it was chosen",
        )


def _library() -> Any:
    try:
        from pyspark.sql.connect.session import SparkSession
    except ImportError as error:
        raise UsageError(
            f"Spark is asked through pyspark, which is not installed ({error})",
            hint="Install it with: pip install 'strategy-trace-catalog[spark]'",
        ) from error
    return SparkSession


def _knock(remote: str) -> None:
    """Raise where nothing listens: the library would go on trying for ten minutes."""
    parts = urlsplit("http" + remote[2:])
    try:
        port = parts.port or _PORT
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise QueryError(
            f"There is no Spark Connect server at {remote}: {reason}",
            hint="Start one (sail spark server, or Spark's start-connect-server.sh), or check "
            "the host and the port",
        ) from error


def _open(made: Any, remote: str) -> Any:
    from pyspark.sql.connect.client.retries import DefaultPolicy

    session = made(connection=remote)
    session.client.set_retry_policies([DefaultPolicy(max_retries=RETRIES)])
    # Instants are printed in the session's time zone, and days are counted in it.
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return session


def _close(session: Any) -> None:
    # Of a server that is gone nothing is asked twice, and what it says was said already.
    session.client.set_retry_policies([])
    with suppress(QueryError):
        within(CONNECT_SECONDS, session.stop, remote="")


@contextmanager
def _quiet() -> Iterator[None]:
    """Let the library's warnings say nothing: what matters is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
