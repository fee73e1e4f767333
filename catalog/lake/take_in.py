"""Take rows in that come from a lake or another catalog, in a transaction that is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.canonical import parse_config
from catalog.errors import StoreError
from catalog.lake.taken import Series, Taken, digest_of, run_script
from catalog.register.configs import Recovered
from catalog.register.entries import Sighting
from catalog.register.strategies import Strategies, record_strategies
from catalog.statements import statement
from catalog.store.paths import stored_prefix
from catalog.store.registered import registered
from catalog.strategy import check_collision

_LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)
"""Stands for when a strategy was registered until the row that came says it."""
_TERMS: Final = ("cost_bps", "fill", "range_start", "range_end", "last_days")
_PLACED: Final = ("runs", "traces", "others")


@dataclass(frozen=True)
class TakenIn:
    """What came and was new, counted, and how the columns of strategies changed."""

    traces: int
    strategies: int
    runs: int
    altered: bool
    retyped: bool
    without_column: int


def check_strategies(con: DuckDBPyConnection, taken: Taken) -> None:
    """
    Refuse strategies that share a hash with another configuration, or do not hash to theirs.

    Raises:
        HashCollisionError: two configurations share twelve digits.
        StoreError: a configuration is not the one of its hash.
    """
    with registered(con, taken_strategy=taken.strategies):
        rows = con.execute(statement("take_collisions")).fetchall()
    for short, known, coming in rows:
        check_collision(short, known, coming)


def take_in(
    con: DuckDBPyConnection,
    root: str,
    taken: Taken,
    *,
    replaced: Iterable[Series],
    lake_id: int | None = None,
) -> TakenIn:
    """
    Write what comes into the tables; the views are not made. The folders are there already.

    Taken in once more it changes nothing.

    Args:
        root: absolute folder of the catalog.
        replaced: price series whose prices here give way to others.
        lake_id: the number of the lake that this is all of, whose session returns are registered
            as `lake_returned`; what came from it before and is not there any more goes.

    Raises:
        StoreError: a strategy's configuration is not the one of its hash.
    """
    before = _counts(con)
    strategies = _take_strategies(con, taken)
    for symbol, timeframe in replaced:
        values = {"symbol": symbol, "timeframe": timeframe}
        for name in ("stale_metrics", "stale_returns", "stale_trials"):
            con.execute(statement(f"delete_{name}"), values)
    for row in taken.prices.to_pylist():
        values = {"symbol": row["symbol"], "timeframe": row["timeframe"]}
        con.execute(statement("delete_price_series"), values)
    taken = _with_sets(con, taken)
    with ExitStack() as stack:
        tables = {name: _placed(getattr(taken, name), root) for name in _PLACED}
        stack.enter_context(
            registered(
                con,
                taken_run=tables["runs"],
                taken_trace=tables["traces"],
                taken_other=tables["others"],
                taken_event=taken.events,
                taken_metric=taken.metrics,
                taken_trial=taken.trials,
                taken_figure=taken.figures,
                taken_range=taken.ranges,
                taken_returns=taken.returns,
                incoming_prices=taken.prices,
            )
        )
        run_script(con, "take_runs")
        run_script(con, "take_traces")
        run_script(con, "take_others")
        run_script(con, "take_events")
        con.execute(statement("insert_price_series"))
        run_script(con, "take_metrics")
        run_script(con, "take_trials")
        con.execute(statement("take_returns"))
        if lake_id is not None:
            run_script(con, "take_left", {"lake_id": lake_id})
    con.execute(statement("finish_packed"))
    finish(con)
    after = _counts(con)
    new = [now - then for then, now in zip(before, after, strict=True)]
    return TakenIn(
        traces=new[0],
        strategies=new[1],
        runs=new[2],
        altered=strategies.altered,
        retyped=strategies.retyped,
        without_column=strategies.without_column,
    )


def finish(con: DuckDBPyConnection) -> None:
    """Let what follows from the traces that there are say so."""
    con.execute(statement("touch_all_latest"))
    con.execute(statement("finish_latest"))
    con.execute(statement("clear_latest"))
    con.execute(statement("delete_unused_strategies"))


def _take_strategies(con: DuckDBPyConnection, taken: Taken) -> Strategies:
    with registered(con, taken_strategy=taken.strategies, taken_component=taken.components):
        new = con.sql(statement("take_new_strategies")).to_arrow_table().to_pylist()
        made = record_strategies(con, [_sighting(row) for row in new], _LONG_AGO)
        run_script(con, "take_strategies")
    return made


def _sighting(row: Mapping[str, Any]) -> Sighting:
    text, short, digest = row["config"], row["strategy_hash"], row["config_digest"]
    config = None if text is None else parse_config(text)
    if text is not None and (digest_of(text) != digest or digest[:12] != short):
        raise StoreError(
            f"The configuration of strategy {row['strategy_key']} is not the one of its hash",
            hint="Look for what is damaged where it comes from: catalog verify",
        )
    known = Recovered(row["config_source"], config, text, digest, short, row["claimed_hash"])
    return Sighting(row["strategy_key"], row["kind"], row["strategy_type"], known)


def _with_sets(con: DuckDBPyConnection, taken: Taken) -> Taken:
    """Return what comes with the numbers that metric sets have here; those that are new get one."""
    ours = con.sql("select * from metric_set").to_arrow_table().to_pylist()
    known = {_terms(one): one for one in ours}
    numbers: dict[int, int] = {}
    outdone: set[int] = set()
    for theirs in taken.sets.to_pylist():
        own = known.get(_terms(theirs))
        if own is None:
            values = {name: theirs[name] for name in (*_TERMS, "split", "folds")}
            ((number,),) = con.execute(statement("take_metric_set"), values).fetchall()
        else:
            number = own["set_id"]
            if not _take_split(con, own, theirs, taken):
                outdone.add(theirs["set_id"])
        numbers[theirs["set_id"]] = number
    return taken.without_splits(outdone).with_sets(numbers)


def _take_split(
    con: DuckDBPyConnection, own: Mapping[str, Any], theirs: Mapping[str, Any], taken: Taken
) -> bool:
    """
    Say whether figures by split that come fit the set as it is then.

    A set has one split, and one number of folds: those whose figures were computed last.
    """
    if (own["split"], own["folds"]) == (theirs["split"], theirs["folds"]):
        return True
    values = {"set_id": own["set_id"]}
    ((mine,),) = con.execute(statement("take_split_dates"), values).fetchall()
    other = max(
        (
            at
            for number, period, at in zip(
                *(taken.metrics[name].to_pylist() for name in ("set_id", "period", "computed_at")),
                strict=True,
            )
            if number == theirs["set_id"] and period != "all"
        ),
        default=None,
    )
    if _rank(other, theirs) < _rank(mine, own):
        return False
    split = {"split": theirs["split"], "folds": theirs["folds"]}
    con.execute(statement("update_split"), values | split)
    con.execute(statement("delete_split_metrics"), values)
    return True


def _rank(at: datetime | None, one: Mapping[str, Any]) -> tuple[bool, datetime, str]:
    has_any = one["split"] is not None or one["folds"] is not None
    return has_any, at or _LONG_AGO, f"{one['split']} {one['folds']}"


def _terms(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(one[name] for name in _TERMS)


def _placed(table: pa.Table, root: str) -> pa.Table:
    """Return rows with their folder as the catalog stores it."""
    folders = table["folder"].to_pylist()
    stored = {folder: stored_prefix(folder, root) for folder in set(folders)}
    prefixes = pa.array([stored[one].prefix for one in folders], pa.string())
    relative = pa.array([stored[one].is_relative for one in folders], pa.bool_())
    rest = table.drop_columns(["folder"])
    return rest.append_column("prefix", prefixes).append_column("is_relative", relative)


def _counts(con: DuckDBPyConnection) -> tuple[int, int, int]:
    ((traces, strategies, runs),) = con.execute(statement("take_counts")).fetchall()
    return traces, strategies, runs
