"""One expression of the user's SQL as an expression of Spark SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.duck import Duck, Node
from catalog.spark.functions import REFUSED, REWRITTEN, SAME
from catalog.spark.nodes import arguments, constant, lambda_names
from catalog.spark.refuse import refused
from catalog.spark.scopes import Scope

if TYPE_CHECKING:
    from catalog.spark.queries import Lowered

Rewrite = Callable[["Call"], exp.Expr]
REWRITES: Final[dict[str, Rewrite]] = {}
"""The rules of the modules rewrite_*.py, by the DuckDB function's name."""

_OPERATORS: Final = frozenset(
    {"+", "-", "*", "/", "//", "%", "**", "^", "||", "&", "|", "~", "<<", ">>", "@", "!",
     "~~", "!~~", "~~*", "!~~*", "~~~", "->", "->>", "count_star", "^@"}
)  # fmt: skip


def rewrites(*names: str) -> Callable[[Rewrite], Rewrite]:
    """Register a rule for DuckDB functions."""

    def register(rule: Rewrite) -> Rewrite:
        for name in names:
            REWRITES[name] = rule
        return rule

    return register


@dataclass(frozen=True)
class Call:
    """A call of a DuckDB function, as a rule sees it."""

    name: str
    node: Node
    scope: Scope
    rewriter: Rewriter

    @property
    def nodes(self) -> list[Node]:
        """The arguments as they were written."""
        return arguments(self.node)

    @property
    def count(self) -> int:
        """How many arguments there are."""
        return len(self.nodes)

    @property
    def result(self) -> str:
        """The DuckDB type of what it returns."""
        return self.rewriter.type_of(self.node, self.scope)

    def arg(self, number: int) -> exp.Expr:
        """Return an argument in Spark SQL."""
        return self.rewriter.rewrite(self.nodes[number], self.scope)

    def args(self) -> list[exp.Expr]:
        """Return all arguments in Spark SQL."""
        return [self.arg(number) for number in range(self.count)]

    def type(self, number: int) -> str:
        """Return an argument's DuckDB type."""
        return self.rewriter.type_of(self.nodes[number], self.scope)

    def arg_as(self, number: int, kind: str) -> exp.Expr:
        """Return an argument as a value of another DuckDB type, as DuckDB would cast it."""
        return self.rewriter.cast_to(self.nodes[number], kind, self.scope)

    def literal(self, number: int, what: str) -> str:
        """
        Return an argument that is a constant text.

        Raises:
            QueryError: it is none.
        """
        found = constant(self.nodes[number])
        if not isinstance(found, str):
            raise self.refuse(f"{what} has to be a text that stands in the query")
        return found

    def whole(self, number: int, what: str) -> int:
        """
        Return an argument that is a constant integer.

        Raises:
            QueryError: it is none.
        """
        found = constant(self.nodes[number])
        if not isinstance(found, int) or isinstance(found, bool):
            raise self.refuse(f"{what} has to be a number that stands in the query")
        return found

    def refuse(self, why: str) -> Exception:
        """Return the error that names this function."""
        return refused(f"The function {self.name}", why)


