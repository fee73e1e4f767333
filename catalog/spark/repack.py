"""A FROM clause, and one made into a single relation with more columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark.scopes import Column, Scope

if TYPE_CHECKING:
    from catalog.spark.queries import Queries


@dataclass
class Relation:
    """What stands behind FROM: a relation and what is joined to it."""

    first: exp.Expr
    joins: list[exp.Expr] = field(default_factory=list)
    alias: str = ""


def repacked(
    queries: Queries,
    relation: Relation | None,
    scope: Scope,
    where: exp.Expr | None,
    more: Mapping[str, exp.Expr],
) -> Relation:
    """
    Return a FROM clause as one relation, with more columns, and let the scope name it.

    Where a row is made into several, this is below everything that reads it.
    """
    alias = queries.fresh()
    query = exp.Select(expressions=[])
    for source in scope.sources:
        moved = []
        for column in source.columns:
            name = queries.fresh()
            query.append("expressions", b.named(column.spark.copy(), name))
            moved.append(Column(column.name, column.type, b.column(alias, name)))
        source.columns = moved
    for key, column in list(scope.merged.items()):
        name = queries.fresh()
        query.append("expressions", b.named(column.spark.copy(), name))
        scope.merged[key] = Column(column.name, column.type, b.column(alias, name))
    for name, value in more.items():
        query.append("expressions", b.named(value, name))
    if relation is not None:
        query.set("from_", exp.From(this=relation.first))
        query.set("joins", relation.joins)
    if where is not None:
        query.set("where", exp.Where(this=where))
    return Relation(exp.Subquery(this=query, alias=b.alias(alias)), alias=alias)
