"""The public names of a lake as temporary views of a Spark session."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from io import BytesIO
from typing import Any

import pyarrow.parquet as pq

from catalog.lake.lake import Lake, read_lake
from catalog.places import read_bytes
from catalog.spark.columns import parameter_columns, quoted
from catalog.spark.derived import (
    DERIVED,
    OF_TYPES,
    TABLES,
    derived_query,
    nesting,
    type_query,
)
from catalog.spark.session import is_apache_spark
from catalog.spark.shape import lake_shape
from catalog.spark.tables import LakeTables
from catalog.spark.translate import to_spark
from catalog.store.views import type_view_name


def spark_views(session: Any, lake: str | os.PathLike[str]) -> tuple[str, ...]:
    """
    Make the public names of a published lake temporary views of a Spark session.

    They are those that `catalog sql` knows, with the same columns: `strategies`, `strategy_index`,
    `trace_files`, `signals`, `holdings`, `metrics`, `daily_returns`, … What only a catalog knows is
    not among them, such as `quarantine`. The lake is seen as it is now; call it again to see what
    was published since. The session's time zone becomes UTC, in which days are counted.

    Args:
        session: a `SparkSession`, of Spark Connect or of this process.
        lake: a folder or URL that the client and the workers reach by the same name.

    Returns:
        The names of the views.

    Raises:
        LakeError: there is no lake, or it is of a later format.
        UsageError: Spark cannot read where the lake is.
        ObjectStoreError: the store cannot be reached, or says no.
    """
    found = read_lake(lake)
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return LakeViews(found).make(session)


class LakeViews:
    """What the public names of one lake are made of, in SQL; and the views of them in a session."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        depth = nesting(_components(lake)) if "components" in lake.tables else 1
        self._queries = {name: derived_query(name, lake, depth=depth) for name in DERIVED}
        self._needs = dict(DERIVED)
        self.shape = lake_shape(lake, self._queries)
        """The columns of each public name, with their DuckDB types."""

    def make(self, session: Any, text: str | None = None) -> tuple[str, ...]:
        """
        Make views in a session, and return their names.

        Args:
            text: only those are made that this text names, and what they are made of.
        """
        is_apache = is_apache_spark(session)
        tables = LakeTables(session, self.lake, is_apache)
        if text is None:
            self.add_types(session)
        wanted = self._wanted(text)
        for name in wanted:
            if name in TABLES:
                frame = tables.frame(name)
            else:
                frame = session.sql(to_spark(self._queries[name], columns=self.shape))
            # Apache Spark parses the name, and Sail takes it as it is.
            is_parsed = is_apache and not name.isidentifier()
            frame.createOrReplaceTempView(quoted(name) if is_parsed else name)
        return wanted

    def add_types(self, session: Any) -> None:
        """Add the views `type_<strategy_type>`: which there are, the strategies say."""
        strategies = LakeTables(session, self.lake, is_apache_spark(session)).frame("strategies")
        columns = parameter_columns(self.lake.schema("strategies"))
        counted = [f"count({quoted(name)}) > 0" for name in columns]
        strategies.createOrReplaceTempView("strategies")
        found = session.sql(
            f"select {', '.join(['strategy_type', 'min(registered_at) as since', *counted])} "
            "from strategies where strategy_type is not null group by strategy_type "
            "order by since, strategy_type"
        ).toArrow()
        taken: set[str] = set()
        queries = {}
        for strategy_type, _, *has in zip(*found.to_pydict().values(), strict=True):
            own = sorted(name for name, is_own in zip(columns, has, strict=True) if is_own)
            name = type_view_name(strategy_type, taken)
            queries[name] = type_query(strategy_type, own, self.lake)
        self._queries |= queries
        self._needs |= dict.fromkeys(queries, OF_TYPES)
        self.shape = lake_shape(self.lake, self._queries)

    def _wanted(self, text: str | None) -> tuple[str, ...]:
        """Return the names that a text has, and what they are made of, each after its parts."""
        every = (*TABLES, *self._queries)
        if text is None:
            return every
        words = set(re.split(r"[^\w]+", text.lower()))
        named = {name for name in every if name.lower() in words or not name.isidentifier()}
        named |= {part for name in named for part in self._needs.get(name, ())}
        return tuple(name for name in every if name in named)


def _components(lake: Lake) -> dict[str, list[str]]:
    """Return what each composite of a lake is made of."""
    edges = defaultdict(list)
    for file in lake.files("components"):
        table = pq.read_table(BytesIO(read_bytes(file.place)), columns=["parent", "child"])
        for parent, child in zip(*table.to_pydict().values(), strict=True):
            edges[parent].append(child)
    return edges
