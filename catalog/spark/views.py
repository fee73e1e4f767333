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
    type_columns,
    type_query,
    types_query,
)
from catalog.spark.session import is_apache_spark
from catalog.spark.shape import lake_shape
from catalog.spark.tables import LakeTables
from catalog.spark.translate import to_spark
from catalog.store.macros import MACROS, macro_text
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
        self._needs = dict(DERIVED)
        self._of_type: dict[str, tuple[str, list[str]]] = {}

    def shape(self, text: str | None = None) -> dict[str, dict[str, str]]:
        """
        Return the columns of public names, with their DuckDB types.

        Args:
            text: of the derived names only those are looked at that this text names.
        """
        queries = {name: self._query(name) for name in self._wanted(text) if name not in TABLES}
        return lake_shape(self.lake, queries)

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
        shape = lake_shape(self.lake, {})
        of_types = None
        for name in wanted:
            if name in TABLES:
                frame = tables.frame(name)
            elif name in self._of_type:
                if of_types is None:
                    of_types = session.sql(to_spark(types_query(self.lake), columns=shape))
                strategy_type, own = self._of_type[name]
                frame = of_types.where(of_types["strategy_type"] == strategy_type)
                frame = frame.selectExpr(*map(quoted, type_columns(own)))
            else:
                frame = session.sql(to_spark(self._query(name), columns=shape))
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
        for strategy_type, _, *has in zip(*found.columns, strict=True):
            own = sorted(name for name, is_own in zip(columns, has, strict=True) if is_own.as_py())
            name = type_view_name(strategy_type.as_py(), taken)
            self._of_type[name] = (strategy_type.as_py(), own)
        self._needs |= dict.fromkeys(self._of_type, OF_TYPES)

    def _query(self, name: str) -> str:
        if name in self._of_type:
            return type_query(*self._of_type[name], self.lake)
        depth = nesting(_components(self.lake)) if name == "lineage" else 1
        return derived_query(name, self.lake, depth=depth)

    def _wanted(self, text: str | None) -> tuple[str, ...]:
        """Return the names that a text has, and what they are made of, each after its parts."""
        every = (*TABLES, *self._needs)
        if text is None:
            return every
        words = _words(text)
        words |= {word for name in words & set(MACROS) for word in _words(macro_text(name))}
        named = {name for name in every if _words(name.lower()) <= words}
        named |= {part for name in named for part in self._needs.get(name, ())}
        return tuple(name for name in every if name in named)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _components(lake: Lake) -> dict[str, list[str]]:
    """Return what each composite of a lake is made of."""
    edges = defaultdict(list)
    for file in lake.files("components"):
        table = pq.read_table(BytesIO(read_bytes(file.place)), columns=["parent", "child"])
        for parent, child in zip(*table.to_pydict().values(), strict=True):
            edges[parent].append(child)
    return edges
