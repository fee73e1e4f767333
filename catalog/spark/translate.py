"""
A user's DuckDB SQL as Spark SQL: checked by our guard, then rewritten or refused by name.

DuckDB itself parses the query, names its columns and tells the type of every part. From that tree
a tree of Spark SQL is made that gives the same rows, and sqlglot writes it down. What has no rule
is refused: nothing is passed through in the hope that it means the same.

The Spark session has UTC as its time zone, and ANSI mode on, as is the default since Spark 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from sqlglot import exp

from catalog.query.guard import check_reads_only
from catalog.query.parsing import parse_query
from catalog.spark import build as b

# The rules register themselves.
from catalog.spark import (  # noqa: F401
    rewrite_aggregates,
    rewrite_casts,
    rewrite_elements,
    rewrite_intervals,
    rewrite_json,
    rewrite_lists,
    rewrite_maps,
    rewrite_numbers,
    rewrite_patterns,
    rewrite_rounding,
    rewrite_statistics,
    rewrite_text,
    rewrite_times,
    rewrite_values,
    rewrite_windows,
)
from catalog.spark.duck import Duck
from catalog.spark.macros import expanded, written_in
from catalog.spark.plainly import plainly
from catalog.spark.queries import Lowered, Queries
from catalog.spark.refuse import refused
from catalog.spark.scopes import Scope


def to_spark(
    sql: str,
    *,
    params: Mapping[str, object] | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """
    Return one Spark SQL statement that gives the rows which DuckDB would give.

    Args:
        params: a value for each `$name` in the query.
        columns: the relations that a query may name: relation, column, DuckDB type.

    Raises:
        QueryError: it does not only read, or holds what has no equal in Spark; it is named.
    """
    parsed = parse_query(sql)
    with closing(Duck(columns or {})) as duck:
        check_reads_only(duck.con, parsed)
        if parsed.prefix:
            raise refused("EXPLAIN", "Spark has its own")
        # DuckDB shows no tree of a PIVOT that is a statement.
        if (pivot := parsed.tree.find(exp.Pivot)) is not None:
            raise refused("UNPIVOT" if pivot.args.get("unpivot") else "PIVOT")
        tree = plainly(duck.tree(parsed.body))
        tree = expanded(duck, written_in(duck, tree, params or {}))
        duck.know(tree)
        # DuckDB's own words for what is wrong come first.
        names = [name for name, _ in duck.describe(tree)]
        lowered = Queries(duck, columns or {}).lower(tree, Scope())
        return _named(lowered, names).sql("spark")


def _named(lowered: Lowered, names: list[str]) -> exp.Query:
    """Return a query whose columns have the names that DuckDB gives them, equal ones too."""
    query = lowered.query
    given = [name for name, _ in lowered.columns]
    if given == names:
        return query
    if not isinstance(query, exp.Select):
        columns = [b.named(b.column(None, old), new) for old, new in zip(given, names, strict=True)]
        inner = exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier("_q")))
        return exp.Select(expressions=columns, from_=exp.From(this=inner))
    # A key of ORDER BY could mean two columns, were they named before they are sorted.
    outer = exp.Select(
        expressions=[
            b.named(b.column("_q", old), new) for old, new in zip(given, names, strict=True)
        ]
    )
    for part in ("with_", "order", "limit", "offset"):
        if query.args.get(part) is not None:
            outer.set(part, query.args[part].pop())
    for key in outer.args["order"].find_all(exp.Column) if outer.args.get("order") else ():
        key.set("table", exp.to_identifier("_q", quoted=True))
    inner = exp.Subquery(
        this=query, alias=exp.TableAlias(this=exp.to_identifier("_q", quoted=True))
    )
    outer.set("from_", exp.From(this=inner))
    return outer
