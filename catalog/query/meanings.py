"""What the names in a query mean: columns of which source, and sources that are quick to ask."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.query.functions import VOLATILE_FUNCTIONS
from catalog.query.guard import own_tree
from catalog.query.names import Names, names_no_column, resolve
from catalog.query.parsing import Parsed
from catalog.query.relations import TRACE_RELATIONS
from catalog.query.scopes import PLAIN, Cte, Scope, Scopes, Source
from catalog.statements import statement
from catalog.store.views import VIEWS

# What sqlglot surely writes as it was meant. Of anything else DuckDB is asked.
_SIMPLE = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.EQ, exp.NEQ, exp.GT,
    exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not, exp.Paren, exp.In, exp.Is, exp.Between,
    exp.Like, exp.Neg, exp.Add, exp.Sub, exp.Tuple, exp.Placeholder, exp.Parameter, exp.Var,
    exp.Cast, exp.DataType, exp.Lower, exp.Upper, exp.Select, exp.Subquery, exp.From, exp.Table,
    exp.TableAlias, exp.Where, exp.Star, exp.Alias,
)  # fmt: skip


class UnknownError(Exception):
    """A part of the query that is not understood well enough to be asked apart from it."""


class Meanings:
    """Looks names up in one query, in the catalog that it is run on."""

    def __init__(
        self,
        con: DuckDBPyConnection,
        parsed: Parsed,
        scopes: Scopes,
        values: Mapping[str, object],
    ) -> None:
        self._con = con
        self._parsed = parsed
        self._scopes = scopes
        self.names = Names(con, values)
        self._sources = {one.key: one for scope in scopes.all for one in scope.sources}
        self._quick: dict[str, bool] = {}

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
        return all(
            self._is_partition(column, window, scope) for window in select.find_all(exp.Window)
        )

    def _is_partition(self, column: exp.Expr, window: exp.Window, scope: Scope) -> bool:
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
            if not isinstance(node, _SIMPLE) and not self._is_faithful:
                raise UnknownError
            if self._is_volatile(node):
                raise UnknownError
            if isinstance(node, exp.Select | exp.SetOperation):
                self._check_quick_query(node)
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

    @cached_property
    def _is_faithful(self) -> bool:
        """Whether sqlglot's tree, written out, is the same query to DuckDB as the user's text."""
        text = self._parsed.tree.sql("duckdb")
        own = own_tree(self._con, self._parsed.body)
        return own is not None and _bare(own) == _bare(own_tree(self._con, text))

    @staticmethod
    def _is_volatile(node: exp.Expr) -> bool:
        if isinstance(node, exp.Rand | exp.Uuid | exp.TableSample):
            return True
        return isinstance(node, exp.Anonymous) and node.name.lower() in VOLATILE_FUNCTIONS

    def _check_quick_query(self, query: exp.Expr) -> None:
        for select in query.find_all(exp.Select):
            scope = self._scopes.by_select.get(id(select))
            if scope is None or not all(self.is_quick(one) for one in scope.sources):
                raise UnknownError

    def is_quick(self, source: Source) -> bool:
        """Say whether a source can be asked without opening a trace file."""
        if source.key not in self._quick:
            self._quick[source.key] = False
            self._quick[source.key] = self._find_quick(source)
        return self._quick[source.key]

    def _find_quick(self, source: Source) -> bool:
        if source.kind == "table":
            if self.names.trace_relation(source) is not None or source.name in TRACE_RELATIONS:
                return False
            if any(one.name == source.name for one in self._scopes.ctes):
                return False  # Asked apart, its name could mean the other one.
            if source.name in VIEWS:
                return True
            values = {"name": source.name}
            ((is_quick,),) = self._con.execute(statement("select_is_quick"), values).fetchall()
            return bool(is_quick)
        if source.kind == "cte" and source.cte is not None:
            one = source.cte
            names = [other.name for other in self._scopes.ctes]
            return not one.is_recursive and names.count(one.name) == 1 and self._is_calm(one.node)
        if source.kind == "derived":
            return self._is_calm(source.node)
        return source.kind == "file" and names_no_column(source)

    def _is_calm(self, node: exp.Expr) -> bool:
        for part in node.walk():
            if self._is_volatile(part):
                return False
            if not isinstance(part, (*_SIMPLE, exp.CTE, exp.ReadParquet)) and not self._is_faithful:
                return False
        try:
            self._check_quick_query(node)
        except UnknownError:
            return False
        return True

    def is_companion(self, key: str) -> bool:
        """Say whether a source can be asked for what goes with the rows of another."""
        source = self._sources.get(key)
        if source is None or source.use != PLAIN:
            return False
        return self.names.trace_relation(source) is not None or self.is_quick(source)

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


def _bare(tree: object) -> object:
    """Return DuckDB's tree without what depends on where things stand in the text."""
    if isinstance(tree, dict):
        return {
            key: _bare(value) for key, value in tree.items() if not key.startswith("query_location")
        }
    return [_bare(value) for value in tree] if isinstance(tree, list) else tree
