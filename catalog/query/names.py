"""Which columns the sources of a query have, and of which source a column is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.query.files import column_argument
from catalog.query.parsing import bound
from catalog.query.relations import TRACE_RELATIONS, columns_of
from catalog.query.scopes import Scope, Source

Columns = Callable[[Source], "tuple[str, ...] | None"]


def resolve(column: exp.Column, scope: Scope | None, columns: Columns) -> tuple[Source, str] | None:
    """
    Return the source that a column is of, and its name there, or None where that is not plain.

    Args:
        columns: tells the columns of a source in lower case, or None where they are not known.
    """
    name = column.name.lower()
    if column.args.get("db"):
        return None
    table = column.table.lower()
    limit = column.args.get("earlier_than")
    while scope is not None:
        sources = scope.sources
        if limit is not None:
            sources = sources[: next(i for i, s in enumerate(sources) if s.key == limit)]
        if table:
            found = [source for source in sources if source.alias == table]
            if found:
                known = columns(found[0])
                is_there = known is None or name in known
                return (found[0], name) if len(found) == 1 and is_there else None
            # A field of a struct is written as a column of a table is.
            if any((known := columns(source)) is None or table in known for source in sources):
                return None
        else:
            having = [(source, columns(source)) for source in sources]
            if any(known is None for _, known in having):
                return None
            owners = [source for source, known in having if known is not None and name in known]
            if owners and (limit is not None or name in scope.merged):
                return owners[0], name
            if len(owners) == 1:
                return owners[0], name
            if owners:
                return None
        if _is_taken(name, table, scope, columns):
            return None
        scope = scope.parent
    return None


def _is_taken(name: str, table: str, scope: Scope, columns: Columns) -> bool:
    """Say whether something nearer than the select around it may have the name."""
    # DuckDB looks at the names that a select gives before it looks around.
    if not table and any(name == item.alias.lower() for item in scope.select.selects):
        return True
    if scope.reader is None:
        return False
    # A derived table sees those that stand before it.
    beside = [one for one in scope.reader.scope.sources if one is not scope.reader]
    if table:
        return any(one.alias == table for one in beside)
    return any((known := columns(one)) is None or name in known for one in beside)


class Names:
    """Looks the columns of sources up, in the catalog that a query is run on."""

    def __init__(self, con: DuckDBPyConnection, values: Mapping[str, object]) -> None:
        self._con = con
        self.values = values
        self._columns: dict[str, tuple[str, ...] | None] = {}

    def trace_relation(self, source: Source) -> str | None:
        """Return the name of the view over trace files that a source is, if it is one."""
        if source.kind != "table" or source.name not in TRACE_RELATIONS:
            return None
        db = str(source.node.text("db")).lower()
        return source.name if db in ("", "main") and not source.node.text("catalog") else None

    def columns(self, source: Source) -> tuple[str, ...] | None:
        """Return the columns of a source in order, in lower case; None where they are not known."""
        if source.key not in self._columns:
            self._columns[source.key] = None
            alias = source.node.args.get("alias")
            if not (isinstance(alias, exp.TableAlias) and alias.columns):
                self._columns[source.key] = self._find_columns(source)
        return self._columns[source.key]

    def _find_columns(self, source: Source) -> tuple[str, ...] | None:
        if source.node.args.get("pivots"):
            return None
        if source.kind == "table":
            return columns_of(self._con, source.name) or self._described(source)
        if source.kind == "cte" and source.cte is not None:
            named = source.cte.node.args["alias"].columns
            return None if named else self.outputs(source.cte.branches)
        if source.kind == "derived":
            return self.outputs(source.branches)
        return self._described(source) if source.kind == "file" else None

    def _described(self, source: Source) -> tuple[str, ...] | None:
        """Ask DuckDB for the columns of a file, or of a table that somebody made."""
        if source.kind == "file" and column_argument(source.node.this) is not None:
            return None
        table = source.node.copy()
        for part in ("alias", "sample", "joins"):
            table.set(part, None)
        query = exp.select("*").from_(table, copy=False).sql("duckdb")
        try:
            rows = self._con.sql(f"describe {query}", params=bound(query, self.values)).fetchall()
        except duckdb.Error:
            return None
        return tuple(str(row[0]).lower() for row in rows)

    def outputs(self, branches: list[Scope]) -> tuple[str, ...] | None:
        made = self.made(branches[0]) if branches else None
        return None if made is None else tuple(name for name, _ in made)

    def made(self, scope: Scope) -> list[tuple[str, exp.Expr | tuple[Source, str]]] | None:
        """Return the names of a select's columns and what each is made of, stars expanded."""
        made: list[tuple[str, exp.Expr | tuple[Source, str]]] = []
        for item in scope.select.selects:
            is_star = isinstance(item, exp.Star) or (
                isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
            )
            if is_star:
                star = item if isinstance(item, exp.Star) else item.this
                if star.args.get("except_") or star.args.get("except"):
                    return None
                if star.args.get("replace") or star.args.get("rename"):
                    return None
                of = item.table.lower() if isinstance(item, exp.Column) else None
                if of is None and _leaves_columns_out(scope.select):
                    return None
                for source in scope.sources:
                    if of is not None and source.alias != of:
                        continue
                    columns = self.columns(source)
                    if columns is None:
                        return None
                    made += [(name, (source, name)) for name in columns]
            elif isinstance(item, exp.Alias | exp.Column):
                made.append((item.alias_or_name.lower(), item.unalias()))
            elif isinstance(item, exp.Func | exp.Literal | exp.Window):
                # Its name is its text, which no column has.
                made.append(("", item))
            else:
                return None
        return made


def _leaves_columns_out(select: exp.Select) -> bool:
    """Say whether `*` is not just the columns of all sources."""
    first = select.args["from_"].this.args.get("joins") or []
    return any(
        join.args.get("using") or join.method or join.kind not in ("", "INNER", "CROSS")
        for join in [*first, *(select.args.get("joins") or [])]
    )
