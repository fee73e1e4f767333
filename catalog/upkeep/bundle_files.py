"""The files of a bundle: traces as they are or out of packs, and what their runs say."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.errors import ObjectError, TraceFileError
from catalog.objects import is_url
from catalog.places import look_at, on_this_machine
from catalog.register.bundled import CATALOG, FORMAT, MANIFEST, SOURCES
from catalog.register.runs import record_paths
from catalog.register.sweeps import kept_sweep
from catalog.store.paths import side_folder
from catalog.traces.trace_table import put_trace_table
from catalog.traces.unpack import read_packed
from catalog.upkeep.bundle_chosen import Chosen, ChosenTrace
from catalog.upkeep.packs import full_path
from catalog.upkeep.places import file_digest

RUNS = "runs"
IN_LAKE = "its rows are in a lake only"
"""Why a trace is left out whose file is on the machine of somebody who published it."""


@dataclass
class Put:
    """
    What was put into a bundle.

    `runs` are the folders of the runs, by run_id and relative to the bundle; `unpacked` counts
    the traces whose file was written out of a pack.
    """

    chosen: Chosen
    traces: list[ChosenTrace] = field(default_factory=list)
    runs: dict[str, str] = field(default_factory=dict)
    unpacked: set[str] = field(default_factory=set)

    def place(self, trace: ChosenTrace) -> str:
        """Return the path of a trace's file, relative to the bundle."""
        return f"{self.runs[trace.run_id]}/{trace.run_path}"


def put_files(
    catalog: Path,
    folder: Path,
    chosen: Chosen,
    left: Counter[str],
    *,
    link: bool,
    progress: Callable[[int, int], None],
) -> Put:
    """
    Put the files of traces into a bundle, each below the folder of its run.

    Args:
        left: counts the traces that have no file as it was registered, by reason.
        link: let a name of the same file do, where the bundle is not to stay as it is.
    """
    put = Put(chosen)
    packed: dict[str, list[ChosenTrace]] = {}
    taken: set[str] = set()
    for done, one in enumerate(chosen.traces):
        if done % 256 == 0:
            progress(done, len(chosen.traces))
        if one.run_id not in put.runs:
            put.runs[one.run_id] = _run_folder(one, chosen, put.runs.values())
        place = put.place(one)
        why = _look(one) if place not in taken else "another trace of the run has its path"
        if why is None:
            taken.add(place)
            _copy(one.path, folder / place, link=link)
            put.traces.append(one)
        elif one.pack_path is not None and place not in taken:
            taken.add(place)
            packed.setdefault(one.pack_path, []).append(one)
        else:
            left[why] += 1
    for pack_path, members in packed.items():
        _unpack(full_path(catalog, pack_path), folder, members, put, left)
    progress(len(chosen.traces), len(chosen.traces))
    used = {one.run_id for one in put.traces}
    put.runs = {run_id: path for run_id, path in put.runs.items() if run_id in used}
    return put


def _run_folder(trace: ChosenTrace, chosen: Chosen, taken: Iterable[str]) -> str:
    """Return a folder for a run that has the name that the run's own has."""
    home = (chosen.folders.get(trace.run_id) or [trace.run_folder])[0]
    name = os.path.basename(home) or "root"
    # What begins with a dot is passed over by whoever registers the bundle.
    name = "_" + name if name.startswith(".") else name
    lower = {path.lower() for path in taken}
    path, number = f"{RUNS}/{name}", 1
    while path.lower() in lower:
        number += 1
        path = f"{RUNS}/same_name_{number}/{name}"
    return path


def _look(one: ChosenTrace) -> str | None:
    """Say why a trace's file cannot be taken as it is, None where it can."""
    if not one.has_file:
        if one.pack_path is None:
            return IN_LAKE
        return "in a pack that cannot be read"
    try:
        there = look_at(one.path)
    except (OSError, ObjectError):
        there = None
    if there is None:
        return "its file is gone"
    if (there.size, there.mtime_ns) == (one.size, one.mtime_ns):
        return None
    if there.size == one.size and file_digest(one.path, one.size) == one.digest:
        return None
    return "its file has changed since it was registered"


def _copy(source: str, target: Path, *, link: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if is_url(source):
        with on_this_machine(source) as path:
            shutil.copyfile(path, target)
        return
    if link:
        try:
            os.link(source, target)
        except OSError:
            pass  # Another disk, or one that knows no links.
        else:
            return
    shutil.copy2(source, target)


def _unpack(
    pack: Path, folder: Path, members: list[ChosenTrace], put: Put, left: Counter[str]
) -> None:
    wanted = {one.trace_id: one for one in members}
    try:
        for entry, read in read_packed(pack, list(wanted)):
            one = wanted.pop(entry["trace_id"])
            target = folder / put.place(one)
            target.parent.mkdir(parents=True, exist_ok=True)
            put_trace_table(str(target), read)
            os.utime(target, ns=(one.mtime_ns, one.mtime_ns))
            put.unpacked.add(one.trace_id)
            put.traces.append(one)
    except TraceFileError:
        left["its pack is damaged"] += len(wanted)
    else:
        if wanted:
            left["its pack does not hold it"] += len(wanted)


def put_records(folder: Path, put: Put) -> None:
    """Put the metadata.json of the runs beside their traces: times, data source, components."""
    otherwise = {one.run_id: one.run_folder for one in put.traces}
    for run_id, place in put.runs.items():
        home = put.chosen.home(run_id, otherwise[run_id])
        for path in record_paths(home):
            # Of an analytics.duckdb only configurations are used, which bundle.json has.
            if path.endswith("metadata.json"):
                _copy(path, folder / place / os.path.relpath(path, home), link=False)


def put_sweeps(catalog: Path, folder: Path, put: Put) -> None:
    """Put the copies of the sweep files that made the runs beside the catalog of the bundle."""
    for digest in {put.chosen.sweeps.get(run_id) for run_id in put.runs}:
        kept = None if digest is None else kept_sweep(catalog, digest)
        if kept is not None and kept.is_file():
            _copy(str(kept), side_folder(folder / CATALOG) / "sweeps" / kept.name, link=False)


def put_manifest(folder: Path, put: Put) -> None:
    """Put what register has to know of the runs at the top of the bundle."""
    runs: dict[str, dict[str, Any]] = {
        place: {
            "run_id": run_id,
            "sweep": put.chosen.sweeps.get(run_id),
            "configs": {},
            "last_bars": [],
        }
        for run_id, place in put.runs.items()
    }
    for one in put.traces:
        run = runs[put.runs[one.run_id]]
        if one.config_source in SOURCES and one.config is not None:
            run["configs"][one.run_path] = (one.config_source, json.loads(one.config))
        last = [one.symbol, one.timeframe, one.last_bar]
        if one.last_bar is not None and last not in run["last_bars"]:
            run["last_bars"].append(last)
    text = json.dumps({"bundle": FORMAT, "runs": runs}, separators=(",", ":"), sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
