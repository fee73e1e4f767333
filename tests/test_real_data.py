"""Real old trace directories, which nobody here made: what must come of them."""

from __future__ import annotations

import duckdb
import pytest

from catalog import Catalog, strategy_hash
from conftest import SHARED, rows

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the real data is not beside this repository"
)
DATA = SHARED / "data"


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    catalog = Catalog(tmp_path_factory.mktemp("old") / "catalog.duckdb")
    sweeps = sorted((DATA / "sweeps").glob("*.yaml"))
    return catalog, catalog.register(DATA / "old_traces", sweeps=sweeps)


@pytest.fixture(scope="module")
def tracer(tmp_path_factory):
    catalog = Catalog(tmp_path_factory.mktemp("tracer") / "catalog.duckdb")
    return catalog, catalog.register(DATA / "tracer_output")


def test_every_trace_is_registered_with_its_parameters(old):
    _, report = old

    assert report.kinds == {"signal": 1619, "classifier": 209}
    assert report.sources == {"sweep": 1825, "analytics": 3}
    assert len(report.runs) == 9
    assert len(report.contents) == 664
    assert report.without_bar_times == 301
    assert report.ignored == {"folder without traces": 27, "file that is no Parquet": 1}
    assert report.quarantined == []


def test_the_views_have_every_row_of_every_file(old):
    catalog, _ = old
    paths = sorted(str(path) for path in (DATA / "old_traces").rglob("*.parquet"))
    in_files = duckdb.execute("select count(*) from read_parquet(?)", [paths]).fetchall()

    in_views = rows(
        catalog,
        "select (select count(*) from signals) + (select count(*) from classifications)",
    )

    assert in_views == in_files
    assert rows(catalog, "select sum(row_count)::bigint from trace_files") == in_files


def test_without_sweep_files_nothing_is_invented(tmp_path):
    catalog = Catalog(tmp_path / "catalog.duckdb")

    report = catalog.register(DATA / "old_traces")

    assert report.sources == {"analytics": 3, "unknown": 1825}
    assert rows(catalog, "select count(*) from strategies where config is not null") == [(2,)]
    assert rows(catalog, "select count(strategy_hash) from trace_files") == [(3,)]


def test_registering_again_reads_no_file(old, monkeypatch):
    catalog, _ = old
    monkeypatch.setattr("catalog.register.files.read_trace_file", None)

    report = catalog.register(DATA / "old_traces")

    assert (report.registered, report.unchanged) == (0, 1828)


def test_a_range_ends_where_its_run_says_and_else_with_the_run(old):
    catalog, _ = old
    query = """
        select run_id, any_value(range_source), min(last_bar), max(last_bar)
        from trace_files group by run_id order by run_id
    """

    ranges = {run: rest for run, *rest in rows(catalog, query)}

    assert ranges["complete_strategy_grid_v1_2cc18fbb"] == ["metadata", 99, 99]
    assert ranges["complete_strategy_grid_v1_12778120"] == ["run", 999, 999]
    assert ranges["expansive_grid_search_debug_a3f2143a"] == ["metadata", 9999, 9999]
    assert ranges["expansive_grid_search_3790fbc3"] == ["run", 6135, 6135]


def test_equal_files_in_two_runs_are_two_traces_of_one_strategy(old):
    catalog, _ = old
    query = """
        select count(*), count(distinct strategy_key), count(distinct file_digest)
        from trace_files
        where strategy_type = 'sma_crossover'
            and (run_id like '%_12778120' or run_id like '%_1b2372da')
    """

    assert rows(catalog, query) == [(50, 25, 25)]


def test_the_tracers_traces_have_the_configuration_that_their_footer_claims(tracer):
    catalog, _ = tracer
    query = """
        select count(*), count(*) filter (
            t.config_source = 'metadata' and t.strategy_hash = t.claimed_hash
        )
        from trace_files as t where run_id = 'run_b' and kind = 'signal'
    """

    assert rows(catalog, query) == [(44, 44)]
    configs = catalog.sql("select strategy_hash, config::varchar as config from strategies")
    from catalog.strategy import parse_config

    for short, config in configs.fetchall():
        assert strategy_hash(parse_config(config)) == short


def test_a_trace_is_found_whole_by_its_hash_in_plain_duckdb(tracer):
    catalog, _ = tracer

    with duckdb.connect(str(catalog.path), read_only=True) as con:
        found = con.execute("select * from signals where strategy_hash = '39a6426ec117'").fetchall()

    assert len(found) == 99


def test_labels_that_lie_are_not_believed(tracer):
    catalog, _ = tracer
    query = "select distinct symbol, timeframe, symbol_raw from trace_files where kind = 'signal'"

    assert rows(catalog, query) == [("SPY", "5m", "SPY_5m")]


def test_orders_fills_and_positions_are_flat_columns_with_their_strategy(tracer):
    catalog, _ = tracer

    for view, count in {"orders": 543, "fills": 543, "positions": 543}.items():
        assert rows(catalog, f"select count(*), count(strategy_hash) from {view}") == [
            (count, count)
        ]
    assert rows(catalog, "select sum(commission), sum(quantity) from fills") == [(271.5, 54300.0)]
    query = (
        "select event, count(*), round(sum(realized_pnl), 2) from positions group by 1 order by 1"
    )
    assert rows(catalog, query) == [("close", 270, 666.73), ("open", 273, None)]


def test_traces_in_a_global_store_are_known_by_their_file_names(tracer):
    catalog, report = tracer
    query = """
        select count(*), count(*) filter (
            strategy_hash = regexp_extract(path, '([^/]+).parquet', 1)
            and config_source = 'metadata'
        )
        from trace_files where generation = 'G4'
    """

    assert rows(catalog, query) == [(30, 30)]
    assert report.ignored["trades of an older tracer"] == 2
    assert report.ignored["an index file"] == 3
