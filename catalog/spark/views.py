"""The public names of a lake as temporary views of a Spark session."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from functools import lru_cache
from typing import Any

from catalog.lake.lake import Lake, read_lake
from catalog.spark.columns import parameter_columns, quoted
from catalog.spark.derived import (
    DERIVED,
    OF_TYPES,
    TABLES,
    component_edges,
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

Frozen = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""The columns of relations with their types, as a key."""

_EVERY = "strategies_of_all_types"


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
        tables = LakeTables(session, self.lake, is_apache_spark(session))
        if text is None:
            self.add_types(session)
        wanted = self._wanted(text)
        for name in wanted:
            if name in TABLES:
                tables.frame(name).createOrReplaceTempView(name)
        shape = lake_shape(self.lake, {})
        for name in wanted:
            if name in DERIVED:
                made = session.sql(_translated(self._query(name), _frozen(shape)))
                made.createOrReplaceTempView(name)
        if of_types := [name for name in wanted if name in self._of_type]:
            self._make_types(session, of_types, _translated(types_query(self.lake), _frozen(shape)))
        return wanted

    def _make_types(self, session: Any, names: list[str], text: str) -> None:
        # What a view is made of is looked through again for each that is made of it, but not what
        # lies behind another view: with one in between a hundred types take a moment.
        session.sql(text).createOrReplaceTempView(_EVERY)
        every = session.table(_EVERY)
        for name in names:
            strategy_type, own = self._of_type[name]
            of_type = every.where(every["strategy_type"] == strategy_type)
            # Apache Spark parses the name, and Sail takes it as it is.
            is_parsed = not name.isidentifier() and is_apache_spark(session)
            of_type.selectExpr(*map(quoted, type_columns(own))).createOrReplaceTempView(
                quoted(name) if is_parsed else name
            )
        session.catalog.dropTempView(_EVERY)

    def add_types(self, session: Any) -> None:
        """Add the views `type_<strategy_type>`: which there are, the strategies say."""
        strategies = LakeTables(session, self.lake, is_apache_spark(session)).frame("strategies")
        columns = parameter_columns(self.lake.schema("strategies"))
        # An aggregate for each of hundreds of columns would take Spark a minute to compile.
        present = [
            f"if({quoted(name)} is null, null, '{number}')" for number, name in enumerate(columns)
        ]
        found = (
            strategies.where("strategy_type is not null")
            .selectExpr(
                "strategy_type", "registered_at", f"concat_ws(',', {', '.join(present)}) as present"
            )
            .groupBy("strategy_type", "present")
            .agg({"registered_at": "min"})
            .toArrow()
        )
        since: dict[str, Any] = {}
        has: dict[str, set[str]] = defaultdict(set)
        for strategy_type, numbers, at in zip(*found.to_pydict().values(), strict=True):
            since[strategy_type] = min(at, since.get(strategy_type, at))
            has[strategy_type] |= {columns[int(number)] for number in numbers.split(",") if number}
        taken: set[str] = set()
        for strategy_type in sorted(since, key=lambda one: (since[one], one)):
            name = type_view_name(strategy_type, taken)
            self._of_type[name] = (strategy_type, sorted(has[strategy_type]))
        self._needs |= dict.fromkeys(self._of_type, OF_TYPES)

    def _query(self, name: str) -> str:
        if name in self._of_type:
            return type_query(*self._of_type[name], self.lake)
        depth = nesting(component_edges(self.lake)) if name == "lineage" else 1
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


def _frozen(shape: dict[str, dict[str, str]]) -> Frozen:
    return tuple((name, tuple(columns.items())) for name, columns in shape.items())


@lru_cache(maxsize=64)
def _translated(query: str, shape: Frozen) -> str:
    """Return a query of ours for Spark: what each session is told again is translated once."""
    return to_spark(query, columns={name: dict(columns) for name, columns in shape})


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))
