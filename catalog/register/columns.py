"""What a batch holds, as Arrow tables for DuckDB to read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from catalog.register.entries import Entry, NamedStrategy, RunContext
from catalog.register.files import Problem
from catalog.register.identity import Identity
from catalog.register.metadata import as_utc
from catalog.store.paths import stored_prefix
from catalog.traces.format import EVENT_KINDS
from catalog.traces.trace_file import TraceFile

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


# Columns that hold what was read, under the same name or another.
_AS_READ = (
    "kind", "symbol_raw", "timeframe_raw", "generation", "row_count", "change_count", "first_ts",
    "last_ts", "first_change_bar", "last_change_bar", "first_change_ts", "last_change_ts",
    "knows_bar_times", "last_val", "last_state", "bars_long", "bars_short", "is_flat",
    "data_digest", "code_digest", "rows_digest", "file_digest", "mtime_ns",
)  # fmt: skip
_READ_AS = {"layout": "struct_layout", "file_size_bytes": "size"}


def trace_id(run_id: str, run_path: str, content_digest: str) -> str:
    """
    Return the id of a trace, 16 hex digits.

    It derives from what survives a move and a rebuild: the run, the path below the
    run's directory and the content, never an absolute path or a serial number.
    """
    return hashlib.sha256(f"{run_id}\0{run_path}\0{content_digest}".encode()).hexdigest()[:16]


def strategy_key(entry: Entry, run_id: str) -> str:
    """Return the hash of an entry's strategy, else what names it in its run."""
    return entry.recovered.hash or f"{run_id}/{entry.trace.strategy_id or entry.stem}"


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
    run_ids = [identities[entry.run.folder].run_id for entry in entries]
    own_keys = [_own_key(entry, run_id) for entry, run_id in zip(entries, run_ids, strict=True)]
    fields = zip(*(entry.trace for entry in entries), strict=True)
    # Without entries there are no columns to take apart.
    read = dict(zip(TraceFile._fields, fields, strict=bool(entries)))
    values: dict[str, Iterable[object]] = {name: read.get(name, ()) for name in _AS_READ}
    values |= {name: read.get(field, ()) for name, field in _READ_AS.items()}
    values |= {
        "prefix": [folders[entry.folder].prefix for entry in entries],
        "is_relative": [folders[entry.folder].is_relative for entry in entries],
        "trace_id": [
            trace_id(run_id, entry.run_path, entry.content_digest)
            for entry, run_id in zip(entries, run_ids, strict=True)
        ],
        "run_id": run_ids,
        "file_name": [entry.file_name for entry in entries],
        "run_path": [entry.run_path for entry in entries],
        "strategy_id": [
            None if key is None else entry.trace.strategy_id or entry.stem
            for entry, key in zip(entries, own_keys, strict=True)
        ],
        "strategy_hash": [entry.recovered.hash for entry in entries],
        "strategy_key": own_keys,
        "strategy_type": [strategy_type(entry) for entry in entries],
        "latest_key": [None if key is None else keys.get(key) or key for key in own_keys],
        "config_source": [
            None if key is None else entry.recovered.source
            for entry, key in zip(entries, own_keys, strict=True)
        ],
        "claimed_hash": [entry.recovered.claimed_hash for entry in entries],
        "symbol": [entry.symbol for entry in entries],
        "timeframe": [entry.timeframe for entry in entries],
        "idx_base": [entry.idx_base for entry in entries],
        "declared_first_bar": [entry.declared_first_bar for entry in entries],
        "declared_last_bar": [entry.declared_last_bar for entry in entries],
        "range_source": [entry.range_source for entry in entries],
        "content_digest": [entry.content_digest for entry in entries],
        "created_at": [as_utc(entry.trace.created_at) for entry in entries],
        "is_latest": [False] * len(entries),
        "registered_at": [now] * len(entries),
        "status": ["registered"] * len(entries),
        "pack_path": [None] * len(entries),
    }
    return pa.table([pa.array(values[field.name], field.type) for field in _TRACE], schema=_TRACE)


def _own_key(entry: Entry, run_id: str) -> str | None:
    """Return the key of an entry's strategy; orders, fills and positions have many."""
    return None if entry.trace.kind in EVENT_KINDS else strategy_key(entry, run_id)


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
