"""What a batch holds, as Arrow tables for DuckDB to read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from catalog.register.entries import Entry, NamedStrategy, RunContext
from catalog.register.identity import Identity
from catalog.register.metadata import as_utc
from catalog.register.runs import Problem
from catalog.store.paths import stored_prefix
from catalog.traces.format import EVENT_KINDS

_TIME = pa.timestamp("us", tz="UTC")

_TRACE = pa.schema(
    {
        "prefix": pa.string(),
        "is_relative": pa.bool_(),
        "trace_id": pa.string(),
        "kind": pa.string(),
        "run_id": pa.string(),
        "file_name": pa.string(),
        "run_path": pa.string(),
        "strategy_id": pa.string(),
        "strategy_hash": pa.string(),
        "strategy_key": pa.string(),
        "strategy_type": pa.string(),
        "latest_key": pa.string(),
        "config_source": pa.string(),
        "claimed_hash": pa.string(),
        "symbol": pa.string(),
        "timeframe": pa.string(),
        "symbol_raw": pa.string(),
        "timeframe_raw": pa.string(),
        "generation": pa.string(),
        "idx_base": pa.int8(),
        "layout": pa.string(),
        "row_count": pa.int64(),
        "change_count": pa.int64(),
        "declared_first_bar": pa.int64(),
        "declared_last_bar": pa.int64(),
        "first_ts": _TIME,
        "last_ts": _TIME,
        "range_source": pa.string(),
        "first_change_bar": pa.int64(),
        "last_change_bar": pa.int64(),
        "first_change_ts": _TIME,
        "last_change_ts": _TIME,
        "knows_bar_times": pa.bool_(),
        "last_val": pa.float64(),
        "last_state": pa.string(),
        "bars_long": pa.int64(),
        "bars_short": pa.int64(),
        "is_flat": pa.bool_(),
        "is_latest": pa.bool_(),
        "data_digest": pa.string(),
        "code_digest": pa.string(),
        "rows_digest": pa.string(),
        "content_digest": pa.string(),
        "file_digest": pa.string(),
        "file_size_bytes": pa.int64(),
        "mtime_ns": pa.int64(),
        "created_at": _TIME,
        "registered_at": _TIME,
        "status": pa.string(),
        "pack_path": pa.string(),
    }
)


def trace_id(run_id: str, run_path: str, content_digest: str) -> str:
    """
    Return the id of a trace, 16 hex digits.

    It derives from what survives a move and a rebuild: the run, the path below the
    run's directory and the content, never an absolute path or a serial number.
    """
    return hashlib.sha256(f"{run_id}\0{run_path}\0{content_digest}".encode()).hexdigest()[:16]


def strategy_key(entry: Entry, run_id: str) -> str:
    """Return the hash of an entry's strategy, else what names it in its run."""
    stem = entry.file_name.removesuffix(".parquet")
    return entry.recovered.hash or f"{run_id}/{entry.trace.strategy_id or stem}"


def entry_table(
    entries: Sequence[Entry],
    keys: Mapping[str, str | None],
    identities: Mapping[str, Identity],
    root: str,
    now: datetime,
) -> pa.Table:
    """
    Return one row per entry, in the columns of the table `trace_file`.

    Args:
        keys: what tells which traces compete for being the latest, by strategy key.
    """
    folders = {entry.folder: stored_prefix(entry.folder, root) for entry in entries}
    rows = [_trace_row(entry, identities[entry.run.folder].run_id, keys, now) for entry in entries]
    arrays = [
        pa.array([folders[entry.folder].prefix for entry in entries], pa.string()),
        pa.array([folders[entry.folder].is_relative for entry in entries], pa.bool_()),
    ]
    columns: Iterable[Sequence[object]] = (
        zip(*rows, strict=True) if rows else [()] * (len(_TRACE) - 2)
    )
    arrays += [
        pa.array(values, column.type)
        for values, column in zip(columns, list(_TRACE)[2:], strict=True)
    ]
    return pa.table(arrays, schema=_TRACE)


def _trace_row(
    entry: Entry, run_id: str, keys: Mapping[str, str | None], now: datetime
) -> tuple[object, ...]:
    trace, found = entry.trace, entry.recovered
    key = None if trace.kind in EVENT_KINDS else strategy_key(entry, run_id)
    return (
        trace_id(run_id, entry.run_path, entry.content_digest),
        trace.kind,
        run_id,
        entry.file_name,
        entry.run_path,
        None if key is None else trace.strategy_id or entry.file_name.removesuffix(".parquet"),
        found.hash,
        key,
        strategy_type(entry),
        None if key is None else keys.get(key) or key,
        None if key is None else found.source,
        found.claimed_hash,
        entry.symbol,
        entry.timeframe,
        trace.symbol_raw,
        trace.timeframe_raw,
        trace.generation,
        entry.idx_base,
        trace.struct_layout,
        trace.row_count,
        trace.change_count,
        entry.declared_first_bar,
        entry.declared_last_bar,
        trace.first_ts,
        trace.last_ts,
        entry.range_source,
        trace.first_change_bar,
        trace.last_change_bar,
        trace.first_change_ts,
        trace.last_change_ts,
        trace.knows_bar_times,
        trace.last_val,
        trace.last_state,
        trace.bars_long,
        trace.bars_short,
        trace.is_flat,
        False,
        trace.data_digest,
        trace.code_digest,
        trace.rows_digest,
        entry.content_digest,
        trace.file_digest,
        trace.size,
        trace.mtime_ns,
        as_utc(trace.created_at),
        now,
        "registered",
        None,
    )


