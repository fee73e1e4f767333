"""Traces as comparisons want them: where their rows are, and which strategy and run made them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

from duckdb import DuckDBPyConnection

from catalog.metrics.traces import Trace
from catalog.statements import statement


@dataclass(frozen=True)
class Traced:
    """A registered signal or classifier trace with its place."""

    trace: Trace
    kind: str
    run_id: str
    strategy_id: str | None
    is_latest: bool

    @property
    def has_range(self) -> bool:
        """Whether the range that it was evaluated over is known."""
        return self.trace.first_bar is not None and self.trace.last_bar is not None

    @property
    def on(self) -> tuple[str, str | None, str | None]:
        """Only traces of the same kind, symbol and timeframe are compared."""
        return self.kind, self.trace.symbol, self.trace.timeframe


def select_traced(
    con: DuckDBPyConnection,
    root: str,
    *,
    strategy_key: str | None = None,
    only: Collection[str] | None = None,
) -> list[Traced]:
    """
    Return registered traces, the latest first.

    Args:
        root: the folder of the catalog.
        strategy_key: those of one strategy.
        only: those with these ids.
    """
    values = {"strategy_key": strategy_key, "only": None if only is None else list(only)}
    rows = con.execute(statement("select_traced"), values | {"root": root}).fetchall()
    count = len(fields(Trace))
    return [Traced(Trace(*row[:count]), *row[count:]) for row in rows]
