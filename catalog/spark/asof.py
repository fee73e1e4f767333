"""
ASOF JOIN: each row meets the last row of the other side that is not behind it.

Spark has none. Both sides are laid in one relation, in order, and each left row takes the last
right row before it: one sort, and no pair of rows is compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.duck import Node
from catalog.spark.refuse import refused
from catalog.spark.repack import Relation
from catalog.spark.rewrite_casts import convert
from catalog.spark.rewrite_values import common_type
from catalog.spark.scopes import Column, Scope

if TYPE_CHECKING:
    from catalog.spark.queries import Queries

# How the right side's key is to the left one's: whether the order descends, and whether a right
# row of the same key comes before the left one.
_WAYS: Final = {
    "COMPARE_GREATERTHANOREQUALTO": (False, True),
    "COMPARE_GREATERTHAN": (False, False),
    "COMPARE_LESSTHANOREQUALTO": (True, True),
    "COMPARE_LESSTHAN": (True, False),
}
_TURNED: Final = {
    "COMPARE_GREATERTHANOREQUALTO": "COMPARE_LESSTHANOREQUALTO",
    "COMPARE_GREATERTHAN": "COMPARE_LESSTHAN",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHAN",
    "COMPARE_EQUAL": "COMPARE_EQUAL",
}


def asof_join(
    queries: Queries,
    left: Relation,
    right: exp.Expr,
    scope: Scope,
    before: int,
    node: Node,
    usings: list[str],
) -> Relation:
    """
    Return an ASOF JOIN of what a scope names, its first `before` relations with the others.

    Raises:
        QueryError: it is of another kind than inner or left, or by other conditions.
    """
    kind = node["join_type"]
    if kind not in ("INNER", "LEFT"):
        raise refused(f"ASOF {kind} JOIN", "only ASOF JOIN and ASOF LEFT JOIN are")
    sides = _Sides(queries, scope, before)
    for parsed in _conditions(node.get("condition")):
        sides.add(parsed)
    sides.add_usings(usings)
    if sides.order is None:
        raise refused(
            "An ASOF JOIN without an order", "it needs one comparison such as a.ts >= b.ts"
        )
    mine, other = scope.sources[:before], scope.sources[before:]
    descending, right_first = _WAYS[sides.order[0]]
    alias, tagged = queries.fresh(), queries.fresh()
    keys = [queries.fresh() for _ in sides.equal]
    moment, side, row = queries.fresh(), queries.fresh(), queries.fresh()
    lefts, rights = exp.Select(expressions=[]), exp.Select(expressions=[])
    for name, pair in zip([*keys, moment], [*sides.equal, sides.order[1:]], strict=True):
        lefts.append("expressions", b.named(pair[0], name))
        rights.append("expressions", b.named(pair[1], name))
    lefts.append("expressions", b.named(b.number(1 if right_first else 0), side))
    rights.append("expressions", b.named(b.number(0 if right_first else 1), side))
    parts: list[exp.Expr] = []
    kinds: list[str] = []
    moved: dict[str, exp.Expr] = {}
    for source in other:
        columns = []
        for column in source.columns:
            name = queries.fresh()
            parts += [b.text(name), column.spark.copy()]
            spark = t.spark_type(column.type)
            if spark is None or spark == "VOID":
                raise refused(f"The type {column.type} in an ASOF JOIN")
            kinds.append(f"`{name}`: {spark}")
            moved[name] = b.field(b.column(tagged, row), name)
            columns.append(Column(column.name, column.type, b.column(alias, name)))
        source.columns = columns
    outer = exp.Select(expressions=[])
    names: list[str] = []
    for source in mine:
        columns = []
        for column in source.columns:
            name = queries.fresh()
            names.append(name)
            lefts.append("expressions", b.named(column.spark.copy(), name))
            rights.append("expressions", b.named(convert(b.null(), '"NULL"', column.type), name))
            columns.append(Column(column.name, column.type, b.column(alias, name)))
            outer.append("expressions", b.named(b.column(tagged, name), name))
        source.columns = columns
    struct = "STRUCT<" + ", ".join(kinds) + ">"
    lefts.append("expressions", b.named(b.cast(b.null(), struct), row))
    rights.append("expressions", b.named(b.cast(b.call("named_struct", *parts), struct), row))
    lefts.set("from_", exp.From(this=left.first))
    lefts.set("joins", left.joins)
    rights.set("from_", exp.From(this=right))
    # A NULL is equal to nothing, but would be in one group with another NULL.
    known = [b.is_not_null(pair[1].copy()) for pair in [*sides.equal, sides.order[1:]]]
    rights.set("where", exp.Where(this=b.both(*known)))
    both = exp.Union(this=lefts, expression=rights, distinct=False)
    window = exp.Window(
        this=b.call("last", b.column(None, row), exp.Boolean(this=True)),
        partition_by=[b.column(None, name) for name in keys],
        order=exp.Order(
            expressions=[
                b.ordered(b.column(None, moment), descending=descending, nulls_first=True),
                b.ordered(b.column(None, side)),
            ]
        ),
        spec=exp.WindowSpec(
            kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW"
        ),
    )
    middle = exp.Select(expressions=[b.column(None, one) for one in [side, *names]])
    # A left row without a time stands before all right rows, and meets none.
    middle.append("expressions", b.named(window, row))
    middle.set("from_", exp.From(this=exp.Subquery(this=both, alias=b.alias(queries.fresh()))))
    for name, value in moved.items():
        outer.append("expressions", b.named(value, name))
    outer.set("from_", exp.From(this=exp.Subquery(this=middle, alias=b.alias(tagged))))
    is_left = b.equal(b.column(tagged, side), b.number(1 if right_first else 0))
    met = b.is_not_null(b.column(tagged, row))
    outer.set("where", exp.Where(this=is_left if kind == "LEFT" else b.both(is_left, met)))
    made = Relation(exp.Subquery(this=outer, alias=b.alias(alias)), alias=alias)
    for name in usings:
        low = name.lower()
        column = next(found for one in mine if (found := one.find(name)))
        scope.merged[low] = Column(column.name, column.type, column.spark.copy())
        for source in other:
            if source.find(name):
                scope.hidden.add((source.alias.lower(), low))
    return made


class _Sides:
    """The conditions of an ASOF JOIN, each side by itself."""

    def __init__(self, queries: Queries, scope: Scope, before: int) -> None:
        self.queries = queries
        self.left = Scope(scope.parent, scope.sources[:before], dict(scope.merged))
        self.right = Scope(scope.parent, scope.sources[before:])
        self.equal: list[tuple[exp.Expr, exp.Expr]] = []
        self.order: tuple[str, exp.Expr, exp.Expr] | None = None

    def add(self, node: Node) -> None:
        """Take in one comparison."""
        if node["class"] != "COMPARISON" or node["type"] not in _TURNED:
            raise refused("This condition of an ASOF JOIN", "it compares one side with the other")
        kind, first, second = node["type"], node["left"], node["right"]
        if not self._is_of(first, self.left) or not self._is_of(second, self.right):
            kind, first, second = _TURNED[kind], second, first
        if not self._is_of(first, self.left) or not self._is_of(second, self.right):
            raise refused("A condition of an ASOF JOIN that names both sides on one side of it")
        rewriter = self.queries.rewriter
        kinds = {rewriter.type_of(first, self.left), rewriter.type_of(second, self.right)}
        common = common_type(rewriter, sorted(kinds)) if len(kinds) > 1 else kinds.pop()
        pair = (
            rewriter.cast_to(first, common, self.left),
            rewriter.cast_to(second, common, self.right),
        )
        self._put(kind, pair)

    def add_usings(self, names: list[str]) -> None:
        """Take in USING: all are equal, but the last one is the order."""
        for at, name in enumerate(names):
            left, right = self.left.find([name]), self.right.find([name])
            if left is None or right is None:
                raise refused(f"USING ({name})", "both sides need that column")
            kind = "COMPARE_EQUAL" if at < len(names) - 1 else "COMPARE_GREATERTHANOREQUALTO"
            self._put(kind, (left[0].spark.copy(), right[0].spark.copy()))

    def _put(self, kind: str, pair: tuple[exp.Expr, exp.Expr]) -> None:
        if kind == "COMPARE_EQUAL":
            self.equal.append(pair)
        elif self.order is None:
            self.order = (kind, *pair)
        else:
            raise refused("An ASOF JOIN by two orders")

    def _is_of(self, node: Any, scope: Scope) -> bool:
        """Whether an expression names columns of one side only."""
        if isinstance(node, list):
            return all(self._is_of(one, scope) for one in node)
        if not isinstance(node, dict):
            return True
        if node.get("class") == "COLUMN_REF":
            return scope.find(node["column_names"]) is not None
        return self._is_of(list(node.values()), scope)


def _conditions(node: Node | None) -> list[Node]:
    if node is None:
        return []
    if node["class"] == "CONJUNCTION" and node["type"] == "CONJUNCTION_AND":
        return [one for child in node["children"] for one in _conditions(child)]
    return [node]
