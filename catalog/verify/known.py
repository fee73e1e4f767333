"""The files that the catalog knows, as its rows say they are."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from duckdb import DuckDBPyConnection

from catalog.errors import UsageError
from catalog.objects import is_url
from catalog.places import absolute
from catalog.statements import statement
from catalog.store.paths import catalog_root, side_folder

Raw = tuple[int, int, str | None, bool]
"""A `Row`, as it comes: to make tuples with names of a hundred thousand takes too long."""


class Row(NamedTuple):
    """
    What the catalog says of a file.

    `is_expected` says that it is to be there as it was; of what is in quarantine, ignored or
    in a pack only the name counts, and there is no `digest`.
    """

    size: int
    mtime_ns: int
    digest: str | None
    is_expected: bool

    @property
    def is_missing(self) -> bool:
        """Whether the catalog knows that the file is gone."""
        return not self.is_expected and self.digest is not None


@dataclass(frozen=True)
class Known:
    """Rows by folder (absolute, without a slash at its end) and name; and the roots."""

    files: dict[str, dict[str, Raw]] = field(default_factory=dict)
    roots: tuple[str, ...] = ()

    def row(self, path: str) -> Row | None:
        """Return the row of a file, None where the catalog has none."""
        folder, _, name = path.rpartition("/")
        raw = self.files.get(folder, {}).get(name)
        return None if raw is None else Row._make(raw)

    def names(self) -> dict[str, Set[str]]:
        """Return the names by folder that are no news where they are met: not what is missing."""
        names: dict[str, Set[str]] = {}
        for folder, rows in self.files.items():
            gone = [name for name, raw in rows.items() if not raw[3] and raw[2] is not None]
            names[folder] = rows.keys() - gone if gone else rows.keys()
        return names

    def expected(self) -> int:
        """How many files are to be there."""
        return sum(row[3] for rows in self.files.values() for row in rows.values())


def load_known(con: DuckDBPyConnection, catalog: Path, scope: Scope) -> Known:
    """Return the rows of the files in a scope."""
    values = {"root": catalog_root(catalog)}
    folders = {
        directory_id: path.rstrip("/")
        for directory_id, path in con.execute(statement("select_directories"), values).fetchall()
    }
    files: dict[str, dict[str, Raw]] = {folder: {} for folder in folders.values()}
    by_id = {directory_id: files[folder] for directory_id, folder in folders.items()}
    table = con.sql(statement("verify_files")).to_arrow_table()
    ids, names, *rest = (column.to_pylist() for column in table.columns)
    raws = list(zip(*rest, strict=True))
    # The rows come folder by folder: a slice of them at a time is faster than one by one.
    start = 0
    while start < len(ids):
        end = bisect_right(ids, ids[start], start)
        if ids[start] in by_id:
            by_id[ids[start]].update(zip(names[start:end], raws[start:end], strict=True))
        start = end
    roots = tuple(
        path.rstrip("/") for _, path in con.execute(statement("select_roots"), values).fetchall()
    )
    return scope.of(Known(files, roots), os.path.abspath(side_folder(catalog)))


@dataclass(frozen=True)
class Scope:
    """The files and folders, by absolute paths, that are looked at; all where there are none."""

    paths: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.paths)

    def holds(self, path: str) -> bool:
        """Say whether a file or folder is one of them, or lies in one."""
        return not self.paths or any(
            path == one or path.startswith(one.rstrip("/") + "/") for one in self.paths
        )

    def of(self, known: Known, side: str) -> Known:
        """
        Return what is known of these files and folders.

        Args:
            side: the catalog's own folder, in which are no trace files.

        Raises:
            UsageError: nothing is known of one of them.
        """
        if not self.paths:
            return known
        for path in self.paths:
            if _lies_in(path, side):
                raise UsageError(
                    f"{path} belongs to the catalog itself",
                    hint="It is looked at where no paths are given: catalog verify",
                )
            if not _is_known(path, known):
                raise UsageError(
                    f"The catalog knows nothing at {path}",
                    hint=f"Check the path, or register it: catalog register {path}",
                )
        files = {
            folder: kept
            for folder, rows in known.files.items()
            if (kept := {name: row for name, row in rows.items() if self.holds(f"{folder}/{name}")})
            or self.holds(folder)
        }
        return Known(files, tuple(dict.fromkeys(self._roots(known))))

    def _roots(self, known: Known) -> list[str]:
        """Return the folders to walk through: of roots what lies in here."""
        inside = [root for root in known.roots if self.holds(root)]
        below = [
            path
            for path in self.paths
            if _is_folder(path, known) and any(_lies_in(path, root) for root in known.roots)
        ]
        return inside + [path for path in below if path not in inside]


def scope_of(paths: Sequence[str | os.PathLike[str]]) -> Scope:
    """Return the scope of what somebody named."""
    return Scope(tuple(absolute(path) for path in paths))


def _is_folder(path: str, known: Known) -> bool:
    # A store has no folders, but objects whose names begin alike.
    return known.row(path) is None if is_url(path) else os.path.isdir(path)


def _is_known(path: str, known: Known) -> bool:
    if known.row(path) is not None:
        return True
    if any(_lies_in(path, root) or _lies_in(root, path) for root in known.roots):
        return (
            is_url(path)
            or os.path.lexists(path)
            or any(_lies_in(folder, path) for folder in known.files)
        )
    return any(_lies_in(folder, path) for folder in known.files)


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
