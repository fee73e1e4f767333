"""What is translated, how it is written, and what is refused by name."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from catalog import Catalog
from catalog.errors import QueryError
from catalog.query.functions import (
    CATALOG_FUNCTIONS,
    FILE_FUNCTIONS,
    ROW_FUNCTIONS,
    VALUE_FUNCTIONS,
)
from catalog.spark.expressions import REWRITES
from catalog.spark.functions import REFUSED, REWRITTEN, SAME
from catalog.spark.macros import MACROS, TABLE_MACROS
from catalog.spark.translate import to_spark
from catalog.statements import statement
from conftest import rows
from spark.cases import COLUMNS

ALLOWED = VALUE_FUNCTIONS | ROW_FUNCTIONS | FILE_FUNCTIONS | CATALOG_FUNCTIONS
GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.sql"))


def translated(sql: str, **params: object) -> str:
    return to_spark(sql, params=params, columns=COLUMNS)


def test_every_function_that_the_guard_allows_is_in_exactly_one_table():
    tables = [set(SAME), set(REWRITTEN), set(REFUSED)]

    assert set().union(*tables) == ALLOWED
    assert sum(map(len, tables)) == len(ALLOWED)


def test_every_function_that_is_rewritten_has_a_rule_and_no_other_function_has_one():
    words = {name for name in REWRITES if name.isidentifier()}

    assert words == set(REWRITTEN) - {*MACROS, *TABLE_MACROS, "unnest"}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_rewrite_is_written_as_it_always_was(path):
    query, _, expected = path.read_text(encoding="utf-8").partition("\n-- Spark:\n")

    assert translated(query.strip()) == expected.strip()


def test_there_are_golden_files():
    assert len(GOLDEN) > 10


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("select fmod(d, 2) from n", "fmod"),
        ("select mode(x) from g", "mode"),
        ("select i::uinteger from n", "UINTEGER"),
        ("select length_grapheme(s) from s", "length_grapheme"),
        ("select l[1:null] from l", "slice NULL"),
        ("select greatest(l, o) from l", "greatest INTEGER[]"),
        ("select list_transform(l, lambda e: null) from l", "list_transform NULL"),
        ("select list_concat(null, null)", 'type "NULL"'),
        ("select regexp_extract(s, '(a)', 2) from s", "regexp_extract group 2"),
        ("select regexp_matches(s, 'a++') from s", "repetition ++"),
        ("select regexp_split_to_array(s, 'x*') from s", "regexp_split_to_array empty"),
        ("select date '12024-03-15'", "12024"),
        ("select strptime(s, '%d %b') from s", "strptime format"),
        ("select percentile_disc(0.5) within group (order by x) from g", "quantile_disc WITHIN"),
        ("select sum(o) over (order by k rows 1.5 preceding) from g", "share row"),
        ("select hash(k) from n", "function hash"),
        ("select random()", "function random"),
        ("select now()", "function now"),
        ("select current_date", "current_date"),
        ("select typeof(k) from n", "function typeof"),
        ("select histogram(i) from n", "function histogram"),
        ("select approx_count_distinct(i) from n", "function approx_count_distinct"),
        ("select json_merge_patch(config, config) from j", "function json_merge_patch"),
        ("select config->'a' from j", "operator ->"),
        ("select * from n using sample 2", "sample"),
        ("select * from n tablesample 10%", "sample"),
        ("from n pivot (sum(i) for k in (1, 2))", "PIVOT"),
        ("from n unpivot (v for c in (i, k))", "UNPIVOT"),
        ("pivot n on k using sum(i)", "PIVOT"),
        ("pivot n on k in (1, 2) using sum(i) group by i", "PIVOT"),
        ("unpivot n on i, k into name c value v", "UNPIVOT"),
        ("with p as (pivot n on k using sum(i)) from p", "PIVOT"),
        (
            "select i from n where i in (select v from (unpivot n on i, k into name c value v))",
            "UNPIVOT",
        ),
        ("with recursive c as (select 1 as n union all select n + 1 from c) from c", "recursive"),
        ("select * from read_parquet('x')", "function read_parquet"),
        ("from trace('x')", "function trace"),
        ("from trades_at()", "function trades_at"),
        ("from param_effect(i, 'x')", "function param_effect"),
        ("explain select 1", "EXPLAIN"),
        ("describe n", "DESCRIBE"),
        ("select d::varchar from n", "cast of DOUBLE to VARCHAR"),
        ("select l::varchar from l", "cast of INTEGER[] to VARCHAR"),
        ("select i::ubigint + 1 from n", "UBIGINT"),
        ("select 'x'::blob", "BLOB"),
        ("select timestamp 'infinity'", "infinite time"),
        ("select s collate nocase from s", "COLLATE"),
        ("select * from n positional join s", "POSITIONAL JOIN"),
        ("select a.id from a asof right join b on a.ts >= b.ts", "ASOF RIGHT JOIN"),
        ("select sum(i) over (order by k groups 1 preceding) from n", "GROUPS"),
        ("select sum(distinct i) over () from n", "window function sum with DISTINCT"),
        ("select row_number() over () from n", "row_number without ORDER BY"),
        ("select lead(k, 1, 0) over (order by k) from n", "window function lead"),
        ("select * rename (k as z) from n", "RENAME"),
        ("select k from n limit 10%", "LIMIT"),
        ("select k from n where k > all (select k from s)", "ANY or ALL"),
        ("select #1 from n", "POSITIONAL REFERENCE"),
        ("select (1, 2)", "row without names"),
        ("select l < o from l", "order among lists"),
        ("select m = m from l", "comparison of maps"),
        ("select t0 - till from c", "operator - of TIMESTAMP and TIMESTAMP"),
        ("select interval 1 day", "function to_days"),
        ("select regexp_matches(s, p) from s", "function regexp_matches"),
        (r"select regexp_matches(s, '\pL') from s", "regular expression"),
        ("select regexp_matches(s, 'a', 's') from s", "option 's'"),
        ("select s glob '[a]*' from s", "GLOB"),
        ("select strftime(t0, '%U') from c", "function strftime"),
        ("select date_trunc('decade', t0) from c", "function date_trunc"),
        ("select list(distinct x order by x) from g", "function list with DISTINCT"),
        ("select quantile_cont(x, [0.1, 0.9]) from g", "function quantile_cont"),
        ("select max(x, 2) from g", "function max"),
        ("select max(l) from l", "function max of INTEGER[]"),
        ("select list_aggregate(l, 'median') from l", "function list_aggregate"),
        ("select list_sort(n) from l", "function list_sort"),
        ("select distinct on (g) g, count(*) from g group by g", "DISTINCT ON"),
    ],
)
def test_what_has_no_equal_is_refused_by_its_name(sql, named):
    with pytest.raises(QueryError) as caught:
        translated(sql)

    assert all(word in str(caught.value) for word in named.split())
    assert caught.value.hint


@pytest.mark.parametrize(
    "sql",
    [
        "copy n to 'x'",
        "with x as (insert into n select 1) select 1",
        "select 1; select 2",
        "select getenv('HOME')",
        "select * from 'x.parquet'",
        "select nope from n",
        "from missing",
        "select k from n where",
        "attach 'x' as y",
    ],
)
def test_what_does_not_pass_the_guard_or_duckdb_is_not_translated(sql):
    with pytest.raises(QueryError):
        translated(sql)


def test_a_parameter_is_written_in_as_a_constant_and_ends_no_text():
    text = translated("select k from n where i = $i and f = $f and d < $d", i=7, f=True, d=0.5)
    quoted = translated("select k from s where s = $s", s="it's \\ -- $1")
    timed = translated(
        "select k from c where tz > $t and day = $d",
        t=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        d=dt.date(2024, 1, 2),
    )

    assert "`i` = 7" in text and "CAST('0.5' AS DOUBLE)" in text
    assert r"'it\'s \\ -- $1'" in quoted
    assert "CAST('2024-01-01 00:00:00+00' AS TIMESTAMP)" in timed
    assert "CAST('2024-01-02' AS DATE)" in timed


def test_a_parameter_without_a_value_is_named():
    with pytest.raises(QueryError, match=r"\$nothing"):
        translated("select $nothing")


def test_null_order_is_written_wherever_spark_would_have_another():
    assert "ASC NULLS LAST" in translated("select k from n order by i")
    assert "DESC NULLS FIRST" in translated("select k from n order by i desc nulls first")
    over = translated("select sum(i) over (order by j) from n")
    assert "ORDER BY `n`.`j` ASC NULLS LAST" in over


@pytest.fixture(scope="module")
def public(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The public names of a catalog, with their columns."""
    path = tmp_path_factory.mktemp("public") / "catalog.duckdb"
    shutil.copy(empty, path)
    catalog = Catalog(path)
    found: dict[str, dict[str, str]] = {}
    query = "select view_name from duckdb_views() where not internal and schema_name = 'main'"
    for (name,) in rows(catalog, query):
        columns = catalog.sql(f'describe "{name}"').fetchall()
        found[str(name)] = {str(column): str(kind) for column, kind, *_ in columns}
    return found


