"""
Glob patterns that cover the registered trace files, and nothing that would break a view.

DuckDB fails a whole view where one pattern meets one file that is no Parquet, or
meets nothing, and returns rows twice where two patterns meet one file. So the
coarsest patterns that are safe are chosen: one per root and layout
(`root/**/signals/*/*.parquet`); where a root holds a file that must not be read,
one per run and layout; where a run does, one per folder; and in the folder
itself the good files by name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

KIND_FOLDERS = frozenset({"signals", "classifiers", "store"})


class Pattern(NamedTuple):
    """A glob pattern, counted from the catalog's folder where it is relative."""

    glob: str
    is_relative: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """
    A folder that a scan has seen.

    `root` and `run` are prefixes of `prefix` (all end in a slash). `is_clean` says that
    `*.parquet` meets registered files and nothing else, `has_hidden` that there are
    hidden folders in it (`**` looks into them, a scan does not), `is_linked` that a
    link leads to it (a scan follows it, `**` does not), `is_split` that the root lies
    above the catalog's folder and this folder below it. `files` names the registered
    files where they have to be listed.
    """

    root: str
    is_split: bool
    run: str
    prefix: str
    is_relative: bool
    is_clean: bool
    has_hidden: bool
    is_linked: bool
    has_files: bool
    files: tuple[str, ...] = ()


def choose_patterns(folders: Iterable[Folder]) -> list[Pattern]:
    """Return disjoint patterns that together meet the registered files of the folders."""
    patterns: list[Pattern] = []
    by_root: dict[tuple[str, bool], list[Folder]] = defaultdict(list)
    for folder in folders:
        by_root[folder.root, folder.is_relative].append(folder)
    # `**` below such a root would meet the files below the catalog's folder a second time.
    is_split = any(folder.is_split for members in by_root.values() for folder in members)
    for (root, is_relative), members in sorted(by_root.items()):
        patterns.extend(_cover_root(root, members, recurse=is_relative or not is_split))
    return patterns


def _cover_root(root: str, folders: Sequence[Folder], *, recurse: bool) -> Iterator[Pattern]:
    whole = _recursive_patterns(root, folders) if recurse else None
    if whole is not None:
        yield from whole
        return
    by_run: dict[str, list[Folder]] = defaultdict(list)
    for folder in folders:
        by_run[folder.run].append(folder)
    for run, members in sorted(by_run.items()):
        inside = [folder for folder in folders if folder.prefix.startswith(run)]
        whole = _recursive_patterns(run, members) if len(inside) == len(members) else None
        if whole is not None:
            yield from whole
        else:
            for folder in members:
                yield from _cover_folder(folder)


def _cover_folder(folder: Folder) -> Iterator[Pattern]:
    if not folder.has_files:
        return
    if folder.is_clean:
        yield Pattern(escape(folder.prefix) + "*.parquet", folder.is_relative)
    else:
        for name in folder.files:
            yield Pattern(escape(folder.prefix + name), folder.is_relative)


def _recursive_patterns(base: str, folders: Sequence[Folder]) -> list[Pattern] | None:
    """Return one `**` pattern a layout below `base`, or None where that is not safe."""
    layouts: set[tuple[str, int]] = set()
    for folder in folders:
        if folder.has_hidden:
            return None
        if not folder.has_files:
            continue
        layout = _layout(folder.prefix[len(base) :])
        if layout is None or not folder.is_clean or folder.is_linked:
            return None
        layouts.add(layout)
    for folder in folders:
        met = [layout for layout in layouts if _meets(layout, folder.prefix[len(base) :])]
        if len(met) > 1 or (met and not folder.has_files):
            return None
    return [
        Pattern(f"{escape(base)}**/{kind}/{'*/' * depth}*.parquet", folders[0].is_relative)
        for kind, depth in sorted(layouts)
    ]


def _layout(below: str) -> tuple[str, int] | None:
    """Return the kind folder of a path and how many folders lie between it and the files."""
    parts = below.split("/")[:-1]
    for position in range(len(parts) - 1, -1, -1):
        if parts[position] in KIND_FOLDERS:
            return parts[position], len(parts) - position - 1
    return None


def _meets(layout: tuple[str, int], below: str) -> bool:
    kind, depth = layout
    parts = below.split("/")[:-1]
    return len(parts) > depth and parts[-depth - 1] == kind


def escape(path: str) -> str:
    """Return a path as a pattern that meets that path only."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in path)
