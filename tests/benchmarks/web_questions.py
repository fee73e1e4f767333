"""What is asked of the list of strategies, and the same of the view by a bare DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

PAGE = 100


@dataclass(frozen=True)
class Filter:
    """A box of the list and what is put into it, on a page; and what rows are to meet then."""

    name: str
    box: str
    value: str
    where: str
    start: str = "/"
    order: str = "sharpe desc"


FILTERS = (
    Filter("type", "strategy_type", "momentum", "strategy_type = 'momentum'"),
    Filter("run", "run_id", "sweep_00007", "run_id = 'sweep_00007'"),
    Filter("name", "q", "0012", "contains(strategy_id, '0012')"),
    Filter("figure", "total_return.min", "0.001", "total_return >= 0.001"),
    Filter(
        "parameter",
        "param_period.min",
        "20",
        "strategy_type = 'momentum' and param_period >= 20",
        "/?strategy_type=momentum",
    ),
    Filter(
        "text of a parameter",
        "param_mome_mode_text",
        "slow",
        "strategy_type = 'momentum' and param_mome_mode_text = 'slow' and sharpe >= 0",
        "/?strategy_type=momentum&sharpe.min=0",
    ),
    Filter(
        "another order",
        "is_flat",
        "false",
        "not is_flat",
        "/?sort=max_drawdown",
        "max_drawdown asc",
    ),
)


def bare(catalog: Path, one: Filter) -> list[Any]:
    """Open the file, ask for the first rows and for how many there are, and close it."""
    columns = (
        "strategy_key, strategy_id, trace_id, is_flat, strategy_type, symbol, config, sharpe, "
        "sharpe_oos, deflated_sharpe, total_return, max_drawdown, trades, run_id"
    )
    with duckdb.connect(str(catalog), read_only=True) as con:
        rows = con.execute(
            f"select {columns} from leaderboard where {one.where} "
            f"order by {one.order} nulls last, trace_id limit {PAGE}"
        ).fetchall()
        con.execute(f"select count(*) from leaderboard where {one.where}").fetchall()
    return rows
