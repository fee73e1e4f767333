"""The folder of a backup: which may be overwritten, how one gets its name, what a kill left."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from catalog.disk import sync
from catalog.errors import UsageError
from catalog.store.paths import side_folder
from catalog.upkeep.packs import is_alive

MARKER: Final = "backup.json"
"""What tells a backup from a catalog in use: its time, its source, and how its file was."""


def unfinished_folder(target: Path) -> Path:
    """Return what a backup is called until it is whole."""
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def check_is_elsewhere(catalog: Path, target: Path) -> None:
    """
    Refuse the folder of the catalog itself and of what lies beside it, by whichever name.

    Raises:
        UsageError: it is one of them.
    """
    side, home = side_folder(catalog), catalog.absolute().parent
    own = {Path(os.path.realpath(path)) for path in (side, home, os.path.realpath(catalog) + "/..")}
    inside = Path(os.path.realpath(side))
    named = [path for path in (target, *target.parents) if path.exists()]
    if (
        target in own
        or inside in target.parents
        or any(path.samefile(side) for path in named if side.exists())
        or (target.exists() and target.samefile(home))
    ):
        raise UsageError(
            f"{target} is the catalog's own folder", hint="Name another, best on another disk"
        )


def check_target(catalog: Path, target: Path, *, overwrite: bool) -> None:
    """
    Refuse a folder that holds anything, unless it is a backup and may be overwritten.

    Raises:
        UsageError: it is a file, or holds what may not be replaced.
    """
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise UsageError(f"{target} is a file", hint="A backup is a folder: name one")
    there = sorted(path.name for path in target.iterdir())
    if not there:
        return
    if not overwrite:
        raise UsageError(
            f"{target} is there already", hint="Name another folder, or add --overwrite"
        )
    side = side_folder(target / catalog.name)
    others = [name for name in there if name not in (catalog.name, side.name, MARKER)]
    if catalog.name not in there or MARKER not in there or others:
        raise UsageError(
            f"{target} is no backup of a {catalog.name}: it holds {(others or there)[0]}",
            hint="Name another folder",
        )
    # Who writes to a catalog makes this file; a backup has none.
    if (side / "lock").exists() or not _is_as_written(target, catalog.name):
        raise UsageError(
            f"{target} was a backup, and has been used as a catalog since",
            hint="Name another folder, or delete this one yourself",
        )


def _is_as_written(folder: Path, name: str) -> bool:
    status = os.stat(folder / name)
    try:
        said = json.loads((folder / MARKER).read_bytes())
        return bool((said["size"], said["mtime_ns"]) == (status.st_size, status.st_mtime_ns))
    except (ValueError, KeyError, TypeError):
        return False


def write_marker(folder: Path, catalog: Path, counts: Mapping[str, int]) -> None:
    """Note in a backup that is whole that it is one, of what, and how its catalog's file is."""
    status = os.stat(folder / catalog.name)
    said = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": os.path.abspath(catalog),
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "rows": dict(counts),
    }
    (folder / MARKER).write_text(json.dumps(said, indent=1) + "\n")
    sync(folder / MARKER)


def tidy(target: Path) -> list[str]:
    """Put back or remove what a backup that was killed left, and return what was done."""
    done: list[str] = []
    pattern = re.compile(re.escape(f".{target.name}.") + r"(\d+)\.(tmp|old)")
    names = sorted(os.listdir(target.parent)) if target.parent.is_dir() else []
    for name in names:
        found = pattern.fullmatch(name)
        if found is None or is_alive(int(found[1])):
            continue
        path = target.with_name(name)
        if found[2] == "old" and not os.path.lexists(target):
            path.rename(target)
            sync(target.parent)
            done.append(f"the earlier backup was put back at {target}")
        else:
            shutil.rmtree(path)
            done.append(f"{path} was removed, which a backup that was stopped had left")
    return done


def put(unfinished: Path, target: Path) -> None:
    """Give a backup its name; one that is there goes when the new one is."""
    for path in (*unfinished.rglob("*"), unfinished):
        if path.is_dir():
            sync(path)
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    if target.exists():
        target.rename(old)
    try:
        unfinished.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)
