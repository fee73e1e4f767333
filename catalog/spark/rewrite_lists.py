"""Lists: DuckDB counts from one, keeps NULLs, and sorts them last."""

from __future__ import annotations

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.duck import Node
from catalog.spark.expressions import Call, Rewriter, rewrites
from catalog.spark.nodes import constant, is_null
from catalog.spark.refuse import refused
from catalog.spark.rewrite_casts import convert, typed
from catalog.spark.rewrite_values import common_type
from catalog.spark.scopes import Scope


def make_list(rewriter: Rewriter, node: Node, children: list[Node], scope: Scope) -> exp.Expr:
    """Return a list of values in one type."""
    kind = rewriter.type_of(node, scope)
    inner = t.element(kind)
    if not children:
        return typed(b.call("array"), kind if inner != '"NULL"' else "INTEGER[]")
    return b.call("array", *(rewriter.cast_to(one, inner, scope) for one in children))


@rewrites("list_value", "list_pack", "array_value", "construct_array")
def rewrite_list_value(call: Call) -> exp.Expr:
    """Rewrite a list that is written out."""
    return make_list(call.rewriter, call.node, call.nodes, call.scope)


@rewrites("row")
def rewrite_row(call: Call) -> exp.Expr:
    """Refuse (a, b), whose fields have no names, but where it is counted."""
    raise refused("A row without names for its fields", "write {'a': a, 'b': b}")


@rewrites("list_extract", "list_element", "array_extract")
def rewrite_extract(call: Call) -> exp.Expr:
    """Rewrite an element of a list."""
    return extract(call.rewriter, call.nodes[0], call.nodes[1], call.node, call.scope)


def extract(rewriter: Rewriter, value: Node, key: Node, node: Node, scope: Scope) -> exp.Expr:
    """Return what brackets take out of a list, a text, a map or a struct."""
    kind, known = rewriter.type_of(value, scope), constant(key)
    whole = rewriter.rewrite(value, scope)
    if t.is_map(kind):
        return b.call("try_element_at", whole, rewriter.cast_to(key, t.map_types(kind)[0], scope))
    if t.is_struct(kind) and isinstance(known, str):
        return b.field(whole, known)
    if kind == "VARCHAR" and isinstance(known, int) and known > 0:
        return b.call("substring", whole, b.number(known), b.number(1))
    if kind == "JSON":
        from catalog.spark.rewrite_json import rewrite_extract

        return rewrite_extract(Call("->", node, scope, rewriter))
    if not t.is_list(kind):
        raise refused(f"Brackets behind {kind}")
    if known == 0:
        return convert(b.null(), '"NULL"', t.element(kind))
    if isinstance(known, int):
        return b.call("try_element_at", whole, b.number(known))
    at = b.cast(rewriter.rewrite(key, scope), "INT")
    return b.call("try_element_at", whole, b.call("nullif", at, b.number(0)))


@rewrites("list_slice", "array_slice")
def rewrite_slice(call: Call) -> exp.Expr:
    """Rewrite a slice that is written as a function."""
    return take_slice(call.rewriter, call.nodes, call.scope)


def take_slice(rewriter: Rewriter, nodes: list[Node], scope: Scope) -> exp.Expr:
    """Return a slice of a list or text; both ends count, and from the end where below zero."""
    if len(nodes) > 3:
        raise refused("A slice with a step")
    kind = rewriter.type_of(nodes[0], scope)
    value = rewriter.rewrite(nodes[0], scope)
    is_text = kind == "VARCHAR"
    if not is_text and not t.is_list(kind):
        raise refused(f"A slice of {kind}")
    size = b.call("char_length" if is_text else "size", value.copy())
    first, last = (_bound(one, size, is_first=at == 0) for at, one in enumerate(nodes[1:3]))
    count = b.call("greatest", b.add(b.subtract(last, first.copy()), b.number(1)), b.number(0))
    return b.call("substring" if is_text else "slice", value, first, count)


def _bound(node: Node, size: exp.Expr, *, is_first: bool) -> exp.Expr:
    known = constant(node)
    is_left_out = node["class"] == "OPERATOR" or (
        node["class"] == "FUNCTION" and node["function_name"] == "list_value"
    )
    if is_null(node):
        raise refused("A slice up to NULL", "leave the position out")
    if is_left_out:
        return b.number(1) if is_first else size.copy()
    if not isinstance(known, int):
        raise refused("A slice between positions that are no numbers in the query")
    if is_first:
        if known > 0:
            return b.number(known)
        return (
            b.number(1)
            if known == 0
            else b.call("greatest", b.add(size.copy(), b.number(known + 1)), b.number(1))
        )
    if known >= 0:
        return b.call("least", b.number(known), size.copy())
    return b.add(size.copy(), b.number(known + 1))


@rewrites("list_sort", "array_sort", "list_reverse_sort", "array_reverse_sort")
def rewrite_sort(call: Call) -> exp.Expr:
    """Rewrite sorting a list; NULLs come last, unless they are asked for first."""
    reverse = "reverse" in call.name
    words = [call.literal(at, "the order").upper() for at in range(1, call.count)]
    if reverse:
        words = ["DESC", *words]
    descending = bool(words) and words[0] in ("DESC", "DESCENDING")
    nulls_first = len(words) > 1 and "FIRST" in words[1]
    if t.is_nested(t.element(call.type(0))):
        raise call.refuse("of lists or structs in a list")
    if descending == nulls_first:
        ascending = b.call("array_sort", call.arg(0))
        return b.call("reverse", ascending) if descending else ascending
    order = exp.Boolean(this=not descending)
    return b.call("sort_array", call.arg(0), order)


