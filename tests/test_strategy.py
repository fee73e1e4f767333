"""A strategy's configuration: its canonical JSON, its hash, its key, its leaf parameters."""

from __future__ import annotations

import json
import random
from dataclasses import FrozenInstanceError
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ConfigurationError, HashCollisionError
from catalog.strategy import (
    Leaf,
    Strategy,
    canonical_json,
    check_collision,
    config_digest,
    config_key,
    is_composite,
    leaf_parameters,
    parse_config,
    strategy_hash,
)

VECTORS = Path(__file__).resolve().parents[2] / "shared" / "data" / "hash_vectors.json"

BOLLINGER = {"type": "bollinger_bands", "parameters": {"period": 20, "std_dev": 2.0}}

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
configs = st.dictionaries(st.text(), values, max_size=5)


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    if not VECTORS.exists():
        pytest.skip("the hashes that real files carry are not here")
    return json.loads(VECTORS.read_text(encoding="utf-8"))


def nested(levels: int) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for _ in range(levels - 1):
        config = {"a": config}
    return config


# --- The hash ---------------------------------------------------------------------------------


def test_the_hash_is_the_one_that_old_tracers_printed():
    config = {**BOLLINGER, "constraints": "intraday"}

    assert strategy_hash(config) == "39a6426ec117"
    assert canonical_json(config) == (
        '{"constraints":"intraday","parameters":{"period":20,"std_dev":2.0},'
        '"type":"bollinger_bands"}'
    )


def test_every_known_configuration_hashes_as_recorded(vectors):
    for vector in vectors["vectors"]:
        assert canonical_json(vector["config"]) == vector["canonical_json"], vector["name"]
        assert strategy_hash(vector["config"]) == vector["hash12"], vector["name"]
        if "same_as" in vector:
            same = next(v for v in vectors["vectors"] if v["name"] == vector["same_as"])
            assert vector["hash12"] == same["hash12"]
    for recorded in vectors["recorded_at_head"]:
        assert strategy_hash(recorded["config"]) == recorded["hash12"]


def test_a_decimal_hashes_as_the_float(vectors):
    decimal = vectors["decimal"]

    assert (
        strategy_hash({**BOLLINGER, "parameters": {"period": 20, "std_dev": Decimal("2.0")}})
        == decimal["as_float"]["hash12"]
    )
    for text in ("0.1", "2.10"):
        config = {"type": "t", "parameters": {"x": Decimal(text)}}
        assert strategy_hash(config) == decimal[f'Decimal("{text}")_as_float']["hash12"]


def test_the_hash_is_the_first_twelve_digits_of_the_digest():
    assert len(config_digest(BOLLINGER)) == 64
    assert config_digest(BOLLINGER).startswith(strategy_hash(BOLLINGER))
    assert len(strategy_hash(BOLLINGER)) == 12


@given(config=configs)
def test_the_canonical_json_of_plain_values_is_what_python_writes_with_sorted_keys(config):
    assert canonical_json(config) == json.dumps(config, sort_keys=True, separators=(",", ":"))


@given(config=configs)
def test_a_configuration_hashes_the_same_after_it_was_written_and_read(config):
    read = parse_config(canonical_json(config))

    assert strategy_hash(read) == strategy_hash(config)
    assert parse_config(json.dumps(config).encode()) == config


@given(config=configs, seed=st.integers())
def test_the_order_of_keys_does_not_matter(config, seed):
    items = list(config.items())
    random.Random(seed).shuffle(items)

    assert strategy_hash(dict(items)) == strategy_hash(config)
    assert config_key(dict(items)) == config_key(config)


def test_numbers_are_hashed_as_they_were_written():
    hashes = {strategy_hash({"x": x}) for x in (1, 1.0, True, "1", "1.0", -0.0, 0.0, 0)}

    assert len(hashes) == 8


class Side(Enum):
    LONG = "long"


