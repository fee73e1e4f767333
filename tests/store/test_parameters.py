"""Parameter columns are typed, wide, and only grow."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from catalog import Catalog
from conftest import old_trace, rows


@pytest.fixture
def register_configs(catalog, tmp_path):
    """Register one trace per parameter set, in runs of their own."""

    def register(*parameter_sets: dict[str, object], strategy_type: str = "t"):
        number = len(list((tmp_path / "runs").glob("*"))) if (tmp_path / "runs").exists() else 0
        for offset, parameters in enumerate(parameter_sets):
            run = tmp_path / "runs" / f"run_{number + offset}"
            old_trace(run / "traces/SPY_1m/signals/g/a.parquet", [1, 0])
            config = {"type": strategy_type, "parameters": parameters}
            text = json.dumps({"components": {"a": {"full_config": config}}})
            (run / "metadata.json").write_text(text)
        return catalog.register(tmp_path / "runs")

    return register


def columns(catalog: Catalog) -> dict[str, str]:
    query = """
        select column_name, data_type from duckdb_columns()
        where table_name = 'strategies' and column_name like 'param\\_%' escape '\\'
    """
    return dict(rows(catalog, query))


def test_whole_numbers_are_bigint_even_where_they_were_written_as_floats(catalog, register_configs):
    register_configs({"period": 20, "width": 2.0})

    assert columns(catalog) == {"param_period": "BIGINT", "param_width": "BIGINT"}


def test_a_column_becomes_double_with_the_first_value_that_is_not_whole(catalog, register_configs):
    register_configs({"width": 2})

    register_configs({"width": 2.5})

    assert columns(catalog) == {"param_width": "DOUBLE"}
    assert rows(catalog, "select param_width from strategies order by 1") == [(2.0,), (2.5,)]
    assert rows(catalog, "select count(*) from type_t where param_width = 2") == [(1,)]


def test_a_word_never_breaks_the_numbers(catalog, register_configs):
    register_configs({"period": 20}, {"period": "auto"})

    query = "select param_period, param_period_text from strategies order by 1 nulls last"
    assert rows(catalog, query) == [(20, None), (None, "auto")]
    assert rows(catalog, "select count(*) from strategies where param_period = 20") == [(1,)]


def test_truth_values_are_boolean_until_a_number_joins_them(catalog, register_configs):
    register_configs({"flag": True})
    before = columns(catalog)

    register_configs({"flag": 3})

    assert before == {"param_flag": "BOOLEAN"}
    assert columns(catalog) == {"param_flag": "BIGINT"}
    assert rows(catalog, "select param_flag from strategies order by 1") == [(1,), (3,)]


def test_lists_are_json_text_and_nested_names_are_joined(catalog, register_configs):
    register_configs({"levels": [1, 2.5, "x"], "stop": {"loss": 0.01}})

    query = "select param_levels_text, param_stop_loss from strategies"
    assert rows(catalog, query) == [('[1, 2.5, "x"]', 0.01)]


def test_names_that_differ_only_in_case_get_a_number(catalog, register_configs):
    register_configs({"Period": 1, "period": 2, "PERIOD": 3})

    (values,) = rows(catalog, "select columns('(?i)param_period.*') from strategies")
    assert sorted(values) == [1, 2, 3]


@pytest.mark.parametrize("name", ["type", "symbol", "it's", 'say "x"', "a b", "drop table", "é🚀"])
def test_a_parameter_may_have_any_name(catalog, register_configs, name):
    register_configs({name: 7})

    column = f"param_{name}"
    assert columns(catalog) == {column: "BIGINT"}
    quoted = '"' + column.replace('"', '""') + '"'
    assert rows(catalog, f"select {quoted} from strategies") == [(7,)]
    assert rows(catalog, f"select {quoted} from type_t") == [(7,)]


def test_beyond_500_columns_parameters_stay_in_the_configuration(catalog, register_configs):
    report = register_configs({f"p{number}": number for number in range(5_000)})

    assert report.without_column == 4_500
    assert len(columns(catalog)) == 500
    assert rows(catalog, "select config->'$.parameters.p4999' from strategies") == [("4999",)]
    assert rows(catalog, "select count(*) from parameters where column_name is null") == [(4_500,)]


def test_each_type_has_a_view_with_its_own_parameters(catalog, register_configs):
    register_configs({"period": 1}, strategy_type="rsi")
    register_configs({"fast": 2}, strategy_type="RSI")
    register_configs({"slow": 3}, strategy_type='odd "type"')

    names = {name for (name,) in rows(catalog, "show tables") if str(name).startswith("type_")}
    assert names == {"type_rsi", "type_RSI_2", 'type_odd "type"'}
    assert rows(catalog, 'select param_slow from "type_odd ""type"""') == [(3,)]


def test_parameters_says_how_many_strategies_have_each(catalog, register_configs):
    register_configs({"a": 1}, {"a": 2, "b": "x"})

    query = "select parameter, path, column_name, column_type, strategies from parameters"
    assert rows(catalog, f"{query} order by all") == [
        ("a", "/a", "param_a", "BIGINT", 2),
        ("b", "/b", "param_b_text", "VARCHAR", 1),
    ]


VALUES = (
    st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
)


@given(values=st.lists(VALUES, min_size=1, max_size=4))
@settings(
    deadline=None,
    max_examples=5,
    # Each example makes files and a catalog: shrinking a failure would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_every_value_is_in_its_column_as_it_was_configured(values, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    catalog = Catalog(home / "catalog.duckdb")
    for number, value in enumerate(values):
        run = home / "runs" / f"run_{number}"
        old_trace(run / "traces/signals/g/a.parquet", [1, 0])
        config = {"type": "t", "parameters": {"x": value, "number": number}}
        (run / "metadata.json").write_text(
            json.dumps({"components": {"a": {"full_config": config}}})
        )
        catalog.register(run)

    held = catalog.sql("from strategies order by param_number").arrow().to_pylist()

    for value, row in zip(values, held, strict=True):
        number, text = row.get("param_x"), row.get("param_x_text")
        if isinstance(value, str):
            assert (number, text) == (None, value)
        else:
            assert text is None
            assert math.isclose(float(number), float(value), rel_tol=1e-15)
