"""What kind of number each figure is: a fraction or a count, and whether more of it is better."""

from __future__ import annotations

from typing import Final

SHARES: Final = frozenset(
    {"total_return", "annual_return", "volatility", "max_drawdown", "hit_rate", "exposure",
     "time_in_market", "benchmark_return", "alpha"}
)  # fmt: skip
"""Fractions, which people read in percent."""
COUNTS: Final = frozenset({"trades", "sessions", "turnover", "mean_holding", "breakeven_cost_bps"})
"""Numbers that reach thousands, of which decimals say nothing."""
LESS_IS_MORE: Final = frozenset({"volatility", "turnover"})
"""Figures of which the least is the best one."""
NEUTRAL: Final = frozenset(
    {"trades", "exposure", "time_in_market", "mean_holding", "sessions", "correlation", "beta",
     "benchmark_sharpe", "benchmark_return"}
)  # fmt: skip
"""Figures of which neither the least nor the most is better."""


def greater_is_better(figure: str) -> bool:
    """Say whether the greatest value of a figure is the best one."""
    return figure not in NEUTRAL and figure not in LESS_IS_MORE
