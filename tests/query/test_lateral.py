"""Query (iii) and its kin: `read_parquet` of a path in another relation's row."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from catalog import Catalog
from catalog.errors import QueryError
from conftest import old_trace, rows


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Four strategies with their parameters, and an exported index beside their traces."""
    folder = tmp_path_factory.mktemp("lateral")
    traces = {
        "SPY_sma_grid_5_20": [1, 0, -1],
        "SPY_sma_grid_5_50": [1, -1],
        "SPY_sma_grid_10_20": [1, 0, 1, 0],
        "SPY_sma_grid_10_50": [],
    }
    signals = folder / "share" / "runs" / "run_a" / "traces" / "SPY_1m" / "signals"
    for strategy_id, values in traces.items():
        old_trace(signals / "sma_grid" / f"{strategy_id}.parquet", values)
    grid = {"type": "sma_crossover", "name": "sma_grid"}
    grid["params"] = {"fast": [5, 10], "slow": [20, 50]}
    sweep = {"name": "grid", "symbols": ["SPY"], "strategies": [grid]}
    (folder / "grid.yaml").write_text(json.dumps(sweep))
    catalog = Catalog(folder / "catalog.duckdb")
    catalog.register(folder / "share" / "runs", sweeps=[folder / "grid.yaml"])
    catalog.export_strategy_index(folder / "share" / "strategy_index.parquet")
    return folder


@pytest.fixture
def shared_index(made, monkeypatch) -> Catalog:
    """Their catalog, to be read from the folder that they are in."""
    monkeypatch.chdir(made / "share")
    return Catalog(made / "catalog.duckdb")


