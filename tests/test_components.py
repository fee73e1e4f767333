"""Composites are registered with what they are made of, each under the hash that it has alone."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from bad_files import write_ours
from catalog import strategy_hash
from catalog.cli import main
from catalog.components import components
from conftest import rows

RSI = {"type": "rsi", "parameters": {"period": 14}}
NAMED = {"name": "rsi", "params": {"period": 14}}
SMA = {"type": "sma_crossover", "parameters": {"fast": 5, "slow": 20}}


@pytest.mark.parametrize(
    "config, expected",
    [
        (
            {"strategy": [{"rsi": {"period": 14, "weight": 0.5}}, {"threshold": 0.6}]},
            [(RSI, "strategy", 0.5)],
        ),
        (
            {"strategy": [{"rsi": {"params": {"period": 14}, "weight": 2}}]},
            [(RSI, "strategy", 2.0)],
        ),
        (
            {"strategies": [{"type": "rsi", "parameters": {"period": 14}}, {**SMA, "weight": 1.5}]},
            [(RSI, "strategies", None), (SMA, "strategies", 1.5)],
        ),
        (
            {"parameters": {"regime_strategies": {"bull": [NAMED],
                                                  "bear": SMA}}},
            [(RSI, "bull", None), (SMA, "bear", None)],
        ),
        ({"sub_strategies": {"rsi": {"period": 14}}}, [(RSI, "rsi", None)]),
        ({"type": "ensemble", "parameters": {"members": [RSI, SMA]}},
         [(RSI, "members", None), (SMA, "members", None)]),
        ({"strategies": [{**RSI, "constraints": "intraday", "weight": 1}]},
         [({**RSI, "constraints": "intraday"}, "strategies", 1.0)]),
        ({"type": "rsi", "parameters": {"features": [{"name": "close"}, {"name": "volume"}]}}, []),
        ({"type": "rsi", "parameters": {"period": 14}}, []),
        ({"type": "x", "parameters": {"levels": [1, 2], "names": ["a"]}}, []),
    ],
)  # fmt: skip
def test_components_are_found_wherever_people_put_them(config, expected):
    found = [(one.config, one.role, one.weight) for one in components(config)]

    assert found == expected
    assert [one.position for one in components(config)] == list(range(len(expected)))


@pytest.fixture
def nested(catalog, tmp_path):
    """Register a composite of a composite, and one of its parts alone."""
    inner = {"type": "blend", "parameters": {}, "strategies": [RSI, {**SMA, "weight": 0.3}]}
    outer = {"type": "ensemble", "strategies": [{**inner, "weight": 0.7}, RSI]}
    write_ours(tmp_path / "run", config=outer, strategy_id="outer")
    catalog.register(tmp_path / "run")
    return inner, outer


def test_a_composite_registers_what_it_is_made_of_to_any_depth(catalog, nested):
    inner, outer = map(strategy_hash, nested)
    rsi, sma = strategy_hash(RSI), strategy_hash(SMA)

    assert sorted(
        rows(catalog, "select parent, child, position, weight from components")
    ) == sorted(
        [(outer, inner, 0, 0.7), (outer, rsi, 1, None), (inner, rsi, 0, None), (inner, sma, 1, 0.3)]
    )
    assert sorted(rows(catalog, "from lineage")) == sorted(
        [(outer, inner, 1), (outer, rsi, 1), (outer, sma, 2), (inner, rsi, 1), (inner, sma, 1)]
    )
    query = "select strategy_hash, config_source, is_composite from strategies"
    assert sorted(rows(catalog, query)) == sorted(
        [(outer, "footer", True), (inner, "component", True), (rsi, "component", False),
         (sma, "component", False)]
    )  # fmt: skip
    assert rows(catalog, "select param_period from strategies where param_period = 14") == [(14,)]


def test_a_component_that_is_traced_alone_is_the_same_strategy(catalog, nested, tmp_path):
    write_ours(tmp_path / "run", config=RSI, strategy_id="alone")

    catalog.register(tmp_path / "run")

    assert rows(catalog, "select count(*) from strategies") == [(4,)]
    assert rows(catalog, "select count(*) from trace_files where strategy_type = 'rsi'") == [(1,)]


def test_what_a_composite_is_made_of_goes_with_it(catalog, nested, tmp_path):
    write_ours(tmp_path / "run", config=RSI, strategy_id="alone")
    catalog.register(tmp_path / "run")
    path = tmp_path / "run/traces/signals/ensemble/outer.parquet"
    path.write_bytes(b"PAR1")

    catalog.register(tmp_path / "run")

    assert rows(catalog, "select strategy_hash from strategies") == [(strategy_hash(RSI),)]
    assert rows(catalog, "select count(*) from components") == [(0,)]


def test_lineage_prints_the_tree_and_who_uses_it(catalog, nested):
    inner, outer = map(strategy_hash, nested)
    environment = {"CATALOG": str(catalog.path)}

    down = CliRunner().invoke(main, ["lineage", outer], env=environment)
    up = CliRunner().invoke(main, ["lineage", strategy_hash(SMA)], env=environment)

    assert down.stdout.splitlines() == [
        f"{outer}  ensemble",
        f"├─ {inner}  blend  (strategies, weight 0.7)",
        f"│  ├─ {strategy_hash(RSI)}  rsi  (strategies)",
        f"│  └─ {strategy_hash(SMA)}  sma_crossover  (strategies, weight 0.3)",
        f"└─ {strategy_hash(RSI)}  rsi  (strategies)",
    ]
    assert up.stdout.splitlines()[1:] == [
        f"used by {inner}  blend",
        f"used by {outer}  ensemble, 2 steps up",
    ]