class Venue(StrEnum):
    ARCA = "arca"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(20), 20),
        (np.float64(2.0), 2.0),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("wilder"), "wilder"),
        (np.datetime64("2025-01-02"), "2025-01-02"),
        (np.array(7), 7),
        (Decimal("2.10"), 2.1),
        (Side.LONG, "long"),
        (Venue.ARCA, "arca"),
        ((1, (2, 3)), [1, [2, 3]]),
        (date(2025, 1, 2), "2025-01-02"),
        (datetime(2025, 1, 2, 9, 30), "2025-01-02T09:30:00"),
        ({np.int64(2): "a", Side.LONG: "b", True: "c"}, {"2": "a", "long": "b", "true": "c"}),
    ],
)
def test_what_python_programs_hold_becomes_plain_json(value, plain):
    assert canonical_json({"x": value}) == canonical_json({"x": plain})


def test_integer_keys_become_text_before_they_are_sorted(vectors):
    vector = next(v for v in vectors["vectors"] if v["name"].startswith("integer dict keys"))
    config = {"type": "t", "parameters": {"m": {1: "a", 2: "c", 10: "b"}}}

    assert strategy_hash(config) == vector["hash12"]
    assert strategy_hash(config) != vector["python_int_keys_hash12"]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        float("-inf"),
        np.float64("nan"),
        np.float32("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("1e400"),
    ],
)
def test_a_number_that_is_not_finite_is_refused_with_its_path(value):
    with pytest.raises(ConfigurationError, match=r": /parameters/bands/1$"):
        canonical_json({"parameters": {"bands": [1.0, value]}})


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({1, 2}, "set"),
        (b"x", "bytes"),
        (1j, "complex"),
        (object(), "object"),
        (np.array([1]), "numpy.ndarray"),
        (np.array([1, 2]), "numpy.ndarray"),
        (np.datetime64("2025-01-02T00:00:00", "ns"), "numpy.datetime64"),
        (np.timedelta64(5, "ns"), "numpy.timedelta64"),
        (np.longdouble(1), "numpy.longdouble"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_path_and_type(value, name):
    with pytest.raises(ConfigurationError, match=rf"A {name} cannot .*: /a~1b/x$") as raised:
        canonical_json({"a/b": {"x": value}})
    assert raised.value.hint


@pytest.mark.parametrize("twice", [{1: "a", "1": "b"}, {True: 1, "true": 2}, {None: 1, "null": 2}])
def test_keys_that_become_the_same_text_are_refused(twice):
    with pytest.raises(ConfigurationError, match="Two keys become the same text: /m/"):
        canonical_json({"m": twice})


def test_a_key_that_is_no_text_and_no_number_is_refused():
    with pytest.raises(ConfigurationError, match="A tuple cannot be a key"):
        canonical_json({"m": {(1, 2): 3}})


def test_a_configuration_that_contains_itself_is_refused():
    config: dict[str, Any] = {"a": 1}
    config["self"] = [config, config]

    with pytest.raises(ConfigurationError, match="contains itself"):
        canonical_json(config)


def test_two_hundred_levels_are_taken_and_one_more_is_refused():
    assert canonical_json(nested(200)).count("{") == 200
    with pytest.raises(ConfigurationError, match="more than 200 levels"):
        canonical_json(nested(201))


def test_an_integer_that_python_will_not_write_is_refused():
    with pytest.raises(ConfigurationError, match="cannot be written"):
        canonical_json({"x": 10**5000})


@pytest.mark.parametrize("config", [[1], "text", None, 1])
def test_what_is_no_mapping_is_no_configuration(config):
    with pytest.raises(ConfigurationError, match="A configuration is a mapping"):
        canonical_json(config)


# --- The key ----------------------------------------------------------------------------------


@given(numbers=st.lists(st.integers(-(2**53), 2**53)))
def test_numbers_of_one_value_have_one_key(numbers):
    as_floats = [float(number) for number in numbers]

    assert config_key({"x": numbers}) == config_key({"x": as_floats})


def test_a_number_is_neither_a_truth_value_nor_a_text():
    assert len({config_key({"x": x}) for x in (1, True, "1", 1.5)}) == 4
    assert config_key({"x": -0.0}) == config_key({"x": 0.0}) == config_key({"x": 0})


def test_a_positional_key_is_not_part_of_the_key():
    real = {"period": 20, "std_dev": 2.0}
    positions = [{"_strategy_type": "strategy_0"}, {"_strategy_type": "x", "_order": [1, 2]}, {}]

    keys = {config_key({"type": "t", "parameters": {**extra, **real}}) for extra in positions}

    assert len(keys) == 1


def test_an_underscored_mapping_changes_behaviour_and_stays_in_the_key():
    risk = {"_risk": {"stop_loss": 0.001, "_position": 3}}

    with_risk = config_key({"type": "t", "parameters": {"period": 20, **risk}})

    assert with_risk != config_key({"type": "t", "parameters": {"period": 20}})
    risk["_risk"]["_position"] = 4
    assert with_risk == config_key({"type": "t", "parameters": {"period": 20, **risk}})


def test_null_constraints_are_no_constraints():
    assert config_key({**BOLLINGER, "constraints": None}) == config_key(BOLLINGER)
    assert config_key({**BOLLINGER, "constraints": "intraday"}) != config_key(BOLLINGER)


@given(config=configs)
def test_a_key_has_thirty_two_hexadecimal_digits(config):
    key = config_key(config)

    assert len(key) == 32
    int(key, 16)


def test_two_digests_behind_one_hash_are_a_collision():
    check_collision("39a6426ec117", "a" * 64, "a" * 64)
    with pytest.raises(HashCollisionError, match="39a6426ec117") as raised:
        check_collision("39a6426ec117", "a" * 64, "b" * 64)
    assert raised.value.hint


# --- Reading ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"x": NaN}', "NaN, which is not a number"),
        ('{"x": -Infinity}', "-Infinity, which is not a number"),
        ('{"x": 1e999}', "1e999, which is not a number"),
        ('{"x": {"a": 1, "b": 2, "a": 1}}', "the key 'a' twice"),
        ("[1, 2]", "is a JSON object"),
        ("null", "is a JSON object"),
        ("", "is not JSON"),
        ('{"x": 1,}', "is not JSON"),
        ('{"x": ' + "1" * 5000 + "}", "is not JSON"),
        (b'{"x": "\xff"}', "is not UTF-8"),
        ('{"a":' * 201 + "1" + "}" * 201, "200 levels"),
        ('{"a":' + "[" * 200 + "]" * 200 + "}", "200 levels"),
        ('{"a":' * 200_000 + "1" + "}" * 200_000, "200 levels"),
    ],
)
def test_a_text_that_is_no_strict_configuration_is_refused(text, message):
    with pytest.raises(ConfigurationError, match=message):
        parse_config(text)


