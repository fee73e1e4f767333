"""What the views say about traces of several generations, side by side."""

from __future__ import annotations

import json
import shutil

import duckdb

from catalog.store.database import writing
from catalog.store.transactions import transaction
from catalog.store.views import refresh_views
from conftest import old_trace, rows


def test_whole_and_fractional_positions_are_read_alike(catalog, tmp_path):
    from catalog.traces.write import write_trace

    for name, values in {"whole": [1, 0], "half": [0.5, -0.25]}.items():
        write_trace(
            tmp_path / "runs" / "r", config={"type": "t", "parameters": {"name": name}},
            strategy_id=name, symbol="SPY", timeframe="1m", bar_index=[0, 5], ts=None,
            values=values, prices=None, first_bar=0, last_bar=9,
        )  # fmt: skip
    old_trace(tmp_path / "runs/old/traces/SPY_1m/signals/g/old.parquet", [1, -1])

    catalog.register(tmp_path / "runs")

    query = "select strategy_id, val from signals order by 1, bar_index"
    assert rows(catalog, query) == [
        ("half", 0.5), ("half", -0.25), ("old", 1.0), ("old", -1.0), ("whole", 1.0), ("whole", 0.0),
    ]  # fmt: skip


def test_equal_signals_of_two_generations_have_one_content(catalog, tmp_path):
    from catalog.traces.write import write_trace

    write_trace(
        tmp_path / "runs" / "new", config={"type": "t", "parameters": {"x": 1}},
        strategy_id="a", symbol="SPY", timeframe="1m", bar_index=[0, 3, 6], ts=None,
        values=[1, 0, -1], prices=None, first_bar=0, last_bar=9,
    )  # fmt: skip
    old_trace(tmp_path / "runs/old/traces/SPY_1m/signals/g/b.parquet", [1, 0, -1])

    old_trace(tmp_path / "runs/other/traces/SPY_1m/signals/g/c.parquet", [1, 0, -1])
    config = {"type": "t", "parameters": {"x": 2}}
    metadata = {"components": {"b": {"full_config": config}}}
    (tmp_path / "runs/old/metadata.json").write_text(json.dumps(metadata))

    catalog.register(tmp_path / "runs")

    assert rows(catalog, "select count(distinct content_digest) from trace_files") == [(1,)]
    # Whether the one of unknown configuration is a third strategy, nobody knows.
    assert rows(catalog, "select strategies, is_flat from twins") == [(2, False)] * 2


def test_holdings_reach_from_one_change_to_the_next_and_to_the_end(catalog, write_run):
    catalog.register(write_run(traces={"a": [1, 1, 0, -1]}, metadata={"total_bars": 20}))

    query = "select position, from_bar, to_bar, bars, is_last from holdings order by from_bar"
    assert rows(catalog, query) == [
        (1.0, 0, 6, 6, False),
        (0.0, 6, 9, 3, False),
        (-1.0, 9, 20, 11, True),
    ]


def test_the_bars_of_holdings_add_up_to_the_bars_of_the_trace(catalog, write_run):
    catalog.register(write_run(traces={"a": [1, 0, -1, 1]}, metadata={"total_bars": 20}))

    query = """
        select sum(bars) filter (position > 0)::bigint = any_value(bars_long),
            sum(bars) filter (position < 0)::bigint = any_value(bars_short)
        from holdings join trace_files using (trace_id)
    """
    assert rows(catalog, query) == [(True, True)]


def test_classifiers_have_states_and_no_positions(catalog, write_run):
    catalog.register(write_run(traces={"a": ["up", "down"]}, kind="classifiers"))

    assert rows(catalog, "select val from classifications order by idx") == [("up",), ("down",)]
    query = "select kind, last_val, last_state, is_flat from trace_files"
    assert rows(catalog, query) == [("classifier", None, "down", None)]
    assert rows(catalog, "select count(*) from signals") == [(0,)]


def test_folders_and_files_may_have_any_name(catalog, tmp_path):
    for number, name in enumerate(["[x]", "*", "a?b", "it's", 'say "x"', "é🚀", "new\nline"]):
        folder = tmp_path / "runs" / name / "traces/signals" / name
        old_trace(folder / f"{name}.parquet", [1] * (number + 1))

    catalog.register(tmp_path / "runs")

    assert rows(catalog, "select count(*) from trace_files") == [(7,)]
    assert rows(catalog, "select count(*) from signals") == [(1 + 2 + 3 + 4 + 5 + 6 + 7,)]


def test_query_i_runs_on_the_exported_index_in_plain_duckdb(catalog, write_run, tmp_path):
    import duckdb

    components = {
        f"b{width}": {
            "full_config": {
                "type": "bollinger_bands",
                "parameters": {"period": 20, "std_dev": width},
            }
        }
        for width in (1.5, 2.0)
    }
    traces = {name: [1, 0] for name in components}
    catalog.register(write_run(traces=traces, metadata={"components": components}))

    catalog.export_strategy_index(tmp_path / "strategy_index.parquet")

    found = duckdb.sql(f"""
        SELECT * FROM read_parquet('{tmp_path}/strategy_index.parquet')
        WHERE strategy_type = 'bollinger_bands' AND param_period = 20 AND param_std_dev = 2.0
    """).to_arrow_table()
    assert found.column("strategy_id").to_pylist() == ["b2.0"]


def test_files_that_went_without_a_word_break_no_view_that_is_made_anew(catalog, tmp_path):
    for run in ("gone", "here"):
        folder = tmp_path / run / "traces" / "SPY_1m" / "signals" / "sma_grid"
        old_trace(folder / f"SPY_{run}.parquet", [1, 0])
    catalog.register(tmp_path / "gone", tmp_path / "here")
    shutil.rmtree(tmp_path / "gone")

    with writing(catalog.path) as con, transaction(con):
        con.execute("delete from internal.view_signature")
        refresh_views(con, str(catalog.path.parent), only_present=True)

    with duckdb.connect(str(catalog.path), read_only=True) as plain:
        found = plain.execute("select distinct strategy_id from signals").fetchall()
    assert found == [("SPY_here",)]
    old_trace(tmp_path / "gone/traces/SPY_1m/signals/sma_grid/SPY_gone.parquet", [1, 0])
    catalog.register(tmp_path / "gone")
    assert len(rows(catalog, "select distinct strategy_id from signals")) == 2
