"""Say what is to become of each trace: where it goes, what it will say, which prices are its."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from catalog.errors import UsageError
from catalog.metrics.traces import Match, Trace, match_trace
from catalog.prices.series import PriceSeries
from catalog.traces import format as layout
from catalog.traces.footer import Footer
from catalog.traces.names import check_name
from catalog.traces.times import iso
from catalog.upgrade.sources import Source
from catalog.upgrade.task import FILE, PRICES, UNKNOWN, SeriesKey, Task

VERSION = 1
"""Of what this program makes of a source: what another version made is made again."""


@dataclass
class Plan:
    """What is to be done. `events` are orders, fills and positions, `ours` files as we write."""

    traces: list[tuple[Source, Task]] = field(default_factory=list)
    events: list[tuple[Source, Task]] = field(default_factory=list)
    ours: list[tuple[Source, Path]] = field(default_factory=list)
    without_times: Counter[str] = field(default_factory=Counter)
    """Traces whose bars have no times, by reason."""

    @property
    def targets(self) -> dict[str, Path]:
        """Where the file of each source goes, by the source's path."""
        tasks = {source.path: task.target for source, task in (*self.traces, *self.events)}
        return tasks | {source.path: target for source, target in self.ours}


def make_plan(
    traces: Iterable[Source],
    series: Mapping[SeriesKey, PriceSeries],
    *,
    folder: Path,
    output: Path,
) -> Plan:
    """
    Say what is to become of the traces in a folder.

    Args:
        series: the price series that are known.
        folder: where the traces lie, absolute.
        output: where the new ones are to be, absolute.
    """
    traces = list(traces)
    plan = Plan()
    for source, target in zip(traces, _targets(traces, folder, output), strict=True):
        if source.generation == layout.OURS:
            plan.ours.append((source, target))
            continue
        task, why = _task(source, target, series, folder)
        if source.kind in layout.EVENT_KINDS:
            plan.events.append((source, task))
            continue
        plan.traces.append((source, task))
        if why is not None:
            plan.without_times[why] += 1
    return plan


def run_output(run_folder: str, folder: Path, output: Path) -> Path:
    """Return the directory of a run in the output: where it lay below the folder."""
    inside = f"{os.fspath(folder).rstrip('/')}/"
    if not run_folder.startswith(inside):
        # The folder is the run, or a part of it.
        return output / (os.path.basename(run_folder) or "root")
    return output / run_folder[len(inside) :]


def _targets(traces: list[Source], folder: Path, output: Path) -> list[Path]:
    """Return where each trace goes, each to a place of its own."""
    wanted = [(source.run_folder, source.kind, _name(source)) for source in traces]
    several = {key for key, count in Counter(wanted).items() if count > 1}
    targets = []
    for source, key in zip(traces, wanted, strict=True):
        name = key[-1]
        if key in several:
            # An id of two symbols, or of two runs that share a folder.
            name += f"_{hashlib.sha256(source.run_path.encode()).hexdigest()[:8]}"
        run = run_output(source.run_folder, folder, output)
        targets.append(run / "traces" / _folder(source) / f"{name}.parquet")
    return targets


def _name(source: Source) -> str:
    name = source.strategy_id
    return source.stem if name is None or not _names_a_file(name) else name


def _folder(source: Source) -> str:
    of_kind = layout.FOLDER_OF_KIND[source.kind]
    if source.kind in layout.EVENT_KINDS:
        return of_kind
    kind = source.strategy_type
    if kind is None or not _names_a_file(kind):
        # Where nobody knows the type, the name that the folder had: that of the grid.
        kind = os.path.basename(os.path.dirname(source.run_path)) or "unknown"
    return f"{of_kind}/{kind}"


def _names_a_file(name: str) -> bool:
    try:
        check_name("name", name)
    except UsageError:
        return False
    return True


def _task(
    source: Source, target: Path, series: Mapping[SeriesKey, PriceSeries], folder: Path
) -> tuple[Task, str | None]:
    key, match, why = _match(source, series)
    times = FILE
    if not source.knows_bar_times:
        times = UNKNOWN if match is None else PRICES
    is_event = source.kind in layout.EVENT_KINDS
    footer = Footer(
        kind=source.kind,
        strategy_id=source.strategy_id,
        strategy_type=source.strategy_type,
        claimed_hash=source.strategy_hash,
        run_id=source.run_id,
        symbol=source.symbol,
        timeframe=source.timeframe,
        created_at=_created(source),
        first_bar=None if is_event else source.first_bar,
        last_bar=None if is_event else source.last_bar,
        first_ts=None if is_event else source.first_us,
        last_ts=None if is_event else source.last_us,
        data_digest=source.data_digest,
        code_digest=source.code_digest,
        config_digest=source.config_digest,
        content_digest=None if is_event else source.content_digest,
    )
    origin: dict[str, object] = {
        "generation": source.generation,
        "path": os.path.relpath(source.path, folder),
        "file_digest": source.file_digest,
        "symbol": source.symbol_raw,
        "timeframe": source.timeframe_raw,
        "config_source": source.config_source,
        "times": times,
    }
    prices = None if key is None else series[key].digest
    # Both are flat and hold but texts and numbers, of which repr leaves nothing out.
    depends = repr((VERSION, footer, source.config, sorted(origin.items()), prices, match))
    digest = hashlib.sha256(depends.encode()).hexdigest()
    task = Task(
        source=source.path,
        target=target,
        file_digest=source.file_digest,
        file_stem=source.stem,
        generation=source.generation,
        source_index=source.idx_base,
        row_count=source.row_count,
        footer=footer,
        config=source.config,
        times=times,
        series=key,
        match=match,
        origin={"terms": digest[:16]} | origin,
    )
    return task, why if times == UNKNOWN and source.row_count else None


def _match(
    source: Source, series: Mapping[SeriesKey, PriceSeries]
) -> tuple[SeriesKey | None, Match | None, str | None]:
    """Return the prices of a trace and where it lies in them, as metrics find it; or why not."""
    if source.symbol is None or source.timeframe is None:
        return None, None, "its symbol or timeframe is unknown"
    key = source.symbol, source.timeframe
    if key not in series:
        return None, None, f"no prices of {key[0]} {key[1]} are known"
    found = match_trace(
        Trace(
            trace_id=source.trace_id, symbol=key[0], timeframe=key[1], path=source.path,
            size=source.size, mtime_ns=source.mtime_ns, pack_path=None, trace_number=None,
            idx_base=source.idx_base, row_count=source.row_count,
            content_digest=source.content_digest, is_flat=None,
            knows_bar_times=source.knows_bar_times, data_digest=source.data_digest,
            first_bar=source.first_bar, last_bar=source.last_bar,
            first_change_bar=source.first_change_bar, last_change_bar=source.last_change_bar,
            first_us=source.first_us, last_us=source.last_us,
            first_change_us=source.first_change_us, last_change_us=source.last_change_us,
        ),
        series[key],
    )  # fmt: skip
    return (key, found, None) if isinstance(found, Match) else (None, None, found)


def _created(source: Source) -> str:
    """Return when the source was written: as it says, else as its file system does."""
    if source.created_us is not None:
        return iso(source.created_us)
    return datetime.fromtimestamp(source.mtime_ns / 1e9, UTC).isoformat()
