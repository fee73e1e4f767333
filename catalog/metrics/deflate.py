"""Deflate the Sharpe ratios of a metric set by how many strategies were tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.metrics.deflation import expected_best_sharpe, probabilistic_sharpe
from catalog.statements import statement
from catalog.store.database import writing
from catalog.store.registered import registered
from catalog.store.transactions import transaction

FEWEST_SESSIONS = 60
"""With fewer, no Sharpe ratio is deflated."""


Data = tuple[str, str, datetime, datetime]


@dataclass(frozen=True, slots=True)
class Trials:
    """
    What was tried on the same data: one trial per content, whoever remembers it still.

    `tried` counts distinct contents, `flat` those that hold no position there, `trials` the others,
    of which `waiting` are registered and not measured on these terms. `variance` is that of the
    trials' Sharpe ratios per session, `drift` the mean of what their exposure earns for nothing.
    """

    symbol: str
    timeframe: str
    from_ts: datetime
    to_ts: datetime
    tried: int
    flat: int
    trials: int
    waiting: int
    variance: float
    drift: float | None

    @property
    def key(self) -> Data:
        return self.symbol, self.timeframe, self.from_ts, self.to_ts

    @property
    def tells_luck(self) -> bool:
        """Whether all are measured: of a choice of them the variance would be too small."""
        return self.trials > 0 and self.waiting == 0 and self.drift is not None

    def luck(self, *, with_drift: bool = True) -> float:
        """
        Return the best Sharpe ratio per session that is expected of trials without any skill.

        NaN where some are not measured.
        """
        if not self.tells_luck:
            return float("nan")
        mean = self.drift if with_drift and self.drift is not None else 0.0
        return expected_best_sharpe(self.variance, self.trials, mean=mean)


def read_trials(con: DuckDBPyConnection, set_id: int) -> dict[Data, Trials]:
    """Return the trials of a metric set by the data that they were tried on."""
    rows = con.execute(statement("select_trials"), {"set_id": set_id}).fetchall()
    found = [Trials(*row) for row in rows]
    return {one.key: one for one in found}


def deflate(catalog: Path) -> None:
    """
    Bring all deflated Sharpe ratios up to date with the trials.

    What was tried on other terms was tried: it counts in every metric set.
    """
    with writing(catalog) as con, transaction(con):
        for (set_id,) in con.execute("select set_id from metric_set").fetchall():
            values = {"set_id": set_id}
            found = con.sql(statement("select_deflatable"), params=values).to_arrow_table()
            if found.num_rows:
                deflated = _deflated(found, read_trials(con, set_id))
                with registered(con, incoming_deflated=deflated):
                    con.execute(statement("update_deflated"), values)


def _deflated(found: pa.Table, trials: dict[Data, Trials]) -> pa.Table:
    keys = list(
        zip(
            *(found[name].to_pylist() for name in ("symbol", "timeframe", "from_ts", "to_ts")),
            strict=True,
        )
    )
    sharpe, skew, kurtosis, sessions = (
        found[name].cast(pa.float64()).to_numpy()
        for name in ("sharpe_session", "skew", "kurtosis", "sessions")
    )
    sharpe = np.where(sessions >= FEWEST_SESSIONS, sharpe, np.nan)
    columns: dict[str, Any] = {"trace_id": found["trace_id"]}
    for name, with_drift in (("deflated_sharpe", True), ("deflated_sharpe_no_drift", False)):
        luck = {key: one.luck(with_drift=with_drift) for key, one in trials.items()}
        threshold = np.array([luck.get(key, np.nan) for key in keys])
        values = probabilistic_sharpe(
            sharpe, threshold, sessions=sessions, skew=skew, kurtosis=kurtosis
        )
        columns[name] = pa.array(values, pa.float64(), mask=np.isnan(values))
    return pa.table(columns)
