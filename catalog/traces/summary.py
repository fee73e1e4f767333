"""What a traced run came to."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.traces.target import Target


@dataclass(frozen=True)
class TraceSummary:
    """
    What a run came to; counts of events, of traces, and of changes kept.

    `compression` is how many signals there were for each change kept, None without changes.
    """

    bars: int
    signals: int
    classifications: int
    orders: int
    fills: int
    positions: int
    traces: int
    changes: int
    paths: tuple[Target, ...]

    @property
    def compression(self) -> float | None:
        """Signals and classifications for each change that was kept."""
        return (self.signals + self.classifications) / self.changes if self.changes else None
