"""What a registration leaves without use is forgotten, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from catalog import strategy_hash
from catalog.statements import statement
from catalog.store.database import writing
from catalog.traces.write import write_trace
from conftest import rows, touch_later


def strategy(name: str, *parts: dict[str, object]) -> dict[str, object]:
    """Return a configuration. All are of one type: what replaces another has its path."""
    return {"type": "one", "parameters": {"name": name}} | ({"strategies": parts} if parts else {})


RSI, SMA, WIDE = strategy("rsi"), strategy("sma"), strategy("bands")
BOTH = strategy("blend", RSI, SMA)
NESTED = strategy("outer", BOTH, WIDE)
HASHES = {strategy_hash(one): one["parameters"]["name"] for one in (RSI, SMA, WIDE, BOTH, NESTED)}


@pytest.fixture
def trace(tmp_path):
    """Write a trace of a configuration, over what was there under its name before."""

    def write(name: str, config: dict[str, object], *, run: str = "run_a") -> Path:
        path = write_trace(
            tmp_path / "runs" / run, config=config, strategy_id=name, symbol="SPY", timeframe="1m",
            bar_index=np.arange(3), ts=None, values=[1.0, 0.0, 1.0], prices=None,
            first_bar=0, last_bar=2,
        )  # fmt: skip
        touch_later(path)
        return path

    return write


def known(catalog):
    """Return the names of the strategies, and of those that are made of others."""
    hashes = rows(catalog, "select strategy_hash from strategies")
    parents = rows(catalog, "select distinct parent from components")
    return {HASHES[one] for (one,) in hashes}, {HASHES[one] for (one,) in parents}


def test_a_configuration_that_no_file_has_any_more_is_forgotten(catalog, trace, tmp_path):
    trace("a", RSI)
    trace("b", SMA)
    catalog.register(tmp_path / "runs")
    trace("a", WIDE)

    catalog.register(tmp_path / "runs")

    assert known(catalog) == ({"sma", "bands"}, set())


def test_a_configuration_that_another_file_has_stays(catalog, trace, tmp_path):
    trace("a", RSI)
    trace("b", RSI, run="run_b")
    catalog.register(tmp_path / "runs")
    trace("a", SMA)

    catalog.register(tmp_path / "runs")

    assert known(catalog) == ({"rsi", "sma"}, set())


def test_with_a_composite_go_the_components_that_nothing_else_is_made_of(catalog, trace, tmp_path):
    trace("a", NESTED)
    trace("b", RSI)
    catalog.register(tmp_path / "runs")
    assert known(catalog) == ({"outer", "blend", "bands", "rsi", "sma"}, {"outer", "blend"})
    trace("a", SMA)

    catalog.register(tmp_path / "runs")

    assert known(catalog) == ({"rsi", "sma"}, set())


def test_components_of_a_composite_that_is_in_use_stay(catalog, trace, tmp_path):
    trace("a", NESTED)
    trace("b", RSI)
    trace("c", WIDE)
    catalog.register(tmp_path / "runs")
    trace("b", SMA)
    trace("c", SMA)

    catalog.register(tmp_path / "runs")

    assert known(catalog) == ({"outer", "blend", "bands", "rsi", "sma"}, {"outer", "blend"})


def test_what_a_registration_leaves_is_what_looking_at_everything_leaves(catalog, trace, tmp_path):
    configs = [RSI, SMA, WIDE, BOTH, NESTED]
    for step in range(4):
        for number in range(4):
            config = configs[(step * (number + 1) + number) % len(configs)]
            trace(f"s{number}", config, run=f"run_{number % 2}")
        catalog.register(tmp_path / "runs")
        left = known(catalog)
        with writing(catalog.path) as con:
            con.execute(statement("delete_unused_strategies"))

        assert known(catalog) == left
