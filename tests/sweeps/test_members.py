"""The keys of a grid's configurations, made of pieces."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import Sweep, strategy_hash
from catalog.strategy import config_key
from catalog.sweeps import members
from catalog.sweeps.grid import Grid
from catalog.sweeps.members import key_batches, texts, words

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    FLOATS,
    st.sampled_from([0, 0.0, -0.0, 1, 1.0, True, 20, 20.0]),
    st.text(max_size=4),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = st.sampled_from(["fast", "slow", "_position", "constraints", "a", "Z", "ä", "type"])
GRIDS = st.builds(
    lambda kind, params, extra: Grid(
        kind, "sma", "sma", tuple(params.items()), extra=tuple(extra.items())
    ),
    st.sampled_from(["signal", "classifier"]),
    st.dictionaries(NAMES, SCALARS | st.lists(VALUES, min_size=1, max_size=3), max_size=4),
    st.dictionaries(
        st.sampled_from(["constraints", "components", "zeta", "_mark"]), VALUES, max_size=2
    ),
)


@settings(max_examples=200)
@given(grid=GRIDS)
def test_the_key_of_every_member_is_that_of_its_whole_configuration(grid):
    made = {
        int(number): key
        for one, numbers, keys in key_batches((grid,))
        for number, key in zip(numbers, keys, strict=True)
    }

    wanted: dict[str, int] = {}
    for number, strategy in enumerate(grid.expand(None)):
        wanted.setdefault(config_key(strategy.config), number)
    # Of members that mean the same there is the first.
    assert made == {number: key for key, number in wanted.items()}


@settings(max_examples=100)
@given(grid=GRIDS)
def test_canonical_text_and_name_of_every_member_are_those_of_its_expansion(grid):
    numbers = members.np.arange(grid.combinations)

    hashes = [sha256(text).hexdigest()[:12] for text in texts(grid, numbers)]
    names = list(words(grid, numbers))

    strategies = list(grid.expand(None))
    assert hashes == [strategy_hash(one.config) for one in strategies]
    assert names == [one.strategy_id for one in strategies]
    assert strategies == [grid.member(int(number), None) for number in numbers]


def test_what_two_entries_or_two_batches_hold_comes_once(monkeypatch):
    monkeypatch.setattr(members, "BATCH", 3)
    sweep = Sweep.declare(
        strategies=[
            {"type": "sma", "name": "a", "params": {"fast": [1, 2, 3, 4], "slow": [9]}},
            {"type": "sma", "name": "b", "params": {"slow": [8, 9.0], "fast": [1, 2, 5]}},
            {"type": "ema", "params": {"fast": [1], "slow": [9]}},
        ]
    )

    made = [(grid.name, len(keys)) for grid, _, keys in key_batches(sweep.grids)]

    assert made == [("a", 3), ("a", 1), ("b", 3), ("b", 1), ("ema", 1)]
    assert len({key for _, _, keys in key_batches(sweep.grids) for key in keys}) == 9


def test_only_members_that_meet_the_conditions_have_keys():
    sweep = Sweep.declare(
        strategies={
            "type": "sma",
            "params": {"fast": [1, 2, 3], "slow": [2, 3]},
            "where": "fast < slow",
        }
    )

    ((grid, numbers, keys),) = key_batches(sweep.grids)

    assert [grid.member(int(number), None).values for number in numbers] == [(1, 2), (1, 3), (2, 3)]
    assert keys == [config_key(strategy.config) for strategy in sweep.expand()]
