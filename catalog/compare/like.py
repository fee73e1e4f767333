"""What is like a strategy: in its parameters, and in what it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from catalog.compare.near_behaviour import Nearest, nearest_behaviour
from catalog.compare.near_parameters import nearest_parameters
from catalog.errors import QueryError, UsageError
from catalog.query.find import matching_keys
from catalog.query.referred import refer
from catalog.store.database import reading
from catalog.store.paths import catalog_root

WAYS = ("parameters", "behaviour")


@dataclass(frozen=True, eq=False)
class Like:
    """
    The strategies that are most like one, the nearest first.

    `parameters` is as `nearest_parameters` returns it, `behaviour` as `nearest_behaviour` does,
    out of `compared` strategies; each is None where it was not asked for, or where it cannot be
    told, for the reason in `untold`. `unread` has the traces that could not be read, each with its
    reason.
    """

    strategy_key: str
    parameters: pa.Table | None
    behaviour: pa.Table | None
    compared: int = 0
    untold: str | None = None
    unread: dict[str, str] = field(default_factory=dict)


def find_like(
    catalog: Path,
    reference: str,
    *,
    by: str | None = None,
    conditions: Sequence[str] = (),
    strategy_type: str | None = None,
    tags: Sequence[str] = (),
    limit: int = 10,
) -> Like:
    """
    Find the strategies that are most like one.

    Args:
        reference: as for `show`; a trace id or a path stands for that trace of the strategy.
        by: `parameters` or `behaviour`; both unless given.
        conditions: only strategies that meet these, as for `find`.
        strategy_type: only strategies of this type.
        tags: only strategies that have all of these tags.
        limit: rows of each table at most.

    Raises:
        UsageError: `by` or `limit` is none, or a condition is malformed.
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
        among = None
        if conditions or tags or strategy_type is not None:
            among = matching_keys(con, conditions, strategy_type=strategy_type, tags=tags)
        parameters: pa.Table | None = None
        behaviour: Nearest | None = None
        untold: QueryError | None = None
        if by != "behaviour":
            try:
                parameters = nearest_parameters(con, key, among=among, limit=limit)
            except QueryError as error:
                untold = error
        if by != "parameters":
            root = catalog_root(catalog)
            try:
                behaviour = nearest_behaviour(con, meant, root, among=among, limit=limit)
            except QueryError as error:
                untold = untold or error
    if untold is not None and parameters is behaviour is None:
        raise untold
    return Like(
        key,
        parameters,
        None if behaviour is None else behaviour.table,
        0 if behaviour is None else behaviour.compared,
        None if untold is None else str(untold),
        {} if behaviour is None else behaviour.unread,
    )
