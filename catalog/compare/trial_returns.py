"""What all trials on the same data earned each session, some of them at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from catalog.metrics.deflate import Trials
from catalog.metrics.returns import read_returns
from catalog.statements import statement
from catalog.store.paths import catalog_root

AT_ONCE = 1000


def trial_returns(
    con: DuckDBPyConnection,
    catalog: Path,
    trials: Trials,
    *,
    set_id: int,
    cost_bps: float,
    fill: str,
) -> Iterator[NDArray[np.float64]]:
    """
    Yield the net returns of distinct registered trials, (sessions, some trials), in order of time.

    Cost is taken off each session as cost × turnover. Trials that are not measured, or not over
    all sessions of the data, are left out.

    Raises:
        StoreError: a pack of session returns cannot be read.
    """
    values = {
        "set_id": set_id,
        "fill": fill,
        "symbol": trials.symbol,
        "timeframe": trials.timeframe,
        "from_ts": trials.from_ts,
        "to_ts": trials.to_ts,
    }
    root = Path(catalog_root(catalog))
    sessions: int | None = None
    for pack, numbers, first, last in con.execute(
        statement("select_trial_packs"), values
    ).fetchall():
        for begin in range(0, len(numbers), AT_ONCE):
            part = np.array(numbers[begin : begin + AT_ONCE], np.int64)
            rows = read_returns(root / pack, part, first=first, last=last)
            net = rows["ret_gross"].to_numpy() - cost_bps / 1e4 * rows["turnover"].to_numpy()
            _, counts = np.unique(rows["return_number"].to_numpy(), return_counts=True)
            if sessions is None and len(counts):
                sessions = int(counts.max())
            keep = np.repeat(counts == sessions, counts)
            if sessions and keep.any():
                yield net[keep].reshape(-1, sessions).T
