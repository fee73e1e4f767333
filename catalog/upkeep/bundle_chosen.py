"""The traces that a bundle is to hold, and what the catalog knows of them and of their runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.paths import catalog_root
from catalog.store.registered import registered


@dataclass(frozen=True, slots=True)
class ChosenTrace:
    """
    A trace as the catalog knows it; `folder` is absolute and ends in a slash.

    `last_bar` is the last one that it was evaluated over, where only its run says that.
    """

    trace_id: str
    kind: str
    run_id: str
    run_path: str
    folder: str
    name: str
    size: int
    mtime_ns: int
    digest: str
    has_file: bool
    pack_path: str | None
    strategy_key: str | None
    config_source: str | None
    config: str | None
    symbol: str | None
    timeframe: str | None
    last_bar: int | None

    @property
    def path(self) -> str:
        """Where its file is, or was before it was packed."""
        return self.folder + self.name

    @property
    def run_folder(self) -> str:
        """The folder of its run: what lies above its path below the run."""
        return self.path[: -len(self.run_path)].rstrip("/") or "/"


@dataclass(frozen=True)
class Chosen:
    """
    Traces in the order of their runs.

    `folders` and `sweeps` are by run_id: where the run lies, at home first, and the digests of
    the sweep files that made it.
    """

    traces: list[ChosenTrace]
    folders: dict[str, list[str]]
    sweeps: dict[str, str]

    def home(self, run_id: str, otherwise: str) -> str:
        """Return the folder of a run that is there, and holds what the run says of itself."""
        return next((one for one in self.folders.get(run_id, ()) if os.path.isdir(one)), otherwise)


def choose(catalog: Path, trace_ids: Sequence[str]) -> Chosen:
    """
    Return what the catalog knows of some traces.

    Raises:
        StoreError: the catalog cannot be used.
    """
    ids = pa.table({"trace_id": pa.array(trace_ids, pa.string())})
    values = {"root": catalog_root(catalog)}
    with reading(catalog) as con:
        with registered(con, incoming_id=ids):
            rows = con.execute(statement("select_bundled"), values).fetchall()
        runs = con.execute(statement("select_bundled_runs"), values).fetchall()
    folders: dict[str, list[str]] = {}
    sweeps: dict[str, str] = {}
    for run_id, folder, sweep in runs:
        folders.setdefault(run_id, []).append(folder)
        if sweep is not None:
            sweeps.setdefault(run_id, sweep)
    return Chosen([ChosenTrace(*row) for row in rows], folders, sweeps)
