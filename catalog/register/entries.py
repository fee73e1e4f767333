"""From a trace file and its run to what the catalog says about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from catalog.errors import TraceFileError
from catalog.objects import is_url
from catalog.register.configs import ConfigSources, Recovered
from catalog.register.runs import RunRecords
from catalog.register.symbols import choose_timeframe, normal_timeframe, split_symbol
from catalog.traces.content import content_digest
from catalog.traces.format import EVENT_KINDS, OURS, first_index
from catalog.traces.read import bar_spacing
from catalog.traces.trace_file import TraceFile

# How many files of a run are looked at again to see how long its bars are.
_SPACING_SAMPLE = 3
_DATA_FOLDER = re.compile(r"/traces/([^/]+)/(?:signals|classifiers)(?:/|$)")


Data = tuple[str | None, str | None, str | None]
"""What tells the prices of one run apart: symbol and timeframe as files and folders label them."""


@dataclass(slots=True)
class RunContext:
    """
    A run while its files are being read: where it lies and what it says about itself.

    `stated_id` is what the bundle that it lies in says of it.
    """

    folder: str
    records: RunRecords
    records_stamp: str
    sources: ConfigSources
    spacing: dict[Data, float] = field(default_factory=dict)
    recorded_ids: set[str] = field(default_factory=set)
    sweep_digest: str | None = None
    stated_id: str | None = None
    oldest: tuple[str, str] | None = None
    """Creation time and digest of the rows of the trace of ours that was written first."""

    @property
    def name(self) -> str:
        """The name of the run's directory."""
        return self.folder.rsplit("/", 1)[-1] or "root"

    @property
    def recorded_id(self) -> str | None:
        """The id that the run, or every trace of ours in it, states."""
        if self.records.metadata.recorded_id is not None:
            return self.records.metadata.recorded_id
        return next(iter(self.recorded_ids)) if len(self.recorded_ids) == 1 else None

    @property
    def wanted_ids(self) -> tuple[str, ...]:
        """What the run would be called, first of all as the bundle calls it that it is in."""
        own = self.recorded_id or self.name
        return (own,) if self.stated_id in (None, own) else (str(self.stated_id), own)


