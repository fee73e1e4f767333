"""The columns of the list of strategies: what each is called, means, and where it is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from catalog.metrics.kinds import SHARES
from catalog.reports.shown import meaning

PARAMETER: Final = "param_"

# Which relation of sql/web_strategies.sql has a column, where it is not `m`, the metrics.
_OF_TRACES: Final = frozenset(
    {
        *("strategy_hash", "strategy_key", "strategy_type", "symbol", "timeframe", "strategy_id"),
        *("run_id", "trace_id", "first_ts", "last_ts", "is_flat"),
    }
)
# Those that are called otherwise there.
_ELSEWHERE: Final = {
    "sharpe_is": ("i", "sharpe"),
    "sharpe_oos": ("o", "sharpe"),
    "metrics_note": ("m", "note"),
    "config": ("s", "config"),
}
_NUMBERS: Final = ("INT", "DOUBLE", "FLOAT", "DECIMAL")

_LABELS: Final = {
    "strategy_id": "strategy",
    "strategy_hash": "hash",
    "strategy_key": "key",
    "strategy_type": "type",
    "run_id": "run",
    "trace_id": "trace",
    "first_ts": "from",
    "last_ts": "to",
    "is_flat": "flat",
    "config": "configuration",
    "sharpe_is": "sharpe in sample",
    "sharpe_oos": "sharpe out of sample",
    "metrics_note": "note",
    "breakeven_cost_bps": "breakeven cost, bps",
    "from_ts": "from",
    "to_ts": "to",
}


@dataclass(frozen=True)
class Column:
    """
    A column of the view `leaderboard`, by its name there and the type that DuckDB calls it.

    `parameter` is what configurations call it, where no other column goes by that name.
    """

    name: str
    type: str
    parameter: str = ""

    @property
    def label(self) -> str:
        """What people call it: parameters as in their configurations."""
        if self.is_parameter:
            return self.parameter or self.name.removeprefix(PARAMETER)
        return _LABELS.get(self.name, self.name.replace("_", " "))

    @property
    def meaning(self) -> str:
        """What it means, in a sentence; for a parameter, its name as a column."""
        return meaning(self.name) or self.name

    @property
    def source(self) -> tuple[str, str]:
        """The alias of the relation that has it, and its name there."""
        if self.name in _ELSEWHERE:
            return _ELSEWHERE[self.name]
        if self.is_parameter:
            return "s", self.name
        return ("t" if self.name in _OF_TRACES else "m"), self.name

    @property
    def is_parameter(self) -> bool:
        """Whether strategies say it in their configurations."""
        return self.name.startswith(PARAMETER)

    @property
    def is_number(self) -> bool:
        """Whether it can be compared with a number."""
        return any(part in self.type for part in _NUMBERS)

    @property
    def is_metric(self) -> bool:
        """Whether it is a figure that `catalog metrics` computes."""
        return self.is_number and self.source[0] in {"m", "i", "o"}

    @property
    def is_percent(self) -> bool:
        """Whether it is a fraction that reads better in percent."""
        return self.name in SHARES
