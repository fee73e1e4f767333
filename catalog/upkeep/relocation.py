"""From which folder to which traces were moved, and what that came to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from catalog.objects import is_url
from catalog.register.runs import run_folder
from catalog.upkeep.places import (
    ABSENT,
    CHANGED,
    PACKED,
    PRESENT,
    RETIMED,
    STAYED,
    Placed,
    count_states,
)


@dataclass
class Relocation:
    """
    What a relocation came to. Counts are of trace files.

    `found` are at the new place as they were registered; of these, `retimed` have another time
    of change and the same bytes. `missing` (paths) are not there, `changed` (paths) are others
    than were registered, `stayed` are still at the old place, and are known there. `packed` are
    in packs only, which need no file. `renamed` are runs whose folder has a new name: they keep
    their id. `lost` are registered folders that are not there at all.
    """

    found: int = 0
    retimed: int = 0
    packed: int = 0
    stayed: int = 0
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def needs_attention(self) -> bool:
        """Whether files are missing or changed."""
        return bool(self.missing or self.changed)


@dataclass(frozen=True)
class Move:
    """A folder that was moved; absolute paths with a slash at the end."""

    old: str
    new: str

    def __call__(self, folder: str) -> str:
        """Return where a folder at or below the old one is now."""
        return self.new + folder[len(self.old) :] if folder.startswith(self.old) else folder


KnownFolder = tuple[int, str, str, bool]
"""A known folder: its number, its path and that of its root with a slash, and whether it is
reached through a link."""


def root_of(move: Move, folder: str, root_folder: str) -> str:
    """Return what a moved folder is registered with: its root if that was moved as well."""
    if root_folder.startswith(move.old):
        return move(root_folder).rstrip("/") or "/"
    # The root itself stays where it is. Does it hold the new place too?
    stays = move(folder).startswith(root_folder)
    return (root_folder if stays else move.new).rstrip("/") or "/"


def make_report(
    move: Move, placed: Sequence[Placed], folders: Sequence[KnownFolder], taken: Sequence[str]
) -> Relocation:
    """
    Return what a relocation came to.

    Args:
        taken: the paths of files that could not move, since others are known at their places.
    """
    counts = count_states(placed)
    traces = [one for one in placed if one.file.digest is not None]
    renamed = {
        os.path.basename(run)
        for _, path, _, _ in folders
        if os.path.basename(run := run_folder(path.rstrip("/")))
        != os.path.basename(run_folder(move(path).rstrip("/")))
    }
    return Relocation(
        found=counts[PRESENT] + counts[RETIMED],
        retimed=counts[RETIMED],
        packed=counts[PACKED],
        stayed=counts[STAYED],
        missing=[one.path for one in traces if one.state == ABSENT] + list(taken),
        changed=[one.path for one in traces if one.state == CHANGED],
        renamed=sorted(renamed),
        lost=sorted(
            above
            for above in {root_of(move, path, above) for _, path, above, _ in folders}
            # Of a store what is missing is known, and not which folders there are.
            if not is_url(above) and not os.path.isdir(above)
        ),
    )
