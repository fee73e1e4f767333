"""A Sharpe ratio is judged by its length and shape, and by how many were tried."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.compare.independence import effective_trials, effective_trials_of_chunks
from catalog.errors import UsageError
from catalog.metrics.deflation import expected_best_sharpe, probabilistic_sharpe

RATIOS = st.floats(-3, 3)
COUNTS = st.integers(2, 100_000)
SKEWS = st.floats(-5, 5)
KURTOSES = st.floats(1, 50)
SEEDS = st.integers(0, 2**32 - 1)


def reference(ratio: float, hurdle: float, count: float, skew: float, kurtosis: float) -> float:
    """The formula as it is printed, one value at a time."""
    radicand = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    if not radicand > 0:
        return math.nan
    return NormalDist().cdf((ratio - hurdle) * math.sqrt(count - 1) / math.sqrt(radicand))


def normal_returns(seed: int, sessions: int, trials: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.01, (sessions, trials))


@given(rows=st.lists(st.tuples(RATIOS, RATIOS, COUNTS, SKEWS, KURTOSES), max_size=20))
def test_many_probabilities_are_what_one_at_a_time_gives(rows):
    columns = np.array(rows, dtype=float).reshape(-1, 5).T

    found = probabilistic_sharpe(
        columns[0], columns[1], sessions=columns[2], skew=columns[3], kurtosis=columns[4]
    )

    np.testing.assert_allclose(found, [reference(*row) for row in rows], rtol=0, atol=1e-14)


def test_the_probability_broadcasts_and_keeps_its_shape():
    sharpe = np.linspace(-0.2, 0.2, 6).reshape(2, 3)

    assert probabilistic_sharpe(sharpe, 0, sessions=250, skew=0, kurtosis=3).shape == (2, 3)
    assert probabilistic_sharpe(0.1, 0, sessions=250, skew=0, kurtosis=3).shape == ()
    assert probabilistic_sharpe([], 0, sessions=250, skew=0, kurtosis=3).shape == (0,)


def test_the_example_of_the_paper_comes_out():
    # Bailey and López de Prado 2014: 2.5 a year, five years of 250, the best of 100 with V = ½.
    hurdle = expected_best_sharpe(0.5 / 250, 100)
    found = probabilistic_sharpe(2.5 / math.sqrt(250), hurdle, sessions=1250, skew=-3, kurtosis=10)

    assert hurdle == pytest.approx(0.1132, abs=5e-5)
    assert found == pytest.approx(0.9004, abs=5e-5)


def test_small_probabilities_keep_their_digits():
    found = probabilistic_sharpe(-1.0, 0, sessions=101, skew=0, kurtosis=1)

    assert found == pytest.approx(7.619853024160527e-24, rel=1e-12)


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_an_argument_that_is_no_number_raises_nothing_and_warns_of_nothing(place, value):
    arguments = [0.1, 0.0, 250.0, 0.0, 3.0]
    arguments[place] = value
    ratio, hurdle, count, skew, kurtosis = arguments

    found = probabilistic_sharpe(ratio, hurdle, sessions=count, skew=skew, kurtosis=kurtosis)

    assert np.isnan(found) or (not math.isnan(value) and 0 <= found <= 1)


@pytest.mark.parametrize(
    "arguments",
    [
        {"sessions": 1, "skew": 0, "kurtosis": 3},
        {"sessions": 0, "skew": 0, "kurtosis": 3},
        {"sessions": 250, "skew": 30, "kurtosis": 3},
        {"sessions": 250, "skew": 0, "kurtosis": math.nan},
    ],
)
def test_what_cannot_be_known_is_nan(arguments):
    assert np.isnan(probabilistic_sharpe(0.1, 0.0, **arguments))


@given(ratio=RATIOS, hurdle=RATIOS, counts=st.tuples(COUNTS, COUNTS))
def test_more_sessions_make_surer(ratio, hurdle, counts):
    fewer, more = probabilistic_sharpe(
        ratio, hurdle, sessions=sorted(counts), skew=-0.5, kurtosis=6
    )

    assert fewer <= more if ratio >= hurdle else fewer >= more


@given(variance=st.floats(0, 10), mean=RATIOS, counts=st.tuples(*[st.floats(1, 1e15)] * 2))
def test_the_best_of_more_trials_is_expected_higher_and_never_below_their_mean(
    variance, mean, counts
):
    fewer, more = (expected_best_sharpe(variance, count, mean=mean) for count in sorted(counts))

    assert mean <= fewer <= more


def test_one_trial_has_nothing_to_be_selected_from():
    assert expected_best_sharpe(0.04, 1) == 0
    assert expected_best_sharpe(0.04, 1, mean=0.3) == 0.3
    assert expected_best_sharpe(0.0, 1000, mean=0.3) == 0.3


@pytest.mark.parametrize(("count", "best"), [(10, 1.5388), (100, 2.5076), (1000, 3.2414)])
def test_the_expected_best_is_near_that_of_so_many_normal_values(count, best):
    assert expected_best_sharpe(1, count) == pytest.approx(best, rel=0.03)
    assert expected_best_sharpe(4, count, mean=1) == pytest.approx(1 + 2 * best, rel=0.03)


def test_the_best_of_very_many_trials_stays_finite():
    assert expected_best_sharpe(1, 1e17) > expected_best_sharpe(1, 1e16)
    assert 37 < expected_best_sharpe(1, 1.7e308) < 38


def test_a_missing_figure_has_no_expected_best_and_a_wrong_one_is_refused():
    assert math.isnan(expected_best_sharpe(math.nan, 10))
    assert math.isnan(expected_best_sharpe(1, math.nan))
    for variance, trials in [(-1, 10), (math.inf, 10), (1, 0.5), (1, 0), (1, math.inf)]:
        with pytest.raises(UsageError):
            expected_best_sharpe(variance, trials)


@given(seed=SEEDS, count=st.integers(1, 50))
def test_identical_trials_are_one(seed, count):
    returns = np.repeat(normal_returns(seed, 100, 1), count, axis=1)

    assert effective_trials(returns) == pytest.approx(1)


@given(seed=SEEDS)
def test_independent_trials_are_as_many_as_they_are(seed):
    assert effective_trials(normal_returns(seed, 250, 200)) == pytest.approx(200, rel=0.01)


@given(seed=SEEDS, shared=st.floats(0, 1), count=st.integers(2, 20))
def test_the_effective_number_is_that_of_the_matrix_of_correlations(seed, shared, count):
    returns = normal_returns(seed, 60, count) + shared * normal_returns(seed + 1, 60, 1)
    pairs = np.corrcoef(returns.T)[np.triu_indices(count, 1)]
    correlation = min(max(pairs.mean(), 0), 1)

    found = effective_trials(returns)

    assert found == pytest.approx(correlation + (1 - correlation) * count)
    assert 1 <= found <= count


def test_trials_that_hedge_each_other_are_no_more_than_they_are():
    one = normal_returns(3, 100, 1)

    assert effective_trials(np.hstack([one, -one])) == 2


def test_trials_that_never_vary_are_left_out():
    returns = normal_returns(4, 100, 5)
    constant = np.broadcast_to([0.0, 0.1, -0.3], (100, 3))

    assert effective_trials(np.hstack([constant, returns])) == effective_trials(returns)
    assert effective_trials(np.hstack([constant, returns[:, :1]])) == 1
    assert effective_trials(constant) == 0
    assert effective_trials(np.empty((100, 0))) == 0
    assert effective_trials(np.empty((0, 5))) == 0


@given(seed=SEEDS, cuts=st.lists(st.integers(0, 30), max_size=4))
def test_chunks_of_columns_give_what_all_of_them_give(seed, cuts):
    returns = normal_returns(seed, 40, 30) + normal_returns(seed + 1, 40, 1)

    found = effective_trials_of_chunks(np.split(returns, sorted(cuts), axis=1))

    assert found == pytest.approx(effective_trials(returns))


@pytest.mark.parametrize("scale", [1e-200, 1e-8, 1e200])
def test_the_size_of_positions_does_not_count(scale):
    returns = normal_returns(5, 100, 5) + normal_returns(6, 100, 1)
    sizes = np.array([1, 1, scale, 1, scale])

    assert effective_trials(returns * sizes) == pytest.approx(effective_trials(returns))


def test_returns_that_are_no_returns_are_refused():
    missing = normal_returns(7, 100, 3)
    missing[5, 1] = np.nan
    for returns in (missing, [0.1, 0.2], [["a", "b"]], np.full((3, 2), np.inf)):
        with pytest.raises(UsageError):
            effective_trials(returns)
    with pytest.raises(UsageError, match="sessions"):
        effective_trials_of_chunks([normal_returns(1, 10, 2), normal_returns(1, 11, 2)])


@pytest.mark.parametrize(("seed", "count"), [(1, 2), (2, 30), (3, 1000)])
def test_ffn_deflates_to_the_same(seed, count):
    ffn, pandas = pytest.importorskip("ffn.core"), pytest.importorskip("pandas")
    random = np.random.default_rng(seed)
    days = pandas.date_range("2024-01-01", periods=300, freq="D")
    returns = pandas.Series(random.standard_t(5, 300) * 0.01 + 0.001, index=days)
    trials = random.normal(0, 0.05, count)
    hurdle = expected_best_sharpe(float(np.var(trials, ddof=1)), count)

    found = probabilistic_sharpe(
        returns.mean() / returns.std(), hurdle, sessions=300, skew=returns.skew(),
        kurtosis=returns.kurt() + 3,
    )  # fmt: skip

    assert hurdle == pytest.approx(ffn.calc_expected_max_sharpe(count, trials.std(ddof=1)))
    assert found == pytest.approx(
        ffn.calc_deflated_sharpe_ratio(returns, trials, nperiods=252, annualized_trials=False),
        abs=1e-12,
    )
