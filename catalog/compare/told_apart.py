"""What to call traces where several of their strategies have the same id."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

_MORE = ("symbol", "timeframe", "run_id", "trace_id")


def told_apart(traces: pa.Table) -> list[str]:
    """
    Return a name for each trace: the strategy's id, with what tells it apart where several have it.

    Args:
        traces: strategy_id, symbol, timeframe, run_id, trace_id.
    """
    names: list[str] = traces["strategy_id"].to_pylist()
    for other in _MORE:
        twice = Counter(names)
        names = [
            f"{name} {more}" if twice[name] > 1 else name
            for name, more in zip(names, traces[other].to_pylist(), strict=True)
        ]
    return names