def test_many_brackets_side_by_side_are_not_deep():
    config = {"x": [[n] for n in range(1000)]}

    assert parse_config(json.dumps(config)) == config


def test_two_hundred_levels_can_be_read():
    assert parse_config(json.dumps(nested(200))) == nested(200)


# --- Strategy ---------------------------------------------------------------------------------


def test_a_strategy_is_a_type_and_parameters():
    strategy = Strategy(type="bollinger_bands", parameters={"period": 20, "std_dev": 2.0})

    assert strategy.config == BOLLINGER
    assert strategy.hash == "49cbed903ac4"
    assert strategy.digest == config_digest(BOLLINGER)
    assert strategy.key == config_key(BOLLINGER)
    assert not strategy.is_composite


def test_constraints_are_part_of_a_strategy_where_they_are_given():
    strategy = Strategy("bollinger_bands", {"period": 20, "std_dev": 2.0}, constraints="intraday")

    assert strategy.hash == "39a6426ec117"


def test_a_strategy_is_made_from_a_whole_configuration():
    config = {**BOLLINGER, "constraints": None, "version": 3}

    strategy = Strategy.from_config(config)

    assert strategy.config == config
    assert strategy.type == "bollinger_bands"
    assert strategy.parameters == {"period": 20, "std_dev": 2.0}
    assert strategy.hash == strategy_hash(config)


def test_a_bare_mapping_is_its_own_parameters():
    strategy = Strategy.from_config({"period": 20, "std_dev": 2.0})

    assert strategy.type is None
    assert strategy.parameters == strategy.config == {"period": 20, "std_dev": 2.0}
    assert strategy.hash == "968ebff8db5d"


