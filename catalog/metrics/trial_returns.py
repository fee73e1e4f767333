"""What all trials on the same data earned each session, as one array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from catalog.metrics.deflate import Trials
from catalog.statements import statement


@dataclass(frozen=True, eq=False)
class TrialReturns:
    """
    Net returns of distinct trials, (sessions, trials), in order of time.

    Cost is taken off each session as cost × turnover. `left_out` counts trials without session
    returns: not measured yet, or without prices.
    """

    returns: NDArray[np.float64]
    left_out: int


def read_trial_returns(
    con: DuckDBPyConnection, trials: Trials, *, set_id: int, cost_bps: float, fill: str
) -> TrialReturns:
    """Return the session returns of the trials on the same data, one per content."""
    view = "daily_returns" if fill == "close" else "daily_returns_next_open"
    text = statement("select_trial_returns").replace("from daily_returns ", f"from {view} ")
    values = {
        "set_id": set_id,
        "symbol": trials.symbol,
        "timeframe": trials.timeframe,
        "start_bar": trials.start_bar,
        "bar_count": trials.bar_count,
        "cost": cost_bps / 1e4,
    }
    rows = con.sql(text, params=values).to_arrow_table()
    net = rows["net"].to_numpy()
    number = rows["number"].to_numpy()
    count = int(number[-1]) if len(number) else 0
    sessions = len(net) // count if count else 0
    # Of the same data all have the same sessions; what has not is left out.
    complete = np.bincount(number, minlength=count + 1)[1:] == sessions
    if not complete.all():
        keep = complete[number - 1]
        net, count = net[keep], int(complete.sum())
    returns = net.reshape(count, sessions).T if count else np.zeros((0, 0))
    return TrialReturns(returns, trials.trials - count)
