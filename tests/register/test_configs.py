"""Parameters are recovered from the best source that has them, and never made up."""

from __future__ import annotations

import json

import duckdb
import pytest

from catalog import strategy_hash
from conftest import old_trace, rows

RSI = {"type": "rsi", "parameters": {"period": 14}}
SOURCES = "select strategy_id, config_source, strategy_hash from trace_files order by 1"


def component(**entry: object) -> dict[str, object]:
    return {"components": {"a": {"component_type": "strategy", **entry}}}


@pytest.mark.parametrize(
    "metadata",
    [
        component(full_config=RSI),
        component(strategy_type="rsi", parameters={"period": 14}),
        component(strategy_type="rsi", parameters={"period": 14}, strategy_hash=strategy_hash(RSI)),
        {"strategy_metadata": {"strategies": {"a": {"type": "rsi", "params": {"period": 14}}}}},
        component(strategy_type="rsi_grid", parameters={})
        | {"strategy_metadata": {"strategies": {"a": {"type": "rsi", "params": {"period": 14}}}}},
    ],
)
def test_metadata_tells_the_configuration_in_each_of_its_shapes(catalog, write_run, metadata):
    catalog.register(write_run(traces={"a": [1, 0]}, metadata=metadata))

    assert rows(catalog, SOURCES) == [("a", "metadata", strategy_hash(RSI))]
    assert rows(catalog, "select strategy_type, param_period from strategies") == [("rsi", 14)]


def test_constraints_belong_to_the_configuration(catalog, write_run):
    config = {**RSI, "constraints": "intraday"}
    metadata = component(
        strategy_type="rsi", parameters={"period": 14}, constraints="intraday",
        strategy_hash=strategy_hash(config),
    )  # fmt: skip

    catalog.register(write_run(traces={"a": [1, 0]}, metadata=metadata))

    assert rows(catalog, "select strategy_hash, constraints from strategies") == [
        (strategy_hash(config), "intraday")
    ]


@pytest.mark.parametrize("parameters", [{}, {"_strategy_type": "strategy_0"}])
def test_an_empty_configuration_is_no_configuration(catalog, write_run, parameters):
    metadata = component(strategy_type="rsi_grid", parameters=parameters)

    report = catalog.register(write_run(traces={"a": [1, 0]}, metadata=metadata))

    assert report.sources == {"unknown": 1}
    assert rows(catalog, "select strategy_key, strategy_hash, config from strategies") == [
        ("run_a/a", None, None)
    ]


def test_the_hash_of_an_empty_configuration_stands_for_no_strategy(catalog, write_run):
    empty = {"type": "rsi", "parameters": {"_strategy_type": "rsi"}}
    entry = {
        "strategy_type": "rsi",
        "parameters": {"_strategy_type": "rsi"},
        "strategy_hash": strategy_hash(empty),
    }
    metadata = {"components": {"a": entry, "b": entry}}

    catalog.register(write_run(traces={"a": [1, 0], "b": [0, 1]}, metadata=metadata))

    assert rows(catalog, "select strategy_key, strategy_hash from strategies order by 1") == [
        ("run_a/a", None),
        ("run_a/b", None),
    ]


def test_a_configuration_that_does_not_hash_to_the_claim_does_not_count(catalog, write_run):
    metadata = component(
        strategy_type="rsi", parameters={"period": 14}, strategy_hash="0123456789ab"
    )

    catalog.register(write_run(traces={"a": [1, 0]}, metadata=metadata))

    query = "select strategy_hash, claimed_hash, config, config_source from strategies"
    assert rows(catalog, query) == [("0123456789ab", "0123456789ab", None, "unknown")]


def test_a_claimed_hash_gets_its_configuration_when_somebody_brings_it(
    catalog, write_run, tmp_path
):
    claim = component(strategy_hash=strategy_hash(RSI))
    write_run("run_a", {"a": [1, 0]}, metadata=claim)
    catalog.register(tmp_path / "runs")
    write_run("run_b", {"a": [1, 0]}, metadata=component(full_config=RSI))

    catalog.register(tmp_path / "runs")

    query = "select strategy_hash, param_period, config_source from strategies"
    assert rows(catalog, query) == [(strategy_hash(RSI), 14, "metadata")]


