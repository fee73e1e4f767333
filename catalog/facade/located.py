"""Where a catalog is."""

from __future__ import annotations

import os
from pathlib import Path

PathLike = str | os.PathLike[str]


class Located:
    """A catalog by its path."""

    def __init__(self, path: PathLike = "catalog.duckdb") -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Catalog({os.fspath(self.path)!r})"
