"""A planned query reads few files, and returns what it would return if it read them all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import Catalog, write_signals
from catalog.store.database import reading
from conftest import old_trace, rows

START = datetime(2024, 3, 26, 13, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planner")


@pytest.fixture(scope="module")
def filled(home: Path) -> Catalog:
    """Our traces of two types, symbols and runs, older ones with and without bar times."""
    catalog = Catalog(home / "catalog.duckdb")
    random = np.random.default_rng(7)
    for run, symbol in (("one", "SPY"), ("two", "QQQ")):
        for kind in ("sma", "rsi"):
            configs = {
                f"{symbol}_{kind}_{n}": {"type": kind, "parameters": {"period": n, "k": n / 4}}
                for n in range(3)
            }
            times = [START + timedelta(minutes=5 * bar) for bar in range(40)]
            values = random.integers(-1, 2, (40, 3)).astype(float)
            values[:, 2] = 0.0 if kind == "rsi" else values[:, 2]
            write_signals(
                home / "runs" / run, values, configs=configs, symbol=symbol, timeframe="5m",
                ts=times, catalog=catalog.path,
            )  # fmt: skip
    old = home / "old" / "traces" / "SPY_1m"
    for n in range(2):
        old_trace(old / "signals" / "grid" / f"SPY_grid_{n}.parquet", [1, -1, 0, 1])
        old_trace(old / "classifiers" / "trend" / f"SPY_trend_{n}.parquet", ["up", "down"])
    wall = home / "wall" / "traces" / "SPY_1m" / "signals" / "grid" / "SPY_grid_9.parquet"
    old_trace(wall, [1, 0], wall_clock=True)
    catalog.register(home / "old", home / "wall")
    return catalog


def unplanned(catalog: Catalog, query: str) -> list[str]:
    return all_unplanned(catalog, [query])[0]


def all_unplanned(catalog: Catalog, queries: list[str]) -> list[list[str]]:
    """Return the rows of queries in DuckDB itself, over the views as they are stored."""
    with reading(catalog.path) as con:
        con.execute("set search_path = 'main'")
        found = map(con.sql, queries)
        return [sorted(map(repr, [] if rows is None else rows.fetchall())) for rows in found]


def planned(catalog: Catalog, query: str) -> list[str]:
    return sorted(map(repr, catalog.sql(query).fetchall()))


RELATIONS = ("signals", "holdings", "classifications")
OF_A_FILE = ("trace_id", "run_id", "strategy_hash", "strategy_id", "strategy_type", "symbol")
BAR = {"signals": "bar_index", "holdings": "from_bar", "classifications": "bar_index"}
TIME = {"signals": "ts", "holdings": "from_ts", "classifications": "ts"}


@st.composite
def atoms(draw: st.DrawFn, relation: str, alias: str) -> str:
    bar = draw(st.integers(-1, 45))
    minutes = draw(st.integers(-10, 220))
    moment = (START + timedelta(minutes=minutes)).isoformat()
    operator = draw(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]))
    a, b, t = alias, BAR[relation], TIME[relation]
    value = {"signals": "val", "holdings": "position", "classifications": "val.length()"}[relation]
    extra = {
        "holdings": [f"{a}.to_bar {operator} {bar}", f"{a}.is_last", f"{a}.to_ts > '{moment}'"],
        "signals": [f"{a}.idx {operator} {bar}", f"{a}.px is null"],
        "classifications": [f"{a}.idx between {bar} and {bar + 5}"],
    }[relation]
    return draw(
        st.sampled_from(
            [
                f"{a}.symbol = 'SPY'",
                f"{a}.symbol in ('QQQ', 'x')",
                f"{a}.strategy_type {operator} 'rsi'",
                f"{a}.strategy_type is null",
                f"{a}.strategy_type is not distinct from 'sma'",
                f"lower({a}.strategy_id) like 'spy_%'",
                f"{a}.run_id = 'one'",
                f"{a}.{b} {operator} {bar}",
                f"{bar} {operator} {a}.{b}",
                f"{a}.{b} + 2 between {bar} and {bar + 9}",
                f"{a}.{b} not between {bar} and {bar + 30}",
                f"{a}.{b} in ({bar}, {bar + 1})",
                f"{a}.{t} {operator} '{moment}'",
                f"{a}.{t}::date = '2024-03-26'",
                f"coalesce({a}.{t}, timestamptz '2024-03-26 15:00:00+00') > '{moment}'",
                f"{a}.{value} {operator} 0",
                f"{a}.strategy_hash in (select strategy_hash from strategies where param_period=1)",
                f"{a}.strategy_hash not in (select strategy_hash from strategies "
                "where param_period = 1 and strategy_hash is not null)",
                f"exists (from strategies q where q.strategy_hash = {a}.strategy_hash "
                "and q.param_k > 0.2)",
                f"{a}.trace_id = (select max(trace_id) from trace_files where kind = 'signal')",
                "true",
                "null",
                *extra,
            ]
        )
    )


def conditions(relation: str, alias: str) -> st.SearchStrategy[str]:
    return st.recursive(
        atoms(relation, alias),
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda two: f"({two[0]} and {two[1]})"),
            st.tuples(inner, inner).map(lambda two: f"({two[0]} or {two[1]})"),
            inner.map(lambda one: f"not ({one})"),
        ),
        max_leaves=4,
    )


JOINS = (
    "join strategies s on s.strategy_hash = {a}.strategy_hash",
    "left join strategies s on s.strategy_hash = {a}.strategy_hash and {on}",
    "right join strategies s on s.strategy_hash = {a}.strategy_hash and {on}",
    "full join strategies s on s.strategy_hash = {a}.strategy_hash and {on}",
    "join strategy_index s using (trace_id)",
    "cross join (select 3 as param_period) s",
    "join runs u using (run_id) join strategies s on s.strategy_hash = {a}.strategy_hash "
    "and u.signals > 3",
    "natural join (select distinct strategy_hash, param_period from strategies) s",
)
ONE_SIDED = (
    "semi join strategies s on s.strategy_hash = {a}.strategy_hash and s.param_period > 0",
    "anti join strategies s on s.strategy_hash = {a}.strategy_hash and s.param_period > 0",
)
OVER = (
    "row_number() over (partition by x.trace_id order by x.{bar})",
    "count(*) over (partition by x.symbol)",
    "count(*) over ()",
    "max(x.{bar}) over (partition by x.strategy_type, x.symbol)",
)


@st.composite
def queries(draw: st.DrawFn) -> str:
    relation = draw(st.sampled_from(RELATIONS))
    bar = BAR[relation]
    where = draw(conditions(relation, "x"))
    on = draw(conditions(relation, "x"))
    outer = draw(conditions(relation, "x"))
    join = draw(st.sampled_from(JOINS)).format(a="x", on=on)
    half = draw(st.sampled_from(ONE_SIDED)).format(a="x")
    over = draw(st.sampled_from(OVER)).format(bar=bar)
    other = draw(st.sampled_from(RELATIONS))
    also = draw(conditions(other, "y"))
    period = draw(st.sampled_from(["s.param_period = 1", "s.param_period is null", "true"]))
    cut = draw(st.integers(0, 30))
    column = draw(st.sampled_from(OF_A_FILE))
    plain = f"select x.* from {relation} x where {where}"
    names = f"x.trace_id, x.strategy_hash, x.strategy_id, x.strategy_type, x.symbol, x.{bar}"
    return draw(
        st.sampled_from(
            [
                plain,
                f"from {relation} as x where {where} and {on}",
                f'select "X".{column}, count(*) from "{relation.upper()}" "x" where {where} '
                "group by 1",
                f"select x.{column}, x.{bar}, s.param_period from {relation} x {join} "
                f"where {where} and {period}",
                f"select x.* from {relation} x {half} where {where}",
                f"select s.param_period, x.{bar} from strategies s left join {relation} x "
                f"on s.strategy_hash = x.strategy_hash and {on} where {period} and ({where})",
                f"select s.strategy_hash from strategies s semi join {relation} x "
                f"on s.strategy_hash = x.strategy_hash and {on}",
                f"select s.strategy_hash from strategies s anti join {relation} x "
                f"on s.strategy_hash = x.strategy_hash and {on} where s.param_period < 2",
                f"select * from ({plain}) x where {outer}",
                f"select * from (select x.*, {over} as n from {relation} x where {where}) x "
                f"where {outer}",
                f"select x.*, {over} as n from {relation} x where {where} qualify n > 1",
                f"select * from (from {relation} order by all limit {cut}) x where {outer}",
                f"with c as ({plain}) select * from c x where {outer}",
                f"with c as (from {relation}) select count(*) from c x where {outer} "
                f"union all select count(*) from c x where {on}",
                f"with {relation} as (select * from strategies) select count(*) from {relation}",
                f"select * from (select x.{column}, count(*) as n, min(x.{bar}) as {bar} "
                f"from {relation} x where {where} group by x.{column}) x where {column} > 'a'",
                f"select * from (select {names} from {relation} x where {where} union all "
                f"select {names} from {relation} x where {on}) x where x.symbol = 'SPY' "
                f"and x.{bar} > {cut}",
                f"select {names} from {relation} x where {where} except "
                f"select {names} from {relation} x where {on}",
                f"select {names} from {relation} x where {where} intersect "
                f"(select {names} from {relation} x where {on})",
                f"select s.strategy_hash, (select count(*) from {relation} x "
                f"where x.strategy_hash = s.strategy_hash and {where}) from strategies s "
                "where s.param_period = 1",
                f"select s.strategy_hash from strategies s where exists (from {relation} x "
                f"where x.strategy_hash = s.strategy_hash and {where}) or s.param_period = 2",
                f"select s.strategy_hash from strategies s where s.strategy_hash in "
                f"(select x.strategy_hash from {relation} x where {where}) and {period}",
                f"select s.strategy_hash from strategies s where s.strategy_hash not in "
                f"(select x.strategy_hash from {relation} x where {where} "
                "and x.strategy_hash is not null)",
                f"select x.trace_id, y.trace_id from {relation} x join {other} y "
                f"using (strategy_hash) where {where} and {also}",
                f"select x.{bar}, y.trace_id from {relation} x left join {other} y "
                f"on x.trace_id = y.trace_id and {also} where {where}",
                f"select x.{bar}, y.{BAR[other]} from {relation} x asof join {other} y "
                f"on x.trace_id = y.trace_id and x.{bar} >= y.{BAR[other]} "
                f"where {where} and y.{BAR[other]} > {cut}",
                f"select distinct x.symbol from {relation} x, lateral (select count(*) as n "
                f"from {other} y where y.trace_id = x.trace_id and {also}) z "
                f"where z.n > 0 and {where}",
                f"select count(*) from main.{relation} where {where.replace('x.', '')}",
            ]
        )
    )


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(query=queries())
def test_the_planned_query_returns_what_the_unplanned_one_returns(
    filled: Catalog, query: str
) -> None:
    assert planned(filled, query) == unplanned(filled, query)


def traces_read(catalog: Catalog, query: str) -> list[int]:
    return [choice.traces for choice in catalog.explain(query).choices]


ONE = "(select min(strategy_hash) from strategies where param_period = 1)"
PRUNED = {
    "from signals where strategy_id = 'SPY_sma_1'": [1],
    "from signals as s where s.strategy_id = 'SPY_sma_1' and val > 0": [1],
    'select * from "Signals" "S" where "S"."STRATEGY_ID" = \'SPY_sma_1\'': [1],
    "from main.signals where strategy_type = 'rsi' and symbol = 'QQQ'": [3],
    "from signals where strategy_id in ('SPY_sma_1', 'SPY_sma_2', 'QQQ_sma_1', 'QQQ_rsi_0', 'x')": [
        4
    ],
    "from signals where strategy_id = 'SPY_sma_1' or strategy_id = 'SPY_sma_2'": [2],
    "from signals join strategies using (strategy_hash) where param_period = 1": [4],
    f"from signals join strategies using (strategy_hash) where strategy_hash = {ONE}": [2],
    "from signals g join strategies s on g.strategy_hash = s.strategy_hash "
    "where s.param_period = 1 and g.symbol = 'SPY'": [2],
    "from signals g semi join (from strategies where param_k >= 0.5) s using (strategy_hash)": [4],
    "from signals where strategy_hash in (select strategy_hash from strategies "
    "where param_period = 1)": [4],
    "from signals g where exists (from strategies s where s.strategy_hash = g.strategy_hash "
    "and s.param_period = 1)": [4],
    f"from signals where strategy_hash = {ONE}": [2],
    "with s as (from strategies where param_period = 1) from s join signals "
    "using (strategy_hash)": [4],
    "with g as (from signals) from g where strategy_id = 'SPY_sma_1'": [1],
    "with g as (from signals) select (select count(*) from g where symbol = 'QQQ'), "
    "(select count(*) from g where strategy_id = 'SPY_sma_1')": [7],
    "from (select *, lag(val) over (partition by trace_id order by bar_index) from signals) "
    "where strategy_id = 'SPY_sma_1'": [1],
    "from (select *, lag(val) over w from signals window w as (partition by trace_id "
    "order by bar_index)) where strategy_id = 'SPY_sma_1'": [1],
    "from (with g as (select *, lag(val) over (partition by trace_id order by bar_index) "
    "from signals) select * from g) where strategy_id = 'SPY_sma_1'": [1],
    "from (select strategy_id, count(*) from signals group by all) "
    "where strategy_id = 'SPY_sma_1'": [1],
    "from (from signals union all from signals) where strategy_id = 'SPY_sma_1'": [1, 1],
    "from holdings where strategy_id = 'SPY_sma_1'": [1],
    "from strategies s left join signals g on g.strategy_hash = s.strategy_hash "
    "where s.param_period = 1": [4],
    "from signals g left join strategies s using (strategy_hash) "
    "where g.strategy_id = 'SPY_sma_1'": [1],
    "select (select count(*) from signals g where g.trace_id = i.trace_id) "
    "from strategy_index i where i.param_period = 1": [4],
    "from signals a join holdings b using (trace_id) where a.strategy_id = 'SPY_sma_1'": [1, 1],
    "from signals where ts < '2024-03-26 13:31:00+00' and symbol = 'QQQ'": [6],
    "from signals where bar_index > 39": [0],
    "from signals where bar_index between 1000 and 2000": [0],
    "from signals where ts::date = '2031-01-01'": [0],
    "from signals where ts > now()": [0],
    "describe signals": [0],
    "explain from signals where strategy_id = 'SPY_sma_1'": [1],
    "from signals g join runs r using (run_id) where r.name = 'two'": [6],
    "from type_sma t join signals g using (strategy_hash) where t.param_period = 1": [2],
}
LEFT_ALONE = {
    "from signals": "no condition tells",
    "from signals where val > 0": "no condition tells",
    "from signals where strategy_id = 'SPY_sma_1' or val > 0": "no condition tells",
    "from (from signals limit 5) where strategy_id = 'SPY_sma_1'": "no condition tells",
    "from (select *, count(*) over () from signals) where symbol = 'QQQ'": "no condition tells",
    "from (select *, count(*) over w from signals window w as (order by bar_index)) "
    "where symbol = 'QQQ'": "no condition tells",
    "from strategies s right join signals g using (strategy_hash) "
    "where param_period = 1": "right, full",
    "from signals where strategy_id = 'SPY_sma_1' and random() < 2": None,
    "from signals where run_id = 'one' and strategy_id::int = 3": "cannot be asked beforehand",
}


@pytest.mark.parametrize("query", PRUNED)
def test_only_the_traces_that_can_matter_are_read(filled, query):
    assert traces_read(filled, query) == PRUNED[query]
    if not query.startswith(("describe", "explain")):
        assert planned(filled, query) == unplanned(filled, query)


# Each of them once returned other rows.
TRICKY = [
    "select count(*) from (select t.trace_id tid, s.trace_id sid from signals s "
    "right join trace_files t on s.trace_id = t.trace_id) where sid is null",
    "select count(*) from (select t.trace_id tid, s.trace_id sid from signals s "
    "full join trace_files t on s.trace_id = t.trace_id) where sid is null",
    "select count(*) from (select a.strategy_id, b.n from signals a "
    "positional join (select range n from range(4000)) b) where strategy_id is null",
    "with a as (select * from signals) select "
    "(select count(*) from a where strategy_id = 'SPY_sma_1'), "
    "(select count(*) from (a join strategies s using (strategy_hash)))",
    "with a as (select * from signals) select count(*) from a, "
    "(a as b join strategies s using (strategy_hash)) "
    "where a.strategy_id = 'SPY_sma_1' and b.bar_index = a.bar_index",
    "with trace_files as (from main.trace_files where kind = 'classifier') "
    "select count(*) from signals where strategy_type = 'sma'",
    "select count(*) from strategies s where exists (select 'zzz' as config_source "
    "from signals g where config_source = 'zzz' and g.strategy_hash = s.strategy_hash)",
    "select (select count(*) from (select min(strategy_hash) as strategy_hash from strategies) s, "
    "(select * from signals g where g.strategy_hash = s.strategy_hash) x) n "
    "from (select 'zz' as strategy_hash) s",
    "select count(*) from (select bar_index as x from signals union all "
    "select strategy_id from signals) where x < '6'",
    "select count(*) from (select val as x from signals union all "
    "select val from classifications) where x = '1.0'",
    "select count(*) from signals join strategies using (strategy_hash) where strategy_hash > 'a'",
    "select main.signals.strategy_id from main.signals where main.signals.val > 0",
    "select count(*) from (table signals)",
    "select column_name from (describe signals)",
    "select column_name from (summarize signals)",
    "table signals",
]


@pytest.mark.parametrize("query", TRICKY)
def test_tricky_queries_return_what_they_return_unplanned(filled, query):
    assert planned(filled, query) == unplanned(filled, query)


@pytest.mark.parametrize("query", LEFT_ALONE)
def test_the_rest_is_left_alone_and_the_reason_said(filled, query):
    (choice,) = filled.explain(query).choices

    reason = LEFT_ALONE[query]
    assert (choice.why or "") == "" if reason is None else reason in str(choice.why)


def rows_with(catalog: Catalog, query: str, values: dict[str, object]) -> list[object]:
    return catalog.sql(query, values).fetchall()


def test_values_are_bound_in_what_is_asked_beforehand(filled):
    query = "from signals where strategy_id = $id and bar_index >= $bar"
    values = {"id": "SPY_sma_1", "bar": 3}

    assert [c.traces for c in filled.explain(query, values).choices] == [1]
    assert 0 < len(filled.sql(query, values)) < 40
    query = "from signals where strategy_id = $id2 and bar_index >= $id"
    values = {"id": 3, "id2": "SPY_sma_1"}
    assert [c.traces for c in filled.explain(query, values).choices] == [1]
    lateral = (
        "select count(*) from (from strategy_index where strategy_id = $id2) s, "
        "read_parquet(s.trace_path) t where t.idx >= $id"
    )
    assert rows_with(filled, lateral, values) == rows_with(
        filled, query.replace("from", "select count(*) from", 1), values
    )


def test_views_that_people_made_are_planned_too(filled, tmp_path):
    copy = Catalog(filled.path.with_name("viewed.duckdb"))
    copy.path.write_bytes(filled.path.read_bytes())
    with duckdb.connect(str(copy.path)) as con:
        con.execute("create view mine as select * from signals where symbol = 'SPY'")
        con.execute("create view deeper as from mine where strategy_type = 'sma'")
        con.execute("create table picks as select 'SPY_sma_1' as strategy_id")

    assert traces_read(copy, "from mine where strategy_id = 'SPY_sma_1'") == [1]
    assert traces_read(copy, "from deeper d") == [3]
    assert traces_read(copy, "from mine join picks using (strategy_id)") == [1]
    assert rows(copy, "select distinct strategy_type from deeper") == [("sma",)]
    shadowed = "with signals as (from main.signals limit 3) select count(*) from mine"
    assert planned(copy, shadowed) == unplanned(copy, shadowed)


def test_events_are_read_as_they_are_in_the_views(shared, tmp_path):
    catalog = Catalog(tmp_path / "catalog.duckdb")
    catalog.register(shared / "tracer_output")

    for name in ("orders", "fills", "positions"):
        for query in (
            f"from {name}",
            f"from {name} where run_id = 'run_b'",
            f"select count(*) from {name} where trace_id = 'x'",
        ):
            assert planned(catalog, query) == unplanned(catalog, query)


def test_packs_and_loose_files_are_planned_together(filled, tmp_path):
    import shutil

    shutil.copytree(filled.path.parent, tmp_path / "copy")
    copy = Catalog(tmp_path / "copy" / "catalog.duckdb")
    copy.register(tmp_path / "copy" / "runs", tmp_path / "copy" / "old", tmp_path / "copy" / "wall")
    copy.compact(where="run_id = 'one'", delete_originals=True)

    queries = [one for one in PRUNED if not one.startswith(("describe", "explain"))]
    found = [planned(copy, query) for query in queries]
    assert found == all_unplanned(copy, queries)
    (choice,) = copy.explain("from signals where strategy_type = 'sma'").choices
    assert (choice.traces, choice.chosen.files, choice.chosen.packs) == (6, 3, 1)