def test_traces_that_were_known_by_a_hash_get_its_configuration_too(catalog, write_run, tmp_path):
    write_run("run_a", {"a": [1, 0]}, metadata=component(strategy_hash=strategy_hash(RSI)))
    catalog.register(tmp_path / "runs")
    write_run("run_b", {"a": [1, 0, 1, 0]}, metadata=component(full_config=RSI))

    catalog.register(tmp_path / "runs")

    query = "select run_id, strategy_type, config_source, is_latest from trace_files order by 1"
    assert rows(catalog, query) == [
        ("run_a", "rsi", "metadata", False),
        ("run_b", "rsi", "metadata", True),
    ]


def test_a_file_is_told_by_the_path_that_its_component_claims(catalog, tmp_path):
    run = tmp_path / "run"
    for kind, values in (("rsi", [1, 0]), ("sma", [0, 1])):
        path = run / "traces/signals" / kind / "0.parquet"
        old_trace(path, values)
    claims = {
        f"component_{kind}": {
            "full_config": {"type": kind, "parameters": {"x": 1}},
            "trace_path": f"traces/signals/{kind}/0.parquet",
        }
        for kind in ("rsi", "sma")
    }
    (run / "metadata.json").write_text(json.dumps({"components": claims}))

    catalog.register(run)

    query = "select strategy_type, contains(path, strategy_type) from trace_files order by 1"
    assert rows(catalog, query) == [("rsi", True), ("sma", True)]


def test_a_configuration_stays_when_its_metadata_is_lost(catalog, write_run):
    run = write_run(traces={"a": [1, 0]}, metadata=component(full_config=RSI))
    catalog.register(run)
    (run / "metadata.json").write_text("{")

    catalog.register(run)

    query = "select strategy_hash, config_source, strategy_type from trace_files"
    assert rows(catalog, query) == [(strategy_hash(RSI), "metadata", "rsi")]
    assert rows(catalog, "select param_period from strategies") == [(14,)]


def test_a_sweep_file_that_was_corrected_takes_effect(catalog, write_run, write_sweep):
    run = write_run(traces={"SPY_sma_grid_5_20": [1, 0]})
    catalog.register(run, sweeps=[write_sweep(fast=[5], slow=[20], stop=1)])
    corrected = write_sweep(fast=[5], slow=[20], stop=2)

    report = catalog.register(run, sweeps=[corrected])
    again = catalog.register(run, sweeps=[corrected])

    assert (report.registered, again.registered) == (1, 0)
    assert rows(catalog, "select param_stop from strategies") == [(2,)]


def analytics(run, *strategies: tuple[str, str, str]) -> None:
    with duckdb.connect(str(run / "analytics.duckdb")) as con:
        con.execute("""
            create table strategies (strategy_id varchar, strategy_type varchar,
                strategy_name varchar, parameters json, config_hash varchar)
        """)
        con.executemany("insert into strategies values ('x', ?, ?, ?, 'md5')", strategies)


def test_analytics_tells_what_metadata_does_not(catalog, write_run):
    run = write_run(traces={"SPY_mine": [1, 0]}, metadata={"components": {}})
    analytics(run, ("rsi", "mine", '{"period": 14}'))

    catalog.register(run)

    assert rows(catalog, SOURCES) == [("SPY_mine", "analytics", strategy_hash(RSI))]


def test_a_name_that_analytics_has_twice_tells_nothing(catalog, write_run):
    run = write_run(traces={"SPY_mine": [1, 0]})
    analytics(run, ("rsi", "mine", '{"period": 14}'), ("rsi", "mine", '{"period": 15}'))

    assert catalog.register(run).sources == {"unknown": 1}


def test_analytics_that_is_no_database_is_quarantined_and_its_run_registered(catalog, write_run):
    run = write_run(traces={"a": [1, 0]})
    (run / "analytics.duckdb").write_text("no database" * 1000)

    report = catalog.register(run)

    assert report.registered == 1
    assert [problem.reason for problem in report.quarantined] == ["unreadable analytics.duckdb"]


