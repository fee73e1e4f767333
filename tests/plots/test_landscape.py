"""Landscapes: each cell is what its strategies earned, and its plateau what lies beside it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from html import unescape
from statistics import median

import numpy as np
import pytest

from catalog import Catalog
from catalog.errors import QueryError, UsageError
from catalog.plots.landscape import MAPS, METRICS, STEPS, read_landscape
from markets import add_prices, price_table, random_signals, write_strategies
from web_catalog import client_of


def by_cell(catalog: Catalog, metric: str, where: str = "true") -> dict[tuple, list[float]]:
    """Return the figures behind each (fast, slow), read from the configurations."""
    found = defaultdict(list)
    query = (
        f"select config, {metric} from leaderboard where strategy_type = 'ma_crossover' and {where}"
    )
    for config, value in catalog.sql(query).fetchall():
        parameters = json.loads(config)["parameters"]
        found[parameters["fast"], parameters["slow"]].append(value)
    return found


@pytest.mark.parametrize("metric", ["sharpe", "total_return", "trades", "sharpe_oos"])
def test_a_cell_is_the_median_of_its_strategies_and_their_best(web_catalog, metric):
    expected = by_cell(web_catalog, metric)

    found = read_landscape(web_catalog.path, metric=metric, x="fast", y="slow")

    cells = {(row["x"], row["y"]): row for row in found.cells.to_pylist()}
    assert len(expected) == 20
    assert cells.keys() == expected.keys()
    for place, values in expected.items():
        assert cells[place]["value"] == pytest.approx(median(values))
        assert cells[place]["best"] == max(values)
        assert cells[place]["count"] == len(values) == 2
    assert found.strategies == 40


def test_a_plateau_is_the_median_of_the_cells_one_step_away(web_catalog):
    cells = {place: median(values) for place, values in by_cell(web_catalog, "sharpe").items()}
    fasts, slows = (sorted({place[axis] for place in cells}) for axis in (0, 1))

    found = read_landscape(web_catalog.path, x="fast", y="slow")

    for row in found.cells.to_pylist():
        i, j = fasts.index(row["x"]), slows.index(row["y"])
        near = [
            cells[fasts[a], slows[b]]
            for a, b in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1))
            if 0 <= a < len(fasts) and 0 <= b < len(slows)
        ]
        assert row["plateau"] == pytest.approx(median(near))
    assert found.best_plateau == pytest.approx(max(found.cells["plateau"].to_pylist()))


def test_words_have_no_neighbours(web_catalog):
    found = read_landscape(web_catalog.path, x="fast", y="mode")

    cells = {(row["x"], row["y"]): row for row in found.cells.to_pylist()}
    assert {y for _, y in cells} == {"sma", "ema"}
    for (x, y), row in cells.items():
        near = [cells[x + step, y]["value"] for step in (-5, 5) if (x + step, y) in cells]
        assert row["plateau"] == pytest.approx(median(near))


def test_a_facet_has_cells_and_plateaus_of_its_own(web_catalog):
    whole = read_landscape(web_catalog.path, x="fast", y="slow", facet="symbol").cells.to_pylist()

    for symbol in ("SPY", "QQQ"):
        alone = read_landscape(
            web_catalog.path, x="fast", y="slow", where=f"symbol = '{symbol}'"
        ).cells.to_pylist()
        own = [row | {"facet": None, "facet_last": None} for row in whole if row["facet"] == symbol]
        assert own == alone
        assert len(own) == 20


def test_without_axes_the_largest_type_and_its_parameters_of_most_values_are_taken(web_catalog):
    for where in (None, "symbol = 'SPY'"):
        found = read_landscape(web_catalog.path, where=where)

        assert (found.strategy_type, found.x.name, found.y.name) == ("ma_crossover", "fast", "slow")
    other = read_landscape(web_catalog.path, x="slow")
    assert (other.x.name, other.y.name) == ("slow", "fast")


def test_a_parameter_goes_by_its_name_or_its_column_in_any_case(web_catalog):
    for name in ("fast", "param_fast", "FAST"):
        assert read_landscape(web_catalog.path, x=name, y="slow").x.column == "param_fast"
    assert read_landscape(web_catalog.path, x="fast", y="param_mode_text").y.name == "mode"


def test_every_metric_is_a_column_of_the_leaderboard(web_catalog):
    columns = web_catalog.sql("select * from leaderboard limit 0").columns

    assert set(METRICS) <= set(columns)


def test_what_there_is_not_is_said_with_what_there_is(web_catalog):
    with pytest.raises(UsageError, match="no parameter 'nothing'") as told:
        read_landscape(web_catalog.path, x="nothing")
    assert "fast" in str(told.value.hint) and "slow" in str(told.value.hint)
    with pytest.raises(UsageError, match="no metric 'luck'") as told:
        read_landscape(web_catalog.path, metric="luck")
    assert "sharpe" in str(told.value.hint)
    with pytest.raises(UsageError, match="same parameter"):
        read_landscape(web_catalog.path, x="fast", y="param_fast")
    with pytest.raises(QueryError, match="too few parameters vary"):
        read_landscape(web_catalog.path, where="strategy_type = 'ma_crossover' and param_slow = 80")
    with pytest.raises(QueryError, match="measured"):
        read_landscape(web_catalog.path, where="symbol = 'NONE'")
    with pytest.raises(QueryError, match="fast and slow where symbol = 'NONE'"):
        read_landscape(web_catalog.path, x="fast", y="slow", where="symbol = 'NONE'")


def test_a_condition_can_only_be_a_condition(web_catalog):
    for where in ("true; drop table strategy", "x from leaderboard", "read_csv('/etc/passwd')"):
        with pytest.raises(QueryError):
            read_landscape(web_catalog.path, x="fast", y="slow", where=where)


def test_what_was_not_measured_is_said_with_what_to_do(catalog, write_run, write_sweep):
    catalog.register(
        write_run(traces={f"SPY_sma_grid_{f}_{s}": [1, 0] for f in (5, 10) for s in (20, 50)}),
        sweeps=[write_sweep()],
    )

    for axes in ({"x": "fast", "y": "slow"}, {}):
        with pytest.raises(QueryError) as told:
            read_landscape(catalog.path, **axes)
        assert "catalog metrics" in str(told.value.hint)


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> Catalog:
    """A random search: 200 strategies, hardly two of which have the same value of a parameter."""
    made = Catalog(tmp_path_factory.mktemp("searched") / "catalog.duckdb")
    random = np.random.default_rng(0)
    table = price_table(20, per_session=5)
    configs = {
        f"s_{number}": {
            "type": "searched",
            "parameters": {
                "decay": float(random.lognormal()),
                "window": int(random.integers(1, 1_000)),
                "side": ("long", "both")[number % 2],
            },
        }
        for number in range(200)
    }
    write_strategies(made, random_signals(len(table), 200, changes=9), table, configs=configs)
    add_prices(made, table)
    made.metrics()
    return made


def test_of_a_number_with_many_values_neighbours_are_one_step_and_nothing_is_lost(searched):
    found = read_landscape(searched.path, x="decay", y="side", metric="sharpe")

    rows = searched.sql("select param_decay, param_side_text, sharpe from leaderboard").fetchall()
    assert found.merged == ("decay",)
    steps = sorted({(row["x"], row["x_last"]) for row in found.cells.to_pylist()})
    assert len(steps) == STEPS
    # From the least value to the greatest, each step beginning where the one before has ended.
    values = sorted(decay for decay, _, _ in rows)
    assert [one for low, high in steps for one in values if low <= one <= high] == values
    assert {sum(low <= one <= high for one in values) for low, high in steps} <= {6, 7}
    for cell in found.cells.to_pylist():
        behind = [
            sharpe
            for decay, side, sharpe in rows
            if cell["x"] <= decay <= cell["x_last"] and side == cell["y"]
        ]
        assert cell["count"] == len(behind)
        assert cell["value"] == pytest.approx(median(behind))


def test_the_neighbours_of_a_step_are_the_steps_beside_it(searched):
    found = read_landscape(searched.path, x="decay", y="side")

    cells = {(row["x"], row["y"]): row for row in found.cells.to_pylist()}
    order = sorted({x for x, _ in cells})
    for (x, y), cell in cells.items():
        at = order.index(x)
        near = [
            cells[one, y]["value"] for one in order[max(at - 1, 0) : at + 2] if (one, y) in cells
        ]
        near = [one for one in near if one != cell["value"]]
        assert cell["plateau"] == (pytest.approx(median(near)) if near else None)


def test_a_facet_with_many_values_is_a_few_maps(searched):
    found = read_landscape(searched.path, x="side", y="window", facet="decay")

    assert found.merged == ("window", "decay")
    maps = {(row["facet"], row["facet_last"]) for row in found.cells.to_pylist()}
    assert len(maps) == MAPS
    assert found.strategies == 200


def test_more_cells_than_can_be_seen_are_refused_with_what_to_do(searched, monkeypatch):
    monkeypatch.setattr("catalog.plots.landscape.MOST_CELLS", 50)

    with pytest.raises(
        QueryError, match=r"60 cells over decay and side, and 50 can be seen"
    ) as told:
        read_landscape(searched.path, x="decay", y="side")

    assert "fewer values" in str(told.value.hint)


def test_a_cell_of_several_values_leads_to_just_its_strategies(searched):
    with client_of(searched) as client:
        text = client.get("/landscape?x=decay&y=window").text

        links = re.findall(
            r'<th scope="row"><a href="(/\?[^"]+)">([^<]+)</a>.*?(\d+)</td></tr>', text
        )
        assert len(links) == 12
        for link, place, count in links:
            assert " to " in place
            answer = client.get(unescape(link)).text
            assert re.search(rf"<strong>{count}</strong>\s+of 200", answer), answer[:3000]
