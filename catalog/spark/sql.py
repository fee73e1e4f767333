"""Ask a published lake through a Spark Connect server, in DuckDB's SQL: no catalog is needed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress

import duckdb
import pyarrow as pa
from sqlglot import exp

from catalog.errors import QueryError
from catalog.lake.lake import read_lake
from catalog.query.parsing import parse_query
from catalog.query.result import Result
from catalog.query.sandbox import Limits
from catalog.spark.derived import ABSENT
from catalog.spark.session import connected, within
from catalog.spark.translate import to_spark
from catalog.spark.views import LakeViews


def spark_sql(
    query: str,
    parameters: Mapping[str, object] | None = None,
    *,
    remote: str,
    lake: str | os.PathLike[str],
    timeout: float | None = 300.0,
) -> Result:
    """
    Run one query that reads on a published lake, by a Spark Connect server, and return its rows.

    The query is one for `catalog sql`, in DuckDB's SQL. It gives the rows that it gives there, or
    is refused: what has no equal in Spark is named.

    Args:
        parameters: a value for each `$name` in the query.
        remote: the server, `sc://HOST:PORT`.
        lake: a folder or URL that the client, the server and its workers reach by the same name.
        timeout: seconds after which the query is stopped, None for never.

    Raises:
        QueryError: it is no single query that reads, has no equal in Spark, or fails; or there is
            no such server.
        UsageError: pyspark is not installed, or the server's address is none.
        LakeError: there is no lake, or it is of a later format.
    """
    Limits(timeout)
    refuse_absent(query)
    views = LakeViews(read_lake(lake))
    # Which types there are, only the lake's rows say; all else is refused before a server is asked.
    has_types = re.search(r"\btype_", query, re.IGNORECASE) is not None
    text = None if has_types else to_spark(query, params=parameters, columns=views.shape(query))
    with connected(remote) as session:

        def run() -> pa.Table:
            if text is None:
                views.add_types(session)
            asked = text or to_spark(query, params=parameters, columns=views.shape(query))
            views.make(session, asked)
            return session.sql(asked).toArrow()

        table = within(timeout, run, remote=remote)
        if table is None:
            with suppress(QueryError):
                within(5.0, session.interruptAll, remote=remote)
            raise QueryError(
                f"The query was stopped: it ran longer than {timeout:g} seconds",
                hint="Narrow it down, or give it more --timeout",
            )
    return Result(table, _types(table))


def explain_spark_sql(
    query: str,
    parameters: Mapping[str, object] | None = None,
    *,
    lake: str | os.PathLike[str],
) -> str:
    """
    Return a query as it would be sent to Spark. No server is asked.

    Raises: as `spark_sql`.
    """
    refuse_absent(query)
    views = LakeViews(read_lake(lake))
    return to_spark(query, params=parameters, columns=views.shape(query))


def refuse_absent(query: str) -> None:
    """
    Refuse names that only a catalog has.

    Raises:
        QueryError: the query asks for one, or is no single query.
    """
    tree = parse_query(query).tree
    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        name = table.name.lower()
        if name in ABSENT and name not in own:
            raise QueryError(
                f"{name} is not in a lake: {ABSENT[name]} is known to a catalog only",
                hint="Ask the catalog that published it, without --engine spark",
            )


def _types(table: pa.Table) -> tuple[str, ...]:
    with duckdb.connect() as con:
        return tuple(str(kind) for kind in con.from_arrow(table).types)
