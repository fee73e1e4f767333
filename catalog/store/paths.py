"""Where things lie: beside the catalog, and relative to its folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


def side_folder(catalog: Path) -> Path:
    """Return NAME.d beside NAME.duckdb: what belongs to the catalog but is not in DuckDB."""
    return catalog.with_name(catalog.stem + ".d")


def catalog_root(catalog: Path) -> str:
    """
    Return the absolute folder of the catalog, without a slash at its end.

    Links are kept as they were given: the views' paths must be the ones that
    a person would type.
    """
    return os.path.dirname(os.path.abspath(catalog)).rstrip("/")


ANEW = ".rebuilding"


def anew(catalog: Path) -> Path:
    """
    Return what a catalog is called that is made beside one, to take its place.

    It lies in the same folder and has the same folder beside it, so that all paths stay right.
    """
    return catalog.with_suffix(ANEW)


def is_anew(catalog: Path) -> bool:
    """Say whether a catalog is one that `anew` names: what lies beside it is not its own yet."""
    return catalog.suffix == ANEW


class Prefix(NamedTuple):
    """A folder as the catalog stores it: its path with a slash at the end."""

    prefix: str
    is_relative: bool


def stored_prefix(folder: str, root: str) -> Prefix:
    """Return how an absolute folder is stored: relative to the catalog's where it lies below."""
    folder = folder.rstrip("/") + "/"
    if folder.startswith(root + "/"):
        return Prefix(folder[len(root) + 1 :], True)
    return Prefix(folder, False)


def absolute_prefix(stored: Prefix, root: str) -> str:
    """Return the absolute path of a stored folder, with a slash at its end."""
    return f"{root}/{stored.prefix}" if stored.is_relative else stored.prefix
