"""What a registration came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from catalog.register.files import Problem


@dataclass
class Registration:
    """
    What `register` did, or with `dry_run` would do.

    Counts are of files unless they say otherwise; `notes` were taken in from the inbox.
    `sources` counts, by where their configuration was found, the signal and classifier traces
    that were registered;
    `needs_attention` is what exit status 3 stands for.
    """

    dry_run: bool = False
    kinds: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    runs: set[str] = field(default_factory=set)
    notes: int = 0
    unchanged: int = 0
    missing: int = 0
    copies: list[str] = field(default_factory=list)
    quarantined: list[Problem] = field(default_factory=list)
    still_quarantined: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    without_bar_times: int = 0
    without_column: int = 0
    contents: set[str] = field(default_factory=set)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def registered(self) -> int:
        """How many traces were registered, new or anew; copies of others are none."""
        return self.kinds.total()

    @property
    def needs_attention(self) -> bool:
        """Whether files are in quarantine, or a record of a run could not be read."""
        return bool(self.quarantined or self.still_quarantined)
