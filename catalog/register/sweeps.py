"""The sweep files that configurations came from, kept beside the catalog."""

from __future__ import annotations

import os
from pathlib import Path

from catalog.disk import remove_unfinished
from catalog.errors import StoreError, SweepFileError
from catalog.store.paths import side_folder
from catalog.sweeps.file import load_sweep
from catalog.sweeps.grid import Sweep


class SweepShelf:
    """Copies of sweep files in `catalog.d/sweeps`, named by their digest."""

    def __init__(self, catalog: Path) -> None:
        self._folder = side_folder(catalog) / "sweeps"
        self._loaded: dict[str, Sweep | None] = {}

    def keep(self, sweep: Sweep) -> None:
        """Keep a copy of a sweep file; one that is there already is left alone."""
        kept = self._folder / f"{sweep.digest}.yaml"
        if kept.exists() or not sweep.path.exists():
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            remove_unfinished(kept)
            unfinished = kept.with_name(f".{kept.name}.{os.getpid()}.tmp")
            unfinished.write_bytes(sweep.path.read_bytes())
            unfinished.replace(kept)
        except OSError as error:
            raise StoreError(
                f"Cannot keep a copy of the sweep file {sweep.path} in {self._folder}: "
                f"{error.strerror}",
                hint="Free some space, or check the permissions of the folder",
            ) from error

    def load(self, digest: str) -> Sweep | None:
        """Return a kept sweep, None where the copy is gone or damaged."""
        if digest not in self._loaded:
            try:
                self._loaded[digest] = load_sweep(self._folder / f"{digest}.yaml")
            except SweepFileError:
                self._loaded[digest] = None
        return self._loaded[digest]
