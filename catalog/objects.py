"""
Object storage: what lies below a URL such as `s3://bucket/folder` is listed, read and written.

Any file system of fsspec will do, and any of pyarrow that `use_filesystem` names. Credentials,
regions and endpoints are taken from the environment, as those libraries do it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from catalog.filesystems import arrow_of, filesystem, is_s3, path_in, use_filesystem
from catalog.tries import CutShortError, no_bucket, tried

AT_ONCE = 32
"""Requests under way at a time: enough to hide how long each one travels."""
PIECE: Final = 8 << 20
"""Bytes of a large object that are asked for, and held in memory, at a time."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
# What the file systems call the time that an object was written.
_WRITTEN: Final = ("LastModified", "mtime", "last_modified", "updated", "created")

T = TypeVar("T")
R = TypeVar("R")

__all__ = [
    "StoredObject",
    "filesystem",
    "folders_in",
    "is_url",
    "list_below",
    "look_at",
    "many_at_once",
    "read",
    "read_into",
    "remove",
    "use_filesystem",
    "write",
    "write_file",
]


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


def list_below(url: str) -> list[StoredObject]:
    """
    Return the objects below a URL, in the order of their names; none where there are none.

    It is one listing, page after page, however many folders there are.

    Raises:
        ObjectStoreError: the store cannot be reached, there is no such bucket, or it says no.
    """
    fs = filesystem(url)
    base = path_in(fs, url).rstrip("/")
    try:
        entries = tried(url, lambda: _entries_below(fs, base))
    except FileNotFoundError as error:
        raise no_bucket(url, error) from error
    above, found = url.rstrip("/"), []
    for path, entry in entries:
        below = path[len(base) :]
        if entry.get("type") != "directory" and below.startswith("/") and not path.endswith("/"):
            found.append(_stored(above + below, entry))
    if not found and is_s3(fs):
        # Where nothing is found, it does not say why.
        tried(url, lambda: fs.call_s3("head_bucket", Bucket=base.partition("/")[0]))
    return sorted(found, key=lambda stored: stored.url)


def _entries_below(fs: Any, base: str) -> list[tuple[str, dict[str, Any]]]:
    arrow = arrow_of(fs)
    if arrow is None:
        return list(fs.find(base + "/", detail=True).items())
    from pyarrow.fs import FileSelector, FileType

    below = FileSelector(base, allow_not_found=True, recursive=True)
    return [
        (info.path, _arrow_entry(info))
        for info in arrow.get_file_info(below)
        if info.type is FileType.File
    ]


def _arrow_entry(info: Any) -> dict[str, Any]:
    # Exact, from a listing and from a look alike: a float, or a time in microseconds, is not.
    return {"size": info.size, "mtime_ns": info.mtime_ns or 0}


def folders_in(url: str) -> list[str]:
    """
    Return the names of the folders directly in a place, none where there are none: one request.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no.
    """
    try:
        entries = _tried(url, lambda fs, path: fs.ls(path, detail=True))
    except FileNotFoundError:
        return []
    folders = (entry for entry in entries if entry.get("type") == "directory")
    return sorted(str(entry["name"]).rstrip("/").rpartition("/")[2] for entry in folders)


def look_at(url: str) -> StoredObject | None:
    """
    Return what the store says of one object, None where there is none.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no.
    """
    try:
        entry = _tried(url, _info)
    except FileNotFoundError:
        return None
    return None if entry.get("type") == "directory" else _stored(url, entry)


def _info(fs: Any, path: str) -> dict[str, Any]:
    arrow = arrow_of(fs)
    if arrow is not None:
        from pyarrow.fs import FileType

        info = arrow.get_file_info(path)
        if info.type is FileType.NotFound:
            raise FileNotFoundError(path)
        is_file = info.type is FileType.File
        return _arrow_entry(info) if is_file else {"type": "directory"}
    if not is_s3(fs):
        return dict(fs.info(path))
    # It would list what begins with the same name, where there is no such object.
    bucket, _, key = path.partition("/")
    if not key:
        return {"type": "directory"}
    found: dict[str, Any] = fs.call_s3("head_object", Bucket=bucket, Key=key)
    return {**found, "size": found["ContentLength"]}


