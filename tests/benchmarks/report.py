"""What was measured, and how it is printed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

Run = dict[str, Any]
"""What child.py measured, process_seconds with all that is around it, and resident_bytes."""


@dataclass(frozen=True)
class Figure:
    """A ratio of medians, or a peak, with the most or least that is promised of it, if any."""

    what: str
    value: float
    most: float | None = None
    least: float | None = None

    def __str__(self) -> str:
        text = f"{self.what} = {self.value:,.2f}"
        if self.most is not None:
            return f"{text}  at most {self.most:g}: {_kept(self.value <= self.most)}"
        if self.least is not None:
            return f"{text}  at least {self.least:g}: {_kept(self.value >= self.least)}"
        return text


@dataclass(frozen=True)
class Part:
    """One part of the benchmark: the runs of each side, and the figures made from them."""

    name: str
    about: str
    sides: dict[str, list[Run]]
    figures: list[Figure]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def median(runs: Sequence[Run], key: str = "seconds") -> float:
    """Return the median of what some runs took."""
    return statistics.median(run[key] for run in runs)


def print_part(part: Part) -> None:
    """Print a table with a line a side, and the figures under it."""
    repetitions = len(next(iter(part.sides.values())))
    print(f"\n{part.name}: {part.about}; medians of {repetitions}")
    print(f"  {'':34}{'seconds':>9}{'least':>9}{'most':>9}{'CPU':>9}{'ms a file':>11}{'MB':>7}")
    for side, runs in part.sides.items():
        seconds, files = [run["seconds"] for run in runs], runs[0]["files"]
        a_file = f"{1e3 * median(runs) / files:.3f}" if files else "-"
        print(
            f"  {side:34}{median(runs):9.3f}{min(seconds):9.3f}{max(seconds):9.3f}"
            f"{median(runs, 'cpu_seconds'):9.3f}{a_file:>11}{median(runs, 'peak_bytes') / 1e6:7.0f}"
        )
    for figure in part.figures:
        print(f"  {figure}")


def _kept(is_kept: bool) -> str:
    return "kept" if is_kept else "missed"