class Rewriter:
    """Rewrites expressions; queries inside them are left to `lower`."""

    def __init__(self, duck: Duck, lower: Callable[[Node, Scope], Lowered]) -> None:
        self.duck = duck
        self.lower = lower

    def rewrite(self, node: Node, scope: Scope) -> exp.Expr:
        """
        Return an expression in Spark SQL.

        Raises:
            QueryError: with the name of what cannot be translated.
        """
        if id(node) in scope.generated:
            return scope.generated[id(node)].copy()
        rule = _KINDS.get(node["class"])
        if rule is None:
            raise refused(_readable(node))
        return rule(self, node, scope)

    def type_of(self, node: Node, scope: Scope) -> str:
        """Return an expression's DuckDB type."""
        return self.duck.type_of(self._placed(node, scope, frozenset()))

    def cast_to(self, node: Node, kind: str, scope: Scope) -> exp.Expr:
        """Return an expression as a value of a DuckDB type, as DuckDB casts it by itself."""
        from catalog.spark.rewrite_casts import cast_value

        return cast_value(self, node, kind, scope)

    def _placed(self, node: Any, scope: Scope, bound: frozenset[str]) -> Any:
        """Return a tree whose columns and queries are stood for by their types."""
        if isinstance(node, list):
            return [self._placed(one, scope, bound) for one in node]
        if not isinstance(node, dict):
            return node
        kind = node.get("class")
        if kind == "COLUMN_REF" and node["column_names"][0].lower() not in bound:
            return self._placed_column(node, scope)
        if kind == "SUBQUERY" and node.get("subquery_type") == "SCALAR":
            (_, inner), *_ = self.lower(node["subquery"]["node"], Scope(scope)).columns
            return self.duck.place(inner)
        if kind == "SUBQUERY":
            return self.duck.place("BOOLEAN")
        if node.get("type") == "GROUPING_FUNCTION":
            return self.duck.place("BIGINT")
        if kind == "LAMBDA":
            bound = bound | {name.lower() for name in lambda_names(node)}
        return {
            key: self._placed(value, scope, bound) if key != "alias" else ""
            for key, value in node.items()
        }

    def _placed_column(self, node: Node, scope: Scope) -> Node:
        names = node["column_names"]
        found = scope.find(names)
        if found is None:
            alias = self._alias(node, scope)
            inner: Node = self._placed(alias, _without_alias(scope, names[0]), frozenset())
            return inner
        column, fields = found
        kind = column.type
        for name in fields:
            kind = _field_type(kind, name)
        return self.duck.place(kind)

    def _alias(self, node: Node, scope: Scope) -> Node:
        names = node["column_names"]
        found = scope.aliases.get(names[0].lower()) if len(names) == 1 else None
        if found is None:
            raise refused(
                f"The name {'.'.join(names)}", "it is no column of a relation in this query"
            )
        return found

    def column(self, node: Node, scope: Scope) -> exp.Expr:
        """Return a column, a field of one, or what an alias stands for."""
        names = node["column_names"]
        found = scope.find(names)
        if found is None:
            return self.rewrite(self._alias(node, scope), _without_alias(scope, names[0]))
        column, fields = found
        value = column.spark.copy()
        for name in fields:
            value = b.field(value, name)
        return value

    def function(self, node: Node, scope: Scope) -> exp.Expr:
        """Return a call: the same in Spark, rewritten by a rule, or refused."""
        name = node["function_name"].lower()
        if any(one.get("name") for one in node["arguments"]) and name not in _NAMED:
            raise refused(f"A named argument of {name}")
        call = Call(name, node, scope, self)
        rule = REWRITES.get(name)
        if rule is not None and (name in REWRITTEN or name in _OPERATORS):
            return rule(call)
        _check_plain(call)
        if name in SAME:
            return self._same(call)
        raise refused(f"The function {name}", REFUSED.get(name, "it is on no list"))

    def _same(self, call: Call) -> exp.Expr:
        for at in range(call.count):
            if t.is_nested(kind := call.type(at)) and not t.is_map(kind):
                raise call.refuse(f"of {kind}")
        spark, _, returned = SAME[call.name].partition(":")
        value = b.call(spark, *call.args())
        spark_type = t.spark_type(call.result)
        return b.cast(value, spark_type) if returned and spark_type is not None else value


def _check_plain(call: Call) -> None:
    """Refuse what only aggregates take."""
    node = call.node
    if node.get("filter") or node.get("distinct") or (node.get("order_bys") or {}).get("orders"):
        raise call.refuse("with FILTER, DISTINCT or ORDER BY inside")


def _without_alias(scope: Scope, name: str) -> Scope:
    """Return a scope in which an alias does not mean itself."""
    aliases = {key: value for key, value in scope.aliases.items() if key != name.lower()}
    return Scope(
        scope.parent, scope.sources, scope.merged, scope.hidden, aliases,
        scope.lambdas, scope.generated, scope.is_lateral,
    )  # fmt: skip


def _field_type(kind: str, name: str) -> str:
    if not t.is_struct(kind):
        raise refused(f"The field {name}", f"{kind} has no fields")
    for field, inner in t.fields(kind).items():
        if field.lower() == name.lower():
            return inner
    raise refused(f"The field {name}", f"{kind} has none of that name")


def _readable(node: Node) -> str:
    return str(node.get("type", node["class"])).replace("_", " ")


_NAMED = frozenset({"struct_pack", "unnest"})
_KINDS: Final[dict[str, Callable[[Rewriter, Node, Scope], exp.Expr]]] = {
    "COLUMN_REF": Rewriter.column,
    "FUNCTION": Rewriter.function,
}


def handles(*kinds: str) -> Callable[..., Any]:
    """Register a rule for nodes of DuckDB's tree that are no calls."""

    def register(rule: Callable[[Rewriter, Node, Scope], exp.Expr]) -> Any:
        for kind in kinds:
            _KINDS[kind] = rule
        return rule

    return register
