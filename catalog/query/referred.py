"""The strategy, or the one trace of it, that somebody means."""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from catalog.places import absolute
from catalog.query.show import find_strategy
from catalog.statements import statement


@dataclass(frozen=True)
class Referred:
    """What goes by a name: a strategy by its key, and a trace where the name is one's."""

    strategy_key: str
    trace_id: str | None = None


def refer(con: DuckDBPyConnection, reference: str) -> Referred:
    """
    Return what goes by a name: a trace by its id or its file's path, else a strategy as in `show`.

    Raises:
        QueryError: nothing goes by that name, or several strategies do.
    """
    values = {"reference": reference, "path": absolute(reference)}
    for trace_id, key in con.execute(statement("select_referenced_trace"), values).fetchall():
        if key is not None:
            return Referred(key, trace_id)
    return Referred(find_strategy(con, reference))
