"""The metadata.json of a run, for the tools that expect one beside its traces."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import catalog.objects as objects
from catalog.traces.event_rows import names_digest
from catalog.traces.finalize import write_whole, writing_errors
from catalog.traces.pending import Pending
from catalog.traces.series import Series
from catalog.traces.summary import TraceSummary
from catalog.traces.target import Target, below

_COUNTS = ("signals", "classifications", "orders", "fills", "positions", "changes")


def write_run_metadata(
    run_directory: Target,
    run_id: str,
    summary: TraceSummary,
    traces: Sequence[Pending],
    series: Iterable[Series],
) -> None:
    """
    Write or complete metadata.json: what the run is, what it counted, and its components.

    Several processes may write one run: each adds its own to what the others wrote. A store has
    no lock for that: of two that end at the same moment there, one may be left out. What the
    catalog needs is in the traces themselves. A file of that name that is no JSON object is
    somebody else's, and is left alone.

    Raises:
        CatalogError: it cannot be written.
    """
    if isinstance(run_directory, str):
        url = below(run_directory, "metadata.json")
        text = _completed(_stored(str(url)), run_directory, run_id, summary, traces, series)
        if text is not None:
            objects.write(str(url), text.encode())
        return
    path = run_directory / "metadata.json"
    with writing_errors(path), open(run_directory / ".metadata.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        text = _completed(_read(path), run_directory, run_id, summary, traces, series)
        if text is not None:
            write_whole(path, lambda temporary: _write(temporary, text))


def _completed(
    document: dict[str, Any] | None,
    run_directory: Target,
    run_id: str,
    summary: TraceSummary,
    traces: Sequence[Pending],
    series: Iterable[Series],
) -> str | None:
    """Return the text of a document with what this process has to add, None where it is none."""
    if document is None:
        return None
    series = list(series)
    owner = names_digest(one.header.strategy_id for one in traces)
    counts = {name: getattr(summary, name) for name in _COUNTS}
    writers = _mapping(document, "writers") | {owner: counts}
    source = _mapping(document, "data_source")
    document |= {
        "run_id": run_id,
        "timestamp": datetime.now(UTC).isoformat(),
        "writers": writers,
        "total_bars": max(_number(document.get("total_bars")), summary.bars),
        "data_source": source
        | {
            "symbols": _together(source.get("symbols"), (one.symbol for one in series)),
            "timeframes": _together(source.get("timeframes"), (one.timeframe for one in series)),
        },
        "components": _mapping(document, "components")
        | {one.header.strategy_id: _component(run_directory, one) for one in traces},
    }
    for name in _COUNTS:
        key = "stored_changes" if name == "changes" else f"total_{name}"
        document[key] = sum(
            _number(one.get(name)) for one in writers.values() if isinstance(one, dict)
        )
    return json.dumps(document, indent=1)


def _mapping(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = document.get(key)
    return dict(found) if isinstance(found, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _together(known: object, more: Iterable[str | None]) -> list[str]:
    known = known if isinstance(known, list) else []
    return sorted({text for text in (*known, *more) if isinstance(text, str)})


def _component(run_directory: Target, trace: Pending) -> dict[str, Any]:
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
        "trace_path": _relative(header.path, run_directory),
    }


def _relative(place: Target, run_directory: Target) -> str:
    if isinstance(place, str):
        return place.removeprefix(f"{run_directory}/")
    return os.path.relpath(place, run_directory)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return _parsed(path.read_bytes())
    except FileNotFoundError:
        return {}


def _stored(url: str) -> dict[str, Any] | None:
    try:
        return _parsed(objects.read(url))
    except FileNotFoundError:
        return {}


def _parsed(data: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(data)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _write(temporary: str, text: str) -> None:
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
