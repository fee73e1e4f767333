"""Constants, comparisons, conditions and CASE."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.duck import Node
from catalog.spark.expressions import Call, Rewriter, handles, rewrites
from catalog.spark.nodes import constant, is_null
from catalog.spark.refuse import refused
from catalog.spark.scopes import Scope

_COMPARISONS: Final[dict[str, type[exp.Binary]]] = {
    "COMPARE_EQUAL": exp.EQ,
    "COMPARE_NOTEQUAL": exp.NEQ,
    "COMPARE_LESSTHAN": exp.LT,
    "COMPARE_LESSTHANOREQUALTO": exp.LTE,
    "COMPARE_GREATERTHAN": exp.GT,
    "COMPARE_GREATERTHANOREQUALTO": exp.GTE,
    "COMPARE_NOT_DISTINCT_FROM": exp.NullSafeEQ,
    "COMPARE_DISTINCT_FROM": exp.NullSafeEQ,
}


@handles("CONSTANT")
def rewrite_constant(rewriter: Rewriter, node: Node, scope: Scope) -> exp.Expr:
    """Write a constant with the type that it has in DuckDB."""
    literal = node["literal"]
    kind, text = literal["kind"], str(literal.get("text", "")).replace("_", "")
    if kind == "STRING":
        return b.text(str(literal["text"]))
    if kind == "BOOLEAN":
        return exp.Boolean(this=text.lower() == "true")
    if kind == "NULL_LITERAL":
        return b.null()
    if kind == "INTEGER":
        if abs(int(text)) < 2**63:
            return b.number(int(text))
        return b.cast(b.text(text), "DECIMAL(38, 0)")
    if kind == "NUMERIC":
        is_double = rewriter.duck.type_of(node) == "DOUBLE"
        return b.cast(b.text(text), "DOUBLE") if is_double else b.number(text)
    raise refused(f"A constant of the kind {kind}")


def alike(rewriter: Rewriter, nodes: list[Node], scope: Scope) -> list[exp.Expr]:
    """Return values that are compared, each in the type that DuckDB compares them in."""
    kinds = [rewriter.type_of(node, scope) for node in nodes]
    known = {
        kind
        for node, kind in zip(nodes, kinds, strict=True)
        if not is_null(node) and not (kind == "VARCHAR" and isinstance(constant(node), str))
    }
    if not known:
        return [rewriter.rewrite(node, scope) for node in nodes]
    if len(known) == 1:
        (common,) = known
    else:
        common = common_type(rewriter, sorted(known))
    if any(kind in t.UNSIGNED for kind in known) and len(known) > 1 and not t.is_number(common):
        raise refused(f"A comparison of {' and '.join(sorted(known))}")
    # Sail compares a DOUBLE with a DECIMAL or a BIGINT as a DECIMAL, which cannot hold it.
    are_mixed = common in t.FLOATS and any(kind not in t.FLOATS for kind in kinds)
    if t.is_number(common) and all(t.is_number(kind) for kind in known) and not are_mixed:
        # Spark widens numbers as DuckDB does; only texts have to be read.
        return [
            rewriter.cast_to(node, common, scope)
            if isinstance(constant(node), str)
            else rewriter.rewrite(node, scope)
            for node in nodes
        ]
    return [rewriter.cast_to(node, common, scope) for node in nodes]


def common_type(rewriter: Rewriter, kinds: list[str]) -> str:
    """Return the type that holds values of several types."""
    texts = [kind for kind in kinds if kind in t.TEXTS]
    others = [kind for kind in kinds if kind not in t.TEXTS]
    if texts and others:
        raise refused(f"A comparison of {' and '.join(kinds)}", "write the cast that is meant")
    places = [{"name": "", "expression": rewriter.duck.place(kind)} for kind in kinds]
    node = {
        "class": "FUNCTION", "type": "FUNCTION", "function_name": "list_value",
        "qualified_name": {"path": ["list_value"]}, "arguments": places,
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
    }  # fmt: skip
    return t.element(rewriter.duck.type_of(node))


@handles("COMPARISON")
def rewrite_comparison(rewriter: Rewriter, node: Node, scope: Scope) -> exp.Expr:
    """Rewrite a comparison of two values."""
    left, right = alike(rewriter, [node["left"], node["right"]], scope)
    kind = _COMPARISONS.get(node["type"])
    if kind is None:
        raise refused(node["type"].replace("_", " "))
    nested = t.is_nested(rewriter.type_of(node["left"], scope))
    if nested and kind not in (exp.EQ, exp.NEQ):
        raise refused("An order among lists, structs or maps")
    if t.is_map(rewriter.type_of(node["left"], scope)):
        raise refused("A comparison of maps")
    made = b.binary(kind, left, right)
    return b.negate(made) if node["type"] == "COMPARE_DISTINCT_FROM" else made


@handles("BETWEEN")
def rewrite_between(rewriter: Rewriter, node: Node, scope: Scope) -> exp.Expr:
    """Rewrite BETWEEN."""
    value, low, high = alike(rewriter, [node["input"], node["lower"], node["upper"]], scope)
    return exp.Between(this=b.wrap(value), low=b.wrap(low), high=b.wrap(high))


@handles("CONJUNCTION")
def rewrite_conjunction(rewriter: Rewriter, node: Node, scope: Scope) -> exp.Expr:
    """Rewrite AND and OR."""
    parts = [condition(rewriter, one, scope) for one in node["children"]]
    return b.both(*parts) if node["type"] == "CONJUNCTION_AND" else b.either(*parts)


def condition(rewriter: Rewriter, node: Node, scope: Scope) -> exp.Expr:
    """Return what is true or false, as DuckDB takes numbers for it too."""
    return rewriter.cast_to(node, "BOOLEAN", scope)


@handles("CASE")
def rewrite_case(rewriter: Rewriter, node: Node, scope: Scope) -> exp.Expr:
    """Rewrite CASE, all its values in one type."""
    kind = rewriter.type_of(node, scope)
    branches = [
        (
            condition(rewriter, one["when_expr"], scope),
            rewriter.cast_to(one["then_expr"], kind, scope),
        )
        for one in node["case_checks"]
    ]
    default = node.get("else_expr")
    other = None if default is None or is_null(default) else rewriter.cast_to(default, kind, scope)
    return b.when(*branches, default=other)


@rewrites("if")
def rewrite_if(call: Call) -> exp.Expr:
    """Rewrite if(condition, one, other)."""
    kind = call.result
    return b.when((call.arg_as(0, "BOOLEAN"), call.arg_as(1, kind)), default=call.arg_as(2, kind))


@rewrites("isnull")
def rewrite_isnull(call: Call) -> exp.Expr:
    """Rewrite isnull(x)."""
    return b.is_null(call.arg(0))


@rewrites("nullif")
def rewrite_nullif(call: Call) -> exp.Expr:
    """Rewrite nullif, which compares as `=` does."""
    return b.call("nullif", *alike(call.rewriter, call.nodes, call.scope))


@rewrites("coalesce")
def rewrite_coalesce(call: Call) -> exp.Expr:
    """Rewrite coalesce where it is written as a function."""
    return b.call("coalesce", *(call.arg_as(at, call.result) for at in range(call.count)))


@handles("OPERATOR")
def rewrite_operator(rewriter: Rewriter, node: Node, scope: Scope) -> exp.Expr:
    """Rewrite what DuckDB calls operators: NOT, IN, IS NULL, COALESCE, brackets."""
    from catalog.spark import rewrite_lists

    kind, children = node["type"], node["children"]
    if kind == "OPERATOR_NOT":
        return b.negate(condition(rewriter, children[0], scope))
    if kind == "OPERATOR_IS_NULL":
        return b.is_null(rewriter.rewrite(children[0], scope))
    if kind == "OPERATOR_IS_NOT_NULL":
        return b.is_not_null(rewriter.rewrite(children[0], scope))
    if kind in ("COMPARE_IN", "COMPARE_NOT_IN"):
        if len(children) == 2 and t.is_list(rewriter.type_of(children[1], scope)):
            raise refused("IN with a list", "write list_contains(list, value)")
        value, *others = alike(rewriter, children, scope)
        made = exp.In(this=b.wrap(value), expressions=others)
        return b.negate(made) if kind == "COMPARE_NOT_IN" else made
    if kind == "OPERATOR_COALESCE":
        common = rewriter.type_of(node, scope)
        return b.call("coalesce", *(rewriter.cast_to(one, common, scope) for one in children))
    if kind == "OPERATOR_NULLIF":
        left, right = alike(rewriter, children, scope)
        return b.call("nullif", left, right)
    if kind == "ARRAY_CONSTRUCTOR":
        return rewrite_lists.make_list(rewriter, node, children, scope)
    if kind in ("ARRAY_EXTRACT", "STRUCT_EXTRACT"):
        return rewrite_lists.extract(rewriter, children[0], children[1], node, scope)
    if kind == "ARRAY_SLICE":
        return rewrite_lists.take_slice(rewriter, children, scope)
    if kind == "GROUPING_FUNCTION":
        grouped = [rewriter.rewrite(one, scope) for one in children]
        return b.cast(
            b.call("grouping" if len(grouped) == 1 else "grouping_id", *grouped), "BIGINT"
        )
    raise refused(kind.removeprefix("OPERATOR_").replace("_", " "))


@handles("SUBQUERY")
def rewrite_subquery(rewriter: Rewriter, node: Node, scope: Scope) -> exp.Expr:
    """Rewrite a query inside an expression."""
    inner = rewriter.lower(node["subquery"]["node"], Scope(scope))
    query = inner.query
    kind = node["subquery_type"]
    if kind == "SCALAR":
        return exp.Subquery(this=query)
    if kind in ("EXISTS", "NOT_EXISTS"):
        made: exp.Expr = exp.Exists(this=query)
        return b.negate(made) if kind == "NOT_EXISTS" else made
    if kind == "ANY" and node["comparison_type"] == "COMPARE_EQUAL":
        child = node["child"]
        (_, inside), *_ = inner.columns
        mine = rewriter.type_of(child, scope)
        if mine != inside and not (t.is_number(mine) and t.is_number(inside)):
            value = rewriter.cast_to(child, inside, scope)
        else:
            value = rewriter.rewrite(child, scope)
        return exp.In(this=b.wrap(value), query=exp.Subquery(this=query))
    raise refused("A comparison with ANY or ALL of a query")
