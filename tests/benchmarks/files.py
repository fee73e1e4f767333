"""Make many runs out of the few real ones: every copy under its own name, in a folder."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path


def run_folders(data: Path) -> list[Path]:
    """Return the run directories below `data` that hold traces; the others have none to copy."""
    return sorted({path for path in data.rglob("*") if _is_run(path)})


def copy_runs(
    data: Path,
    target: Path,
    count: int,
    *,
    linked: bool = False,
    wanted: Callable[[Path], bool] = lambda path: True,
) -> None:
    """
    Copy the runs again and again, until there are `count` trace files below `target`.

    Two directories of one name with the same files are one run to the catalog. So copy 7 of
    the run `grid_2cc18fbb` is called `grid_2cc18fbb_007`: the same bytes, another run.

    Args:
        linked: make hard links instead of copies, which saves time and space; every
            directory entry is there, but the bytes on the disk only once.
        wanted: which trace files to copy; what else lies in a run comes along.
    """
    _copy_runs(data, target, count, shutil.copyfile, wanted)
    if linked:
        return
    # What is still on its way to the disk would slow down whatever is measured first.
    os.sync()


def _is_run(path: Path) -> bool:
    return (path / "traces").is_dir() and any((path / "traces").rglob("*.parquet"))
