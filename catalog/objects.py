"""
Object storage: what lies below a URL such as `s3://bucket/folder` is listed, read and written.

Any file system of fsspec will do, and any of pyarrow that `use_filesystem` names. Credentials,
regions and endpoints are taken from the environment, as those libraries do it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from catalog.errors import ObjectStoreError, UsageError

AT_ONCE = 32
"""Requests under way at a time: enough to hide how long each one travels."""
TRIES = 4
"""How often one request is made at most, where the failure may pass."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_EXPIRED = re.compile(r"expired|InvalidAccessKeyId|InvalidToken|SignatureDoesNotMatch", re.I)
_filesystems: dict[str, Any] = {}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """
    An object as a listing tells it.

    `mtime_ns` is when it was written, in whole seconds, as object stores say it; the digits
    below the second come from its ETag, so that a change within one second is seen.
    """

    url: str
    size: int
    mtime_ns: int


def is_url(place: str) -> bool:
    """Say whether a place is a URL, and not a path on this machine."""
    return _URL.match(place) is not None


def use_filesystem(scheme: str, filesystem: Any) -> None:
    """
    Let URLs of a scheme be read through a file system of pyarrow or fsspec, in this process.

    Args:
        scheme: such as `s3`, without `://`.
        filesystem: a `pyarrow.fs.FileSystem` or an `fsspec.AbstractFileSystem`.
    """
    from pyarrow.fs import FileSystem

    if isinstance(filesystem, FileSystem):
        filesystem = _fsspec().implementations.arrow.ArrowFSWrapper(filesystem)
    _filesystems[scheme] = filesystem


def filesystem(url: str) -> Any:
    """
    Return the fsspec file system that a URL is read through.

    Raises:
        UsageError: no library that is installed knows the scheme.
    """
    scheme = url.partition("://")[0]
    if scheme not in _filesystems:
        try:
            # A listing that is remembered would hide what was written since.
            made = _fsspec().filesystem(scheme, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise UsageError(
                f"{url} cannot be read: {error}",
                hint="For s3:// install strategy-trace-catalog[s3]; for another scheme the "
                "fsspec file system of that store",
            ) from error
        _filesystems[scheme] = made
    return _filesystems[scheme]


def list_below(url: str) -> list[StoredObject]:
    """
    Return the objects below a URL, in the order of their names; none where there are none.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no.
    """
    scheme, found = url.partition("://")[0], []
    entries = _tried(url, lambda fs, path: fs.find(path.rstrip("/") + "/", detail=True))
    for path, entry in entries.items():
        if entry.get("type") != "directory" and not path.endswith("/"):
            found.append(_stored(f"{scheme}://{path.lstrip('/')}", entry))
    return sorted(found, key=lambda stored: stored.url)


def look_at(url: str) -> StoredObject | None:
    """
    Return what the store says of one object, None where there is none.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no.
    """
    try:
        entry = _tried(url, lambda fs, path: fs.info(path))
    except FileNotFoundError:
        return None
    return None if entry.get("type") == "directory" else _stored(url, entry)


def read(url: str, start: int | None = None, stop: int | None = None) -> bytes:
    """
    Return the bytes of an object, or a range of them in one request; `start` below 0 is
    counted from its end.

    Raises:
        FileNotFoundError: there is no such object.
        ObjectStoreError: the store cannot be reached, or says no.
    """
    return bytes(_tried(url, lambda fs, path: fs.cat_file(path, start=start, end=stop)))


def write(url: str, data: bytes) -> None:
    """
    Write an object, which appears whole or not at all.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no.
    """
    try:
        _tried(url, lambda fs, path: fs.pipe_file(path, data))
    except FileNotFoundError as error:
        raise _no_bucket(url, error) from error


def write_file(url: str, path: Path) -> None:
    """
    Write an object from a file of this machine, of any size; it appears whole or not at all.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no.
    """
    try:
        _tried(url, lambda fs, name: fs.put_file(str(path), name))
    except FileNotFoundError as error:
        raise _no_bucket(url, error) from error


def remove(url: str) -> None:
    """
    Remove an object; one that is gone already is no failure.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no.
    """
    try:
        _tried(url, lambda fs, path: fs.rm_file(path))
    except FileNotFoundError:
        return


def many_at_once(
    work: Callable[[T], Any], items: Iterable[T], *, at_once: int = AT_ONCE
) -> Iterator[Any]:
    """
    Yield what `work` returns for each item, in their order, with many under way at a time.

    No more than twice as many results as that are held. An exception is raised in its turn,
    and what is not under way by then is not begun.
    """
    waiting = iter(items)
    with ThreadPoolExecutor(at_once, thread_name_prefix="objects") as pool:
        under_way: list[Future[Any]] = [
            pool.submit(work, item) for item in islice(waiting, 2 * at_once)
        ]
        try:
            while under_way:
                done = under_way.pop(0).result()
                under_way += [pool.submit(work, item) for item in islice(waiting, 1)]
                yield done
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _tried(url: str, request: Callable[[Any, str], T]) -> T:
    """Make a request, again where its failure may pass, and say clearly how it failed."""
    fs = filesystem(url)
    path = fs._strip_protocol(url)
    for attempt in range(TRIES):
        try:
            return request(fs, path)
        except FileNotFoundError:
            raise
        except PermissionError as error:
            raise _refused(url, error) from error
        except (OSError, TimeoutError) as error:
            if _EXPIRED.search(str(error)):
                raise _refused(url, error) from error
            if attempt == TRIES - 1:
                raise ObjectStoreError(
                    f"{url} cannot be reached: {error}",
                    hint=f"It was tried {TRIES} times; try again when the store answers",
                ) from error
            time.sleep(0.1 * 3**attempt)
        except Exception as error:  # What the libraries of a store raise has no common base.
            raise _refused(url, error) from error
    raise AssertionError("unreachable")


def _refused(url: str, error: Exception) -> ObjectStoreError:
    if _EXPIRED.search(str(error)):
        return ObjectStoreError(
            f"The credentials for {url} are not accepted: {error}",
            hint="Renew them (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, or the "
            "profile), and run the command again: it goes on where it stopped",
        )
    return ObjectStoreError(
        f"The store refuses {url}: {error or type(error).__name__}",
        hint="Check the credentials, their permissions and the name of the bucket",
    )


def _no_bucket(url: str, error: Exception) -> ObjectStoreError:
    bucket = "/".join(url.split("/")[:3])
    return ObjectStoreError(
        f"There is no bucket {bucket}: {error}", hint="Check its name, or create it"
    )


def _stored(url: str, entry: dict[str, Any]) -> StoredObject:
    moment = entry.get("LastModified") or entry.get("mtime") or entry.get("created") or 0
    seconds = moment.timestamp() if isinstance(moment, datetime) else float(moment)
    tag = str(entry.get("ETag") or entry.get("etag") or "")
    below = int(sha256(tag.encode()).hexdigest()[:12], 16) % 10**9 if tag else 0
    whole = int(seconds) if tag else seconds
    return StoredObject(url, int(entry["size"]), int(whole * 10**9) + below)


def _fsspec() -> Any:
    try:
        import fsspec
        import fsspec.implementations.arrow
    except ImportError as error:
        raise UsageError(
            "Reading URLs takes fsspec, which is not installed",
            hint="pip install 'strategy-trace-catalog[s3]'",
        ) from error
    return fsspec