def test_a_sweep_file_tells_the_parameters_by_the_name(catalog, write_run, write_sweep):
    run = write_run(traces={"SPY_sma_grid_5_20": [1, 0], "SPY_sma_grid_10_50": [0, 1]})

    report = catalog.register(run, sweeps=[write_sweep()])

    assert report.sources == {"sweep": 2}
    query = "select param_fast, param_slow, strategy_type from strategies order by 1"
    assert rows(catalog, query) == [(5, 20, "sma_crossover"), (10, 50, "sma_crossover")]


def test_a_sweep_file_given_later_completes_what_was_unknown(catalog, write_run, write_sweep):
    run = write_run(traces={"SPY_sma_grid_5_20": [1, 0]})
    first = catalog.register(run)

    second = catalog.register(run, sweeps=[write_sweep()])

    assert (first.sources, second.sources) == ({"unknown": 1}, {"sweep": 1})
    assert rows(catalog, "select param_fast, config_source from strategies") == [(5, "sweep")]


def test_a_sweep_file_is_kept_and_used_when_a_trace_of_its_run_changes(
    catalog, write_run, write_sweep
):
    run = write_run(traces={"SPY_sma_grid_5_20": [1, 0]})
    sweep = write_sweep()
    catalog.register(run, sweeps=[sweep])
    sweep.unlink()
    write_run(traces={"SPY_sma_grid_5_20": [1, 0, 1], "SPY_sma_grid_5_50": [1]})

    report = catalog.register(run)

    assert report.sources == {"sweep": 2}


def test_two_sweep_files_that_match_equally_well_and_disagree_tell_nothing(
    catalog, write_run, write_sweep
):
    run = write_run(traces={"SPY_sma_grid_5_20": [1, 0]})
    one = write_sweep("one.yaml", fast=[5], slow=[20])
    other = write_sweep("other.yaml", quick=[5], slow=[20])

    report = catalog.register(run, sweeps=[one, other])

    assert report.sources == {"unknown": 1}
    (warning,) = report.warnings
    assert "SPY_sma_grid_5_20" in warning
    assert "one.yaml" in warning and "other.yaml" in warning


def test_the_footer_of_our_own_files_comes_first(catalog, tmp_path):
    from catalog.traces.write import write_trace

    write_trace(
        tmp_path / "runs" / "r", config=RSI, strategy_id="a", symbol="SPY", timeframe="1m",
        bar_index=[0, 5], ts=None, values=[1.0, 0.0], prices=None, first_bar=0, last_bar=9,
    )  # fmt: skip
    other = {"type": "rsi", "parameters": {"period": 99}}
    (tmp_path / "runs/r/metadata.json").write_text(json.dumps(component(full_config=other)))

    catalog.register(tmp_path / "runs")

    assert rows(catalog, SOURCES) == [("a", "footer", strategy_hash(RSI))]


def test_one_configuration_in_two_runs_is_one_strategy(catalog, write_run, tmp_path):
    write_run("run_a", {"a": [1, 0]}, metadata=component(full_config=RSI))
    write_run("run_b", {"a": [0, 1]}, metadata=component(full_config=RSI))

    catalog.register(tmp_path / "runs")

    assert rows(catalog, "select count(*) from strategies") == [(1,)]
    assert rows(catalog, "select count(*) from trace_files") == [(2,)]


# Two configurations whose digests really begin with the same twelve digits.
ONE = {"type": "x", "parameters": {"n": 5512083}}
OTHER = {"type": "x", "parameters": {"n": 36165427}}


@pytest.mark.parametrize("together", [True, False])
def test_two_configurations_with_one_hash_are_never_merged(catalog, write_run, tmp_path, together):
    assert strategy_hash(ONE) == strategy_hash(OTHER)
    write_run("run_a", {"a": [1, 0]}, metadata=component(full_config=ONE))
    if not together:
        catalog.register(tmp_path / "runs")
    write_run("run_b", {"a": [0, 1]}, metadata=component(full_config=OTHER))

    report = catalog.register(tmp_path / "runs")

    assert [problem.reason for problem in report.quarantined] == ["hash collision"]
    assert rows(catalog, "select param_n from strategies") == [(5512083,)]
    assert rows(catalog, "select run_id from trace_files") == [("run_a",)]
    assert rows(catalog, "select count(*) from signals") == [(2,)]