@pytest.fixture
def own_index(made, tmp_path, monkeypatch) -> Catalog:
    """A copy of all of it, to be changed."""
    shutil.copytree(made, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own" / "share")
    return Catalog(tmp_path / "own" / "catalog.duckdb")


EXPECTED = [("SPY_sma_grid_10_20", 4), ("SPY_sma_grid_5_20", 3)]


def test_query_iii_runs_as_it_is_written(shared_index):
    query = """
        WITH strategies AS (SELECT * FROM read_parquet('strategy_index.parquet')
        WHERE param_slow = 20)
        SELECT s.strategy_id, t.* FROM strategies s CROSS JOIN read_parquet(s.trace_path) t
    """

    result = shared_index.sql(query)

    assert len(result) == 7
    assert result.columns[:7] == ["strategy_id", "idx", "ts", "sym", "val", "strat", "px"]
    stored = pq.read_table(shared_index.sql("select path from trace_files").fetchall()[0][0])
    assert result.columns[1:] == stored.column_names


@pytest.mark.parametrize(
    "reads",
    [
        "s, read_parquet(s.trace_path) t",
        "s cross join read_parquet(s.trace_path) t",
        "s, lateral read_parquet(s.trace_path) t",
        "s cross join lateral read_parquet(s.trace_path) as t",
        "s join read_parquet(s.trace_path) t on t.idx > 0",
        "s join lateral read_parquet(s.trace_path) t on true",
        "s inner join read_parquet(s.trace_path, union_by_name = true) t on t.sym = s.symbol",
        "s cross join parquet_scan(s.trace_path) t",
        "s cross join read_parquet(trace_path) t",
        'as "S" cross join READ_PARQUET("S".trace_path) t',
    ],
)
@pytest.mark.parametrize(
    "source",
    ["strategy_index", "read_parquet('strategy_index.parquet')", "'strategy_index.parquet'"],
)
def test_every_spelling_reads_the_same(shared_index, source, reads):
    alias = '"S"' if '"S"' in reads else "s"
    query = (
        f"select {alias}.strategy_id, count(*) from {source} {reads} "
        f"where {alias}.param_slow = 20 group by all order by all"
    )

    assert rows(shared_index, query) == EXPECTED
    assert shared_index.explain(query).laterals[0].files in (2, 4)


def test_only_the_files_of_rows_that_matter_are_opened(shared_index):
    query = (
        "select count(*) from strategy_index s cross join read_parquet(s.trace_path) t "
        "where s.param_slow = 20 and s.param_fast = 5"
    )

    assert shared_index.explain(query).laterals[0].files == 1


def test_a_left_join_keeps_what_has_no_rows(shared_index):
    query = (
        "select s.strategy_id, count(t.idx) from strategy_index s "
        "left join read_parquet(s.trace_path) t on true group by all order by all"
    )

    assert ("SPY_sma_grid_10_50", 0) in rows(shared_index, query)


def test_several_in_one_query(shared_index):
    query = (
        "select a.strategy_id, count(distinct t.idx), count(distinct u.idx) from strategy_index a "
        "join strategy_index b on b.strategy_id > a.strategy_id, read_parquet(a.trace_path) t, "
        "read_parquet(b.trace_path) u group by all order by all"
    )

    assert rows(shared_index, query) == [
        ("SPY_sma_grid_10_20", 4, 3),
        ("SPY_sma_grid_5_20", 3, 2),
    ]


def test_paths_may_come_from_traces_themselves(shared_index):
    query = (
        "with busy as (select trace_id, count(*) as n from signals group by all having n > 3) "
        "select count(*) from (select path from trace_files semi join busy using (trace_id)) p "
        "cross join read_parquet(p.path) t"
    )

    assert rows(shared_index, query) == [(4,)]


def test_no_paths_are_no_rows(shared_index):
    query = "select t.val from strategy_index s, read_parquet(s.trace_path) t where s.symbol = 'X'"

    assert rows(shared_index, query) == []


def test_the_file_name_is_a_column_where_it_is_asked_for(shared_index):
    query = (
        "select distinct t.filename = s.trace_path from strategy_index s "
        "cross join read_parquet(s.trace_path, filename = true) t"
    )

    assert rows(shared_index, query) == [(True,)]


def test_traces_of_several_generations_are_read_together(own_index):
    from catalog import write_signals

    write_signals(
        "ours", [[1.0], [0.5]], symbol="SPY", catalog=own_index.path,
        configs={"mine": {"type": "sma", "parameters": {"fast": 1}}},
    )  # fmt: skip
    query = "select count(*), count(t.metadata) from strategy_index s, read_parquet(s.trace_path) t"

    assert rows(own_index, query) == [(11, 1)]


def test_a_path_with_the_signs_of_a_pattern_is_that_path(catalog, tmp_path):
    path = tmp_path / "runs" / "r[1]*" / "traces" / "signals" / "sma" / "a?[b].parquet"
    old_trace(path, [1, 0])
    catalog.register(tmp_path / "runs")
    query = "select count(*) from strategy_index s, read_parquet(s.trace_path) t"

    assert rows(catalog, query) == [(2,)]


def test_a_file_that_is_gone_is_named(own_index):
    Path("runs/run_a/traces/SPY_1m/signals/sma_grid/SPY_sma_grid_5_20.parquet").unlink()
    query = "select count(*) from strategy_index s, read_parquet(s.trace_path) t"

    with pytest.raises(QueryError, match=r"SPY_sma_grid_5_20\.parquet, which is not there"):
        own_index.sql(query)


def test_what_it_is_a_column_of_must_be_told(shared_index):
    query = "select count(*) from strategy_index a, runs r, read_parquet(a.trace_path || r.name) t"

    with pytest.raises(QueryError, match="which relation"):
        shared_index.sql(query)


def test_explain_says_what_is_opened(shared_index):
    plan = shared_index.explain(
        "select * from strategy_index s, read_parquet(s.trace_path) t where s.param_fast = 5"
    )

    assert plan.laterals[0].files == 2
    assert re.search(r"lateral \(select r\.\* exclude", plan.text)


def test_a_column_that_is_none_is_named(shared_index):
    with pytest.raises(QueryError, match=r"s\.nope is no column"):
        shared_index.sql("select * from strategy_index s, read_parquet(s.nope) t")