def strategy_type(entry: Entry) -> str | None:
    """Return the type of an entry's strategy, None where nothing says it."""
    config = entry.recovered.config
    stated = config.get("type") if config is not None else entry.trace.strategy_type
    return stated if isinstance(stated, str) else None


def run_table(
    runs: Sequence[RunContext], identities: Mapping[str, Identity], root: str, now: datetime
) -> pa.Table:
    """Return one row per folder of a run."""
    places = [stored_prefix(run.folder, root) for run in runs]
    about = [run.records.metadata for run in runs]
    return pa.table(
        {
            "prefix": pa.array([place.prefix for place in places], pa.string()),
            "is_relative": pa.array([place.is_relative for place in places], pa.bool_()),
            "run_id": pa.array([identities[run.folder].run_id for run in runs], pa.string()),
            "moved": pa.array([identities[run.folder].moved for run in runs], pa.bool_()),
            "name": pa.array(
                [one.workflow or run.name for run, one in zip(runs, about, strict=True)],
                pa.string(),
            ),
            "recorded_id": pa.array([run.recorded_id for run in runs], pa.string()),
            "created_at": pa.array([one.created_at for one in about], _TIME),
            "registered_at": pa.array([now] * len(runs), _TIME),
            "data_source": pa.array([_json(one.data_source) for one in about], pa.string()),
            "symbol": pa.array([run.records.symbol for run in runs], pa.string()),
            "timeframe": pa.array([run.records.timeframe for run in runs], pa.string()),
            "total_bars": pa.array([one.total_bars for one in about], pa.int64()),
            "records_stamp": pa.array([run.records_stamp for run in runs], pa.string()),
            "sweep_digest": pa.array([run.sweep_digest for run in runs], pa.string()),
        }
    )


def named_table(named: Sequence[NamedStrategy], identities: Mapping[str, Identity]) -> pa.Table:
    """Return one row per strategy that orders, fills or positions name."""
    run_ids = [identities[one.run.folder].run_id for one in named]
    hashes = pa.array([one.recovered.hash for one in named], pa.string())
    return pa.table(
        {
            "run_id": pa.array(run_ids, pa.string()),
            "strategy_id": pa.array([one.strategy_id for one in named], pa.string()),
            "strategy_hash": hashes,
            "strategy_key": hashes,
            "strategy_type": pa.array([one.sighting.type for one in named], pa.string()),
        }
    )


def problem_table(problems: Sequence[Problem], root: str, now: datetime) -> pa.Table:
    """Return one row per file that was not registered, in the columns of `other_file`."""
    # The same file can be met twice, as when a batch finds what the walk had found.
    distinct = list({problem.path: problem for problem in problems}.values())
    split = [problem.path.rpartition("/") for problem in distinct]
    places = [stored_prefix(folder, root) for folder, _, _ in split]
    return pa.table(
        {
            "prefix": pa.array([place.prefix for place in places], pa.string()),
            "is_relative": pa.array([place.is_relative for place in places], pa.bool_()),
            "file_name": pa.array([name for _, _, name in split], pa.string()),
            "file_size_bytes": pa.array([problem.stamp[0] for problem in distinct], pa.int64()),
            "mtime_ns": pa.array([problem.stamp[1] for problem in distinct], pa.int64()),
            "status": pa.array([problem.status for problem in distinct], pa.string()),
            "reason": pa.array([problem.reason for problem in distinct], pa.string()),
            "error": pa.array([problem.error for problem in distinct], pa.string()),
            "hint": pa.array([problem.hint for problem in distinct], pa.string()),
            "seen_at": pa.array([now] * len(distinct), _TIME),
        }
    )


def file_table(files: Sequence[tuple[str, str]], root: str) -> pa.Table:
    """Return one row per (absolute folder, file name)."""
    places = [stored_prefix(folder, root) for folder, _ in files]
    return pa.table(
        {
            "prefix": pa.array([place.prefix for place in places], pa.string()),
            "is_relative": pa.array([place.is_relative for place in places], pa.bool_()),
            "file_name": pa.array([name for _, name in files], pa.string()),
        }
    )


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)
