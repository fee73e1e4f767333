"""The metadata.json of a sweep's run: what was swept, on which prices, and when it began."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from catalog.sweeps.grid import Sweep
from catalog.sweeps.inputs import Handed
from catalog.sweeps.places import Place
from catalog.traces.finalize import write_whole
from catalog.traces.times import iso


def write_record(
    folder: Path, sweep: Sweep, places: Sequence[Place], handed: Sequence[Handed]
) -> Path:
    """
    Write what a run says of itself, before there is a trace of it: it is read with the first.

    Args:
        handed: what strategies are given at each place.

    Raises:
        CatalogError: it cannot be written.
    """
    document = {
        "run_id": folder.name,
        "timestamp": datetime.now(UTC).isoformat(),
        "sweep": {"name": sweep.name, "path": str(sweep.path), "digest": sweep.digest},
        "total_bars": max(_bars(place) for place in places),
        "data_source": {
            "symbols": sorted({place.symbol for place in places}),
            "timeframes": sorted({place.timeframe for place in places}),
            "series": [
                {
                    "symbol": place.symbol,
                    "timeframe": place.timeframe,
                    "first_bar": place.first,
                    "last_bar": place.last,
                    "first_ts": iso(one.from_us),
                    "last_ts": iso(one.to_us),
                    "digest": one.digest,
                }
                for place, one in zip(places, handed, strict=True)
            ],
        },
    }
    text = json.dumps(document, indent=1)
    return write_whole(folder / "metadata.json", lambda temporary: _write(temporary, text))


def _bars(place: Place) -> int:
    assert place.first is not None and place.last is not None  # noqa: S101 - has prices
    return place.last - place.first + 1


def _write(temporary: str, text: str) -> None:
    Path(temporary).write_text(text, encoding="utf-8")