def read(
    url: str, start: int | None = None, stop: int | None = None, *, size: int | None = None
) -> bytes:
    """
    Return the bytes of an object, or a range of them in one request; `start` below 0 is
    counted from its end.

    Args:
        size: how many bytes there should be, where that is known: fewer are asked for again.

    Raises:
        FileNotFoundError: there is no such object.
        ObjectError: this object may not be read, or never comes whole.
        ObjectStoreError: the store cannot be reached, or says no.
    """
    fs = filesystem(url)
    path = path_in(fs, url)
    # Else it would ask how long the object is first.
    how = {"max_concurrency": 1} if is_s3(fs) else {}

    def request() -> bytes:
        data = bytes(fs.cat_file(path, start=start, end=stop, **how))
        if size is not None and len(data) < size:
            raise CutShortError(f"{len(data):,} bytes of {size:,} came")
        return data

    return tried(url, request)


def read_into(url: str, file: IO[bytes], size: int) -> None:
    """
    Write the bytes of an object of a known size to a file, a piece of 8 MB at a time.

    Raises:
        FileNotFoundError: there is no such object.
        ObjectError: this object may not be read, or never comes whole.
        ObjectStoreError: the store cannot be reached, or says no.
    """
    for start in range(0, size, PIECE):
        stop = min(start + PIECE, size)
        file.write(read(url, start, stop, size=stop - start))


def write(url: str, data: bytes) -> None:
    """
    Write an object, which appears whole or not at all.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no.
    """
    try:
        _tried(url, lambda fs, path: fs.pipe_file(path, data))
    except FileNotFoundError as error:
        raise no_bucket(url, error) from error


def write_file(url: str, path: Path) -> None:
    """
    Write an object from a file of this machine, of any size; it appears whole or not at all.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no.
    """
    try:
        _tried(url, lambda fs, name: fs.put_file(str(path), name))
    except FileNotFoundError as error:
        raise no_bucket(url, error) from error


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
    work: Callable[[T], R], items: Iterable[T], *, at_once: int | None = None
) -> Iterator[R]:
    """
    Yield what `work` returns for each item, in their order, with many under way at a time.

    No more than twice as many results as that are held. An exception is raised in its turn,
    and what is not under way by then is not begun.

    Args:
        at_once: how many are under way, 32 unless given.
    """
    at_once = at_once or AT_ONCE
    waiting = iter(items)
    with ThreadPoolExecutor(at_once, thread_name_prefix="objects") as pool:
        under_way: deque[Future[R]] = deque(
            pool.submit(work, item) for item in islice(waiting, 2 * at_once)
        )
        try:
            while under_way:
                done = under_way.popleft().result()
                under_way.extend(pool.submit(work, item) for item in islice(waiting, 1))
                yield done
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _tried(url: str, request: Callable[[Any, str], T]) -> T:
    fs = filesystem(url)
    path = path_in(fs, url)
    return tried(url, lambda: request(fs, path))


def _stored(url: str, entry: dict[str, Any]) -> StoredObject:
    if "mtime_ns" in entry:
        return StoredObject(url, int(entry["size"]), entry["mtime_ns"])
    moment: Any = next((entry[name] for name in _WRITTEN if entry.get(name)), 0)
    seconds = moment.timestamp() if isinstance(moment, datetime) else float(moment)
    tag = str(entry.get("ETag") or entry.get("etag") or "")
    below = int(sha256(tag.encode()).hexdigest()[:12], 16) % 10**9 if tag else 0
    whole = int(seconds) if tag else seconds
    return StoredObject(url, int(entry["size"]), int(whole * 10**9) + below)
