"""Register the folders of a catalog that is made anew, in the order in which they came at first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from catalog.objects import is_url, list_below
from catalog.places import absolute
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
        ObjectStoreError: a store cannot be reached, or says no: what it has is not gone.
        StoreError: the catalog cannot be used.
    """
    wanted = dict.fromkeys([*places.roots, *map(absolute, folders)])
    in_stores = _folders_below(filter(is_url, wanted))
    there = [folder for folder in wanted if _is_there(folder, in_stores)]
    passes = list(_passes([run for run in places.runs if _is_there(run, in_stores)]))
    # The order decides which of two copies counts, and which columns parameters have. Where
    # runs came in any order, as from many processes at once, nobody relies on it.
    for part in passes if len(passes) <= MOST_PASSES else []:
        scan(new, part, progress=progress)
    if there or folders:
        scan(new, [*there, *folders], progress=progress)
    return [folder for folder in dict.fromkeys(places.roots) if folder not in there]


def _folders_below(urls: Iterable[str]) -> set[str]:
    """Return the URLs of all folders at and below some that objects lie in: one listing each."""
    found: set[str] = set()
    for url in urls:
        for stored in list_below(url):
            folder = stored.url.rpartition("/")[0]
            while len(folder) >= len(url) and folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
    return found


def _is_there(folder: str, in_stores: set[str]) -> bool:
    return folder in in_stores if is_url(folder) else os.path.isdir(folder)


def _passes(runs: Sequence[str]) -> Iterator[list[str]]:
    """Yield folders of runs as they were registered together: in ascending order."""
    part: list[str] = []
    for folder in runs:
        if part and folder < part[-1]:
            yield part
            part = []
        part.append(folder)
    if part:
        yield part