@dataclass(frozen=True, slots=True)
class Entry:
    """One trace file with all that is known about it."""

    run: RunContext
    folder: str
    file_name: str
    trace: TraceFile
    recovered: Recovered
    symbol: str | None
    timeframe: str | None
    content_digest: str
    declared_first_bar: int | None
    declared_last_bar: int | None
    range_source: str

    @property
    def path(self) -> str:
        """The absolute path of the file."""
        return f"{self.folder}/{self.file_name}"

    @property
    def stem(self) -> str:
        """The file's name without its ending."""
        return self.file_name.removesuffix(".parquet")

    @property
    def run_path(self) -> str:
        """The path below the run's directory: part of the identity of the trace."""
        return self.path[len(self.run.folder) :].lstrip("/")

    @property
    def idx_base(self) -> int:
        """The `idx` that stands for the first bar in this file."""
        return first_index(self.trace.generation, knows_bar_times=self.trace.knows_bar_times)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A strategy as one trace, or one order, shows it."""

    key: str
    kind: str
    type: str | None
    recovered: Recovered


@dataclass(frozen=True, slots=True)
class NamedStrategy:
    """A strategy that orders, fills or positions of a run name."""

    run: RunContext
    strategy_id: str
    recovered: Recovered

    @property
    def sighting(self) -> Sighting:
        """The strategy itself; only where its hash is known."""
        config = self.recovered.config or {}
        key = self.recovered.hash or ""
        return Sighting(key, "signal", config.get("type"), self.recovered)


Reading = tuple[RunContext, str, str, TraceFile]


def make_entries(readings: Sequence[Reading]) -> list[Entry]:
    """Return what is known about some files that were just read: (run, folder, name, trace)."""
    measure_spacing(readings)
    return [_entry(*reading) for reading in readings]


def _entry(run: RunContext, folder: str, name: str, trace: TraceFile) -> Entry:
    if trace.recorded_run_id is not None:
        run.recorded_ids.add(trace.recorded_run_id)
    if trace.created_at is not None:
        written = (trace.created_at, trace.rows_digest)
        run.oldest = written if run.oldest is None else min(run.oldest, written)
    if trace.kind in EVENT_KINDS:
        # Orders, fills and positions hold many strategies.
        recovered = Recovered("unknown", None, None, None, None, None)
    else:
        recovered = run.sources.recover(trace, f"{folder}/{name}")
        if recovered.sweep is not None:
            run.sweep_digest = recovered.sweep.digest
    symbol, timeframe = _symbol_and_timeframe(run, folder, name, trace)
    first, last, source = _declared_range(run, trace)
    if last is None and (symbol, timeframe) in run.sources.bundled.last_bars:
        last, source = run.sources.bundled.last_bars[symbol, timeframe], "metadata"
    return Entry(
        run=run,
        folder=folder,
        file_name=name,
        trace=trace,
        recovered=recovered,
        symbol=symbol,
        timeframe=timeframe,
        content_digest=trace.content_digest
        or content_digest(symbol, timeframe, trace.kind, trace.rows_digest),
        declared_first_bar=first,
        declared_last_bar=last,
        range_source=source,
    )


def _symbol_and_timeframe(
    run: RunContext, folder: str, name: str, trace: TraceFile
) -> tuple[str | None, str | None]:
    if trace.generation == OURS:
        return trace.symbol_raw, trace.timeframe_raw
    symbol, suffix = split_symbol(trace.symbol_raw)
    component = run.records.metadata.components.get(trace.strategy_id or name)
    # The run's data source beats a component's label, which is often wrong.
    candidates = (
        run.records.timeframe,
        suffix,
        normal_timeframe(trace.timeframe_raw),
        _timeframe_of_folder(folder),
        normal_timeframe(component.timeframe) if component else None,
    )
    return symbol or run.records.symbol, choose_timeframe(
        candidates, run.spacing.get(_data(folder, trace))
    )


@lru_cache(maxsize=1024)
def _timeframe_of_folder(folder: str) -> str | None:
    """Return the timeframe in a path such as …/traces/SPY_1m/signals/…"""
    found = _DATA_FOLDER.search(folder)
    return split_symbol(found[1])[1] if found else None


def _declared_range(run: RunContext, trace: TraceFile) -> tuple[int | None, int | None, str]:
    """Return the first and last bar evaluated as they are stated, and by what."""
    if trace.last_bar is not None:
        return trace.first_bar, trace.last_bar, "footer"
    total = run.records.metadata.total_bars
    one_based = first_index(trace.generation, knows_bar_times=trace.knows_bar_times) == 1
    first = 0 if one_based else None
    if total is None:
        return first, None, "run"
    # Tracers that count from one state how many bars there were; the later ones, which
    # count from zero, state under the same name the index of the last bar.
    return first, total - 1 if one_based else total, "metadata"


def _data(folder: str, trace: TraceFile) -> Data:
    return trace.symbol_raw, trace.timeframe_raw, _timeframe_of_folder(folder)


def measure_spacing(readings: Iterable[Reading]) -> None:
    """Look into the longest traces of each run's data that know bar times: how long is a bar?"""
    several: dict[tuple[str, Data], list[Reading]] = {}
    for reading in readings:
        run, folder, _, trace = reading
        if trace.generation != OURS and trace.knows_bar_times and trace.row_count > 1:
            data = _data(folder, trace)
            if data not in run.spacing:
                several.setdefault((run.folder, data), []).append(reading)
    for (_, data), those in several.items():
        those.sort(key=lambda reading: -reading[3].row_count)
        found = [_spacing(*reading[1:]) for reading in those[:_SPACING_SAMPLE]]
        known = [seconds for seconds in found if seconds is not None]
        if known:
            those[0][0].spacing[data] = min(known)


def _spacing(folder: str, name: str, trace: TraceFile) -> float | None:
    if is_url(folder):
        return trace.spacing
    try:
        return bar_spacing(f"{folder}/{name}")
    except TraceFileError:
        return None
