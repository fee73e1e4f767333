"""Which columns a name in the user's SQL can mean, and where each of them is in Spark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from catalog.spark.duck import Node


@dataclass(frozen=True)
class Column:
    """A column that rows have: its DuckDB type, and the expression it is in Spark."""

    name: str
    type: str
    spark: exp.Expr


@dataclass
class Source:
    """A relation in a FROM clause."""

    alias: str
    columns: list[Column]

    def find(self, name: str) -> Column | None:
        """Return the column of a name."""
        return next((one for one in self.columns if one.name.lower() == name.lower()), None)


@dataclass
class Scope:
    """
    What a SELECT's expressions may name.

    `merged` are the columns of USING, which belong to no side; `hidden` the columns that a star
    leaves out since USING has them; `aliases` the expressions of the SELECT list by their names.
    """

    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    merged: dict[str, Column] = field(default_factory=dict)
    hidden: set[tuple[str, str]] = field(default_factory=set)
    aliases: dict[str, Node] = field(default_factory=dict)
    lambdas: dict[str, Column] = field(default_factory=dict)
    generated: dict[int, exp.Expr] = field(default_factory=dict)
    is_lateral: bool = False
    was_used: bool = False

    def find(self, names: list[str]) -> tuple[Column, list[str]] | None:
        """Return the column that a dotted name means, and the fields behind it."""
        found = self._find_here(names)
        if found is None and self.parent is not None:
            found = self.parent.find(names)
            if found is not None:
                self.parent.was_used = True
        return found

    def _find_here(self, names: list[str]) -> tuple[Column, list[str]] | None:
        first = names[0].lower()
        if first in self.lambdas:
            return self.lambdas[first], names[1:]
        if len(names) > 1:
            for source in self.sources:
                if source.alias.lower() == first and (column := source.find(names[1])):
                    return column, names[2:]
        if first in self.merged:
            return self.merged[first], names[1:]
        for source in self.sources:
            if column := source.find(names[0]):
                return column, names[1:]
        return None

    def named(self, relation: str) -> Source | None:
        """Return the relation of a name."""
        return next((one for one in self.sources if one.alias.lower() == relation.lower()), None)

    def visible(self) -> Iterator[Column]:
        """Yield the columns that `*` stands for."""
        shown: set[str] = set()
        for source in self.sources:
            for column in source.columns:
                key = column.name.lower()
                if (source.alias.lower(), key) in self.hidden:
                    continue
                if key in self.merged and key not in shown:
                    shown.add(key)
                    yield self.merged[key]
                else:
                    yield column

    def inside_lambda(self, bound: dict[str, Column]) -> Scope:
        """Return the scope of a lambda's body."""
        return Scope(
            self.parent, self.sources, self.merged, self.hidden, self.aliases,
            {**self.lambdas, **bound}, self.generated, self.is_lateral,
        )  # fmt: skip
