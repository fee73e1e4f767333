"""The tables that a lake's files hold, in a Spark session: one of many files, of any writer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from catalog.errors import UsageError
from catalog.lake.lake import Lake
from catalog.objects import is_url
from catalog.spark.columns import public_columns, quoted, selected, spark_schema

# What tells the entries of a table apart, and which of two writers' is the newer.
_ENTRIES = {
    "strategies": (("strategy_key",), "registered_at"),
    "runs": (("run_id",), "registered_at"),
    "trace_files": (("trace_id",), "registered_at"),
    "price_series": (("symbol", "timeframe"), "added_at"),
    "metrics": (
        (
            "trace_id", "cost_bps", "fill", "range_start", "range_end", "last_days", "split",
            "folds", "period", "classifier", "regime",
        ),
        "computed_at",
    ),
    "tags": (("tag", "strategy_key", "trace_id"), "tagged_at"),
}  # fmt: skip
# Whose winner decides about the rows of another table: the table, and what both are joined by.
_FOLLOWS = {
    "components": ("strategies", {"strategy_key": "parent"}),
    "bars": ("price_series", {"symbol": "symbol", "timeframe": "timeframe"}),
}
_OF_TRACE = ("trace_files", {"trace_id": "trace_id"})

_LATEST = """
status = 'registered' and latest_key is not null and row_number() over (
    partition by latest_key, symbol, timeframe, kind, status
    order by
        coalesce(last_ts, last_change_ts) desc nulls last,
        last_bar - first_bar desc nulls last,
        mtime_ns desc,
        trace_id
) = 1 as is_latest
"""
"""As sql/finish_latest.sql says it, over what all writers have."""
_FOR_LATEST = ("latest_key", "mtime_ns")


@dataclass
class LakeTables:
    """The tables of a lake as data frames of a session. Each is put together once."""

    session: Any
    lake: Lake
    is_apache: bool
    _made: dict[str, Any] = field(default_factory=dict)

    def frame(self, table: str) -> Any:
        """
        Return a table, with the columns of the public name and in their order.

        Raises:
            UsageError: Spark cannot read where the lake is.
        """
        frame = self._winners(table)
        columns = public_columns(table, self.lake.schema(table))
        if table == "trace_files":
            named = [_LATEST if name == "is_latest" else quoted(name) for name in columns]
        else:
            named = [quoted(name) for name in columns]
        return frame.selectExpr(*named)

    def _winners(self, table: str) -> Any:
        """Return the rows of all writers; of what several of them have, those of one."""
        if table not in self._made:
            frame = self._union(table)
            if len({file.writer for file in self.lake.files(table)}) > 1:
                frame = self._without_losers(table, frame)
            self._made[table] = frame
        return self._made[table]

    def _without_losers(self, table: str, frame: Any) -> Any:
        if table in _ENTRIES:
            keys, newest = _ENTRIES[table]
            by = ", ".join(quoted(key) for key in keys)
            place = f"row_number() over (partition by {by} order by {newest} desc, writer desc)"
            columns = [quoted(name) for name in frame.columns]
            return frame.selectExpr(*columns, f"{place} as place").where("place = 1").drop("place")
        leader, on = _FOLLOWS.get(table, _OF_TRACE)
        winners = self._winners(leader).selectExpr(
            "writer", *(f"{quoted(key)} as {quoted(own)}" for key, own in on.items())
        )
        return frame.join(winners, on=["writer", *on.values()], how="left_semi")

    def _union(self, table: str) -> Any:
        """Return the rows of all files: those whose columns are the same are read at once."""
        want = self.lake.schema(table)
        columns = ["writer", *public_columns(table, want)]
        columns += _FOR_LATEST if table == "trace_files" else ()
        shapes: dict[pa.Schema, list[str]] = {}
        for file in self.lake.files(table):
            shapes.setdefault(file.schema, []).append(self._url(file.place))
        frames = [
            self.session.read.schema(spark_schema(schema))
            .parquet(*places)
            .selectExpr(*selected(table, columns, schema, want))
            for schema, places in shapes.items()
        ]
        if not frames:
            nothing = ", ".join(selected(table, columns, pa.schema([]), want))
            return self.session.sql(f"select {nothing} where false")
        frame = frames[0]
        for other in frames[1:]:
            frame = frame.union(other)
        return frame

    def _url(self, place: str) -> str:
        if not is_url(place):
            # Without a scheme it would be a path of whatever file system the cluster prefers.
            return f"file://{place}"
        scheme, _, rest = place.partition("://")
        if scheme == "memory":
            raise UsageError(
                f"Spark cannot read {place}: it is the memory of this process",
                hint="Publish to a folder or a store that the Spark server reaches",
            )
        if scheme in ("s3", "s3a"):
            return f"{'s3a' if self.is_apache else 's3'}://{rest}"
        return place
