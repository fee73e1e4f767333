"""The sweeps that configurations came from, kept beside the catalog."""

from __future__ import annotations

import os
from pathlib import Path

from catalog.disk import remove_unfinished
from catalog.errors import StoreError, SweepFileError
from catalog.store.paths import side_folder
from catalog.sweeps.declare import read_declared
from catalog.sweeps.file import load_sweep
from catalog.sweeps.grid import Sweep


def kept_sweep(catalog: Path, digest: str) -> Path:
    """Return where a sweep is kept: a copy of its file, or the JSON of one declared in Python."""
    folder = side_folder(catalog) / "sweeps"
    declared = folder / f"{digest}.json"
    return declared if declared.exists() else folder / f"{digest}.yaml"


class SweepShelf:
    """Copies of sweeps in `catalog.d/sweeps`, named by the digest of their bytes."""

    def __init__(self, catalog: Path) -> None:
        self._catalog = catalog
        self._folder = side_folder(catalog) / "sweeps"
        self._loaded: dict[str, Sweep | None] = {}

    def keep(self, sweep: Sweep) -> None:
        """Keep a copy of a sweep; one that is there already is left alone."""
        declared = sweep.declared
        kept = self._folder / f"{sweep.digest}.{'yaml' if declared is None else 'json'}"
        held = sweep.text if declared is None else declared
        if kept.exists() or held is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            remove_unfinished(kept)
            unfinished = kept.with_name(f".{kept.name}.{os.getpid()}.tmp")
            unfinished.write_bytes(held)
            unfinished.replace(kept)
        except OSError as error:
            raise StoreError(
                f"Cannot keep a copy of the sweep {sweep.path} in {self._folder}: {error.strerror}",
                hint="Free some space, or check the permissions of the folder",
            ) from error

    def load(self, digest: str) -> Sweep | None:
        """Return a kept sweep, None where the copy is gone or damaged."""
        if digest not in self._loaded:
            try:
                self._loaded[digest] = load_kept(kept_sweep(self._catalog, digest))
            except (OSError, SweepFileError):
                self._loaded[digest] = None
        return self._loaded[digest]


def load_kept(kept: Path, *, ending: str | None = None) -> Sweep:
    """
    Read the copy of a sweep, whose name ends in `.yaml` or, declared in Python, in `.json`.

    Args:
        ending: how it ended where the name is another one.

    Raises:
        OSError, SweepFileError: it cannot be read.
    """
    if (ending or kept.suffix) == ".yaml":
        return load_sweep(kept)
    return read_declared(kept.read_bytes(), kept, label=f"The sweep {kept}")
