"""Which run a folder belongs to, and what lies beside the run's traces."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from catalog.errors import TraceFileError
from catalog.register.analytics import AnalyticsReader
from catalog.register.files import Problem
from catalog.register.metadata import Metadata, merged, read_metadata
from catalog.register.symbols import normal_timeframe, split_symbol
from catalog.register.walk import NO_STAMP, Stamp

Found = TypeVar("Found")

KIND_FOLDERS = frozenset(
    {
        "signals",
        "classifiers",
        "store",
        "portfolio",
        "execution",
        "orders",
        "fills",
        "positions",
        "positions_open",
        "positions_close",
    }
)


def run_folder(folder: str) -> str:
    """
    Return the directory of the run that the traces in a folder belong to.

    It is the one above `traces`, else the one above `signals`, `classifiers` and their
    like, else the folder itself.
    """
    parts = folder.split("/")
    for position in range(len(parts) - 1, 0, -1):
        # traces/signals/… or traces/SPY_1m/signals/…
        if parts[position] == "traces" and KIND_FOLDERS & set(parts[position + 1 : position + 3]):
            return "/".join(parts[:position])
    for position in range(len(parts) - 1, 0, -1):
        if parts[position] in KIND_FOLDERS:
            return "/".join(parts[:position])
    return folder


@dataclass(frozen=True)
class RunRecords:
    """What lies beside the traces of a run, read."""

    metadata: Metadata = field(default_factory=Metadata)
    analytics: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @cached_property
    def symbol(self) -> str | None:
        """The one symbol of the run's data source, normalised."""
        symbols = {split_symbol(raw)[0] for raw in self.metadata.words("symbols")}
        return symbols.pop() if len(symbols) == 1 else None

    @cached_property
    def timeframe(self) -> str | None:
        """The one timeframe of the run's data source, normalised."""
        frames = {normal_timeframe(raw) for raw in self.metadata.words("timeframes")} - {None}
        return frames.pop() if len(frames) == 1 else None


def record_paths(run: str) -> list[str]:
    """
    Return the files that a run keeps about itself, where they are.

    A global store of traces (`traces/store`) is shared by the runs beside it, whose
    records are its own.
    """
    found = [
        path for name in ("metadata.json", "analytics.duckdb") if _exists(path := f"{run}/{name}")
    ]
    if os.path.isdir(f"{run}/traces/store"):
        found += sorted(str(path) for path in Path(run).glob("*/metadata.json"))
    return found


def stamp_of(paths: list[str]) -> str:
    """Return a text that differs when one of the files does."""
    stamps = ((os.path.basename(path), *_stamp(path)) for path in paths)
    return "\n".join(f"{name} {size} {mtime_ns}" for name, size, mtime_ns in stamps)


def read_records(paths: list[str], analytics_reader: AnalyticsReader) -> RunRecords:
    """Read what a run keeps about itself; what cannot be read is a problem, not an error."""
    problems: list[Problem] = []
    metadata = [
        found
        for path in paths
        if path.endswith("metadata.json")
        and (found := _attempt(path, read_metadata, problems)) is not None
    ]
    analytics: dict[str, dict[str, Any]] = {}
    for path in paths:
        if path.endswith("analytics.duckdb"):
            analytics = _attempt(path, analytics_reader.read, problems) or {}
    several = sum(path.endswith("metadata.json") for path in paths) > 1
    return RunRecords(
        metadata=merged(iter(metadata)) if several else (metadata or [Metadata()])[0],
        analytics=analytics,
        problems=tuple(problems),
    )


def _attempt(path: str, read: Callable[[str], Found], problems: list[Problem]) -> Found | None:
    try:
        return read(path)
    except TraceFileError as error:
        # As the walk stamps it, so that the next one finds it unchanged.
        stamp = _stamp(path)
        problems.append(Problem(path, error.reason, f"{path}: {error}", error.hint, stamp))
        return None


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return NO_STAMP
    return Stamp(status.st_size, status.st_mtime_ns) if os.access(path, os.R_OK) else NO_STAMP


def _exists(path: str) -> bool:
    return os.path.exists(path)
