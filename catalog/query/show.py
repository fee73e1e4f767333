"""Everything known about one strategy, by whichever name a person has for it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from catalog.errors import QueryError
from catalog.query.run import execute
from catalog.statements import statement
from catalog.store.database import reading


@dataclass(frozen=True)
class Shown:
    """A strategy: its row of `strategies`, its configuration, and its traces, newest first."""

    strategy: dict[str, Any]
    config: dict[str, Any] | None
    traces: list[dict[str, Any]]


def show(catalog: Path, reference: str) -> Shown:
    """
    Return what is known about one strategy.

    Args:
        reference: a strategy hash or its first digits, a strategy id, a strategy key,
            a trace id, or the path of a trace file.

    Raises:
        QueryError: nothing goes by that name, or several strategies do.
        StoreError: the catalog cannot be used.
    """
    with reading(catalog) as con:
        values = {"strategy_key": find_strategy(con, reference)}
        (strategy,) = execute(con, statement("select_strategy"), values).table.to_pylist()
        traces = execute(con, statement("select_strategy_traces"), values).table
    config = json.loads(strategy["config"]) if strategy["config"] is not None else None
    return Shown(strategy, config, traces.to_pylist())


def find_strategy(con: DuckDBPyConnection, reference: str) -> str:
    """
    Return the key of the strategy that goes by a name; see `show`.

    Raises:
        QueryError: nothing goes by that name, or several strategies do.
    """
    values = {"reference": reference, "path": os.path.abspath(reference)}
    rows = con.execute(statement("select_referenced"), values).fetchall()
    if not rows:
        raise QueryError(
            f"Nothing in the catalog goes by {reference!r}",
            hint='List what there is with: catalog sql "from strategies limit 20"',
        )
    if len(rows) > 1:
        some = ", ".join(key for (key,) in rows[:5])
        more = f" and {len(rows) - 5:,} more" if len(rows) > 5 else ""
        raise QueryError(
            f"{len(rows):,} strategies go by {reference!r}: {some}{more}",
            hint="Name one of them by its hash",
        )
    return str(rows[0][0])
