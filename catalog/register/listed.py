"""What lies where: on this machine as it is now, in a store as one listing of a root told."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from catalog.errors import ObjectError
from catalog.objects import folders_in, is_url, list_below, look_at
from catalog.register.walk import NO_STAMP, RECORDS, SUFFIX, Folder, Stamp
from catalog.traces.format import unfinished


class Listed:
    """The objects below the URLs that are scanned. What is not among them is looked at."""

    def __init__(self) -> None:
        self._roots: dict[str, dict[str, Stamp]] = {}
        self._looked_at: dict[str, Stamp | None] = {}

    def objects(self, root: str) -> Mapping[str, Stamp]:
        """
        List what is below a URL, once: size and time by URL, in the order of their names.

        Raises:
            ObjectStoreError: the store cannot be reached, or says no.
        """
        if root not in self._roots:
            self._roots[root] = {
                stored.url: Stamp(stored.size, stored.mtime_ns) for stored in list_below(root)
            }
        return self._roots[root]

    def stamp(self, place: str) -> Stamp | None:
        """
        Return the size and the time of a file, None where there is none.

        Raises:
            ObjectStoreError: the store cannot be reached, or says no to more than this object.
        """
        if not is_url(place):
            return _stamp_here(place)
        for root, objects in self._roots.items():
            if place.startswith(root + "/"):
                return objects.get(place)
        if place not in self._looked_at:
            found = None
            # Above a root that one may read there is often nothing that one may look at.
            with suppress(ObjectError):
                found = look_at(place)
            stamp = None if found is None else Stamp(found.size, found.mtime_ns)
            if not self._roots:
                return stamp
            self._looked_at[place] = stamp
        return self._looked_at[place]

    def records_beside_store(self, run: str) -> list[str]:
        """Return the metadata.json of the runs that share the store of traces in a folder."""
        if not is_url(run):
            is_there = os.path.isdir(f"{run}/traces/store")
            found = Path(run).glob("*/metadata.json") if is_there else ()
            return sorted(str(path) for path in found)
        for root, objects in self._roots.items():
            if f"{run}/".startswith(root + "/"):
                if not any(url.startswith(f"{run}/traces/store/") for url in objects):
                    return []
                depth = run.count("/") + 2
                ending = "/metadata.json"
                return [
                    url
                    for url in objects
                    if url.endswith(ending) and url.startswith(run) and url.count("/") == depth
                ]
        if "store" not in folders_in(f"{run}/traces"):
            return []
        places = [f"{run}/{name}/metadata.json" for name in folders_in(run)]
        return [place for place in places if self.stamp(place) is not None]


NOTHING_LISTED = Listed()
"""For who looks at files of this machine, or at a few objects only."""


def _stamp_here(path: str) -> Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns) if os.access(path, os.R_OK) else NO_STAMP


def folders_of(root: str, objects: Mapping[str, Stamp]) -> list[Folder]:
    """
    Return the folders at and below a URL that objects lie in, as a walk yields those of a disk.

    Neither hidden folders are among them, nor NAME.d beside NAME.duckdb.
    """
    beside = {f"{url.removesuffix('.duckdb')}.d" for url in objects if url.endswith(".duckdb")}
    folders: dict[str, Folder | None] = {root: Folder(root, is_linked=False)}
    for url, stamp in objects.items():
        folder, _, name = url.rpartition("/")
        home = _enter(folders, folder, beside)
        if home is not None:
            _put(home, url, name, stamp)
    return [folder for _, folder in sorted(folders.items()) if folder is not None]


def _enter(folders: dict[str, Folder | None], path: str, beside: set[str]) -> Folder | None:
    """Return a folder, made with those above it; None where a walk does not enter it."""
    if path in folders:
        return folders[path]
    above, _, name = path.rpartition("/")
    home = _enter(folders, above, beside)
    entered = None
    if home is not None:
        if not name:
            home.broken[""] = "there is an empty name between two slashes"
        elif name.startswith("."):
            home.hidden_folders.append(name)
        elif path not in beside:
            entered = Folder(path, is_linked=False)
    folders[path] = entered
    return entered


def _put(home: Folder, url: str, name: str, stamp: Stamp) -> None:
    if not name.endswith(SUFFIX):
        if unfinished(name):
            home.unfinished.append(name)
        elif name in RECORDS:
            home.records[name] = stamp
        else:
            home.others += 1
    elif "\\" in url and any(mark in url for mark in "[*?"):
        home.broken[name] = "DuckDB opens no path with a backslash and one of [ * ?"
    else:
        (home.hidden_files if name.startswith(".") else home.files)[name] = stamp


def parents(place: str) -> Iterator[str]:
    """Yield the folders above a place, the nearest first; the last of a URL is its bucket."""
    above = place
    while above != (above := os.path.dirname(above)) and (is_url(above) or not is_url(place)):
        yield above
