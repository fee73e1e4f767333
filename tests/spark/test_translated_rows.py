"""DuckDB's rows and Spark's are the same: small queries of everything that is translated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.spark.translate import to_spark
from spark.cases import COLUMNS, Case, batches, make_views, open_duckdb, same, sort_key

CASES = batches(40)


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the small relations."""
    with open_duckdb() as con:
        yield con


@pytest.fixture(scope="module")
def sail_views(sail_session: Any, duck: duckdb.DuckDBPyConnection) -> Any:
    """A session of Sail with the same relations."""
    make_views(sail_session, duck)
    return sail_session


def check(case: Case, duck: duckdb.DuckDBPyConnection, session: Any) -> None:
    """Hold a query's rows, names and order on Spark against DuckDB's."""
    asked = duck.execute(case.sql)
    names = [column[0] for column in asked.description]
    expected = [list(row) for row in asked.fetchall()]
    text = to_spark(case.sql, columns=COLUMNS)

    table = session.sql(text).toArrow()

    columns = [column.to_pylist() for column in table.columns]
    found = [list(row) for row in zip(*columns, strict=True)]
    assert table.column_names == names, text
    assert len(found) == len(expected), text
    if not case.ordered:
        expected, found = sorted(expected, key=sort_key), sorted(found, key=sort_key)
    differing = [
        (name, mine, theirs)
        for row, other in zip(expected, found, strict=True)
        for name, mine, theirs in zip(names, row, other, strict=True)
        if not same(mine, theirs)
    ]
    assert not differing, text


@pytest.mark.parametrize("case", CASES, ids=str)
def test_sail_returns_the_rows_that_duckdb_returns(case, duck, sail_views):
    check(case, duck, sail_views)


@pytest.mark.cluster
def test_apache_spark_returns_the_rows_that_duckdb_returns(duck, cluster):
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(cluster.remote).create()
    make_views(session, duck)

    for case in CASES:
        check(case, duck, session)

    session.stop()


NUMBERS = st.sampled_from(["x", "k", "o", "x + 1", "o * 2 - k", "abs(x)", "coalesce(x, 0)", "y"])
CONDITIONS = st.sampled_from(
    ["x > 2", "f", "g = 'a'", "g is null", "v like '%a%'", "k between 3 and 9", "x is not null",
     "not f", "o in (1, 2)", "y <> 1.0"]
)  # fmt: skip
KEYS = st.sampled_from(["g", "f", "o", "g, f", "upper(g)"])
AGGREGATES = st.sampled_from(
    ["count(*)", "count({n})", "sum({n})", "avg({n})", "min({n})", "max({n})", "stddev({n})",
     "list({n} order by k)", "first(v order by {n} desc, k)", "count(distinct {n})",
     "string_agg(v order by k desc)", "median({n})", "arg_max(k, k)"]
)  # fmt: skip
WINDOWS = st.sampled_from(
    ["row_number() over (partition by {g} order by k)", "sum({n}) over (order by k)",
     "lag({n}) over (partition by {g} order by k desc)", "rank() over (order by {n}, k)",
     "count(*) over (partition by {g})"]
)  # fmt: skip
DIRECTIONS = st.sampled_from(["", " desc", " nulls first", " desc nulls first"])


@st.composite
def queries(draw: st.DrawFn) -> str:
    """Draw a query: of groups, of windows, or of rows."""
    number, key, condition = draw(NUMBERS), draw(KEYS), draw(CONDITIONS)
    source = draw(
        st.sampled_from(["g", "(select * from g where k <> 4) as g", "g anti join a on g.k = a.id"])
    )
    where = f" where {condition} {draw(st.sampled_from(['and', 'or']))} {draw(CONDITIONS)}"
    where = draw(st.sampled_from(["", where]))
    kind = draw(st.sampled_from(["groups", "windows", "rows"]))
    if kind == "groups":
        many = draw(st.lists(AGGREGATES, min_size=1, max_size=3))
        made = ", ".join(one.format(n=number) for one in many)
        having = draw(st.sampled_from(["", " having count(*) > 1"]))
        return f"select {key}, {made} from {source}{where} group by all{having} order by all"
    if kind == "windows":
        made = draw(WINDOWS).format(n=number, g=key)
        qualify = draw(st.sampled_from(["", " qualify w > 1"]))
        return f"select k, {made} as w from {source}{where}{qualify} order by k"
    limit = draw(st.sampled_from(["", " limit 4", " limit 3 offset 2"]))
    if draw(st.booleans()):
        order = f"n{draw(DIRECTIONS)}, k{draw(DIRECTIONS)}"
        return (
            f"select distinct {number} as n, {key}, k from {source}{where} order by {order}{limit}"
        )
    order = f"{number}{draw(DIRECTIONS)}, k{draw(DIRECTIONS)}"
    return f"select k, {condition} as c from {source}{where} order by {order}{limit}"


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sql=queries())
def test_any_query_of_the_supported_kind_returns_the_same_rows(sql, duck, sail_views):
    check(Case(sql, ordered=True), duck, sail_views)


@pytest.mark.soak
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sql=queries())
def test_many_queries_of_the_supported_kind_return_the_same_rows(sql, duck, sail_views):
    check(Case(sql, ordered=True), duck, sail_views)
