"""Which parts of a query can be asked beforehand: surely understood, opening no trace file."""

from __future__ import annotations

from functools import cached_property

from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.query.files import column_argument
from catalog.query.functions import VOLATILE_FUNCTIONS
from catalog.query.guard import own_tree
from catalog.query.names import Names
from catalog.query.parsing import Parsed
from catalog.query.relations import TRACE_RELATIONS
from catalog.query.scopes import Scopes, Source
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


class Quick:
    """Says of the parts of one query whether they can be asked beforehand."""

    def __init__(
        self, con: DuckDBPyConnection, parsed: Parsed, scopes: Scopes, names: Names
    ) -> None:
        self._con = con
        self._parsed = parsed
        self._scopes = scopes
        self._names = names
        self._quick: dict[str, bool] = {}

    def check_node(self, node: exp.Expr) -> None:
        """
        Refuse a part that returns something else each time, or that is not surely understood.

        Raises:
            UnknownError: it is one.
        """
        if not isinstance(node, _SIMPLE) and not self._is_faithful:
            raise UnknownError
        if self.is_volatile(node):
            raise UnknownError

    @cached_property
    def _is_faithful(self) -> bool:
        """Whether sqlglot's tree, written out, is the same query to DuckDB as the user's text."""
        text = self._parsed.tree.sql("duckdb")
        own = own_tree(self._con, self._parsed.body)
        return own is not None and _bare(own) == _bare(own_tree(self._con, text))

    @staticmethod
    def is_volatile(node: exp.Expr) -> bool:
        """Say whether a part returns something else each time."""
        if isinstance(node, exp.Rand | exp.Uuid | exp.TableSample):
            return True
        return isinstance(node, exp.Anonymous) and node.name.lower() in VOLATILE_FUNCTIONS

    def check_query(self, query: exp.Expr) -> None:
        """
        Refuse a query that reads what is not quick.

        Raises:
            UnknownError: it does.
        """
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
            if self._names.trace_relation(source) is not None or source.name in TRACE_RELATIONS:
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
        return source.kind == "file" and column_argument(source.node.this) is None

    def _is_calm(self, node: exp.Expr) -> bool:
        for part in node.walk():
            if self.is_volatile(part):
                return False
            if not isinstance(part, (*_SIMPLE, exp.CTE, exp.ReadParquet)) and not self._is_faithful:
                return False
        try:
            self.check_query(node)
        except UnknownError:
            return False
        return True


def _bare(tree: object) -> object:
    """Return DuckDB's tree without what depends on where things stand in the text."""
    if isinstance(tree, dict):
        return {
            key: _bare(value) for key, value in tree.items() if not key.startswith("query_location")
        }
    return [_bare(value) for value in tree] if isinstance(tree, list) else tree
