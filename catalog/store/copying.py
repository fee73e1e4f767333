"""
Copy the file of a catalog that this process has open.

DuckDB's lock on it belongs to the process, and any `open` and `close` of the file in the same
process would give it up: another process copies it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from catalog.errors import StoreError
from catalog.store.replace import wal_of

_COPY = """
import os, shutil, sys
for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        shutil.copyfile(source, target)
        descriptor = os.open(target, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    except OSError as error:
        sys.exit(f"{target}: {error.strerror}")
"""


def copy_catalog(catalog: Path, target: Path) -> None:
    """
    Copy a catalog, and its WAL where it has one. Nobody may write to it meanwhile.

    Raises:
        StoreError: it cannot be copied; nothing is left of the copy.
    """
    files = [(path, named) for path, named in _files(catalog, target) if path.exists()]
    arguments = [str(part) for pair in files for part in pair]
    done = subprocess.run(  # noqa: S603 - our own program, which no shell sees
        [sys.executable, "-I", "-S", "-c", _COPY, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        for _, named in files:
            named.unlink(missing_ok=True)
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise StoreError(
            f"Cannot copy {catalog} to {said[-1]}",
            hint="Free some space, or check the permissions of the folder",
        )


def _files(catalog: Path, target: Path) -> list[tuple[Path, Path]]:
    return [(catalog, target), (wal_of(catalog), wal_of(target))]