@rewrites("list_reverse", "array_reverse")
def rewrite_reverse_list(call: Call) -> exp.Expr:
    """Rewrite a list read backwards."""
    return b.call("reverse", call.arg(0))


def _alike(call: Call) -> tuple[exp.Expr, exp.Expr]:
    """Return a list and a value in one type."""
    inner, mine = t.element(call.type(0)), call.type(1)
    common = common_type(call.rewriter, sorted({inner, mine} - {'"NULL"'}) or [inner])
    if t.is_nested(common):
        raise call.refuse("of lists or structs in a list")
    return call.arg_as(0, common + "[]"), call.arg_as(1, common)


@rewrites("list_contains", "list_has", "array_contains", "array_has")
def rewrite_contains(call: Call) -> exp.Expr:
    """Rewrite whether a value is in a list; a NULL in the list makes nothing unknown."""
    if is_null(call.nodes[1]):
        raise call.refuse("of NULL")
    values, one = _alike(call)
    found = b.call("coalesce", b.call("array_contains", values, one), exp.Boolean(this=False))
    there = [b.is_not_null(values.copy())]
    if constant(call.nodes[1]) is not None:
        return b.when((there[0], found))
    there.append(b.is_not_null(one.copy()))
    empty = b.equal(b.call("size", values.copy()), b.number(0))
    return b.when((empty, exp.Boolean(this=False)), (b.both(*there), found))


@rewrites("list_position", "array_position", "list_indexof", "array_indexof")
def rewrite_position(call: Call) -> exp.Expr:
    """Rewrite where a value is in a list, NULL where it is not."""
    if constant(call.nodes[1]) is None:
        raise call.refuse("of a value that does not stand in the query")
    values, one = _alike(call)
    return convert(
        b.call("nullif", b.call("array_position", values, one), b.number(0)), "BIGINT", call.result
    )


def not_null(values: exp.Expr) -> exp.Expr:
    """Return the elements of a list that are not NULL."""
    return b.each(values, b.is_not_null(b.name("_e")), "_e", function="filter")


@rewrites("list_distinct", "array_distinct", "list_unique", "array_unique")
def rewrite_distinct(call: Call) -> exp.Expr:
    """Rewrite the different values of a list, without NULL, or how many they are."""
    values = b.call("array_distinct", not_null(call.arg(0)))
    if "distinct" in call.name:
        return values
    return b.when(
        (b.is_not_null(call.arg(0)), convert(b.call("size", values), "INTEGER", call.result))
    )


def join_lists(call: Call) -> exp.Expr:
    """Return lists behind each other; a NULL is an empty one."""
    kind = call.result
    values = [call.arg_as(at, kind) for at in range(call.count) if not is_null(call.nodes[at])]
    empty = typed(b.call("array"), kind)
    return b.call(
        "concat", *(b.call("coalesce", one, empty.copy()) for one in values), empty.copy()
    )


@rewrites("list_concat", "list_cat", "array_concat", "array_cat")
def rewrite_concat(call: Call) -> exp.Expr:
    """Rewrite lists behind each other."""
    return join_lists(call)


@rewrites("list_append", "array_append", "array_push_back", "list_prepend", "array_prepend",
          "array_push_front")  # fmt: skip
def rewrite_append(call: Call) -> exp.Expr:
    """Rewrite a list with one more element; a NULL is an empty list."""
    kind = call.result
    at_front = "prepend" in call.name
    listed, item = (1, 0) if at_front else (0, 1)
    if call.name == "array_push_front":
        at_front, listed, item = True, 0, 1
    values = b.call("coalesce", call.arg_as(listed, kind), typed(b.call("array"), kind))
    one = b.call("array", call.arg_as(item, t.element(kind)))
    return b.call("concat", one, values) if at_front else b.call("concat", values, one)


@rewrites("array_pop_back", "array_pop_front")
def rewrite_pop(call: Call) -> exp.Expr:
    """Rewrite a list without its last or first element."""
    value = call.arg(0)
    count = b.call("greatest", b.subtract(b.call("size", value.copy()), b.number(1)), b.number(0))
    return b.call("slice", value, b.number(1 if call.name.endswith("back") else 2), count)


@rewrites("list_has_any", "array_has_any", "list_has_all", "array_has_all", "list_intersect",
          "array_intersect")  # fmt: skip
def rewrite_sets(call: Call) -> exp.Expr:
    """Rewrite what two lists have in common."""
    common = common_type(call.rewriter, sorted({call.type(0), call.type(1)}))
    left, right = not_null(call.arg_as(0, common)), not_null(call.arg_as(1, common))
    if "intersect" in call.name:
        return b.call("array_intersect", left, right)
    there = b.both(b.is_not_null(call.arg(0)), b.is_not_null(call.arg(1)))
    if "any" in call.name:
        return b.when((there, b.call("arrays_overlap", left, right)))
    rest = b.call("size", b.call("array_except", right, left))
    return b.when((there, b.equal(rest, b.number(0))))


@rewrites("flatten")
def rewrite_flatten(call: Call) -> exp.Expr:
    """Rewrite a list of lists as one."""
    return b.call("flatten", not_null(call.arg(0)))


@rewrites("array_to_string", "array_to_string_comma_default", "list_string_agg")
def rewrite_to_string(call: Call) -> exp.Expr:
    """Rewrite a list of texts as one text."""
    separator = call.arg(1) if call.count > 1 else b.text(",")
    values = call.arg_as(0, "VARCHAR[]")
    made = b.call("array_join", values, separator)
    if call.name != "list_string_agg":
        return made
    some = exp.GT(this=b.call("size", not_null(values.copy())), expression=b.number(0))
    return b.when((some, made))
