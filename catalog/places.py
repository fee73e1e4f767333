"""Where files lie, a folder of this machine or a URL of a store: one way to work on both."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import NamedTemporaryFile, TemporaryDirectory

import catalog.objects as objects
from catalog.disk import sync
from catalog.errors import StoreError, UsageError
from catalog.filesystems import one_spelling
from catalog.objects import is_url

# Two letters before the colon at least: C:/ is a drive.
_SPOILT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]")


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """A file or an object: where it lies, its size in bytes, and when it was written."""

    place: str
    size: int
    mtime_ns: int


def as_text(place: str | os.PathLike[str]) -> str:
    """
    Return a place, or what else somebody names, as text; a URL in the one spelling of its scheme.

    Raises:
        UsageError: it is a URL that was made a path, which it does not survive.
    """
    text = os.fspath(place)
    if not isinstance(place, str) and _SPOILT.match(text):
        raise UsageError(
            f"{text} was a URL before it was made a path", hint="Give a URL as plain text"
        )
    return one_spelling(text) if is_url(text) else text


def absolute(place: str | os.PathLike[str]) -> str:
    """
    Return a URL without a slash at its end, and a path, or its URL, as an absolute path.

    The scheme of a URL is in lower case, and s3 where it was s3a or s3n.

    Raises:
        UsageError: it is a URL that was made a path, which it does not survive.
    """
    text = as_text(place)
    if text.startswith("file:///"):
        text = text.removeprefix("file://")
    return text.rstrip("/") if is_url(text) else os.path.abspath(text)


def join(place: str, *names: str) -> str:
    """Return the place of what lies below another one."""
    return "/".join([place.rstrip("/"), *names])


def list_files(place: str) -> list[PlacedFile]:
    """
    Return all files at and below a place, in the order of their names; none where it is not there.

    Raises:
        OSError, ObjectStoreError: it cannot be listed.
    """
    if is_url(place):
        return [PlacedFile(one.url, one.size, one.mtime_ns) for one in objects.list_below(place)]
    found = []
    for folder, _, names in os.walk(place):
        for name in names:
            path = os.path.join(folder, name)
            with suppress(FileNotFoundError):
                status = os.stat(path)
                found.append(PlacedFile(path, status.st_size, status.st_mtime_ns))
    return sorted(found, key=lambda file: file.place)


def look_at(place: str) -> PlacedFile | None:
    """
    Return the size and the time of a file or an object, None where there is none.

    Raises:
        OSError: the file cannot be looked at.
        ObjectStoreError: the store cannot be reached, or says no.
    """
    if is_url(place):
        stored = objects.look_at(place)
        return None if stored is None else PlacedFile(place, stored.size, stored.mtime_ns)
    try:
        status = os.stat(place)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return PlacedFile(place, status.st_size, status.st_mtime_ns)


def existing(places: Iterable[str]) -> set[str]:
    """
    Return those places where something is; objects are looked at many at a time.

    Raises:
        ObjectStoreError: a store cannot be reached, or says no.
    """
    there, urls = set(), []
    for place in places:
        if is_url(place):
            urls.append(place)
        elif os.path.exists(place):
            there.add(place)
    found = objects.many_at_once(objects.look_at, urls) if urls else ()
    return there | {stored.url for stored in found if stored is not None}


def exists(place: str) -> bool:
    """
    Say whether there is a file or an object.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no.
    """
    return objects.look_at(place) is not None if is_url(place) else os.path.isfile(place)


def read_bytes(place: str) -> bytes:
    """
    Return the bytes of a file or an object.

    Raises:
        FileNotFoundError: it is not there.
        OSError, ObjectStoreError: it cannot be read.
    """
    return objects.read(place) if is_url(place) else Path(place).read_bytes()


@contextmanager
def on_this_machine(place: str) -> Iterator[str]:
    """
    Give the path of a file; an object is a temporary file meanwhile.

    Raises:
        FileNotFoundError: there is no such object.
        ObjectStoreError: the store cannot be reached, or says no.
    """
    if not is_url(place):
        yield place
        return
    stored = objects.look_at(place)
    if stored is None:
        raise FileNotFoundError(place)
    with NamedTemporaryFile(prefix="catalog-") as file:
        objects.read_into(place, file, stored.size)
        file.flush()
        yield file.name


def write_bytes(place: str, data: bytes) -> None:
    """
    Write a file or an object: it appears whole, and is durable when this returns.

    Raises:
        StoreError: it cannot be written.
    """
    if is_url(place):
        objects.write(place, data)
    else:
        put(place, lambda path: Path(path).write_bytes(data))


def put(place: str, write: Callable[[str], object]) -> None:
    """
    Let `write` fill a file under a temporary name, and bring it to its place whole.

    On this machine that is a file beside its place; for a URL one in the folder for temporary
    files, which is sent when it is complete.

    Raises:
        StoreError: it cannot be written.
    """
    if is_url(place):
        with TemporaryDirectory(prefix="catalog-") as folder:
            whole = Path(folder) / "file"
            write(str(whole))
            objects.write_file(place, whole)
        return
    target = Path(place)
    # As every file of ours is called until it is whole, so that what a kill left is found.
    unfinished = target.with_name(f".{target.name}.{os.getpid()}-{token_hex(4)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(str(unfinished))
            sync(unfinished)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
        sync(target.parent)
        sync(target.parent.parent)
    except OSError as error:
        raise StoreError(
            f"Cannot write {place}: {error.strerror or error}",
            hint="Free some space, or check the permissions of the folder",
        ) from error


def remove(place: str) -> None:
    """
    Remove a file or an object; one that is gone already is no failure.

    Raises:
        OSError, ObjectStoreError: it cannot be removed.
    """
    if is_url(place):
        objects.remove(place)
    else:
        Path(place).unlink(missing_ok=True)