VALUES = {
    "strategy_type": "rsi", "strategy_hash": "39a6426ec117", "parameter": "period", "stop": 0.01,
    "target": 0.02, "longest": 10, "classifier": "x", "n": 3, "most_correlation": 0.5,
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["exit_rules", "monthly_returns", "pairwise_agreement", "parameter_sensitivity",
     "regime_at_signal", "trades"],
)  # fmt: skip
def test_the_analyses_are_translated(name, public):
    text = to_spark(statement(f"analysis_{name}"), params=VALUES, columns=public)

    assert text.startswith(("SELECT", "WITH"))


def test_the_two_analyses_that_spark_cannot_run_say_why(public):
    with pytest.raises(QueryError, match="recursive"):
        to_spark(statement("analysis_ensemble"), params=VALUES, columns=public)
    with pytest.raises(QueryError, match="read_parquet"):
        given = {**VALUES, "prices": "p.parquet", "symbol": "SPY", "timeframe": "1m"}
        to_spark(statement("analysis_exits_after_bars"), params=given, columns=public)


@pytest.mark.parametrize(
    "sql",
    [
        "from agreement('a', 'b')",
        "from dense_signal('a')",
        "from holdings_at(bar := 500)",
        "from holdings_at('2024-03-26 14:00:00+00')",
        "from last_signals() where is_latest",
        "select trace_id, sharpe(ret_gross, 252) from daily_returns group by all",
    ],
)
def test_our_macros_are_expanded(sql, public):
    assert to_spark(sql, columns=public).startswith(("SELECT", "WITH"))


def test_a_macro_that_is_called_wrongly_says_so(public):
    with pytest.raises(QueryError, match="agreement"):
        to_spark("from agreement('a')", columns=public)
