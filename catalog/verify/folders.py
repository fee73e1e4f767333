"""Trace files on the disk that the catalog knows nothing of, and what writers left behind."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from catalog.objects import is_url
from catalog.places import exists
from catalog.register.listed import folders_of
from catalog.register.walk import Folder, walk
from catalog.store.paths import side_folder
from catalog.upkeep.packs import is_alive
from catalog.verify.finding import UNFINISHED, UNREADABLE, Finding, found
from catalog.verify.known import Known, Scope
from catalog.verify.remote import Listing

_LEFT_AFTER: Final = 3600.0
_TEMPORARY: Final = re.compile(
    r"\..+\.(?P<trace>\d+)-[0-9a-f]{8}\.tmp"  # a trace file, a price file, a pack of returns
    r"|\.\d{20}-(?P<note>\d+)-[0-9a-f]{8}\.tmp"
    r"|\..+\.(?P<other>\d+)\.(?:tmp|companion|tmp\.wal)",
    re.DOTALL,
)


@dataclass
class Walked:
    """What a walk met: paths that the catalog does not know, and other findings."""

    strangers: dict[str, str] = field(default_factory=dict)
    """Why each may not even be read, or an empty text."""
    findings: list[Finding] = field(default_factory=list)


def walk_roots(known: Known, listing: Listing, catalog: Path, scope: Scope) -> Walked:
    """Walk through the registered roots, or through what was listed; compare names only."""
    walked = Walked()
    skip = frozenset({os.path.abspath(side_folder(catalog))})
    names = known.names()
    for root in known.roots:
        for folder in _folders(root, listing, skip, names):
            if folder.error is not None:
                walked.findings.append(found(UNREADABLE, folder.path, folder.error))
            rows = known.files.get(folder.path, {})
            seen = names.get(folder.path, frozenset()) if is_url(root) else frozenset()
            for name in {*folder.files, *folder.hidden_files} - seen:
                walked.strangers[f"{folder.path}/{name}"] = ""
            for name, why in folder.broken.items():
                if name not in rows:
                    walked.strangers[f"{folder.path}/{name}"] = why
            walked.findings += _unfinished(folder.path, folder.unfinished, is_ours=False)
    for path in scope.paths:
        row = known.row(path)
        if exists(path) and (row is None or row.is_missing):
            walked.strangers[path] = ""
    return walked


def _folders(
    root: str, listing: Listing, skip: frozenset[str], names: Mapping[str, Set[str]]
) -> Iterable[Folder]:
    if not is_url(root):
        return walk(root, skip=skip, known=names)
    listed = listing.below(root)
    if listed is None:
        return ()
    inside = f"{root}/"
    return folders_of(root, {url: one for url, one in listed.items() if url.startswith(inside)})


def beside(catalog: Path) -> Iterator[Finding]:
    """Yield what was left unfinished in the catalog's own folders."""
    yield from _unfinished(
        os.path.dirname(os.path.abspath(catalog)),
        [
            name
            for name in _names(os.path.dirname(os.path.abspath(catalog)))
            if name.startswith(f".{catalog.name}.")
        ],
        is_ours=True,
    )
    for folder, _, names in os.walk(os.path.abspath(side_folder(catalog))):
        yield from _unfinished(folder, names, is_ours=True)


def writer_of(name: str) -> int | None:
    """Return the process that a temporary file belongs to, None where the name is no such."""
    if (parts := _TEMPORARY.fullmatch(name)) is None:
        return None
    return int(next(part for part in parts.groupdict().values() if part is not None))


def is_left(path: str, *, is_ours: bool) -> bool:
    """
    Say whether a file is a temporary one whose writer is gone.

    Args:
        is_ours: it lies beside the catalog. Among the traces of users a writer may be on another
            machine or in a container, where its number says nothing here: only what has not been
            written to for an hour is left over there.
    """
    process = writer_of(os.path.basename(path))
    if process is None or is_alive(process):
        return False
    try:
        return is_ours or time.time() - os.stat(path).st_mtime > _LEFT_AFTER
    except OSError:
        return False


def is_beside(catalog: Path, path: str) -> bool:
    """Say whether a file is one of the catalog's own, not of a user's traces."""
    folder, _, name = path.rpartition("/")
    own = os.path.abspath(catalog)
    side = os.path.abspath(side_folder(catalog))
    is_draft = folder == os.path.dirname(own) and name.startswith(f".{catalog.name}.")
    return is_draft or path.startswith(side + "/")


def _unfinished(folder: str, names: list[str], *, is_ours: bool) -> Iterator[Finding]:
    for name in sorted(names):
        # What a living process writes is no finding.
        if is_left(f"{folder}/{name}", is_ours=is_ours):
            detail = f"process {writer_of(name)} wrote it, and is gone"
            yield found(UNFINISHED, f"{folder}/{name}", detail)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
