"""The file that rows are written to: whole or not at all, and never one that the catalog needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import StoreError, UsageError
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.paths import side_folder


@contextmanager
def written_whole(catalog: Path, target: Path) -> Iterator[Path]:
    """
    Yield the path of a new file, which gets its name when the block ends.

    What is no regular file, such as /dev/stdout, is written to as it is.

    Raises:
        UsageError: the target is the catalog itself, or a file that is registered in it.
        StoreError: the file cannot be written.
    """
    _check(catalog, target)
    is_special = target.exists() and not target.is_file()
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield target if is_special else unfinished
        if not is_special:
            unfinished.replace(target)
    except OSError as error:
        what = os.strerror(error.errno) if error.errno else str(error)
        raise StoreError(
            f"Cannot write {target}: {what}",
            hint="Check the folder, its permissions and its space",
        ) from error
    finally:
        if not is_special:
            unfinished.unlink(missing_ok=True)


def check_folder(target: Path) -> None:
    """
    Refuse a file in a folder that does not exist, before there is work to lose.

    Raises:
        UsageError: there is none.
    """
    if not target.absolute().parent.is_dir():
        raise UsageError(
            f"There is no folder {target.parent}", hint="Make it, or name another file"
        )


def _check(catalog: Path, target: Path) -> None:
    path = os.path.abspath(target)
    # Where another engine is asked there need be no catalog.
    if not os.path.exists(catalog):
        return
    if path.startswith(os.path.abspath(side_folder(catalog)) + os.sep):
        raise UsageError(f"{target} belongs to the catalog", hint="Name another file")
    if not os.path.exists(path):
        return
    if os.path.samefile(catalog, path):
        raise UsageError(f"{target} is the catalog itself", hint="Name another file")
    with reading(catalog) as con:
        if con.execute(statement("select_registered_path"), {"path": path}).fetchall():
            raise UsageError(f"{target} is a registered trace file", hint="Name another file")
