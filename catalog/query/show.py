"""Everything known about one strategy, by whichever name a person has for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from catalog.errors import QueryError
from catalog.places import absolute, as_text
from catalog.query.rows import Row, read_rows
from catalog.statements import statement
from catalog.store.database import reading

_HASH = re.compile(r"[0-9a-f]{12}")
_TRACE_ID = re.compile(r"[0-9a-f]{16}")
_PREFIX = re.compile(r"[0-9a-f]{4,11}")


@dataclass(frozen=True)
class Shown:
    """
    A strategy: its row of `strategies`, its configuration, its traces, newest first, and tags.

    A tag has tag, trace_id (None where it is about the strategy), note and tagged_at.
    """

    strategy: Row
    config: dict[str, Any] | None
    traces: list[Row]
    tags: list[Row]


def show(catalog: Path, reference: str | os.PathLike[str]) -> Shown:
    """
    Return what is known about one strategy.

    Args:
        reference: a strategy hash or its first digits, a strategy id, a strategy key,
            a trace id, or the path of a trace file.

    Raises:
        UsageError: it is a URL that was made a path, which it does not survive.
        QueryError: nothing goes by that name, or several strategies do.
        StoreError: the catalog cannot be used.
    """
    reference = as_text(reference)
    with reading(catalog) as con:
        # Among a million, each look through a column takes a part of what a person waits for:
        # a hash is the key of its traces already.
        key = reference
        traces = _traces(con, key) if _HASH.fullmatch(reference) else []
        if not traces:
            key = find_strategy(con, reference)
            traces = _traces(con, key)
        strategy = _strategy(con, key, traces)
        # While its configuration was unknown its name in a run was its key.
        keys = {key, *(f"{trace['run_id']}/{trace['strategy_id']}" for trace in traces)}
        tags = read_rows(con, "select_own_tags", {"keys": sorted(keys)})
    config = json.loads(strategy["config"]) if strategy["config"] is not None else None
    for trace in traces:
        del trace["registered_at"]
    return Shown(strategy, config, traces, tags)


def find_strategy(con: DuckDBPyConnection, reference: str | os.PathLike[str]) -> str:
    """
    Return the key of the strategy that goes by a name; see `show`.

    Raises:
        UsageError: it is a URL that was made a path, which it does not survive.
        QueryError: nothing goes by that name, or several strategies do.
    """
    reference = as_text(reference)
    for name, value in _lookups(reference):
        rows = con.execute(statement(name), {"reference": value}).fetchall()
        if len(rows) == 1:
            return str(rows[0][0])
        if rows:
            some = ", ".join(key for (key,) in rows[:5])
            more = f" and {len(rows) - 5:,} more" if len(rows) > 5 else ""
            raise QueryError(
                f"{len(rows):,} strategies go by {reference!r}: {some}{more}",
                hint="Name one of them by its hash",
            )
    if con.execute(statement("select_run_named"), {"reference": reference}).fetchall():
        from sqlglot import exp

        where = exp.column("run_id").eq(exp.Literal.string(reference)).sql("duckdb")
        raise QueryError(
            f"{reference!r} is a run, and no strategy",
            hint=f'Its strategies: catalog sql "from strategy_index where {where}", '
            f'or with a command that takes it: --where "{where}"',
        )
    raise QueryError(
        f"Nothing in the catalog goes by {reference!r}",
        hint='List what there is with: catalog sql "from strategies limit 20"',
    )


def _lookups(reference: str) -> Iterator[tuple[str, str]]:
    """Yield the statements that may find something by a name, the best sort of match first."""
    if _HASH.fullmatch(reference):
        yield "select_by_hash", reference
    if "/" in reference:
        yield "select_by_key", reference
    if _TRACE_ID.fullmatch(reference):
        yield "select_by_trace_id", reference
    if reference.endswith(".parquet"):
        yield "select_by_path", absolute(reference)
    yield "select_by_strategy_id", reference
    if _PREFIX.fullmatch(reference):
        yield "select_by_prefix", reference


def _traces(con: DuckDBPyConnection, key: str) -> list[Row]:
    return read_rows(con, "select_strategy_traces", {"strategy_key": key})


def _strategy(con: DuckDBPyConnection, key: str, traces: list[Row]) -> Row:
    # It was registered together with its first trace, and DuckDB knows which rows are of that
    # time. Where that does not hold, because the trace was registered anew, all are looked at.
    first = [min(trace["registered_at"] for trace in traces)] if traces else []
    for registered_at in (*first, None):
        values = {"strategy_key": key, "registered_at": registered_at}
        for row in read_rows(con, "select_strategy", values):
            return row
    raise AssertionError(f"the traces of strategy {key} have no strategy")
