"""The metadata.json of a run, for the tools that expect one beside its traces."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.traces.finalize import write_whole, writing_errors
from catalog.traces.pending import Pending
from catalog.traces.series import Series
from catalog.traces.summary import TraceSummary

_COUNTS = ("signals", "classifications", "orders", "fills", "positions")


def write_run_metadata(
    run_directory: Path,
    run_id: str,
    summary: TraceSummary,
    traces: Sequence[Pending],
    series: Iterable[Series],
) -> None:
    """
    Write or complete metadata.json: what the run is, what it counted, and its components.

    Several processes may write one run: each adds its own to what the others wrote. A file of
    that name that is no JSON object is somebody else's, and is left alone.

    Raises:
        CatalogError: it cannot be written.
    """
    path = run_directory / "metadata.json"
    series = list(series)
    with writing_errors(path), open(run_directory / ".metadata.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        document = _read(path)
        if document is None:
            return
        document["run_id"] = run_id
        document["timestamp"] = datetime.now(UTC).isoformat()
        source = document.setdefault("data_source", {})
        for key, found in (
            ("symbols", {one.symbol for one in series}),
            ("timeframes", {one.timeframe for one in series if one.timeframe}),
        ):
            source[key] = sorted(found | set(source.get(key, ())))
        document["total_bars"] = max(document.get("total_bars", 0), summary.bars)
        for name in _COUNTS:
            total = f"total_{name}"
            document[total] = document.get(total, 0) + getattr(summary, name)
        document["stored_changes"] = document.get("stored_changes", 0) + summary.changes
        components = document.setdefault("components", {})
        for one in traces:
            components[one.header.strategy_id] = _component(run_directory, one)
        text = json.dumps(document, indent=1)
        write_whole(path, lambda temporary: _write(temporary, text))


def _component(run_directory: Path, trace: Pending) -> dict[str, Any]:
    header = trace.header
    config = json.loads(header.canonical)
    return {
        "type": "strategy" if header.kind == "signal" else "classifier",
        "strategy_type": header.strategy_type,
        "symbol": header.symbol,
        "timeframe": header.timeframe,
        "parameters": config.get("parameters", {}),
        "strategy_hash": header.hash,
        "full_config": config,
        "trace_path": os.path.relpath(header.path, run_directory),
    }


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _write(temporary: str, text: str) -> None:
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
