"""Which run a folder belongs to, and what lies beside the run's traces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from catalog.errors import TraceFileError
from catalog.objects import is_url
from catalog.register.analytics import AnalyticsReader
from catalog.register.files import Problem
from catalog.register.listed import NOTHING_LISTED, Listed
from catalog.register.metadata import Metadata, merged, read_metadata
from catalog.register.symbols import normal_timeframe, split_symbol
from catalog.register.walk import NO_STAMP

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
    # A bucket is the outermost folder there is, whatever it is called.
    outermost = 2 if is_url(folder) else 0
    for position in range(len(parts) - 1, outermost, -1):
        # traces/signals/… or traces/SPY_1m/signals/…
        if parts[position] == "traces" and KIND_FOLDERS & set(parts[position + 1 : position + 3]):
            return "/".join(parts[:position])
    for position in range(len(parts) - 1, outermost, -1):
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


def record_paths(run: str, listed: Listed = NOTHING_LISTED) -> list[str]:
    """
    Return the files that a run keeps about itself, where they are.

    A global store of traces (`traces/store`) is shared by the runs beside it, whose
    records are its own.
    """
    own = (f"{run}/{name}" for name in ("metadata.json", "analytics.duckdb"))
    found = [path for path in own if listed.stamp(path) is not None]
    return found + listed.records_beside_store(run)


def stamp_of(paths: list[str], listed: Listed = NOTHING_LISTED) -> str:
    """Return a text that differs when one of the files does."""
    stamps = ((path.rpartition("/")[2], *(listed.stamp(path) or NO_STAMP)) for path in paths)
    return "\n".join(f"{name} {size} {mtime_ns}" for name, size, mtime_ns in stamps)


def read_records(
    paths: list[str], analytics_reader: AnalyticsReader, listed: Listed = NOTHING_LISTED
) -> RunRecords:
    """Read what a run keeps about itself; what cannot be read is a problem, not an error."""
    problems: list[Problem] = []
    metadata = [
        found
        for path in paths
        if path.endswith("metadata.json")
        and (found := _attempt(path, read_metadata, problems, listed)) is not None
    ]
    analytics: dict[str, dict[str, Any]] = {}
    for path in paths:
        if path.endswith("analytics.duckdb"):
            analytics = _attempt(path, analytics_reader.read, problems, listed) or {}
    several = sum(path.endswith("metadata.json") for path in paths) > 1
    return RunRecords(
        metadata=merged(iter(metadata)) if several else (metadata or [Metadata()])[0],
        analytics=analytics,
        problems=tuple(problems),
    )


def _attempt(
    path: str, read: Callable[[str], Found], problems: list[Problem], listed: Listed
) -> Found | None:
    try:
        return read(path)
    except TraceFileError as error:
        # As the walk stamps it, so that the next one finds it unchanged.
        stamp = listed.stamp(path) or NO_STAMP
        problems.append(Problem(path, error.reason, f"{path}: {error}", error.hint, stamp))
        return None
