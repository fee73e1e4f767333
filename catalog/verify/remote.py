"""
Registered objects of a store: there, as long as they were, and with the bytes that they had.

One listing of each root says what is there; bytes are read of many objects at a time. A store that
is out of reach is one finding, and nothing is said of what it holds.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from catalog.errors import ObjectError, ObjectStoreError
from catalog.objects import PIECE, StoredObject, is_url, look_at, many_at_once, read, read_into
from catalog.register.listed import Listed
from catalog.register.walk import NO_STAMP, Stamp
from catalog.verify.digests import Compared, Task
from catalog.verify.finding import UNREADABLE, Finding, found
from catalog.verify.known import Known


@dataclass
class Listing:
    """What lies below each root that is a URL, as one listing of it said."""

    roots: dict[str, Mapping[str, Stamp]] = field(default_factory=dict)
    out_of_reach: dict[str, ObjectStoreError] = field(default_factory=dict)

    def below(self, folder: str) -> Mapping[str, Stamp] | None:
        """Return what was listed of the root that a folder is in, None if it is out of reach."""
        root = _root_of(folder, self.roots)
        return None if root is None else self.roots[root]

    def stamp(self, path: str) -> Stamp:
        """Return the size and the time of an object, none where it was not listed."""
        listed = self.below(path) if is_url(path) else None
        return NO_STAMP if listed is None else listed.get(path, NO_STAMP)

    def reaches(self, path: str) -> bool:
        """Say whether the store of a path, if it is in one, can be asked."""
        return not is_url(path) or _root_of(path, self.out_of_reach) is None

    def give_up(self, url: str, error: ObjectStoreError) -> None:
        """Ask nothing more of the root that a URL is in."""
        root = _root_of(url, self.roots)
        if root is not None:
            del self.roots[root]
            self.out_of_reach[root] = error

    def findings(self) -> Iterator[Finding]:
        """Yield one for each root that is out of reach."""
        for root, error in self.out_of_reach.items():
            yield found(UNREADABLE, root, str(error), what_to_do=error.hint)


def list_roots(known: Known) -> Listing:
    """List the roots that are URLs, and folders in no root."""
    listing, listed = Listing(), Listed()
    folders = [folder for folder, rows in known.files.items() if rows and is_url(folder)]
    for root in dict.fromkeys([*filter(is_url, known.roots), *folders]):
        if _root_of(root, listing.roots) or _root_of(root, listing.out_of_reach):
            continue
        try:
            listing.roots[root] = listed.objects(root)
        except ObjectStoreError as error:
            listing.out_of_reach[root] = error
    return listing


def look_at_objects(
    folders: Task,
    listing: Listing,
    *,
    read_bytes: Callable[[str], bool],
    progress: Callable[[int], None],
) -> Compared:
    """
    Compare the objects in some folders with their rows.

    Args:
        read_bytes: says of a URL whether its bytes are read, and not only size and time looked at.
        progress: called with how many were looked at.
    """
    looked = Compared()
    wanted: dict[str, str | None] = {}
    sizes: dict[str, int] = {}
    for folder, rows in folders:
        there = listing.below(folder)
        if there is None:
            continue
        for name, (size, mtime_ns, digest, _) in rows.items():
            url = f"{folder}/{name}"
            if there.get(url) != (size, mtime_ns):
                # Whoever judges that reads it.
                looked.differing.append(url)
            elif read_bytes(url):
                wanted[url], sizes[url] = digest, size
            looked.files += 1
    unread = len(wanted)
    progress(looked.files - unread)
    answers = many_at_once(lambda url: _digest_or_none(url, sizes[url]), wanted)
    for url, answer in zip(wanted, answers, strict=True):
        if isinstance(answer, ObjectStoreError):
            listing.give_up(url, answer)
            break
        unread -= 1
        looked.read += answer is not None
        looked.size_bytes += sizes[url] if answer is not None else 0
        if answer != wanted[url]:
            looked.differing.append(url)
        if unread % 64 == 0:
            progress(looked.files - unread)
    return looked


def digest_of_object(url: str, size: int) -> str:
    """
    Read an object once, and return the digest of its bytes.

    Raises:
        FileNotFoundError: it is not there.
        ObjectStoreError: it cannot be read.
    """
    if size <= PIECE:
        return hashlib.sha256(read(url, size=size)).hexdigest()
    with tempfile.TemporaryFile(prefix="catalog-") as file:
        read_into(url, file, size)
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_or_none(url: str, size: int) -> str | ObjectStoreError | None:
    try:
        return digest_of_object(url, size)
    except (FileNotFoundError, ObjectError):
        return None
    except ObjectStoreError as error:
        return error


@dataclass(frozen=True, slots=True)
class ObjectNow:
    """An object as it is now; `digest` is None of one that may not be read, for the reason."""

    stored: StoredObject
    digest: str | None
    reason: str = ""


def objects_now(urls: Iterable[str]) -> dict[str, ObjectNow]:
    """
    Read some objects, and return those that are there.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no to more than one of them.
    """
    urls = list(urls)
    found = zip(urls, many_at_once(_object_now, urls), strict=True)
    return {url: now for url, now in found if now is not None}


def stored_now(urls: Sequence[str]) -> dict[str, StoredObject]:
    """
    Ask the store about some objects, and return those that are there.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no to more than one of them.
    """
    if not urls:
        return {}
    asked = zip(urls, many_at_once(look_at, urls), strict=True)
    return {url: stored for url, stored in asked if stored is not None}


def _object_now(url: str) -> ObjectNow | None:
    stored = look_at(url)
    if stored is None:
        return None
    try:
        return ObjectNow(stored, digest_of_object(url, stored.size))
    except FileNotFoundError:
        return None
    except ObjectError as error:
        return ObjectNow(stored, None, str(error))


@contextmanager
def fetched(url: str, size: int) -> Iterator[str]:
    """
    Let an object be a file of this machine, of the same name, for as long as a block lasts.

    Raises:
        FileNotFoundError: it is not there.
        ObjectStoreError: it cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="catalog-") as folder:
        path = Path(folder) / url.rpartition("/")[2]
        with path.open("wb") as file:
            read_into(url, file, size)
        yield str(path)


def _root_of(path: str, roots: Iterable[str]) -> str | None:
    return next((root for root in roots if f"{path}/".startswith(f"{root}/")), None)