def test_strategies_are_equal_where_their_digests_are():
    whole, fraction = Strategy("t", {"x": 20}), Strategy("t", {"x": 20.0})

    assert whole == Strategy.from_config({"parameters": {"x": 20}, "type": "t"})
    assert whole != fraction
    assert whole.key == fraction.key
    assert len({whole, fraction, Strategy("t", {"x": np.int64(20)})}) == 2


def test_a_strategy_keeps_a_plain_copy_of_what_it_was_made_from():
    parameters = {"period": np.int64(20), "bands": (1, 2)}
    strategy = Strategy("t", parameters)

    parameters["period"] = 99

    assert strategy.parameters == {"period": 20, "bands": [1, 2]}
    assert strategy.hash == strategy_hash(strategy.config)
    with pytest.raises(FrozenInstanceError):
        strategy.type = "other"


def test_a_strategy_that_cannot_be_hashed_cannot_be_made():
    with pytest.raises(ConfigurationError, match="/parameters/x"):
        Strategy("t", {"x": float("nan")})


# --- Leaf parameters --------------------------------------------------------------------------


def test_leaves_are_named_by_their_path():
    config = {
        "type": "bollinger_bands",
        "parameters": {
            "_strategy_type": "strategy_0",
            "_order": [1, 2],
            "period": 10,
            "_risk": {"stop_loss": 0.001, "take_profit": None},
            "windows": [5, 10],
            "a/b~c": "x",
        },
    }

    assert leaf_parameters(config) == [
        Leaf("/parameters/period", "period", 10),
        Leaf("/parameters/_risk/stop_loss", "_risk_stop_loss", 0.001),
        Leaf("/parameters/windows", "windows", [5, 10]),
        Leaf("/parameters/a~1b~0c", "a/b~c", "x"),
    ]


@pytest.mark.parametrize(
    ("config", "paths"),
    [
        ({"type": "t", "params": {"x": 1}}, ["/params/x"]),
        ({"type": "t", "parameters": None, "params": {"x": 1}}, ["/params/x"]),
        ({"name": "t", "params": {"x": 1}}, ["/params/x"]),
        ({"x": 1, "y": {"z": 2}}, ["/x", "/y/z"]),
        ({"type": "t", "x": 1}, []),
        ({"type": "t", "parameters": None}, []),
        ({"parameters": [], "x": 1}, []),
        ({}, []),
    ],
)
def test_leaves_lie_under_the_parameters_or_in_a_bare_mapping(config, paths):
    assert [leaf.path for leaf in leaf_parameters(config)] == paths


ENSEMBLE = {
    "type": "duckdb_ensemble",
    "parameters": {
        "classifier_name": "volatility",
        "regime_strategies": {"bull": [{"name": "sma_crossover", "params": {"fast": 5}}]},
        "min_agreement": 0.5,
    },
}


def test_the_components_of_a_composite_give_no_leaves():
    assert [leaf.name for leaf in leaf_parameters(ENSEMBLE)] == ["classifier_name", "min_agreement"]
    assert is_composite(ENSEMBLE)
    assert Strategy.from_config(ENSEMBLE).is_composite


@pytest.mark.parametrize(
    ("parameters", "composite"),
    [
        ({"strategy": [{"sma": {"fast": 5}}]}, True),
        ({"components": {"a": {"type": "sma"}}}, True),
        ({"members": [{"type": "sma", "parameters": {"fast": 5}}]}, True),
        ({"layer": {"sub_strategies": [1]}}, True),
        ({"strategy": "sma_crossover"}, False),
        ({"bands": [{"type": "upper"}, {"type": "lower"}]}, False),
        ({"windows": [5, 10]}, False),
        ({"_risk": {"stop_loss": 0.1}}, False),
    ],
)
def test_a_composite_is_known_by_what_it_holds(parameters, composite):
    config = {"type": "t", "parameters": parameters}

    assert is_composite(config) is composite
    assert bool(leaf_parameters(config)) is not composite


@given(config=configs)
def test_the_path_of_a_leaf_leads_to_its_value(config):
    for leaf in leaf_parameters(config):
        found: Any = config
        for step in leaf.path.split("/")[1:]:
            found = found[step.replace("~1", "/").replace("~0", "~")]

        assert found is leaf.value
        assert found is not None
