"""A request to an object store: made again where its failure may pass, and how it failed, said."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from catalog.errors import ObjectError, ObjectStoreError

TRIES: Final = 5
"""How often one request is made at most, where the failure may pass."""
PAUSE = 0.2
"""Seconds before the second time; then three times as long each time: 8 seconds in all."""

T = TypeVar("T")

_CREDENTIALS: Final = re.compile(
    r"expired|InvalidAccessKeyId|InvalidToken|InvalidClientTokenId|SignatureDoesNotMatch"
    r"|TokenRefreshRequired|RequestTimeTooSkewed|Access Key Id you provided|credentials",
    re.IGNORECASE,
)
_PASSING_CODES: Final = frozenset(
    {
        *("SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "OperationAborted"),
        *("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests"),
        *("408", "429", "500", "502", "503", "504"),
    }
)
# Of botocore, aiohttp and urllib3, none of which need be there: a connection that fails, and a
# body that ends early.
_PASSING: Final = frozenset(
    {
        *("HTTPClientError", "ClientConnectionError", "ResponseParserError", "ProtocolError"),
        "EndpointConnectionError",
        *("ResponseStreamingError", "ServerTimeoutError"),
    }
)
# Of these, a connection that is there, and on which nothing comes.
_SILENT: Final = frozenset({"ReadTimeoutError", "SocketTimeoutError"})
_CUT_SHORT: Final = frozenset({"ClientPayloadError", "IncompleteRead", "ContentLengthError"})


class CutShortError(OSError):
    """Fewer bytes came than there are."""


def tried(url: str, request: Callable[[], T]) -> T:
    """
    Return what a request returns, made again where its failure may pass.

    Raises:
        FileNotFoundError: there is no such object.
        ObjectError: this one object may not be read, or never comes whole.
        ObjectStoreError: the store cannot be reached, or says no to more than this object.
    """
    for left in reversed(range(TRIES)):
        try:
            return request()
        except ObjectStoreError:
            raise
        except Exception as error:  # What the libraries of a store raise has no common base.
            if left == 0 or not _may_pass(error):
                failed = _said(url, error)
                if failed is None:
                    raise
                raise failed from error
            # Not all at the same moment: the store may be asked too much as it is.
            time.sleep(PAUSE * 3 ** (TRIES - 1 - left) * random.uniform(0.5, 1))  # noqa: S311
    raise AssertionError("unreachable")


def _may_pass(error: Exception) -> bool:
    code = _code(error)
    if code is not None:
        return code in _PASSING_CODES
    names = _names(error)
    if names & (_PASSING | _CUT_SHORT):
        return True
    settled = FileNotFoundError | PermissionError | FileExistsError | IsADirectoryError
    return isinstance(error, OSError) and not isinstance(error, settled)


def _said(url: str, error: Exception) -> ObjectStoreError | None:
    """Return the error to raise, None where an object that is not there is all there is to it."""
    code = _code(error) or ""
    if code == "NoSuchBucket":
        return no_bucket(url, error)
    if isinstance(error, FileNotFoundError):
        return None
    if _CREDENTIALS.search(code) or _CREDENTIALS.search(str(error)):
        return ObjectStoreError(
            f"The credentials for {url} are not accepted: {error}",
            hint="Renew them (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, or the "
            "profile), and run the command again: it goes on where it stopped",
        )
    if isinstance(error, PermissionError):
        return ObjectError(
            "no permission",
            f"{url} may not be read: {error or type(error).__name__}",
            hint="Check what these credentials may do with it",
        )
    if _names(error) & (_CUT_SHORT | {CutShortError.__name__}):
        return ObjectError(
            "truncated object",
            f"{url} does not come whole, {TRIES} times over: {error}",
            hint="Send it to the store again if it stays so",
        )
    if _names(error) & _SILENT:
        return ObjectStoreError(
            f"The store does not answer, or stops, at {url}: {error or type(error).__name__}",
            hint=f"It was tried {TRIES} times; try again when the store answers, or let it take "
            """longer: FSSPEC_S3='{"config_kwargs": {"read_timeout": 60}}'""",
        )
    if _may_pass(error):
        return ObjectStoreError(
            f"{url} cannot be reached: {error or type(error).__name__}",
            hint=f"It was tried {TRIES} times; try again when the store answers",
        )
    return ObjectStoreError(
        f"The store refuses {url}: {error or type(error).__name__}",
        hint="Check the credentials, their permissions and the name of the bucket",
    )


def no_bucket(url: str, error: Exception | None = None) -> ObjectStoreError:
    """Return the error that there is no bucket of the name in a URL."""
    bucket = "/".join(url.split("/")[:3])
    return ObjectStoreError(
        f"There is no bucket {bucket}" + (f": {error}" if error is not None else ""),
        hint="Check its name, or create it",
    )


def _names(error: Exception) -> set[str]:
    return {base.__name__ for one in _chain(error) for base in type(one).__mro__}


def _code(error: Exception) -> str | None:
    """Return the code that the store gave its answer, which libraries translate away."""
    for one in _chain(error):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__
