"""How alike strategies earn: the correlation of their session returns, two by two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.compare.independence import binary_scale, effective_trials
from catalog.compare.told_apart import told_apart
from catalog.errors import QueryError, UsageError
from catalog.metrics.sets import MetricSet
from catalog.query.chosen import chosen_ids
from catalog.query.run import execute
from catalog.statements import statement
from catalog.store.database import reading

Floats = NDArray[np.float64]

DEFAULT_TOP = 20


@dataclass(frozen=True, eq=False)
class Correlations:
    """
    Strategies, and the Pearson correlation of the session returns of each two.

    `strategies` has a row each: name, trace_id, strategy_hash, symbol, timeframe, run_id, sharpe; a
    name is the strategy's id, with what tells it apart where several have it. `matrix` and
    `sessions`, (strategies, strategies), are the correlation of two of them and over how many
    sessions: those that both have. A correlation is NaN where one of the two earned the same in
    all of them, or there are none.

    `meant` strategies met the condition. `common_sessions` are had by all; on those `effective` is
    how many independent strategies the correlated ones amount to, None below two sessions. `mean`
    is the mean correlation of two different ones, None where all are NaN.
    """

    strategies: pa.Table
    matrix: Floats
    sessions: NDArray[np.int64]
    meant: int
    common_sessions: int
    mean: float | None
    effective: float | None

    @property
    def names(self) -> list[str]:
        """The name of each strategy."""
        return [str(name) for name in self.strategies["name"].to_pylist()]

    def table(self) -> pa.Table:
        """Return the matrix as a table: a row and a column a strategy, NULL for NaN."""
        columns = {
            name: pa.array(column, mask=np.isnan(column))
            for name, column in zip(self.names, self.matrix.T, strict=True)
        }
        return pa.table([self.strategies["name"], *columns.values()], ["strategy", *columns])

    def pairs(self) -> pa.Table:
        """Return a row per pair (a, b, correlation, sessions), the most alike or opposed first."""
        a, b = np.triu_indices(len(self.matrix), 1)
        correlation = self.matrix[a, b]
        order = np.argsort(-np.abs(correlation), kind="stable")  # NaN comes last.
        a, b, correlation = a[order], b[order], correlation[order]
        names = self.strategies["name"]
        return pa.table(
            {
                "a": names.take(pa.array(a)),
                "b": names.take(pa.array(b)),
                "correlation": pa.array(correlation, mask=np.isnan(correlation)),
                "sessions": self.sessions[a, b],
            }
        )


def correlate(
    catalog: Path, wanted: MetricSet, *, where: str | None = None, top: int | None = None
) -> Correlations:
    """
    Correlate what strategies earned each session, net of cost as cost × turnover.

    Of each strategy, symbol and timeframe counts the latest trace of those that are meant.

    Args:
        wanted: the terms, the first session and the last.
        where: only traces that meet a condition on the columns of `strategy_index`.
        top: so many at most, the best by the Sharpe ratio in `strategy_index`; 20 unless given.

    Raises:
        UsageError: `top` is no number of strategies.
        QueryError: the condition is none, or there are not two strategies with session returns
            in the range.
        StoreError: the catalog cannot be used.
    """
    top = DEFAULT_TOP if top is None else top
    if top < 2:
        raise UsageError(f"The best {top} have no correlation", hint="Ask for two or more")
    only = chosen_ids(catalog, run=None, where=where)
    fill = wanted.terms.fill
    with reading(catalog) as con:
        values: dict[str, object] = {"fill": fill, "only": only, "top": top}
        chosen = execute(con, statement("select_correlated"), values).table
        if chosen.num_rows < 2:
            raise _too_few(chosen.num_rows, fill)
        values = {
            "trace_ids": chosen["trace_id"].to_pylist(),
            "fill": fill,
            "cost": wanted.terms.cost_bps / 1e4,
            "first": wanted.start,
            "last": wanted.end,
        }
        net = execute(con, statement("select_net_returns"), values).table
    returns = _by_session(net, chosen.num_rows)
    if not len(returns):
        raise QueryError(
            "The strategies have no returns in those sessions",
            hint='See which there are: catalog sql "select min(session_date), max(session_date) '
            'from daily_returns"',
        )
    matrix, sessions = pairwise_correlation(returns)
    common = returns[~np.isnan(returns).any(axis=1)]
    between = matrix[np.triu_indices(len(matrix), 1)]
    known = between[~np.isnan(between)]
    return Correlations(
        _named(chosen),
        matrix,
        sessions,
        meant=chosen["meant"][0].as_py(),
        common_sessions=len(common),
        mean=float(known.mean()) if len(known) else None,
        effective=effective_trials(common) if len(common) > 1 else None,
    )


def _too_few(found: int, fill: str) -> QueryError:
    if found:
        return QueryError(
            "Only one strategy with session returns is meant", hint="Widen the condition"
        )
    command = "catalog metrics" if fill == "close" else f"catalog metrics --fill {fill}"
    return QueryError(
        "There are no session returns of what is meant", hint=f"Compute them first: {command}"
    )


def pairwise_correlation(returns: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """
    Return the correlation of each two columns over the rows that both have, and how many those are.

    Args:
        returns: (sessions, strategies), NaN where a strategy has no such session.

    Returns:
        Two symmetric arrays, (strategies, strategies). A correlation is NaN where one of the two
        is constant over the rows.
    """
    count = returns.shape[1]
    matrix, sessions = np.full((count, count), np.nan), np.zeros((count, count), np.int64)
    # Most have the same sessions as many others: those are compared together.
    patterns, own = np.unique(~np.isnan(returns), axis=1, return_inverse=True)
    groups = [np.flatnonzero(own == number) for number in range(patterns.shape[1])]
    for number, columns in enumerate(groups):
        for other in range(number + 1):
            both = patterns[:, number] & patterns[:, other]
            rows = int(both.sum())
            a, b = np.ix_(columns, groups[other]), np.ix_(groups[other], columns)
            sessions[a], sessions[b] = rows, rows
            if rows:
                shared = returns[both]
                left, right = (_standardised(shared[:, one]) for one in (columns, groups[other]))
                matrix[a] = left.T @ right / rows
                matrix[b] = matrix[a].T
    matrix = np.clip(matrix, -1, 1)
    np.fill_diagonal(matrix, np.sign(np.diagonal(matrix)))
    return matrix, sessions


def _standardised(returns: Floats) -> Floats:
    constant = returns.max(axis=0) == returns.min(axis=0)
    made: Floats = np.ldexp(returns, -binary_scale(returns))
    made -= made.mean(axis=0)
    made /= np.where(constant, np.nan, np.sqrt(np.mean(made * made, axis=0)))
    return made


def _by_session(net: pa.Table, count: int) -> Floats:
    """Return the returns as an array, (sessions, strategies), NaN where there are none."""
    dates, session = np.unique(net["session_date"].to_numpy(), return_inverse=True)
    returns = np.full((len(dates), count), np.nan)
    returns[session, net["number"].to_numpy()] = net["net"].to_numpy()
    return returns


def _named(chosen: pa.Table) -> pa.Table:
    names = told_apart(chosen)
    kept = chosen.drop_columns(["strategy_id", "meant"])
    return kept.add_column(0, "name", pa.array(names, pa.string()))
