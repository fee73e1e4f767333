"""The tables that a lake's files hold, in a Spark session: one of many files, of any writer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from catalog.errors import LakeError, UsageError
from catalog.lake.lake import Lake
from catalog.objects import is_url
from catalog.spark.columns import public_columns, quoted, selected, spark_schema
from catalog.spark.winners import Winners

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
    _read: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._of_several = Winners(self.lake, self._union, self._of_files)

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
        """Return the rows of all writers, `writer` beside; of what several have, those of one."""
        if table not in self._made:
            frame = self._union(table)
            if len(self.lake.writers) > 1:
                frame = self._of_several.of(table)
            self._made[table] = frame
        return self._made[table]

    def _union(self, table: str) -> Any:
        """Return the rows of all files: those whose columns are the same are read at once."""
        if table not in self._read:
            columns = public_columns(table, self.lake.schema(table))
            self._read[table] = self._of_files(table, (*columns, *_BESIDE.get(table, ())))
        return self._read[table]

    def _of_files(self, table: str, names: Sequence[str]) -> Any:
        want, columns = self.lake.schema(table), ("writer", *names)
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
