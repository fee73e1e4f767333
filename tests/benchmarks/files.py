"""Make many runs out of the few real ones: copy after copy, each under a name of its own."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Collection
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def trace_files(data: Path) -> dict[Path, list[Path]]:
    """Return the trace files by run directory; directories without traces are left out."""
    by_run: dict[Path, list[Path]] = defaultdict(list)
    for path in sorted(data.rglob("traces/**/*.parquet")):
        run = next(folder.parent for folder in path.parents if folder.name == "traces")
        by_run[run].append(path)
    return dict(by_run)


def of_one_schema(data: Path) -> set[Path]:
    """Return the trace files that share the commonest schema: what one table can hold."""
    by_schema: dict[pa.Schema, set[Path]] = defaultdict(set)
    for paths in trace_files(data).values():
        for path in paths:
            by_schema[pq.read_schema(path).remove_metadata()].add(path)
    return max(by_schema.values(), key=len)


def copy_runs(
    data: Path,
    target: Path,
    wanted: int,
    *,
    first: int = 0,
    linked: bool = False,
    only: Collection[Path] | None = None,
) -> None:
    """
    Copy the runs in `data` again and again, until `target` holds `wanted` trace files.

    To the catalog two directories of one name with the same files are one run. So copy 7 of
    the run `grid_2cc18fbb` is called `grid_2cc18fbb_007`: the same bytes, another run. What
    lies beside the traces (metadata.json, analytics.duckdb) comes along.

    Args:
        first: the number of the first copy.
        linked: let the later copies be hard links to the first, which saves time and space.
        only: the trace files to copy; all where it is None.
    """
    runs = {
        run: kept
        for run, paths in trace_files(data).items()
        if (kept := [path for path in paths if only is None or path in only])
    }
    originals: dict[Path, Path] = {}
    missing = wanted
    for number, (run, paths) in ((n, item) for n in count(first) for item in runs.items()):
        if not missing:
            break
        copy = target / f"copy_{number:03}" / run.parent.relative_to(data)
        copy /= f"{run.name}_{number:03}"
        beside = [path for path in sorted(run.iterdir()) if path.is_file()]
        for path in beside + paths[:missing]:
            place = copy / path.relative_to(run)
            place.parent.mkdir(parents=True, exist_ok=True)
            original = originals.setdefault(path, place)
            if linked and original != place:
                os.link(original, place)
            else:
                shutil.copyfile(path, place)
        missing -= len(paths[:missing])
    # What is still on its way to the disk would slow down what is measured first.
    os.sync()


def link_flat(folder: Path, target: Path) -> None:
    """Link the Parquet files at and below a folder into one folder without subfolders."""
    target.mkdir(parents=True)
    for number, path in enumerate(sorted(folder.rglob("*.parquet"))):
        os.link(path, target / f"{number:06}.parquet")
