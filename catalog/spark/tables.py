"""The tables that a lake's files hold, in a Spark session: one of many files, of any writer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from catalog.errors import LakeError, UsageError
from catalog.lake.lake import Lake
from catalog.objects import is_url
from catalog.spark.columns import public_columns, quoted, selected, spark_schema

# Whose rows count where several writers have the same: by which columns they are the same, and what
# tells the better one. The rows alone decide, so that it is the same in whatever order they came.
_BEST = {
    "strategies": ("strategy_key", "registered_at desc"),
    "runs": ("run_id", "registered_at desc"),
    "trace_files": ("trace_id", "config_source = 'unknown', registered_at desc"),
    "price_series": ("symbol, timeframe", "added_at desc"),
    "metrics": (
        "trace_id, cost_bps, fill, range_start, range_end, last_days, classifier, period = 'all'",
        "inputs = 'no prices', computed_at desc",
    ),
    "tags": ("tag, strategy_key, trace_id", "tagged_at desc"),
}
# Whose rows count follows from another table: which, a condition there, and what joins the two.
_FOLLOWS = {
    "components": ("strategies", "true", {"strategy_key": "parent"}),
    "bars": ("price_series", "true", {"symbol": "symbol", "timeframe": "timeframe"}),
    "daily_returns": ("metrics", "fill = 'close' and period = 'all'", {"trace_id": "trace_id"}),
    "daily_returns_next_open": (
        "metrics",
        "fill = 'next_open' and period = 'all'",
        {"trace_id": "trace_id"},
    ),
}
_OF_TRACE = ("trace_files", "true", {"trace_id": "trace_id"})

_GLOB = re.compile(r"[\\\[\]{}*?]")
_ESCAPED = r"\\\g<0>"
# As sql/view_runs.sql counts traces.
_COUNTS = {
    "traces": "true",
    "signals": "kind = 'signal'",
    "classifiers": "kind = 'classifier'",
    "unknown_configs": "config_source = 'unknown'",
}
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
_BESIDE = {"trace_files": ("latest_key", "mtime_ns"), "metrics": ("inputs",)}


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
        if table == "runs":
            frame = self._counted(frame)
        columns = public_columns(table, self.lake.schema(table))
        if table == "trace_files":
            named = [_LATEST if name == "is_latest" else quoted(name) for name in columns]
        else:
            named = [quoted(name) for name in columns]
        return frame.selectExpr(*named)

    def _counted(self, runs: Any) -> Any:
        """Return runs with how many traces the lake has of each, whoever published them."""
        traces = self._winners("trace_files").where("status = 'registered'")
        ones = [f"cast({condition} as int) as {name}" for name, condition in _COUNTS.items()]
        counts = traces.selectExpr("run_id", *ones).groupBy("run_id").sum(*_COUNTS)
        known = [f"`sum({name})` as {name}" for name in _COUNTS]
        return (
            runs.drop(*_COUNTS)
            .join(counts.selectExpr("run_id", *known), on=["run_id"], how="left")
            .fillna(0, subset=list(_COUNTS))
        )

    def _winners(self, table: str) -> Any:
        """Return the rows of all writers; of what several of them have, those of one."""
        if table not in self._made:
            frame = self._union(table)
            if len({file.writer for file in self.lake.files(table)}) > 1:
                frame = self._without_losers(table, frame)
            self._made[table] = frame
        return self._made[table]

    def _without_losers(self, table: str, frame: Any) -> Any:
        if table in _BEST:
            same, better = _BEST[table]
            return _best(frame, same, better)
        leader, condition, on = _FOLLOWS.get(table, _OF_TRACE)
        _, better = _BEST[leader]
        known = self._union(leader).where(condition)
        winners = _best(known, ", ".join(on), better).selectExpr(
            "writer", *(f"{quoted(key)} as {quoted(own)}" for key, own in on.items())
        )
        return frame.join(winners, on=["writer", *on.values()], how="left_semi")

    def _union(self, table: str) -> Any:
        """Return the rows of all files: those whose columns are the same are read at once."""
        want = self.lake.schema(table)
        columns = ["writer", *public_columns(table, want)]
        columns += _BESIDE.get(table, ())
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
        self._check(table, frame)
        return frame

    def _check(self, table: str, frame: Any) -> None:
        """Raise where a server says nothing of files that it does not find. Spark does."""
        if self.is_apache:
            return
        there, published = frame.count(), sum(file.rows for file in self.lake.files(table))
        if there != published:
            raise LakeError(
                f"The server finds {there:,} of {published:,} rows of {table} in {self.lake.place}",
                hint="It has to reach the lake under the same name as this machine; if the lake's "
                "garbage was collected meanwhile, ask again",
            )

    def _url(self, place: str) -> str:
        # Without a scheme it would be a path of whatever file system the cluster prefers.
        scheme, _, rest = (place if is_url(place) else f"file://{place}").partition("://")
        if scheme == "memory":
            raise UsageError(
                f"Spark cannot read {place}: it is the memory of this process",
                hint="Publish to a folder or a store that the Spark server reaches",
            )
        if self.is_apache:
            # It takes a path for a pattern, and a URL as it is.
            return f"{'s3a' if scheme == 's3' else scheme}://{_GLOB.sub(_ESCAPED, rest)}"
        return f"{'s3' if scheme == 's3a' else scheme}://{quote(rest)}"


def _best(frame: Any, same: str, better: str) -> Any:
    """Return, of rows that are the same, those of one writer: the one who has the best."""
    best = f"first_value(writer) over (partition by {same} order by {better}, writer desc)"
    columns = [quoted(name) for name in frame.columns]
    return frame.selectExpr(*columns, f"{best} as best").where("writer = best").drop("best")
