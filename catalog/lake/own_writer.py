"""As whom a catalog publishes, and one publish of it at a time."""

from __future__ import annotations

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from catalog.errors import StoreError, UsageError
from catalog.lake.manifest import WRITER
from catalog.places import write_bytes
from catalog.store.lock import open_lock
from catalog.store.paths import side_folder

_MACHINE_ID = Path("/etc/machine-id")


def check_writer(writer: str) -> str:
    """
    Return the id of a writer that somebody names.

    Raises:
        UsageError: it is none.
    """
    if WRITER.fullmatch(writer) is None:
        raise UsageError(
            f"{writer!r} is no id of a writer",
            hint="Give 12 hex digits, in lower case, such as one that --dry-run shows",
        )
    return writer


def own_writer(catalog: Path, *, remember: bool = True) -> str:
    """
    Return the id that a catalog publishes under, a new one where it has none.

    It is kept beside the catalog, for this catalog on this machine: a copy elsewhere, with what
    lies beside it, is another writer. One that was moved on this machine, or rebuilt, is the same.

    Args:
        remember: keep a new id; else it is only shown.

    Raises:
        StoreError: the folder beside the catalog cannot be written, or what is kept is damaged.
    """
    path = side_folder(catalog) / "writers.json"
    known = _read(path)
    here = {
        "machine": _machine(),
        "path": os.path.abspath(catalog),
        "inode": os.stat(catalog).st_ino if catalog.exists() else None,
    }
    found = None
    for same in (("path", "inode"), ("path",), ("inode",)):
        for one in known:
            is_here = all(one.get(name) == here[name] for name in ("machine", *same))
            found = one if found is None and is_here else found
    if found is None:
        found = {"id": token_hex(6)}
        known.append(found)
    if remember and any(found.get(name) != value for name, value in here.items()):
        found.update(here)
        write_bytes(os.fspath(path), (json.dumps({"writers": known}, indent=1) + "\n").encode())
    return check_writer(str(found["id"]))


@contextmanager
def publishing(catalog: Path) -> Iterator[None]:
    """
    Let one process at a time publish from a catalog; another waits until it is done.

    Raises:
        StoreError: there is no catalog, or the folder beside it cannot be written.
    """
    if not catalog.exists():
        raise StoreError(
            f"There is no catalog at {catalog}",
            hint="Make one with: catalog register FOLDER, or name one with --catalog PATH",
        )
    descriptor = open_lock(side_folder(catalog) / "publish.lock")
    try:
        # It ends with the process that holds it, however that ends.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> list[dict[str, object]]:
    try:
        known = json.loads(path.read_bytes())["writers"]
        return [dict(one) for one in known]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} is damaged: it says as whom this catalog publishes",
            hint="Name the writer with --writer, which the lake's _manifests shows; or move that "
            "file aside, and the catalog publishes as a new one",
        ) from error


def _machine() -> str:
    try:
        own = _MACHINE_ID.read_text().strip()
    except OSError:
        own = ""
    return sha256(f"{platform.node()}\n{own}".encode()).hexdigest()[:16]
