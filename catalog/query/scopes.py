"""
The selects of a query and what each of them reads: which name means what, and how it is joined.

A `Scope` is one select. A `Source` is one thing in its FROM. A column belongs to a source of its
own select or, in a subquery, of one around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from sqlglot import exp

from catalog.query.files import file_function

# How a source may be used: "plain" rows all take part in the conditions of the select;
# "optional" rows only in those of their own join (right of a left join, an anti join, an ASOF
# join); of "opaque" sources nothing is known.
PLAIN, OPTIONAL, OPAQUE = "plain", "optional", "opaque"


@dataclass(eq=False)
class Cte:
    """A common table expression, and the sources that name it."""

    name: str
    node: exp.CTE
    is_recursive: bool
    users: list[Source] = field(default_factory=list)
    branches: list[Scope] = field(default_factory=list)


@dataclass(eq=False)
class Source:
    """
    One thing that a select reads.

    `kind` is "table" (of the catalog), "cte", "derived" (a subquery), "file" or "other". `key`
    names it in conditions, uniquely in the whole query.
    """

    scope: Scope
    node: exp.Expr
    alias: str
    kind: str
    key: str
    name: str = ""
    use: str = PLAIN
    own_conditions: list[exp.Expr] = field(default_factory=list)
    cte: Cte | None = None
    branches: list[Scope] = field(default_factory=list)


@dataclass(eq=False)
class Scope:
    """
    One select.

    `role` says what its rows are for: "root", "derived" (rows of `reader`), "cte", "subquery"
    (looked up for rows of the select around it) or "apart" (nothing is known).
    """

    select: exp.Select
    parent: Scope | None
    role: str
    reader: Source | None = None
    cte: Cte | None = None
    sources: list[Source] = field(default_factory=list)
    conditions: list[exp.Expr] = field(default_factory=list)
    is_opaque: bool = False
    merged: set[str] = field(default_factory=set)
    """Columns that USING makes one of two."""
    is_limited: bool = False
    """Its rows are cut by a LIMIT around it, in a union or a subquery."""


@dataclass
class Scopes:
    """All selects of a query."""

    all: list[Scope] = field(default_factory=list)
    by_select: dict[int, Scope] = field(default_factory=dict)
    ctes: list[Cte] = field(default_factory=list)
    _keys: Iterator[int] = field(default_factory=count)

    def key(self) -> str:
        # No name that a person gives: it would need quotes.
        return f"#{next(self._keys)}"


def find_scopes(tree: exp.Expr) -> Scopes:
    """Return the selects of a statement, each with its sources."""
    scopes = Scopes()
    for query in _outermost_queries(tree):
        _visit_query(scopes, query, None, "root" if query is tree else "apart", {})
    _note_other_users(scopes, tree)
    return scopes


def _note_other_users(scopes: Scopes, tree: exp.Expr) -> None:
    """Let a CTE know of those who read it where nothing is known of them, as in parentheses."""
    seen = {id(source.node) for scope in scopes.all for source in scope.sources}
    for table in tree.find_all(exp.Table):
        if id(table) in seen or not isinstance(table.this, exp.Identifier):
            continue
        for one in scopes.ctes:
            if one.name == table.name.lower() and scopes.all:
                name = table.alias_or_name.lower()
                user = Source(scopes.all[0], table, name, "cte", scopes.key(), use=OPAQUE)
                one.users.append(user)


def conjuncts(condition: exp.Expr | None) -> list[exp.Expr]:
    """Return the parts of a condition that all have to hold."""
    if condition is None:
        return []
    if isinstance(condition, exp.Paren):
        return conjuncts(condition.this)
    if isinstance(condition, exp.And):
        return conjuncts(condition.left) + conjuncts(condition.right)
    return [condition]


def _outermost_queries(node: exp.Expr) -> Iterator[exp.Query]:
    if isinstance(node, exp.Select | exp.SetOperation):
        yield node
        return
    for child in node.iter_expressions():
        yield from _outermost_queries(child)


def _visit_query(
    scopes: Scopes,
    query: exp.Expr,
    parent: Scope | None,
    role: str,
    ctes: dict[str, Cte],
    *,
    reader: Source | None = None,
    cte: Cte | None = None,
    is_limited: bool = False,
) -> list[Scope]:
    """Visit a select, or the branches of a union, and return their scopes in order."""
    while isinstance(query, exp.Subquery | exp.Paren):
        is_limited = is_limited or _is_cut(query)
        query = query.this
    if not isinstance(query, exp.Select | exp.SetOperation):
        for inner in _outermost_queries(query):
            _visit_query(scopes, inner, parent, "apart", ctes)
        return []
    ctes = _visit_ctes(scopes, query, parent, ctes)
    if isinstance(query, exp.SetOperation):
        limited = is_limited or _is_cut(query)
        # Of a union by name the columns of the branches do not stand in one order.
        inner_role = "apart" if query.args.get("by_name") else role
        found = []
        for branch in (query.left, query.right):
            found += _visit_query(
                scopes, branch, parent, inner_role, ctes,
                reader=reader, cte=cte, is_limited=limited,
            )  # fmt: skip
        return found
    scope = Scope(query, parent, role, reader, cte, is_limited=is_limited)
    scopes.all.append(scope)
    scopes.by_select[id(query)] = scope
    _read_sources(scopes, scope, ctes)
    _visit_subqueries(scopes, scope, ctes)
    return [scope]


def _is_cut(query: exp.Expr) -> bool:
    return any(query.args.get(name) is not None for name in ("limit", "offset", "sample"))


def _visit_ctes(
    scopes: Scopes, query: exp.Expr, parent: Scope | None, ctes: dict[str, Cte]
) -> dict[str, Cte]:
    clause = query.args.get("with_")
    if clause is None:
        return ctes
    seen = dict(ctes)
    is_recursive = bool(clause.args.get("recursive"))
    for node in clause.expressions:
        one = Cte(node.alias.lower(), node, is_recursive)
        scopes.ctes.append(one)
        if is_recursive:
            seen[one.name] = one
        one.branches = _visit_query(
            scopes, node.this, parent, "apart" if is_recursive else "cte", seen, cte=one
        )
        seen[one.name] = one
    return seen


def _read_sources(scopes: Scopes, scope: Scope, ctes: dict[str, Cte]) -> None:
    """Fill the sources of a scope, and the conditions that its rows meet."""
    select = scope.select
    clause = select.args.get("from_")
    if clause is None:
        return
    _add_source(scopes, scope, clause.this, ctes)
    joins = [*(clause.this.args.get("joins") or []), *(select.args.get("joins") or [])]
    for join in joins:
        source = _add_source(scopes, scope, join.this, ctes)
        side = (join.side or "").upper()
        kind = (join.kind or "").upper()
        method = (join.method or "").upper()
        if side in ("RIGHT", "FULL") or method not in ("", "ASOF", "NATURAL"):
            scope.is_opaque = True
        conditions = conjuncts(join.args.get("on"))
        scope.merged |= {name.name.lower() for name in join.args.get("using") or []}
        conditions += [_equal(scope, name, source) for name in join.args.get("using") or []]
        if side == "LEFT" or kind == "ANTI" or kind == "OUTER":
            source.use, source.own_conditions = OPTIONAL, conditions
        elif method == "ASOF":
            # Which row is the last one before depends on the other rows of this source.
            source.use, source.own_conditions = OPTIONAL, conditions
            scope.conditions += conditions
        else:
            scope.conditions += conditions
        if isinstance(join.this, exp.Lateral | exp.Unnest):
            source.use = OPAQUE
    for lateral in select.args.get("laterals") or []:
        _add_source(scopes, scope, lateral, ctes).use = OPAQUE
    where = select.args.get("where")
    scope.conditions += conjuncts(where.this if where is not None else None)


def _equal(scope: Scope, name: exp.Expr, source: Source) -> exp.Expr:
    """Return what USING says: the column is the one of an earlier source, whichever has it."""
    right = exp.column(name.name, table=source.alias, quoted=True)
    left = exp.column(name.name, quoted=True)
    left.set("earlier_than", source.key)
    return exp.EQ(this=left, expression=right)


def _add_source(scopes: Scopes, scope: Scope, node: exp.Expr, ctes: dict[str, Cte]) -> Source:
    source = Source(scope, node, node.alias_or_name.lower(), "other", scopes.key())
    scope.sources.append(source)
    if _is_cut(node) or node.args.get("pivots") or node.args.get("rows_from"):
        source.use = OPAQUE
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        source.name = node.name.lower()
        known = ctes.get(source.name) if not node.db else None
        source.kind = "table" if known is None else "cte"
        if known is not None:
            source.cte = known
            known.users.append(source)
    elif isinstance(node, exp.Table):
        source.kind = "file" if file_function(node.this) else "other"
    elif isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Table):
        source.kind = "derived"
        role = "derived" if source.use is not OPAQUE else "apart"
        source.branches = _visit_query(scopes, node, scope.parent, role, ctes, reader=source)
    elif isinstance(node, exp.Lateral):
        for query in _outermost_queries(node.this):
            _visit_query(scopes, query, scope, "subquery", ctes)
    else:
        for query in _outermost_queries(node):
            _visit_query(scopes, query, scope, "apart", ctes)
    alias = node.args.get("alias")
    if source.kind == "other" or (isinstance(alias, exp.TableAlias) and alias.columns):
        source.use = OPAQUE if source.use == PLAIN else source.use
    return source


def _visit_subqueries(scopes: Scopes, scope: Scope, ctes: dict[str, Cte]) -> None:
    """Visit the queries inside the expressions of a select."""
    for name, value in scope.select.args.items():
        if name in ("from_", "with_", "laterals"):
            continue
        parts = value if isinstance(value, list) else [value]
        for part in parts:
            if not isinstance(part, exp.Expr):
                continue
            inside = [part]
            if isinstance(part, exp.Join):
                inside = [part.args["on"]] if part.args.get("on") is not None else []
            for one in inside:
                for query in _outermost_queries(one):
                    _visit_query(scopes, query, scope, "subquery", ctes)
    clause = scope.select.args.get("from_")
    for join in (clause.this.args.get("joins") or []) if clause is not None else []:
        if join.args.get("on") is not None:
            for query in _outermost_queries(join.args["on"]):
                _visit_query(scopes, query, scope, "subquery", ctes)
