"""Files that appear under their name whole, and survive a crash once they have."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from catalog.disk import sync
from catalog.errors import CatalogError
from catalog.objects import many_at_once, write_file
from catalog.traces.format import temporary_name
from catalog.traces.target import Target

Named = TypeVar("Named", bound=Target)


def write_whole(
    path: Path, write: Callable[[str], None], *, name: Callable[[Path], str] | None = None
) -> Path:
    """
    Let `write` fill a temporary file, and give it its name when it is on the disk.

    A failure leaves neither the temporary file nor a changed file under the name.

    Args:
        name: what the file is called then, told from the file itself, instead of the path's name.

    Returns:
        The file's path.

    Raises:
        CatalogError: the folder or the file cannot be written.
    """
    temporary = path.with_name(temporary_name(path.name))
    with writing_errors(path):
        make_folder(path.parent)
        try:
            write(str(temporary))
            named = path if name is None else path.with_name(name(temporary))
            return appear([(temporary, named)])[0]
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def short_digest(path: Path) -> str:
    """
    Return 16 hex digits over the bytes of a file, for its name: so it proves itself.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()[:16]


def appear(files: Sequence[tuple[Path, Named]]) -> list[Named]:
    """
    Bring temporary files to the disk, give them their names, and bring these to the disk.

    A file that has its name is whole, whenever the machine stops; and when this returns, all
    have theirs, even if it stops right after. Where the name is a URL the store says so: files
    are sent, many at a time, and are then gone from this machine.

    Args:
        files: pairs of a temporary name and the name that it is to have.

    Raises:
        CatalogError: one cannot be written; those before it have their names.
    """
    for temporary, path in files:
        if isinstance(path, Path):
            with writing_errors(path):
                sync(temporary)
                temporary.replace(path)
    for folder in dict.fromkeys(path.parent for _, path in files if isinstance(path, Path)):
        with writing_errors(folder):
            sync(folder)
    urls = [(temporary, path) for temporary, path in files if isinstance(path, str)]
    if urls:
        deque(many_at_once(_send, urls), maxlen=0)
    return [path for _, path in files]


def _send(pair: tuple[Path, str]) -> None:
    temporary, url = pair
    write_file(url, temporary)
    temporary.unlink()


@contextmanager
def writing_errors(path: Target) -> Iterator[None]:
    """Turn what the disk says into an error that names the file."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        text = getattr(error, "strerror", None) or str(error)
        raise CatalogError(
            f"Cannot write {path}: {text}",
            hint="Check the folder's permissions and the space on its disk",
        ) from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each of which must reach the disk for the file to."""
    if folder.is_dir():
        return
    missing = [above for above in (folder, *folder.parents) if not above.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        sync(made.parent)
