"""Whole queries: SELECT, VALUES, set operations and WITH, as Spark SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark.duck import Duck, Node
from catalog.spark.expressions import Rewriter
from catalog.spark.grouping import expand_groups, holds_aggregate
from catalog.spark.ordering import all_keys, position, put_order, sorted_by
from catalog.spark.refuse import refused
from catalog.spark.relations import Relations
from catalog.spark.rewrite_values import condition
from catalog.spark.rows import unnest_select
from catalog.spark.scopes import Scope
from catalog.spark.set_operations import set_operation
from catalog.spark.stars import Item, expand_stars

Columns = list[tuple[str, str]]


@dataclass(frozen=True)
class Lowered:
    """A query of Spark SQL, with the names and DuckDB types of its columns."""

    query: exp.Query
    columns: Columns


class Queries:
    """Translates queries, from the inside out."""

    def __init__(self, duck: Duck, relations: Mapping[str, Mapping[str, str]]) -> None:
        self.duck = duck
        self.rewriter = Rewriter(duck, self.lower)
        self.relations = Relations(self, relations)
        self._known: dict[int, Lowered] = {}
        self._fresh = 0
        self._named: set[str] = set()

    def fresh(self) -> str:
        """Return a name that is nowhere else in the query."""
        self._fresh += 1
        return f"_{self._fresh}"

    def lower(self, node: Node, scope: Scope) -> Lowered:
        """
        Return a query in Spark SQL.

        Args:
            scope: empty, its parent what a query around it lets it name.

        Raises:
            QueryError: with the name of what cannot be translated.
        """
        if id(node) not in self._known:
            self._known[id(node)] = self._lower(node, scope)
        known = self._known[id(node)]
        return Lowered(known.query.copy(), known.columns)

    def _lower(self, node: Node, scope: Scope) -> Lowered:
        entries = (node.get("cte_map") or {}).get("map") or []
        outer = self.relations.common
        self.relations.common = dict(outer)
        ctes = [self._common_table(one, scope) for one in entries]
        try:
            if node["type"] == "SELECT_NODE":
                made = self._select(node, scope)
            elif node["type"] == "SET_OPERATION_NODE":
                made = Lowered(*set_operation(self, node, scope))
            elif node["type"] == "RECURSIVE_CTE_NODE":
                raise refused("A recursive query", "not every engine runs it")
            else:
                raise refused(f"A query of the kind {node['type']}")
        finally:
            self.relations.common = outer
        if ctes:
            query = made.query
            if query.args.get("with_"):
                query = exp.select("*").from_(exp.Subquery(this=query, alias=b.alias(self.fresh())))
            query.set("with_", exp.With(expressions=ctes))
            made = Lowered(query, made.columns)
        return made

    def _common_table(self, entry: Node, scope: Scope) -> exp.CTE:
        name, value = entry["key"], entry["value"]
        node = value.get("query_node") or value["query"]["node"]
        inner = self.lower(node, Scope(scope.parent))
        names = value.get("aliases") or []
        columns = renamed(inner.columns, names)
        # sqlglot brings every WITH to the top, where one name can mean one query.
        is_taken = name.lower() in self.relations.known or name.lower() in self._named
        real = f"{name}{self.fresh()}" if is_taken else name
        self._named.add(name.lower())
        self.relations.common[name.lower()] = (real, columns)
        name = real
        return exp.CTE(
            this=inner.query, alias=b.alias(name, [one for one, _ in columns] if names else [])
        )

    # SELECT

    def _select(self, node: Node, scope: Scope) -> Lowered:
        if node.get("sample"):
            raise refused("A sample", "the engines draw other rows")
        rewriter = self.rewriter
        relation = self.relations.read(node.get("from_table"), scope)
        scope.aliases = {
            one["alias"].lower(): one for one in node["select_list"] if one.get("alias")
        }
        where = node.get("where_clause")
        filtered = condition(rewriter, where, scope) if where else None
        relation, filtered = unnest_select(self, node, scope, relation, filtered)
        items = expand_stars(self.duck, node["select_list"], scope)
        scope.aliases = {one.name.lower(): one.node for one in items if one.is_named}
        groups = expand_groups(node, items, scope, rewriter)
        outputs = [(one.name, rewriter.rewrite(one.node, scope)) for one in items]
        kinds = [rewriter.type_of(one.node, scope) for one in items]
        names = unique([name for name, _ in outputs])
        core = exp.Select(expressions=[])
        for at, (_, value) in enumerate(outputs):
            core.append("expressions", _output(value, names[at]))
        if relation is not None:
            core.set("from_", exp.From(this=relation.first))
            core.set("joins", relation.joins)
        if filtered is not None:
            core.set("where", exp.Where(this=filtered))
        if groups is not None:
            core.set("group", groups)
        if having := node.get("having"):
            core.set("having", exp.Having(this=condition(rewriter, having, scope)))
        columns = list(zip(names, kinds, strict=True))
        return Lowered(self._finish(node, core, items, outputs, columns, scope), columns)

    def _finish(
        self,
        node: Node,
        core: exp.Select,
        items: list[Item],
        outputs: list[tuple[str, exp.Expr]],
        columns: Columns,
        scope: Scope,
    ) -> exp.Query:
        """Add QUALIFY, DISTINCT, ORDER BY and LIMIT, around the SELECT where they need more."""
        rewriter = self.rewriter
        names = [name for name, _ in columns]
        modifiers = {one["type"]: one for one in node.get("modifiers") or []}
        hidden: list[tuple[str, exp.Expr]] = []
        conditions: list[exp.Expr] = []
        keys = modifiers.get("ORDER_MODIFIER", {}).get("orders") or []
        distinct = modifiers.get("DISTINCT_MODIFIER")
        targets = (distinct or {}).get("distinct_on_targets") or []
        if qualify := node.get("qualify"):
            hidden.append((self.fresh(), condition(rewriter, qualify, scope)))
            conditions.append(b.column(None, hidden[-1][0]))
        if targets:
            if qualify or holds_aggregate(node):
                raise refused(
                    "DISTINCT ON beside QUALIFY or an aggregate", "write it in a subquery"
                )
            hidden.append((self.fresh(), self._first_of(targets, keys, items, outputs, scope)))
            conditions.append(b.equal(b.column(None, hidden[-1][0]), b.number(1)))
        order = []
        for key in all_keys(keys, len(items)):
            at = self._output_of(key["expression"], items, outputs, scope)
            if at is not None:
                value: exp.Expr = b.column(None, names[at])
            else:
                hidden.append((self.fresh(), rewriter.rewrite(key["expression"], scope)))
                value = b.column(None, hidden[-1][0])
            order.append(sorted_by(value, key))
        if distinct and not targets and len(hidden) > len(conditions):
            raise refused("ORDER BY of what SELECT DISTINCT does not return")
        query: exp.Select = core
        if hidden:
            for name, value in hidden:
                core.append("expressions", b.named(value, name))
            inner = exp.Subquery(this=core, alias=b.alias(self.fresh()))
            query = exp.Select(expressions=[b.column(None, name) for name in names])
            query.set("from_", exp.From(this=inner))
            if conditions:
                query.set("where", exp.Where(this=b.both(*conditions)))
        if distinct and not targets:
            query.set("distinct", exp.Distinct())
        put_order(query, order, modifiers)
        return query

    def _first_of(
        self,
        targets: list[Node],
        keys: list[dict[str, Any]],
        items: list[Item],
        outputs: list[tuple[str, exp.Expr]],
        scope: Scope,
    ) -> exp.Expr:
        def value(node: Node) -> exp.Expr:
            at = self._output_of(node, items, outputs, scope)
            found = outputs[at][1].copy() if at is not None else None
            return found if found is not None else self.rewriter.rewrite(node, scope)

        order = [sorted_by(value(key["expression"]), key) for key in keys]
        order = order or [b.ordered(value(targets[0]))]
        return exp.Window(
            this=b.call("row_number"),
            partition_by=[value(one) for one in targets],
            order=exp.Order(expressions=order),
        )

    def _output_of(
        self, node: Node, items: list[Item], outputs: list[tuple[str, exp.Expr]], scope: Scope
    ) -> int | None:
        """Return which output column a sort key is."""
        if (at := position(node)) is not None:
            return at
        if node["class"] == "COLUMN_REF" and len(node["column_names"]) == 1:
            name = node["column_names"][0].lower()
            for at, one in enumerate(items):
                if one.name.lower() == name:
                    return at
        written = self.rewriter.rewrite(node, scope)
        for at, (_, value) in enumerate(outputs):
            if value == written:
                return at
        return None


def renamed(columns: Columns, names: list[str]) -> Columns:
    """Return columns of which the first have other names."""
    return [
        (names[at] if at < len(names) else name, kind) for at, (name, kind) in enumerate(columns)
    ]


def unique(names: list[str]) -> list[str]:
    """Return names as DuckDB tells equal ones apart: with a number behind the later ones."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        low = name.lower()
        made.append(f"{name}_{seen[low]}" if low in seen else name)
        seen[low] = seen.get(low, 0) + 1
    return made


def _output(value: exp.Expr, name: str) -> exp.Expr:
    if isinstance(value, exp.Column) and value.name == name:
        return value
    return b.named(value, name)
