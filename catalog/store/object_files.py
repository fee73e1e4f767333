"""
The file system that DuckDB reads objects through where it has none of its own for their URLs.

DuckDB opens one file after the other, and each of them twice. An object that travels for 50 ms
would make a query over a thousand of them take minutes. It says beforehand which ones it is going
to open: so they are fetched ahead, many at a time, and kept until they make room for others.
"""

from __future__ import annotations

import io
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final

from fsspec import AbstractFileSystem

import catalog.objects as objects
from catalog.errors import CatalogError, ObjectError, ObjectStoreError

WHOLE: Final = 4 << 20
"""Bytes of an object that is fetched whole; of larger ones only the parts that are read are."""
AHEAD: Final = 2 * objects.AT_ONCE
"""How many objects are fetched beyond the one that is opened."""
HELD: Final = 128 << 20
"""Bytes of objects that are kept."""
_UNKNOWN: Final = 1 << 16
"""What an object may take of which the size is not known yet."""

_MAGIC = re.compile(r"[*?\[]")
_ESCAPED = re.compile(r"\[(.)\]")


class ObjectFiles(AbstractFileSystem):  # type: ignore[misc]
    """
    Objects of one scheme, read-only, for one connection.

    `problem` is what the last failure was: through DuckDB it comes as the text of a traceback.
    """

    cachable = False

    def __init__(self, scheme: str) -> None:
        super().__init__(skip_instance_cache=True)
        self.protocol = (scheme,)
        self.problem: CatalogError | None = None
        self.is_listing = True
        """Whether a pattern is looked up; to make a view the store need not be asked."""
        self._sizes: dict[str, int] = {}
        self._order: dict[str, int] = {}
        self._urls: list[str] = []
        self._ahead = _Ahead(self)

    def expect(self, sizes: Mapping[str, int]) -> None:
        """Say how many bytes some objects have, so that nobody has to be asked."""
        self._sizes.update(sizes)

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return what a pattern meets. A plain name is not looked up: it is opened next."""
        plain = _ESCAPED.sub(r"\1", path)
        if not _MAGIC.search(_ESCAPED.sub("", path)):
            if plain not in self._order:
                self._order[plain] = len(self._urls)
                self._urls.append(plain)
            return [plain]
        if not self.is_listing:
            return [path]
        folder = _MAGIC.split(path, maxsplit=1)[0].rpartition("/")[0]
        meets = _regex(path)
        with _noting(self, path):
            found = objects.list_below(folder)
        met = [one for one in found if meets.fullmatch(one.url)]
        self._sizes.update({one.url: one.size for one in met})
        for one in met:
            self.glob(_escaped(one.url))
        return [one.url for one in met]

    def open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        """Open an object for reading."""
        if mode != "rb":
            raise PermissionError(f"{path} can only be read")
        with _noting(self, path):
            place = self._order.get(path)
            following = [] if place is None else self._urls[place + 1 : place + 1 + AHEAD]
            data = self._ahead.get(path, following)
        if data is None:
            return io.BufferedReader(_Ranges(self, path, self._sizes[path]), 1 << 16)
        return io.BytesIO(data)

    def fetch(self, url: str) -> bytes | None:
        """Return the bytes of an object, None of one that is too large to be fetched whole."""
        size = self.size(url)
        if size > WHOLE:
            return None
        try:
            return objects.read(url, size=size)
        except ObjectError:
            there = objects.look_at(url)
            if there is None or there.size == size:
                raise
            raise ObjectStoreError(
                f"{url} has changed since it was registered: it has {there.size:,} bytes, and had "
                f"{size:,}",
                hint="Run: catalog register " + url.rpartition("/")[0],
            ) from None

    def held(self, url: str) -> int:
        """Return how many bytes fetching an object takes, or may take."""
        size = self._sizes.get(url, _UNKNOWN)
        return size if size <= WHOLE else 0

    def size(self, path: str) -> int:
        """Return how many bytes an object has."""
        if path not in self._sizes:
            there = objects.look_at(path)
            if there is None:
                raise FileNotFoundError(path)
            self._sizes[path] = there.size
        return self._sizes[path]

    def modified(self, path: str) -> datetime:
        """Return a time, for a connection reads every object as it was at one moment."""
        return datetime(1970, 1, 1, tzinfo=UTC)

    def exists(self, path: str, **_: Any) -> bool:
        """Say whether there is an object."""
        return path in self._sizes or objects.look_at(path) is not None

    def unstrip_protocol(self, name: str) -> str:
        """Return a URL as it is: none ever loses its scheme here."""
        return name

    def close(self) -> None:
        """Fetch nothing any more, and keep nothing."""
        self._ahead.close()


class _Ahead:
    """Small objects, fetched ahead of who reads them; the last ones that were are kept."""

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files
        self._pool: ThreadPoolExecutor | None = None
        self._fetched: OrderedDict[str, tuple[Future[bytes | None], int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, url: str, following: list[str]) -> bytes | None:
        """Return the bytes of an object, and let those that are read next be fetched."""
        with self._lock:
            own = self._begin(url)
            room = HELD // 2
            for one in following:
                room -= self._files.held(one)
                if room < 0:
                    break
                self._begin(one)
            while self._bytes > HELD:
                _, (_, held) = self._fetched.popitem(last=False)
                self._bytes -= held
        return own.result()

    def _begin(self, url: str) -> Future[bytes | None]:
        found = self._fetched.get(url)
        if found is None:
            self._pool = self._pool or ThreadPoolExecutor(objects.AT_ONCE, "objects")
            held = self._files.held(url)
            found = self._fetched[url] = self._pool.submit(self._files.fetch, url), held
            self._bytes += held
        self._fetched.move_to_end(url)
        return found[0]

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._fetched.clear()


class _Ranges(io.RawIOBase):
    """A large object, of which what is asked for is fetched."""

    def __init__(self, files: ObjectFiles, url: str, size: int) -> None:
        super().__init__()
        self._files, self._url, self._size, self._at = files, url, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        stop = min(self._at + len(buffer), self._size)
        if stop <= self._at:
            return 0
        with _noting(self._files, self._url):
            data = objects.read(self._url, self._at, stop, size=stop - self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


@contextmanager
def _noting(files: ObjectFiles, url: str) -> Iterator[None]:
    """Keep in a file system what went wrong, as an error of ours."""
    try:
        yield
    except FileNotFoundError as error:
        gone = ObjectStoreError(
            f"{url} is gone: it was deleted since it was registered",
            hint="Bring it back, or bring the catalog up to date with catalog register",
        )
        gone.__cause__ = error
        files.problem = files.problem or gone
        raise
    except CatalogError as error:
        files.problem = files.problem or error
        raise


def _escaped(url: str) -> str:
    return "".join(f"[{c}]" if c in "[*?" else c for c in url)


def _regex(pattern: str) -> re.Pattern[str]:
    """Return what meets what a pattern of DuckDB does."""
    parts: list[str] = []
    for piece in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]*\]|.", pattern, re.DOTALL):
        if piece in ("**/", "**"):
            parts.append("(?:.*/)?" if piece == "**/" else ".*")
        elif piece in ("*", "?"):
            parts.append("[^/]*" if piece == "*" else "[^/]")
        elif len(piece) > 2 and piece[0] == "[":
            inner = piece[1:-1].replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"[{'^' + inner[1:] if inner[0] == '!' else inner}]")
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts), re.DOTALL)
