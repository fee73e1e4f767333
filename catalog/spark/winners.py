"""Of what several writers of a lake have, the rows that count: those that `catalog open` takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from catalog.lake.lake import Lake
from catalog.spark.columns import quoted
from catalog.spark.derived import component_edges, nesting

# By which columns rows are the same, and what tells the better one: the rows alone decide, so that
# it is the same in whatever order they came. As sql/open_*.sql say it.
_BEST: Final = {
    "strategies": ("strategy_key", "config is null, registered_at desc"),
    "runs": ("run_id", "registered_at desc"),
    "trace_files": ("trace_id", "config_source <=> 'unknown', registered_at desc"),
    "price_series": ("symbol, timeframe", "added_at desc, digest desc"),
    "tags": (
        "coalesce(trace_id, strategy_key), trace_id is null, tag",
        "tagged_at desc, note desc nulls last",
    ),
    "metrics": (
        "trace_id, set_id, classifier, period = 'all'",
        "inputs <> 'no prices' desc nulls last, computed_at desc",
    ),
}
_RETURNS: Final = {"daily_returns": "close", "daily_returns_next_open": "next_open"}
_EVENTS: Final = ("orders", "fills", "positions")

_TERMS: Final = ("cost_bps", "fill", "range_start", "range_end", "last_days")
_WRITTEN: Final = ", ".join(f"coalesce(cast({name} as string), '-')" for name in _TERMS)
_SAME_TERMS: Final = f"concat_ws('|', {_WRITTEN}) as terms"
_DEFAULT: Final = (
    "cost_bps = 0 and fill = 'close' and "
    "range_start is null and range_end is null and last_days is null"
)
_IN_ORDER: Final = ", ".join(f"{name} nulls last" for name in _TERMS)


class Winners:
    """The rows that count of each table of a lake, as data frames; each is put together once."""

    def __init__(
        self, lake: Lake, rows: Callable[[str], Any], terms: Callable[[str, tuple[str, ...]], Any]
    ) -> None:
        """
        Take what reads a lake.

        Args:
            rows: returns the rows of a table of all writers, and who wrote each.
            terms: returns some columns of the files of a table, whatever it is.
        """
        self.lake = lake
        self._rows = rows
        self._terms = terms
        self._made: dict[str, Any] = {}

    def of(self, table: str) -> Any:
        """Return the rows of a table, each as one of its writers has it."""
        if table not in self._made:
            self._made[table] = self._of(table)
        return self._made[table]

    def _of(self, table: str) -> Any:
        if table == "metrics":
            return self._metrics()
        if table == "tags":
            return self._tags()
        if table == "strategies":
            return self._said(table).join(self._used(), on=["strategy_key"], how="left_semi")
        if table in _BEST:
            return self._said(table)
        if table in _RETURNS:
            return self._returns(table, _RETURNS[table])
        rows = self._rows(table)
        if table == "components":
            said = self.of("strategies").selectExpr("writer", "strategy_key as parent")
            return rows.join(said, on=["writer", "parent"], how="left_semi")
        if table == "bars":
            said = self.of("price_series").select("writer", "symbol", "timeframe")
            return rows.join(said, on=["writer", "symbol", "timeframe"], how="left_semi")
        said = self.of("trace_files").select("writer", "trace_id")
        return rows.join(said, on=["writer", "trace_id"], how="left_semi")

    def _said(self, table: str) -> Any:
        """Return what the writers say who are to be believed."""
        return _best(self._rows(table), *_BEST[table])

    # As sql/delete_unused_strategies.sql says it.

    def _used(self) -> Any:
        """Return the keys of strategies that something was traced with, or that others hold."""
        traces = self.of("trace_files")
        used = traces.where("strategy_key is not null").select("strategy_key")
        signals = traces.where("kind = 'signal'").select("run_id", "strategy_id")
        for name in _EVENTS:
            if self.lake.files(name):
                named = (
                    self._rows(name)
                    .where("strategy_id is not null and strategy_hash is not null")
                    .selectExpr("run_id", "strategy_id", "strategy_hash as strategy_key")
                    .join(signals, on=["run_id", "strategy_id"], how="left_anti")
                )
                used = used.union(named.select("strategy_key"))
        used = used.distinct()
        edges = component_edges(self.lake)
        if not edges:
            return used
        said = self._said("strategies").selectExpr("writer", "strategy_key as parent")
        parts = (
            self._rows("components")
            .join(said, on=["writer", "parent"], how="left_semi")
            .selectExpr("parent as strategy_key", "child")
        )
        level = used
        for _ in range(nesting(edges)):
            held = parts.join(level, on=["strategy_key"], how="left_semi")
            level = held.selectExpr("child as strategy_key").distinct()
            used = used.union(level)
        return used

    # As sql/open_sets.sql and sql/open_metrics.sql say it.

    def _metrics(self) -> Any:
        """Return the figures that count of each trace and metric set, from the prices that do."""
        rows = self._rows("metrics").selectExpr("*", _SAME_TERMS)
        rows = rows.withColumnsRenamed({"split": "own_split", "folds": "own_folds"})
        rows = rows.drop("set_id", "is_default").join(self._sets(), on=["terms"])
        rows = rows.where("period = 'all' or (split <=> own_split and folds <=> own_folds)").drop(
            "own_split", "own_folds", "terms"
        )
        known = (
            self.of("trace_files")
            .select("trace_id", "symbol", "timeframe")
            .join(self._digests(), on=["symbol", "timeframe"], how="left")
            .select("trace_id", "price_digest")
        )
        computed = f"inputs in ('', 'no prices') or {_COMPUTED} = price_digest"
        rows = rows.join(known, on=["trace_id"]).where(f"price_digest is null or {computed}")
        return _best(rows.drop("price_digest"), *_BEST["metrics"])

    def _sets(self) -> Any:
        """Return the metric sets of all writers with new numbers, each with one split."""
        split_at = "if(period <> 'all', computed_at, null) as split_at"
        keys = [*_TERMS, "split", "folds"]
        known = (
            self._rows("metrics")
            .selectExpr(*keys, split_at)
            .groupBy(*keys)
            .agg({"split_at": "max"})
            .selectExpr(*keys, "`max(split_at)` as split_at", "true as is_measured")
        )
        nothing = ("null as split", "null as folds", "null as split_at", "false as is_measured")
        for table in ("trial_figures", "metric_ranges"):
            # What was measured may be forgotten by now; that it was tried is not.
            tried = self._terms(table, _TERMS).select(*_TERMS).distinct()
            known = known.union(tried.selectExpr(*_TERMS, *nothing))
        order = (
            "is_measured desc, split_at desc nulls last, split desc nulls last, "
            "folds desc nulls last"
        )
        first = f"row_number() over (partition by terms order by {order}) as place"
        chosen = (
            known.selectExpr(*keys, "split_at", "is_measured", _SAME_TERMS)
            .selectExpr(*keys, "terms", first, f"{_DEFAULT} as is_default")
            .where("place = 1")
        )
        # Every catalog has the default set, as its first.
        number = f"row_number() over (partition by is_default order by {_IN_ORDER})"
        return chosen.selectExpr(
            "terms", "split", "folds", "is_default",
            f"cast(if(is_default, 1, 1 + {number}) as int) as set_id",
        )  # fmt: skip

    def _digests(self) -> Any:
        return self.of("price_series").selectExpr("symbol", "timeframe", "digest as price_digest")

    # As sql/open_returned.sql says it.

    def _returns(self, table: str, fill: str) -> Any:
        """Return the session returns of the prices that count: of each trace's writer, if any."""
        rows = self._rows(table)
        traces = self.of("trace_files").selectExpr(
            "trace_id", "symbol", "timeframe", "writer as own_writer"
        )
        computed = (
            self._rows("metrics")
            .where(f"regime is null and inputs <> 'no prices' and fill = '{fill}'")
            .groupBy("trace_id", "writer")
            .agg({"inputs": "min"})
            .selectExpr("trace_id", "writer", "`min(inputs)` as inputs")
        )
        counts = f"price_digest is null or coalesce({_COMPUTED}, '') in ('', price_digest)"
        order = "if(writer = own_writer, 0, 1), writer desc"
        whose = (
            rows.select("trace_id", "writer")
            .distinct()
            .join(traces, on=["trace_id"])
            .join(self._digests(), on=["symbol", "timeframe"], how="left")
            .join(computed, on=["trace_id", "writer"], how="left")
            .where(counts)
            .selectExpr("*", f"row_number() over (partition by trace_id order by {order}) as place")
            .where("place = 1")
            .select("writer", "trace_id")
        )
        return rows.join(whose, on=["writer", "trace_id"], how="left_semi")

    # As sql/view_tags.sql says it.

    def _tags(self) -> Any:
        """Return tags with the keys that their strategies have by what all writers know."""
        traces = self.of("trace_files")
        of_trace = traces.selectExpr(
            "trace_id", "strategy_id as traced_id", "strategy_key as traced_key"
        )
        there = self.of("strategies").selectExpr("strategy_key", "strategy_key as known_key")
        former = (
            traces.where("strategy_hash is not null")
            .selectExpr("concat(run_id, '/', strategy_id) as strategy_key", "strategy_key as later")
            .distinct()
            .selectExpr("*", "count(*) over (partition by strategy_key) as keys")
            .where("keys = 1")
            .select("strategy_key", "later")
        )
        types = self.of("strategies").select("strategy_key", "strategy_hash", "strategy_type")
        named = (
            traces.groupBy("strategy_key")
            .agg({"strategy_id": "min"})
            .selectExpr("strategy_key", "`min(strategy_id)` as named_id")
        )
        return (
            self._said("tags")
            .select("tag", "note", "tagged_at", "trace_id", "strategy_key", "writer")
            .join(of_trace, on=["trace_id"], how="left")
            .join(there, on=["strategy_key"], how="left")
            .join(former, on=["strategy_key"], how="left")
            .selectExpr(
                "tag", "note", "tagged_at", "trace_id", "writer", "traced_id",
                "coalesce(traced_key, known_key, later, strategy_key) as strategy_key",
            )
            .join(types, on=["strategy_key"], how="left")
            .join(named, on=["strategy_key"], how="left")
            .selectExpr("*", "coalesce(traced_id, named_id) as strategy_id")
        )  # fmt: skip


_COMPUTED: Final = "split_part(inputs, ' ', 2)"
"""The digest of the prices that something was computed from."""


def _best(frame: Any, same: str, better: str) -> Any:
    """Return, of rows that are the same, those of one writer: the one who has the best."""
    best = f"first_value(writer) over (partition by {same} order by {better}, writer desc)"
    columns = [quoted(name) for name in frame.columns]
    return frame.selectExpr(*columns, f"{best} as best").where("writer = best").drop("best")
