"""Sweep files: reading them, expanding them, and matching their names to a run's files."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import SweepFileError
from catalog.strategy import strategy_hash
from catalog.sweeps.file import load_sweep
from catalog.sweeps.grid import Grid, Name, Sweep, SweepStrategy, names
from catalog.sweeps.match import Disagreement, match_sweeps

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

WriteSweep = Callable[..., Path]

CROSSOVER = """
name: crossovers
symbols: ["SPY"]
timeframes: ["1m"]
strategies:
  - type: sma_crossover
    name: sma_grid
    params:
      fast: [3, 7]
      mode: close
      slow: [15, 23]
classifiers:
  - type: trend_classifier
    parameters: {threshold: [0.002, 1.5], period: 20}
"""


@pytest.fixture
def write_sweep(tmp_path: Path) -> WriteSweep:
    def write(text: str | bytes, name: str = "sweep.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def sweep_of(write_sweep: WriteSweep) -> Callable[..., Sweep]:
    """A sweep of one symbol and one entry, written in one line."""

    def sweep(file: str, parameters: str, *, block: str = "strategies") -> Sweep:
        text = f"symbols: [SPY]\n{block}:\n  - {{type: sma, params: {{{parameters}}}}}\n"
        return load_sweep(write_sweep(text, file))

    return sweep


def signals(*strategy_ids: str) -> list[Name]:
    return [("signal", strategy_id) for strategy_id in strategy_ids]


def a_sweep(*grids: Grid, symbols: tuple[str, ...] = ("SPY",), file: str = "s.yaml") -> Sweep:
    return Sweep("s", Path(file), "0" * 64, symbols, (), grids)


def names_of_grids(sweep: Sweep) -> list[set[Name]]:
    return [
        {
            (grid.kind, strategy.strategy_id)
            for symbol in sweep.symbols
            for strategy in grid.expand(symbol)
        }
        for grid in sweep.grids
    ]


def hashes(sweep: Sweep) -> dict[Name, set[str]]:
    """The hash of each configuration that a name was made from."""
    made: dict[Name, set[str]] = defaultdict(set)
    for strategy in sweep.expand():
        made[strategy.kind, strategy.strategy_id].add(strategy_hash(strategy.config))
    return made


# --- Reading ----------------------------------------------------------------------------------


def test_a_sweep_file_is_read_as_it_was_written(write_sweep):
    path = write_sweep(CROSSOVER)

    sweep = load_sweep(path)

    assert (sweep.name, sweep.path) == ("crossovers", path)
    assert (sweep.symbols, sweep.timeframes) == (("SPY",), ("1m",))
    assert len(sweep.digest) == 64
    assert sweep.grids == (
        Grid(
            "signal",
            "sma_crossover",
            "sma_grid",
            (("fast", [3, 7]), ("mode", "close"), ("slow", [15, 23])),
        ),
        Grid(
            "classifier",
            "trend_classifier",
            "trend_classifier",
            (("threshold", [0.002, 1.5]), ("period", 20)),
        ),
    )


def test_what_a_sweep_file_does_not_say_has_a_default(write_sweep):
    sweep = load_sweep(write_sweep("symbols: SPY\nstrategies: [{type: sma}]\nclassifiers:\n"))

    assert sweep.name == "sweep"
    assert sweep.symbols == ("SPY",)
    assert sweep.timeframes == ()
    assert [strategy.strategy_id for strategy in sweep.expand()] == ["SPY_sma"]


def test_an_anchor_may_be_used_and_overridden(write_sweep):
    text = """
    base: &base {fast: [1, 2], slow: 9}
    other: &other {<<: *base, slow: 10}
    strategies:
      - {type: a, params: *base}
      - {type: b, params: {<<: *other, fast: [3]}}
    """

    sweep = load_sweep(write_sweep(text))

    assert [dict(grid.parameters) for grid in sweep.grids] == [
        {"fast": [1, 2], "slow": 9},
        {"fast": [3], "slow": 10},
    ]


ENTRY = "strategies:\n  - type: ok\n  - "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strategies: [", "it is not YAML: .*line"),
        ("a: 1\n---\nb: 2", "it is not YAML"),
        (b"a: \xff\xfe", "it is not YAML"),
        ("a: 2025-02-30", "it is not YAML"),
        ("a: " + "1" * 5000, "it is not YAML"),
        ("a: !!python/name:os.system", "it is not YAML"),
        ("", "it is not a mapping"),
        ("- a", "it is not a mapping"),
        ("symbols: [SPY]", "it declares no strategies and no classifiers"),
        ("strategies: []\nclassifiers: []", "it declares no strategies and no classifiers"),
        ("strategies: {type: sma}", "strategies is not a list"),
        ("strategies: [sma]", "strategies, entry 1 is not a mapping"),
        (ENTRY + "name: a", "strategies, entry 2 has no type"),
        (ENTRY + "type: 7", "strategies, entry 2 has no type"),
        (ENTRY + "{type: t, name: 7}", r"entry 2 \(7\) has a name that is not text"),
        (ENTRY + "{type: t, params: [1]}", r"the parameters of strategies, entry 2 \(t\) are not"),
        (ENTRY + "{type: t, params: {}, parameters: {}}", r"entry 2 \(t\) has both"),
        (ENTRY + "{type: t, params: {on: 1}}", r"entry 2 \(t\) has the parameter True"),
        (ENTRY + "{type: t, params: {x: []}}", r"entry 2 \(t\) has no values for x"),
        (ENTRY + "{type: t, params: {x: [1, .nan]}}", r"entry 2 \(t\) cannot be used: nan .*/x/1"),
        (ENTRY + "{type: t, params: {x: -.inf}}", r"entry 2 \(t\) cannot be used: -inf"),
        (ENTRY + "{type: t, params: {x: !!binary aGk=}}", r"entry 2 \(t\) .* bytes .*/x"),
        (ENTRY + "{type: t, params: {x: 1, y: 2, x: 3}}", r"it has x twice .*\(line 3\)"),
        ("strategies: [{type: a}]\nstrategies: [{type: b}]", "it has strategies twice"),
        ("symbols: [ON]\nstrategies: [{type: a}]", "symbols holds True, which is not text"),
        ("a: " + "[" * 100_000, "nest"),
        ("a: &a [*a]\nstrategies: [{type: a}]", "too many values, counting its aliases"),
    ],
)
def test_a_file_that_is_no_sweep_is_refused_with_its_place_and_what_to_do(
    write_sweep, monkeypatch, text, message
):
    monkeypatch.setattr("catalog.sweeps.file.MAX_CONFIGURATIONS", 10_000)
    path = write_sweep(text)

    with pytest.raises(SweepFileError, match=message) as raised:
        load_sweep(path)

    assert str(path) in str(raised.value)
    assert raised.value.hint


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SweepFileError, match=r"gone.yaml cannot be used: it cannot be read"):
        load_sweep(tmp_path / "gone.yaml")


def test_a_few_aliases_cannot_stand_for_a_billion_values(write_sweep, monkeypatch):
    monkeypatch.setattr("catalog.sweeps.file.MAX_CONFIGURATIONS", 10_000)
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    for n in range(1, 10):
        lines.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]")

    with pytest.raises(SweepFileError, match="too many values, counting its aliases"):
        load_sweep(write_sweep("\n".join([*lines, "strategies: [{type: a, params: {x: *a9}}]"])))


def test_a_sweep_that_expands_into_too_many_is_refused_before_it_is_expanded(write_sweep):
    axis = list(range(100))
    parameters = f"{{a: {axis}, b: {axis}, c: {axis}}}"
    text = f"strategies:\n  - type: small\n  - {{type: huge, params: {parameters}}}\n"

    assert next(load_sweep(write_sweep(text + "symbols: [A, B, C, D]")).expand())
    with pytest.raises(SweepFileError, match=r"5,000,005 config.* huge with 1,000,000") as raised:
        load_sweep(write_sweep(text + "symbols: [A, B, C, D, E]"))
    assert "huge" in raised.value.hint


# --- Expanding --------------------------------------------------------------------------------


def test_a_name_holds_the_values_of_the_lists_in_the_order_of_the_file(write_sweep):
    sweep = load_sweep(write_sweep(CROSSOVER))

    assert [(s.kind, s.strategy_id, s.config) for s in islice(sweep.expand(), 2)] == [
        (
            "signal",
            "SPY_sma_grid_3_15",
            {"type": "sma_crossover", "parameters": {"fast": 3, "mode": "close", "slow": 15}},
        ),
        (
            "signal",
            "SPY_sma_grid_3_23",
            {"type": "sma_crossover", "parameters": {"fast": 3, "mode": "close", "slow": 23}},
        ),
    ]


def test_classifiers_drop_the_dots_of_their_values_and_strategies_keep_them(sweep_of):
    values = "x: [0.002, -1.5, a.b, true, null]"

    strategies = [s.strategy_id for s in sweep_of("s.yaml", values).expand()]
    classifiers = [s.strategy_id for s in sweep_of("c.yaml", values, block="classifiers").expand()]

    assert strategies == [f"SPY_sma_{x}" for x in ("0.002", "-1.5", "a.b", "True", "None")]
    assert classifiers == [f"SPY_sma_{x}" for x in ("0002", "-15", "ab", "True", "None")]


def test_values_are_kept_as_yaml_read_them(sweep_of):
    (strategy,) = sweep_of("s.yaml", "a: [20], b: 20.0, c: '20', d: {e: [1, 2]}").expand()

    # Compared as text, for 20 is 20.0 to Python.
    expected = {"a": 20, "b": 20.0, "c": "20", "d": {"e": [1, 2]}}
    assert repr(strategy.config["parameters"]) == repr(expected)


def test_every_symbol_has_every_configuration_and_no_symbol_gives_no_prefix():
    grid = Grid("signal", "sma", "g", (("x", [1, 2]),))

    assert [s.strategy_id for s in a_sweep(grid, symbols=("SPY", "QQQ")).expand()] == [
        "SPY_g_1",
        "SPY_g_2",
        "QQQ_g_1",
        "QQQ_g_2",
    ]
    assert [s.strategy_id for s in a_sweep(grid, symbols=()).expand()] == ["g_1", "g_2"]


def test_a_sweep_is_expanded_one_configuration_at_a_time():
    axis = list(range(1000))
    grid = Grid("signal", "sma", "g", tuple((name, axis) for name in "abcd"))

    assert next(a_sweep(grid).expand()).strategy_id == "SPY_g_0_0_0_0"


scalars = st.integers(-9, 9) | st.sampled_from(["a", "b_c", "1", "d.e"]) | st.booleans()
grids = st.builds(
    Grid,
    kind=st.sampled_from(["signal", "classifier"]),
    type=st.sampled_from(["sma", "rsi"]),
    name=st.sampled_from(["g", "g_1", "h"]),
    parameters=st.dictionaries(
        st.sampled_from(["a", "b", "c", "d"]),
        st.lists(scalars, min_size=1, max_size=3) | scalars,
        max_size=4,
    ).map(lambda parameters: tuple(parameters.items())),
)


@given(grid=grids, symbols=st.sampled_from([(), ("SPY",), ("SPY", "QQQ")]))
def test_an_expansion_has_the_size_that_was_foretold(grid, symbols):
    sweep = a_sweep(grid, symbols=symbols)

    assert len(list(sweep.expand())) == grid.size * max(1, len(symbols))


@given(grids=st.lists(grids, min_size=1, max_size=3))
def test_a_run_of_the_whole_sweep_gets_exactly_what_each_name_was_made_from(grids):
    sweep = a_sweep(*grids)
    made = hashes(sweep)

    matches = match_sweeps([sweep], made)

    found = {name: {strategy_hash(config)} for name, (config, _) in matches.configs.items()}
    assert found == {name: configs for name, configs in made.items() if len(configs) == 1}
    assert {(d.kind, d.strategy_id) for d in matches.disagreements} == made.keys() - found.keys()


def test_a_name_with_several_configurations_has_the_list_of_them(sweep_of):
    sweep = sweep_of("s.yaml", "x: [1.0, 10, 2.5, 2.5]", block="classifiers")

    found = names(sweep)

    ambiguous = found["classifier", "SPY_sma_10"]
    assert isinstance(ambiguous, list)
    assert [strategy.config["parameters"] for strategy in ambiguous] == [{"x": 1.0}, {"x": 10}]
    assert isinstance(found["classifier", "SPY_sma_25"], SweepStrategy)
    assert match_sweeps([sweep], found).disagreements == [
        Disagreement("classifier", "SPY_sma_10", (sweep.path,))
    ]


# --- Matching ---------------------------------------------------------------------------------


def test_a_run_is_matched_by_the_sweep_that_covers_most_of_it(sweep_of):
    small = sweep_of("small.yaml", "wrong: [1, 2]")
    large = sweep_of("large.yaml", "right: [1, 2, 3, 4, 5, 6, 7, 8]")
    wanted = signals("SPY_sma_1", "SPY_sma_2", "SPY_sma_3")

    matches = match_sweeps([small, large], wanted)

    assert {name: config["parameters"] for name, (config, _) in matches.configs.items()} == {
        ("signal", "SPY_sma_1"): {"right": 1},
        ("signal", "SPY_sma_2"): {"right": 2},
        ("signal", "SPY_sma_3"): {"right": 3},
    }
    assert {sweep.name for _, sweep in matches.configs.values()} == {"large"}


def test_of_two_that_cover_as_much_the_one_that_fits_exactly_matches(sweep_of):
    larger = sweep_of("larger.yaml", "wrong: [1, 2, 3, 4]")
    exact = sweep_of("smaller.yaml", "right: [1, 2, 3]")

    matches = match_sweeps([larger, exact], signals("SPY_sma_1", "SPY_sma_2", "SPY_sma_3"))

    assert {sweep.name for _, sweep in matches.configs.values()} == {"smaller"}
    assert matches.disagreements == []


def test_having_less_beside_proves_nothing(sweep_of):
    larger = sweep_of("larger.yaml", "right: [1, 2, 3, 4]")
    smaller = sweep_of("smaller.yaml", "wrong: [1, 2, 3]")

    matches = match_sweeps([larger, smaller], signals("SPY_sma_1"))

    assert matches.configs == {}
    assert matches.disagreements == [
        Disagreement("signal", "SPY_sma_1", (smaller.path, larger.path))
    ]


def test_grids_that_the_run_does_not_touch_are_not_beside_it():
    of_many = a_sweep(
        Grid("signal", "chaikin", "chaikin", (("period", [10, 20]),)),
        Grid("signal", "sma", "sma", (("period", [5, 10, 20]),)),
        file="many.yaml",
    )
    stopped = a_sweep(
        Grid("signal", "chaikin", "chaikin", (("cmf_period", [10, 20, 30]),)), file="few.yaml"
    )

    matches = match_sweeps([stopped, of_many], signals("SPY_chaikin_10", "SPY_chaikin_20"))

    assert [config["parameters"] for config, _ in matches.configs.values()] == [
        {"period": 10},
        {"period": 20},
    ]


def test_two_that_fit_exactly_and_disagree_leave_the_name_unknown():
    grids = [Grid("signal", "chaikin", "g", ((key, [10, 20]),)) for key in ("period", "cmf_period")]
    others = [Grid("signal", "sma", f"sma{size}", (("x", list(range(size))),)) for size in (9, 2)]
    one, other = (
        a_sweep(*both, file=file)
        for file, *both in zip(("1.yaml", "2.yaml"), grids, others, strict=True)
    )

    matches = match_sweeps([one, other], signals("SPY_g_10", "SPY_g_20"))

    assert matches.configs == {}
    assert {disagreement.paths for disagreement in matches.disagreements} == {
        (Path("1.yaml"), Path("2.yaml"))
    }


def test_where_equally_good_sweeps_disagree_nobody_knows_and_all_are_named(sweep_of):
    one = sweep_of("one.yaml", "fast: [1, 2], mode: 20")
    other = sweep_of("other.yaml", "fast: [1, 2], mode: 20.0")

    matches = match_sweeps([one, other], signals("SPY_sma_1"))

    assert matches.configs == {}
    assert matches.disagreements == [
        Disagreement("signal", "SPY_sma_1", (one.path, other.path)),
    ]


def test_where_equally_good_sweeps_agree_the_name_is_known_from_the_first_by_path(sweep_of):
    turned = sweep_of("turned.yaml", "y: 3, x: [1, 2]")
    one = sweep_of("one.yaml", "x: [1, 2], y: 3")
    copy = sweep_of("zcopy.yaml", "x: [1, 2], y: 3")

    matches = match_sweeps([turned, copy, one], signals("SPY_sma_1"))

    ((config, sweep),) = matches.configs.values()
    assert config["parameters"] == {"x": 1, "y": 3}
    assert sweep is one


def test_where_sweeps_agree_the_name_is_known_from_the_one_with_least_beside(sweep_of):
    larger = sweep_of("a.yaml", "x: [1, 2, 3], y: 3")
    smaller = sweep_of("b.yaml", "x: [1, 2], y: 3")

    matches = match_sweeps([larger, smaller], signals("SPY_sma_1"))

    ((config, sweep),) = matches.configs.values()
    assert config["parameters"] == {"x": 1, "y": 3}
    assert sweep is smaller


@st.composite
def rivals(draw: st.DrawFn) -> tuple[list[Sweep], Sweep, set[Name]]:
    """Sweeps that give the same names to different parameters, and part of a run of one."""
    keys = st.sampled_from(["period", "window"])
    # Few values are missing, so that most of a run is in most of its rivals.
    values = st.sets(st.integers(1, 5), max_size=2).map(lambda gone: [*({1, 2, 3, 4, 5} - gone)])
    sweeps = [
        a_sweep(
            *(Grid("signal", "sma", name, ((draw(keys), draw(values)),)) for name in "gh"),
            file=f"{number}.yaml",
        )
        for number in range(draw(st.integers(2, 3)))
    ]
    ran = draw(st.sampled_from(sweeps))
    whole = draw(st.sampled_from([*names_of_grids(ran), set(names(ran))]))
    return sweeps, ran, draw(st.just(whole) | st.sets(st.sampled_from(sorted(whole)), min_size=1))


def fits_exactly(sweep: Sweep, run: set[Name]) -> bool:
    return all(names <= run or names.isdisjoint(run) for names in names_of_grids(sweep))


@settings(max_examples=500)  # One in forty would be wrong if the least beside won.
@given(rivals=rivals())
def test_part_of_a_sweep_is_only_ever_taken_for_a_sweep_that_fits_it_exactly(rivals):
    sweeps, ran, run = rivals
    made = hashes(ran)

    matches = match_sweeps(sweeps, run)

    for name, (config, sweep) in matches.configs.items():
        if made[name] != {strategy_hash(config)}:
            assert fits_exactly(sweep, run)
            assert not fits_exactly(ran, run)
    unknown = {(d.kind, d.strategy_id) for d in matches.disagreements}
    assert matches.configs.keys() | unknown == run
    assert matches.configs.keys().isdisjoint(unknown)


@given(rivals=rivals())
def test_the_order_in_which_sweeps_are_given_does_not_matter(rivals):
    sweeps, _, run = rivals

    assert match_sweeps(sweeps[::-1], run) == match_sweeps(sweeps, run)


def test_a_name_that_the_winner_does_not_cover_stays_unknown(sweep_of):
    winner = sweep_of("winner.yaml", "x: [1, 2]")
    other = sweep_of("other.yaml", "x: [9]")

    matches = match_sweeps([winner, other], signals("SPY_sma_1", "SPY_sma_2", "SPY_sma_9"))

    assert set(matches.configs) == set(signals("SPY_sma_1", "SPY_sma_2"))
    assert matches.disagreements == []


def test_a_classifier_is_no_match_for_a_signal_of_its_name(sweep_of):
    sweep = sweep_of("s.yaml", "x: [1]", block="classifiers")

    assert match_sweeps([sweep], signals("SPY_sma_1")).configs == {}


def test_without_sweeps_or_files_nothing_is_matched(sweep_of):
    assert match_sweeps([], signals("SPY_sma_1")).configs == {}
    assert match_sweeps([sweep_of("s.yaml", "x: [1]")], []).configs == {}


def test_a_sweep_that_was_matched_is_not_expanded_again_for_another_run(sweep_of, monkeypatch):
    sweeps = [sweep_of("s.yaml", "x: [1, 2]"), sweep_of("t.yaml", "y: [1, 2]")]
    match_sweeps(sweeps, signals("SPY_sma_1"))
    monkeypatch.setattr(Grid, "expand", lambda self, symbol: pytest.fail("expanded again"))

    assert len(match_sweeps(sweeps, signals("SPY_sma_2")).disagreements) == 1


# --- Real files -------------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.exists(), reason="the traces of real runs are not here")
def test_the_real_sweep_files_give_the_parameters_of_every_real_run():
    """All but three: those runs have an analytics.duckdb, and no sweep made them."""
    kinds = {"signals": "signal", "classifiers": "classifier"}
    runs: dict[str, set[Name]] = defaultdict(set)
    for path in (SHARED / "old_traces").rglob("*.parquet"):
        parts = path.relative_to(SHARED / "old_traces").parts
        traces = parts.index("traces")
        runs[parts[traces - 1]].add((kinds[parts[traces + 2]], path.stem))
    sweeps = [load_sweep(path) for path in sorted((SHARED / "sweeps").glob("*.yaml"))]

    made_by: dict[str, dict[str, int]] = {}
    for run, wanted in runs.items():
        matches = match_sweeps(sweeps, wanted)
        assert matches.disagreements == []
        made_by[run] = dict(Counter(sweep.path.stem for _, sweep in matches.configs.values()))

    assert sum(len(wanted) for wanted in runs.values()) == 1828
    assert made_by == {
        "complete_strategy_grid_v1_2cc18fbb": {"complete_grid_search": 1316},
        "complete_strategy_grid_v1_12778120": {"complete_grid_search": 183},
        # expansive_grid_search says the same about these 25, and fits as well.
        "complete_strategy_grid_v1_1b2372da": {"complete_grid_search": 25},
        "expansive_grid_search_73511fd8": {"expansive_grid_search_early": 258},
        "expansive_grid_search_3790fbc3": {"expansive_grid_search": 40},
        "expansive_grid_search_debug_a3f2143a": {"expansive_grid_search": 3},
        "signal_generation_008d430e": {},
        "signal_generation_0a8fd826": {},
        "signal_generation_2e308899": {},
    }


@pytest.mark.skipif(not SHARED.exists(), reason="the sweeps of real runs are not here")
@pytest.mark.parametrize("without", ["", "expansive_grid_search_debug"])
@pytest.mark.parametrize("share", [1, 0.5])
def test_a_run_of_one_grid_of_a_real_sweep_never_gets_the_parameters_of_another(without, share):
    sweeps = [load_sweep(path) for path in sorted((SHARED / "sweeps").glob("*.yaml"))]
    sweeps = [sweep for sweep in sweeps if sweep.path.stem != without]
    pick = random.Random(1)
    known = wanted = 0
    for ran in sweeps:
        made = hashes(ran)
        for grid_names in names_of_grids(ran):
            run = pick.sample(sorted(grid_names), math.ceil(len(grid_names) * share))
            configs = match_sweeps(sweeps, run).configs

            for name, (config, _) in configs.items():
                assert made[name] == {strategy_hash(config)}
            known += len(configs)
            wanted += len(run)

    # Not by knowing nothing: three files in four say what no other one contradicts.
    assert known > 0.7 * wanted
