"""The metadata.json of an upgraded run: what the old one says, and what the new files are."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catalog.traces import format as layout
from catalog.traces.finalize import write_whole
from catalog.upgrade.output import write_text
from catalog.upgrade.sources import Source
from catalog.upgrade.task import Task

Converted = Sequence[tuple[Source, Task]]


def write_run_records(run: Path, old_run: str, traces: Converted, *, run_id: str) -> None:
    """
    Write the metadata.json of a run, unless it is there and says the same.

    The old one is carried along whole: it knows more than the traces do, such as the strategies
    that only orders name. What it says of the traces is replaced by what was found out.

    Raises:
        CatalogError: it cannot be written.
    """
    document = _read(Path(old_run) / "metadata.json") or {}
    components = document.get("components")
    known = dict(components) if isinstance(components, dict) else {}
    names = Counter(task.footer.strategy_id for _, task in traces)
    for source, task in traces:
        # Ids are unique in a run, but for those of a folder that several runs shared.
        twice = names[source.strategy_id] > 1
        name = task.target.stem if twice else source.strategy_id or source.stem
        known[name] = _component(run, source, task)
    data_source = document.get("data_source")
    document |= {
        "run_id": run_id,
        "components": known,
        "data_source": data_source if isinstance(data_source, dict) else _data_source(traces),
    }
    text = json.dumps(document, indent=1) + "\n"
    path = run / "metadata.json"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_whole(path, lambda temporary: write_text(temporary, text))


def _data_source(traces: Converted) -> dict[str, list[str]]:
    symbols = {source.symbol for source, _ in traces if source.symbol is not None}
    timeframes = {source.timeframe for source, _ in traces if source.timeframe is not None}
    return {"symbols": sorted(symbols), "timeframes": sorted(timeframes)}


def _component(run: Path, source: Source, task: Task) -> dict[str, Any]:
    config = None if source.config is None else json.loads(source.config)
    said = {
        "type": "strategy" if source.kind == layout.SIGNAL else "classifier",
        "strategy_type": source.strategy_type,
        "symbol": source.symbol,
        "timeframe": source.timeframe,
        "parameters": None if config is None else config.get("parameters", {}),
        "strategy_hash": source.strategy_hash,
        "full_config": config,
        "trace_path": os.path.relpath(task.target, run),
    }
    return {key: value for key, value in said.items() if value is not None}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
