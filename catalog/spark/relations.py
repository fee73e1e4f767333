"""FROM: relations, joins of every kind, VALUES, and functions that make rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from catalog.errors import QueryError
from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.asof import asof_join
from catalog.spark.duck import Node
from catalog.spark.functions import REFUSED
from catalog.spark.nodes import arguments
from catalog.spark.refuse import refused
from catalog.spark.repack import Relation, repacked
from catalog.spark.rewrite_casts import convert
from catalog.spark.rewrite_values import common_type, condition
from catalog.spark.scopes import Column, Scope, Source

if TYPE_CHECKING:
    from catalog.spark.queries import Queries


class Relations:
    """Reads FROM clauses into Spark SQL, and into the scope what they let a query name."""

    def __init__(self, queries: Queries, known: Mapping[str, Mapping[str, str]]) -> None:
        self.queries = queries
        self.known = {name.lower(): (name, list(one.items())) for name, one in known.items()}
        self.common: dict[str, tuple[str, list[tuple[str, str]]]] = {}

    def read(self, node: Node | None, scope: Scope) -> Relation | None:
        """
        Return a FROM clause in Spark SQL, and add its relations to a scope.

        Raises:
            QueryError: with the name of what cannot be translated.
        """
        if node is None or node["type"] == "EMPTY":
            return None
        if node.get("sample"):
            raise refused("A sample", "the engines draw other rows")
        kind = node["type"]
        if kind == "JOIN":
            return self._join(node, scope)
        if kind == "BASE_TABLE":
            return self._table(node, scope)
        if kind == "SUBQUERY":
            return self._subquery(node, scope, Scope(scope.parent))
        if kind == "EXPRESSION_LIST":
            return self._values(node, scope)
        if kind == "TABLE_FUNCTION":
            return self._function(node, scope, None)
        words = {"PIVOT": "PIVOT or UNPIVOT", "SHOW_REF": "DESCRIBE or SHOW"}
        raise refused(words.get(kind, str(kind)))

    def _add(
        self, scope: Scope, alias: str, columns: list[tuple[str, str]], names: list[str]
    ) -> list[str]:
        shown = [names[at] if at < len(names) else name for at, (name, _) in enumerate(columns)]
        made = [
            Column(name, kind, b.column(alias, name))
            for name, (_, kind) in zip(shown, columns, strict=True)
        ]
        scope.sources.append(Source(alias, made))
        return shown

    def _table(self, node: Node, scope: Scope) -> Relation:
        name = node["table_name"]
        found = self.common.get(name.lower()) or self.known.get(name.lower())
        if found is None:
            raise QueryError(
                f"There is no relation {name} in the lake", hint='See them with: "show tables"'
            )
        real, columns = found
        alias = node.get("alias") or name
        names = node.get("column_name_alias") or []
        shown = self._add(scope, alias, columns, names)
        table = exp.Table(this=exp.to_identifier(real, quoted=True))
        if names or alias != real:
            table.set("alias", b.alias(alias, shown if names else []))
        return Relation(table)

    def _subquery(self, node: Node, scope: Scope, inside: Scope) -> Relation:
        inner = self.queries.lower(node["subquery"]["node"], inside)
        alias = node.get("alias") or self.queries.fresh()
        names = node.get("column_name_alias") or []
        shown = self._add(scope, alias, inner.columns, names)
        made = exp.Subquery(this=inner.query, alias=b.alias(alias, shown if names else []))
        return Relation(made)

    def _values(self, node: Node, scope: Scope) -> Relation:
        rows = node["values"]
        rewriter = self.queries.rewriter
        kinds = []
        for at in range(len(rows[0])):
            found = {rewriter.type_of(row[at], scope) for row in rows} - {'"NULL"'}
            kinds.append(
                common_type(rewriter, sorted(found))
                if len(found) > 1
                else (list(found) or ["INTEGER"])[0]
            )
        tuples = [
            exp.Tuple(
                expressions=[
                    rewriter.cast_to(one, kind, scope) for one, kind in zip(row, kinds, strict=True)
                ]
            )
            for row in rows
        ]
        alias = self.queries.fresh()
        names = node.get("expected_names") or [f"col{at}" for at in range(len(kinds))]
        shown = self._add(scope, alias, list(zip(names, kinds, strict=True)), [])
        scope.sources[-1].alias = node.get("alias") or alias
        return Relation(exp.Values(expressions=tuples, alias=b.alias(alias, shown)))

    def _function(self, node: Node, scope: Scope, left: Relation | None) -> Relation:
        """Return the rows of a list: of its own, or of each row of what stands on the left."""
        call = node["function"]
        name = call["function_name"].lower()
        if name not in ("unnest", "range", "generate_series"):
            raise refused(f"The function {name} in FROM", REFUSED.get(name, "it is on no list"))
        if node.get("with_ordinality", "WITHOUT_ORDINALITY") != "WITHOUT_ORDINALITY":
            raise refused("WITH ORDINALITY")
        given = arguments(call)
        listed = given[0] if name == "unnest" else call
        if name == "unnest" and len(given) != 1:
            raise refused("unnest of several lists in FROM", "write it in the SELECT list")
        rewriter = self.queries.rewriter
        kind = rewriter.type_of(listed, scope)
        if not t.is_list(kind):
            raise refused(f"unnest of {kind}")
        values = rewriter.rewrite(listed, scope)
        alias = node.get("alias") or name
        names = node.get("column_name_alias") or []
        column = names[0] if names else name
        rows = b.call("explode", values)
        if left is not None:
            made = repacked(self.queries, left, scope, None, {column: rows})
            source = Column(column, t.element(kind), b.column(made.alias, column))
            scope.sources.append(Source(alias, [source]))
            return made
        query = exp.Select(expressions=[b.named(rows, column)])
        self._add(scope, alias, [(column, t.element(kind))], [])
        return Relation(exp.Subquery(this=query, alias=b.alias(alias)))

    def _side(self, node: Node, scope: Scope) -> Relation:
        """Return a side of a join, which is never nothing."""
        relation = self.read(node, scope)
        if relation is None:
            raise refused("A join with nothing")
        return relation

    def _join(self, node: Node, scope: Scope) -> Relation:
        left = self._side(node["left"], scope)
        before = len(scope.sources)
        kind, way = node["join_type"], node["ref_type"]
        if way == "POSITIONAL":
            raise refused("POSITIONAL JOIN", "rows have no order there")
        right = node["right"]
        if right["type"] == "TABLE_FUNCTION" and _names_columns(right):
            if way != "CROSS" and (kind != "INNER" or node.get("condition")):
                raise refused("A join with a function of each row's list", "write it with a comma")
            return self._function(right, scope, left)
        is_lateral, relation = self._right(right, scope)
        usings = list(node.get("using_columns") or [])
        mine = scope.sources[:before]
        other = scope.sources[before:]
        if way == "NATURAL":
            usings = [
                column.name
                for source in other
                for column in source.columns
                if any(one.find(column.name) for one in mine)
            ]
        if way == "ASOF":
            return asof_join(self.queries, left, relation, scope, before, node, usings)
        conditions = [self._using(name, scope, before, kind) for name in usings]
        if node.get("condition"):
            conditions.append(condition(self.queries.rewriter, node["condition"], scope))
        sides = {
            "INNER": ("", ""), "LEFT": ("LEFT", ""), "RIGHT": ("RIGHT", ""),
            "OUTER": ("FULL", "OUTER"), "FULL": ("FULL", "OUTER"),
            "SEMI": ("LEFT", "SEMI"), "ANTI": ("LEFT", "ANTI"),
        }  # fmt: skip
        if kind not in sides:
            raise refused(f"{kind} JOIN")
        side, word = sides[kind]
        if is_lateral:
            if kind not in ("INNER", "LEFT"):
                raise refused(f"{kind} JOIN with a query that names the other side")
            relation = exp.Lateral(
                this=exp.Subquery(this=relation.this), alias=relation.args["alias"]
            )
        if not conditions and not word and not side:
            word = "CROSS"
        if kind == "RIGHT":
            # Sail cannot sort what a right join gives; the same rows are a left one's.
            if left.joins:
                left = self._repacked_left(left, scope, before)
                conditions = [self._using(name, scope, before, kind) for name in usings]
                if node.get("condition"):
                    conditions.append(condition(self.queries.rewriter, node["condition"], scope))
            left, relation, side = Relation(relation), left.first, "LEFT"
        join = exp.Join(this=relation, side=side or None, kind=word or None)
        if conditions:
            join.set("on", b.both(*conditions) if len(conditions) > 1 else conditions[0])
        elif kind != "INNER":
            join.set("on", exp.Boolean(this=True))
        left.joins.append(join)
        if kind in ("SEMI", "ANTI"):
            del scope.sources[before:]
        return left

    def _repacked_left(self, left: Relation, scope: Scope, before: int) -> Relation:
        """Return joined relations as one, while what joins them is not yet among them."""
        inner = Scope(scope.parent, scope.sources[:before])
        inner.merged = dict(scope.merged)
        made = repacked(self.queries, left, inner, None, {})
        scope.merged = inner.merged
        return made

    def _right(self, node: Node, scope: Scope) -> tuple[bool, exp.Expr]:
        """Return the right side of a join, and whether it names the left one."""
        if node["type"] == "SUBQUERY":
            around = Scope(scope.parent, list(scope.sources), dict(scope.merged), set(scope.hidden))
            made = self._subquery(node, scope, Scope(around))
            return around.was_used and bool(scope.sources), made.first
        inner = Scope(scope.parent)
        relation = self._side(node, inner)
        if relation.joins:
            relation = repacked(self.queries, relation, inner, None, {})
        scope.sources += inner.sources
        scope.hidden |= inner.hidden
        return False, relation.first

    def _using(self, name: str, scope: Scope, before: int, kind: str) -> exp.Expr:
        """Return what USING says of a column, and merge it."""
        left = scope.merged.get(name.lower()) or next(
            found for one in scope.sources[:before] if (found := one.find(name))
        )
        source, right = next(
            (one, found) for one in scope.sources[before:] if (found := one.find(name))
        )
        common = left.type
        if left.type != right.type:
            common = common_type(self.queries.rewriter, sorted({left.type, right.type}))
        sides = [convert(one.spark.copy(), one.type, common) for one in (left, right)]
        if kind not in ("SEMI", "ANTI"):
            value = sides[1] if kind == "RIGHT" else sides[0]
            if kind in ("OUTER", "FULL"):
                value = b.call("coalesce", *sides)
            scope.merged[name.lower()] = Column(left.name, common, value.copy())
            scope.hidden.add((source.alias.lower(), name.lower()))
        return b.equal(*(one.copy() for one in sides))


def _names_columns(node: Any) -> bool:
    if isinstance(node, list):
        return any(_names_columns(one) for one in node)
    if not isinstance(node, dict):
        return False
    return node.get("class") == "COLUMN_REF" or any(_names_columns(one) for one in node.values())
