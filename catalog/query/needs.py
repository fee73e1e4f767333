"""
Which rows of a source a query can need at all, as a condition on that source alone.

The condition is a superset, made of what certainly holds for every row that matters: parts of
WHERE and of inner joins, whatever a derived table or a CTE is filtered by from outside, and,
in a subquery, what holds for the rows around it. Other relations take part as `exists (…)`
where they can be asked without opening a trace file. What is not understood is left out.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from catalog.query.meanings import Meanings
from catalog.query.quick import UnknownError
from catalog.query.relax import free_keys, relax
from catalog.query.scopes import OPAQUE, OPTIONAL, PLAIN, Scope, Source, conjuncts

_UNKNOWN = exp.column("?", table="?")


class Needs:
    """Answers what is needed of each source of one query."""

    def __init__(self, meanings: Meanings) -> None:
        self._meanings = meanings
        self._known: dict[str, exp.Expr | None] = {}

    def needed(self, source: Source) -> exp.Expr | None:
        """Return what holds for every row of a source that matters, or None if nothing is known."""
        if source.key not in self._known:
            self._known[source.key] = None  # For a query that reads itself.
            self._known[source.key] = self._close(source, self._conditions(source))
        return self._known[source.key]

    def _conditions(self, source: Source) -> list[exp.Expr]:
        scope = source.scope
        if source.use == OPAQUE:
            return []
        found = self._of_scope(scope, source)
        if source.use == OPTIONAL:
            found += self._understood(source.own_conditions, scope)
        outside = [] if scope.is_opaque else self._from_outside(scope)
        if source.use == OPTIONAL:
            # A row around it may go on without it, so nothing may be said of it.
            outside = [part for part in outside if source.key not in free_keys(part)]
        found += outside
        while scope.role == "subquery" and scope.parent is not None:
            found += self._of_scope(scope.parent, None, without=scope.select)
            found += self._looked_up(scope) if source.scope is scope else []
            scope = scope.parent
        return found

    def _of_scope(
        self, scope: Scope, target: Source | None, *, without: exp.Expr | None = None
    ) -> list[exp.Expr]:
        """Return what holds in a scope; a target that is not plain must not be spoken of."""
        if scope.is_opaque:
            return []
        parts = [
            part
            for part in scope.conditions
            if without is None or all(node is not without for node in part.walk())
        ]
        found = self._understood(parts, scope)
        hidden = {s.key for s in scope.sources if s.use != PLAIN}
        if target is not None and target.use != PLAIN:
            found = [part for part in found if target.key not in free_keys(part)]
        return [_hide(part, hidden) for part in found]

    def _understood(self, parts: Iterable[exp.Expr], scope: Scope) -> list[exp.Expr]:
        return [self._meanings.read(part, scope) for part in parts]

    def _looked_up(self, scope: Scope) -> list[exp.Expr]:
        """Return what `value in (select …)` says of the rows of the select."""
        parent, select = scope.parent, scope.select
        if parent is None or parent.is_opaque or scope.is_limited:
            return []
        for part in parent.conditions:
            query = part.args.get("query") if isinstance(part, exp.In) else None
            if query is None or query.this is not select or len(select.selects) != 1:
                continue
            item = select.selects[0].unalias()
            if not self._meanings.passes(scope, item):
                return []
            try:
                left = self._meanings.canonical(part.this, parent)
                right = self._meanings.canonical(item, scope)
            except UnknownError:
                return []
            hidden = {s.key for s in parent.sources if s.use != PLAIN}
            return [exp.EQ(this=_hide(left, hidden), expression=right)]
        return []

    def _from_outside(self, scope: Scope) -> list[exp.Expr]:
        """Return what the readers of a scope's rows need, in the terms of its own sources."""
        if scope.role == "derived" and scope.reader is not None:
            readers, branches = [scope.reader], scope.reader.branches
        elif scope.role == "cte" and scope.cte is not None:
            readers, branches = scope.cte.users, scope.cte.branches
        else:
            return []
        if scope.is_limited or not readers:
            return []
        wanted: list[exp.Expr] = []
        for reader in readers:
            condition = self.needed(reader)
            if condition is None:
                return []
            wanted.append(self._put_projections(condition, reader, scope, branches))
        if len(wanted) == 1:
            return conjuncts(wanted[0])
        return [exp.or_(*wanted, copy=False)]

    def _put_projections(
        self, condition: exp.Expr, reader: Source, scope: Scope, branches: list[Scope]
    ) -> exp.Expr:
        """Say a condition on a reader's columns about the expressions that they are made of."""

        def put(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column) and node.table == reader.key:
                made = self._meanings.projection(scope, branches, node.name)
                return _UNKNOWN.copy() if made is None else made
            return node

        return condition.copy().transform(put, copy=False)

    def _close(self, source: Source, parts: list[exp.Expr]) -> exp.Expr | None:
        """Return the parts as one condition on a source; others take part as `exists`."""
        meanings = self._meanings
        alone: list[exp.Expr] = []
        together: list[tuple[exp.Expr, set[str]]] = []
        for part in parts:
            loose = relax(part, source, meanings)
            if loose is None:
                continue
            keys = free_keys(loose) - {source.key}
            if keys:
                together.append((loose, keys))
            else:
                alone.append(loose)
        joined = _connected(source, together)
        if joined:
            inside = [part for part, keys in together if keys <= joined]
            tables = [meanings.companion(key) for key in sorted(joined)]
            select = exp.select("1").from_(tables[0], copy=False)
            for table in tables[1:]:
                select = select.join(table, join_type="cross", copy=False)
            alone.append(exp.Exists(this=select.where(*inside, copy=False)))
        return exp.and_(*alone, copy=False) if alone else None


def _hide(part: exp.Expr, keys: set[str]) -> exp.Expr:
    """Make unknown what a condition says of rows that may have been filled with NULL."""
    if not keys & free_keys(part):
        return part

    def hide(node: exp.Expr) -> exp.Expr:
        is_hidden = isinstance(node, exp.Column) and node.table in keys
        return _UNKNOWN.copy() if is_hidden else node

    return part.transform(hide, copy=False)


def _connected(source: Source, parts: list[tuple[exp.Expr, set[str]]]) -> set[str]:
    """Return the sources that equality leads to, from the one on: others would only multiply."""
    reached = {source.key}
    grown = True
    while grown:
        grown = False
        for part, _ in parts:
            linked = _linked(part)
            if linked and linked & reached and not linked <= reached:
                reached |= linked
                grown = True
    return reached - {source.key}


def _linked(part: exp.Expr) -> set[str]:
    """Return the two sources that an equality of two columns links."""
    while isinstance(part, exp.Paren):
        part = part.this
    if isinstance(part, exp.EQ | exp.NullSafeEQ):
        left, right = free_keys(part.left), free_keys(part.right)
        if len(left) == 1 and len(right) == 1:
            return left | right
    return set()
