"""What is to become of one file: where it goes, and what the new file will say of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.traces import Match
from catalog.traces.footer import Footer

FILE, PRICES, UNKNOWN = "file", "prices", "unknown"
"""Where the times of a trace's bars come from."""

SeriesKey = tuple[str, str]
"""Symbol and timeframe."""


@dataclass(frozen=True, eq=False)
class Bars:
    """The bars of a price series: microseconds since 1970 in UTC, and closes."""

    ts: NDArray[np.int64]
    close: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Task:
    """
    A file and what is to become of it.

    `footer` is what the new file says, but for what only its rows can tell (the digest of its
    prices, and times of the range evaluated that its prices know). `source_index` is the `idx`
    that stands for bar 0 in the source, `match` where the trace lies among the prices `series`.
    `origin` is kept in the footer: it says what the file was made from, and `terms` in it is a
    digest of everything that the new file depends on.
    """

    source: str
    target: Path
    file_digest: str
    file_stem: str
    generation: str
    source_index: int
    row_count: int
    footer: Footer
    config: str | None
    times: str
    series: SeriesKey | None
    match: Match | None
    origin: dict[str, object]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a file was not converted."""

    reason: str
    error: str
    hint: str | None = None
