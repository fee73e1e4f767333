"""What the expressions of a query mean, said so that they can be asked apart from it."""

from __future__ import annotations

from collections.abc import Mapping

from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.query.names import Names, resolve
from catalog.query.parsing import Parsed
from catalog.query.quick import Quick, UnknownError
from catalog.query.relations import TRACE_RELATIONS
from catalog.query.scopes import PLAIN, Cte, Scope, Scopes, Source


class Meanings:
    """Says the expressions of one query about its sources, and sources as companions of others."""

    def __init__(
        self,
        con: DuckDBPyConnection,
        parsed: Parsed,
        scopes: Scopes,
        values: Mapping[str, object],
    ) -> None:
        self._scopes = scopes
        self.names = Names(con, values)
        self.quick = Quick(con, parsed, scopes, self.names)
        self._sources = {one.key: one for scope in scopes.all for one in scope.sources}

    def projection(self, scope: Scope, branches: list[Scope], name: str) -> exp.Expr | None:
        """
        Return what a column of a select's rows is made of, about the select's own sources.

        None where it cannot be said, or where rows without a value would change others.

        Args:
            branches: the selects of the union that the scope is one of; the first one names
                the columns.
        """
        first, own = self.names.made(branches[0]), self.names.made(scope)
        if first is None or own is None or len(first) != len(own):
            return None
        places = [place for place, (one, _) in enumerate(first) if one == name]
        if len(places) != 1:
            return None
        if len(branches) > 1 and not self._is_of_one_type(branches, places[0]):
            return None
        made = own[places[0]][1]
        if isinstance(made, tuple):
            source, column = made
            made = exp.column(column, table=source.alias, quoted=True)
        if not self.passes(scope, made):
            return None
        try:
            return exp.paren(self.canonical(made, scope), copy=False)
        except UnknownError:
            return None

    def _is_of_one_type(self, branches: list[Scope], place: int) -> bool:
        """Say whether a column of a union surely has in each branch the type of the union."""
        found = set()
        for scope in branches:
            made = self.names.made(scope)
            one = made[place][1] if made is not None and len(made) > place else None
            if isinstance(one, exp.Column):
                one = resolve(one, scope, self.names.columns)
            if not isinstance(one, tuple) or self.names.trace_relation(one[0]) is None:
                return False
            found.add(one[1])
        return len(found) == 1 and found != {"val"}

    def passes(self, scope: Scope, made: exp.Expr) -> bool:
        """Say whether rows can be left out by a value of this without changing the other rows."""
        select = scope.select
        if any(select.args.get(name) is not None for name in ("limit", "offset", "sample")):
            return False
        distinct = select.args.get("distinct")
        if distinct is not None and distinct.args.get("on") is not None:
            return False
        if not isinstance(made, exp.Column):
            # What else a function may be (of a row, of a group, of a window) is not looked at.
            return not any(True for _ in select.find_all(exp.Func, exp.Window, exp.Group))
        try:
            column = self.canonical(made, scope)
        except UnknownError:
            return False
        group = select.args.get("group")
        if group is not None:
            if any(group.args.get(name) for name in ("cube", "rollup", "grouping_sets", "totals")):
                return False
            if not group.args.get("all") and not self._is_among(column, group.expressions, scope):
                return False
        # Those of the queries inside it are looked at where they stand.
        return all(
            self._is_partition(column, window, scope)
            for window in select.find_all(exp.Window)
            if window.find_ancestor(exp.Select) is select
        )

    def _is_partition(self, column: exp.Expr, window: exp.Window, scope: Scope) -> bool:
        if window.args.get("alias") is not None:
            return True  # The window that it names is among those of the select.
        parts = window.args.get("partition_by") or []
        if self._is_among(column, parts, scope):
            return True
        # A file's rows are one partition, and go or stay together.
        source = self._sources.get(column.table) if isinstance(column, exp.Column) else None
        if source is None or self.names.trace_relation(source) is None:
            return False
        whole = exp.column("trace_id", table=source.key, quoted=True)
        return self._is_among(whole, parts, scope)

    def _is_among(self, column: exp.Expr, parts: list[exp.Expr], scope: Scope) -> bool:
        for part in parts:
            try:
                if self.canonical(part, scope) == column:
                    return True
            except UnknownError:
                continue
        return False

    def read(self, part: exp.Expr, scope: Scope) -> exp.Expr:
        """Return a condition in canonical form; what is not understood in it is `? = ?`."""
        if isinstance(part, exp.And | exp.Or | exp.Paren):
            inner = [self.read(one, scope) for one in part.iter_expressions()]
            if isinstance(part, exp.Paren):
                return exp.Paren(this=inner[0])
            return type(part)(this=inner[0], expression=inner[1])
        try:
            return self.canonical(part, scope)
        except UnknownError:
            unknown = exp.column("?", table="?")
            return exp.EQ(this=unknown, expression=unknown.copy())

    def canonical(self, part: exp.Expr, scope: Scope) -> exp.Expr:
        """
        Return a copy of an expression whose columns name their sources by key.

        Raises:
            UnknownError: a column cannot be told, or the expression is not surely understood.
        """
        copy = part.copy()
        replaced: list[tuple[exp.Expr, exp.Expr]] = []
        for node, twin in zip(part.walk(), copy.walk(), strict=True):
            self.quick.check_node(node)
            if isinstance(node, exp.Select | exp.SetOperation):
                self.quick.check_query(node)
            if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
                inner = self._scope_inside(node, part) or scope
                if inner.select is not scope.select and node.find_ancestor(exp.Select) is None:
                    raise UnknownError
                found = resolve(node, inner, self.names.columns)
                if found is None:
                    raise UnknownError
                source, name = found
                if not _is_inside(source.scope, inner, scope):
                    replaced.append((twin, exp.column(name, table=source.key, quoted=True)))
        for old, new in replaced:
            if old is copy:
                return new
            old.replace(new)
        return copy

    def _scope_inside(self, node: exp.Expr, root: exp.Expr) -> Scope | None:
        while node is not root and node.parent is not None:
            node = node.parent
            if isinstance(node, exp.Select):
                return self._scopes.by_select.get(id(node))
        return None

    def is_companion(self, key: str) -> bool:
        """Say whether a source can be asked for what goes with the rows of another."""
        source = self._sources.get(key)
        if source is None or source.use != PLAIN:
            return False
        if source.kind == "table" and source.name == "bars":
            return False  # There are millions of them, and every trace of a symbol goes with all.
        return self.names.trace_relation(source) is not None or self.quick.is_quick(source)

    def companion(self, key: str) -> exp.Expr:
        """Return a companion as something to select from, named by its key."""
        source = self._sources[key]
        relation = self.names.trace_relation(source)
        if relation is not None:
            traces = (
                exp.select("*")
                .from_(exp.table_("trace_files", db="main"))
                .where(exp.column("kind").eq(TRACE_RELATIONS[relation].kind))
            )
            return traces.subquery(alias=exp.to_identifier(key, quoted=True))
        return self.named(source)

    def named(self, source: Source) -> exp.Expr:
        """Return a source as it stands in the query, named by its key."""
        table = source.node.copy()
        table.set("joins", None)
        if source.kind == "table" and source.name == "strategies":
            # The table behind the view: with hundreds of columns the view takes its time.
            table = exp.table_("strategy", db="internal")
        alias = exp.TableAlias(this=exp.to_identifier(source.key, quoted=True))
        given = source.node.args.get("alias")
        if isinstance(given, exp.TableAlias) and given.columns:
            alias.set("columns", [column.copy() for column in given.columns])
        table.set("alias", alias)
        return table

    def column_of(self, key: str, name: str) -> str:
        """
        Return how a column of a source may be used: "exact", "range" or "unknown".

        A trace relation is asked as trace_files, which has only some of its columns.
        """
        source = self._sources.get(key)
        relation = None if source is None else self.names.trace_relation(source)
        if relation is None:
            return "exact" if source is not None else "unknown"
        if name in TRACE_RELATIONS[relation].exact:
            return "exact"
        return "range" if name in TRACE_RELATIONS[relation].ranges else "unknown"

    def common_tables(self, query: exp.Expr) -> list[Cte]:
        """Return the CTEs that a query names, and those that they name, in order."""
        wanted = {table.name.lower() for table in query.find_all(exp.Table)}
        found: list[Cte] = []
        for one in reversed(self._scopes.ctes):
            if one.name in wanted:
                found.append(one)
                wanted |= {table.name.lower() for table in one.node.find_all(exp.Table)}
        return found[::-1]

    def with_common_tables(self, query: exp.Select) -> exp.Select:
        """Return a query with the CTEs that it names."""
        for one in self.common_tables(query):
            query = query.with_(one.node.args["alias"].copy(), as_=one.node.this.copy(), copy=False)
        return query

    def source(self, key: str) -> Source:
        return self._sources[key]


def _is_inside(scope: Scope, inner: Scope, outer: Scope) -> bool:
    """Say whether a scope is one of those from the inner one up to below the outer one."""
    one: Scope | None = inner
    while one is not None and one is not outer:
        if one is scope:
            return True
        one = one.parent
    return False
