"""What is like a strategy: in its parameters, and in what it does."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from catalog.compare.near_behaviour import nearest_behaviour
from catalog.compare.near_parameters import nearest_parameters
from catalog.errors import UsageError
from catalog.query.referred import refer
from catalog.store.database import reading
from catalog.store.paths import catalog_root

WAYS = ("parameters", "behaviour")


@dataclass(frozen=True, eq=False)
class Like:
    """
    The strategies that are most like one, the nearest first.

    `parameters` is as `nearest_parameters` returns it, `behaviour` as `nearest_behaviour` does,
    out of `compared` strategies; each is None where it was not asked for. `unread` has the traces
    that could not be read, each with its reason.
    """

    strategy_key: str
    parameters: pa.Table | None
    behaviour: pa.Table | None
    compared: int = 0
    unread: dict[str, str] = field(default_factory=dict)


def find_like(
    catalog: Path,
    reference: str,
    *,
    by: str | None = None,
    among: Collection[str] | None = None,
    limit: int = 10,
) -> Like:
    """
    Find the strategies that are most like one.

    Args:
        reference: as for `show`; a trace id or a path stands for that trace of the strategy.
        by: `parameters` or `behaviour`; both unless given.
        among: the keys of the strategies that may be returned; all unless given.
        limit: rows of each table at most.

    Raises:
        UsageError: `by` or `limit` is none.
        QueryError: nothing, or more than one thing, goes by that name; or what it is compared by is
            unknown.
        StoreError: the catalog cannot be used.
    """
    if by not in (None, *WAYS):
        raise UsageError(f"{by!r} is no way to be alike", hint=f"Use one of {', '.join(WAYS)}")
    if limit < 1:
        raise UsageError(f"The limit is {limit:,}", hint="Ask for one row at least")
    with reading(catalog) as con:
        meant = refer(con, reference)
        key = meant.strategy_key
        parameters = behaviour = None
        if by != "behaviour":
            parameters = nearest_parameters(con, key, among=among, limit=limit)
        if by != "parameters":
            root = catalog_root(catalog)
            behaviour = nearest_behaviour(con, meant, root, among=among, limit=limit)
    if behaviour is None:
        return Like(key, parameters, None)
    return Like(key, parameters, behaviour.table, behaviour.compared, behaviour.unread)
