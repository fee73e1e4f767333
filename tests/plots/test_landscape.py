"""Landscapes: each cell is what its strategies earned, and its plateau what lies beside it."""

from __future__ import annotations

import json
from collections import defaultdict
from statistics import median

import pytest

from catalog import Catalog
from catalog.errors import QueryError, UsageError
from catalog.plots.landscape import METRICS, read_landscape


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
        own = [row | {"facet": None} for row in whole if row["facet"] == symbol]
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
