"""
What a bundle says about the runs in it: their ids, and configurations that no file of theirs holds.

`bundle.json` lies at the top of a bundle, above the folders of its runs:

    {"bundle": 1, "runs": {"runs/sweep_a": {"run_id": "sweep_a", "sweep": "…", "configs":
        {"traces/SPY_1m/signals/grid/SPY_grid_5.parquet": ["sweep", {"type": "sma", …}]}}}}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

from catalog.errors import ObjectError, SweepFileError
from catalog.objects import is_url
from catalog.places import on_this_machine, read_bytes
from catalog.register.files import Problem
from catalog.register.listed import NOTHING_LISTED, Listed, parents
from catalog.register.sweeps import SweepShelf, load_kept
from catalog.sweeps.grid import Sweep

MANIFEST: Final = "bundle.json"
FORMAT: Final = 1
CATALOG: Final = "catalog.duckdb"
"""The name of the catalog in a bundle; what belongs to it lies beside it."""

SOURCES: Final = frozenset({"metadata", "analytics", "sweep"})

Config = dict[str, Any]


@dataclass(frozen=True)
class BundledRun:
    """
    One run of a bundle.

    `configs` has, by the path of a trace below its run, the configuration and where it was found
    when the trace was registered first. `last_bars` has, by symbol and timeframe, the last bar
    that the traces were evaluated over, where only the whole run says that. `sweep` is the copy of
    the sweep file that made the run.
    """

    run_id: str | None = None
    configs: Mapping[str, tuple[str, Config]] = field(default_factory=dict)
    last_bars: Mapping[tuple[str | None, str | None], int] = field(default_factory=dict)
    sweep: Sweep | None = None


NO_BUNDLE: Final = BundledRun()


def read_bundled(run: str, problems: list[Problem], listed: Listed = NOTHING_LISTED) -> BundledRun:
    """
    Return what the bundle that a run's folder lies in says about it, nothing where it is in none.

    What cannot be read is a problem, not an error.
    """
    for above in parents(run):
        path = f"{above}/{MANIFEST}"
        stamp = listed.stamp(path)
        if stamp is None:
            continue
        try:
            runs = _load(path, *stamp)
        except (ObjectError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            why = f"{path}: it does not say what it should of its runs: {error!r}"
            hint = "Unpack the bundle again: its configurations cannot be found"
            problems.append(Problem(path, f"broken {MANIFEST}", why, hint))
            return NO_BUNDLE
        return runs.get(run[len(above.rstrip("/")) + 1 :], NO_BUNDLE)
    return NO_BUNDLE


@lru_cache(maxsize=2)
def _load(path: str, size: int, mtime_ns: int) -> dict[str, BundledRun]:
    """Read the file of a bundle: once, as long as it stays the same."""
    document = json.loads(read_bytes(path))
    if document["bundle"] != FORMAT:
        raise ValueError("it is of another format")
    load: Callable[[str], Sweep | None] = SweepShelf(Path(path).with_name(CATALOG)).load
    if is_url(path):
        load = partial(_load_sweep, f"{path.rpartition('/')[0]}/{Path(CATALOG).stem}.d/sweeps")
    return {folder: _run(entry, load) for folder, entry in document["runs"].items()}


@lru_cache(maxsize=64)
def _load_sweep(folder: str, digest: str) -> Sweep | None:
    """Load the copy of a sweep that a bundle in a store holds, None where it is gone or damaged."""
    for ending in (".json", ".yaml"):
        try:
            with on_this_machine(f"{folder}/{digest}{ending}") as file:
                return load_kept(Path(file), ending=ending)
        except (ObjectError, OSError, SweepFileError):
            continue
    return None


def _run(entry: Mapping[str, Any], load: Callable[[str], Sweep | None]) -> BundledRun:
    configs = {
        run_path: (source, config)
        for run_path, (source, config) in entry["configs"].items()
        if source in SOURCES and isinstance(config, dict)
    }
    run_id, digest = entry["run_id"], entry.get("sweep")
    return BundledRun(
        run_id if isinstance(run_id, str) and run_id else None,
        configs,
        {(symbol, timeframe): int(last) for symbol, timeframe, last in entry.get("last_bars", ())},
        load(digest) if isinstance(digest, str) and digest.isalnum() else None,
    )
