"""What an upgrade came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from catalog.register.files import Problem


@dataclass
class Upgrade:
    """
    What `upgrade` did, or with `dry_run` would do.

    Counts are of files. `converted` counts traces, and orders, fills and positions, by the
    generation that they were of; `there` were converted before; `copied` are of our format
    already. `times` counts traces by where the times of their bars are from (file, prices,
    unknown), and `without_times` says why for those that have none; `sources` counts them by
    where their configuration was found. `failed` could not be converted, `quarantined` could
    not be read in the first place; both stay as they are, and so does every source.
    """

    folder: Path
    output: Path
    dry_run: bool = False
    converted: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    there: int = 0
    copied: int = 0
    removed: int = 0
    left_over: list[Path] = field(default_factory=list)
    rows: int = 0
    runs: set[str] = field(default_factory=set)
    times: Counter[str] = field(default_factory=Counter)
    without_times: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    failed: list[Problem] = field(default_factory=list)
    quarantined: list[Problem] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def needs_attention(self) -> bool:
        """Whether a file was left out for what is wrong with it, or lacks its parameters."""
        return bool(self.failed or self.quarantined or self.sources["unknown"])
