"""A query that is anything but reading does not run."""

from __future__ import annotations

import duckdb
import pytest

from catalog.errors import QueryError
from catalog.query.guard import check_reads_only
from catalog.query.parsing import parse_query

READS = [
    "from strategies limit 5",
    "select strategy_type, count(*) from strategies group by all order by 2 desc",
    "with s as (select * from strategies) select * from s",
    "select * from signals qualify row_number() over (partition by trace_id) = 1",
    "select * exclude (config) from strategies",
    "select columns('param_.*') from strategies",
    "describe strategies",
    "describe select 1",
    "summarize strategies",
    "show tables",
    "show strategies",
    "values (1), (2)",
    "explain select * from signals",
    "explain analyze select 1",
    "table strategies",
    "pivot trace_files on symbol using count(*)",
    "select * from a asof join b on a.ts >= b.known_at",
    "select 1;",
    "select list_filter([1, 2], lambda x: x > 1)",
    "select 'copy t to x; drop table y' as text",
    'select "copy", "insert" from t',
]

WRITES = [
    "delete from strategies",
    "update strategies set kind = 'x'",
    "insert into strategies values (1)",
    "insert into strategies select 1 returning *",
    "create table t (i int)",
    "create or replace view v as select 1",
    "create temp table t as select 1",
    "drop view strategies",
    "alter table strategies add column x int",
    "copy strategies to 'x.csv'",
    "copy (select 1) to 'x.csv'",
    "with x as (copy (select 1) to 'x.csv') select 1",
    "with x as (insert into strategies values (1) returning *) from x",
    "with x as (delete from strategies returning *) from x",
    "explain analyze copy (select 1) to 'x.csv'",
    "explain analyze insert into strategies values (1)",
    "explain analyze explain analyze copy (select 1) to 'x.csv'",
    "attach 'x.duckdb'",
    "detach x",
    "use x",
    "install httpfs",
    "load httpfs",
    "set threads = 1",
    "reset threads",
    "set variable x = 1",
    "pragma database_list",
    "call pragma_version()",
    "export database 'x'",
    "import database 'x'",
    "vacuum",
    "checkpoint",
    "begin",
    "commit",
    "prepare p as select 1",
    "execute p",
    "truncate strategies",
    "merge into strategies using x on true when matched then delete",
    "comment on view strategies is 'x'",
    "show tables; drop view strategies",
    "select 1; select 2",
    "",
    "   ",
    "-- nothing",
    "this is not sql",
    # What sqlglot takes for a comment and DuckDB does not.
    "from (select 1) select map {#1: 2}; copy (select 42) to 'f'; select map -- #}\n ([1],[2])",
    "with x as (from (select 1) select map {#1: 2}), y as (copy (select 42) to 'f'), "
    "z as (select map -- #}\n ([1],[2])) select 1",
    "select (((",
]


def check(query: str) -> None:
    with duckdb.connect() as con:
        check_reads_only(con, parse_query(query))


@pytest.mark.parametrize("query", READS)
def test_a_query_that_reads_passes(query):
    check(query)


@pytest.mark.parametrize("query", WRITES)
def test_anything_else_is_refused(query, capsys, caplog):
    with pytest.raises(QueryError) as refused:
        check(query)

    assert refused.value.hint
    assert (capsys.readouterr().err, caplog.records) == ("", [])


def test_deep_nesting_is_refused_and_does_not_crash():
    with pytest.raises(QueryError):
        check("select " + "(" * 20_000 + "1" + ")" * 20_000)
