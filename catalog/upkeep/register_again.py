"""Register the folders of a catalog that is made anew, in the order in which they came at first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from catalog.register.register import scan
from catalog.upkeep.restore import KnownPlaces

MOST_PASSES: Final = 50


def register_again(
    new: Path,
    places: KnownPlaces,
    folders: Sequence[str | os.PathLike[str]],
    progress: Callable[[int, int], None],
) -> list[str]:
    """
    Register all folders, run by run in the order in which they came at first.

    Returns:
        Those that are known and gone.

    Raises:
        StoreError: the catalog cannot be used.
    """
    wanted = [*places.roots, *map(os.path.abspath, folders)]
    there = [folder for folder in dict.fromkeys(wanted) if os.path.isdir(folder)]
    passes = list(_passes(places.runs))
    # The order decides which of two copies counts, and which columns parameters have. Where
    # runs came in any order, as from many processes at once, nobody relies on it.
    for part in passes if len(passes) <= MOST_PASSES else []:
        scan(new, part, progress=progress)
    if there or folders:
        scan(new, [*there, *folders], progress=progress)
    return [folder for folder in dict.fromkeys(places.roots) if folder not in there]


def _passes(runs: Sequence[str]) -> Iterator[list[str]]:
    """Yield folders of runs as they were registered together: in ascending order."""
    part: list[str] = []
    for folder in runs:
        if not os.path.isdir(folder):
            continue
        if part and folder < part[-1]:
            yield part
            part = []
        part.append(folder)
    if part:
        yield part
