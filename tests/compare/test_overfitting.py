"""Whether a choice among trials holds in the other half of the sessions."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.compare import overfitting
from catalog.compare.overfitting import Overfitting, probability_of_overfitting, winners_ranks
from catalog.errors import UsageError

SEEDS = st.integers(0, 2**32 - 1)


def normal_returns(seed: int, sessions: int, trials: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.01, (sessions, trials))


def sharpe(half: np.ndarray) -> np.ndarray:
    varies = half.max(axis=0) > half.min(axis=0)
    deviation = np.where(varies, half.std(axis=0, ddof=1), 1)
    return np.where(varies, half.mean(axis=0) / deviation, 0).round(11)


def reference(returns: np.ndarray, blocks: int) -> list[float]:
    """Make each half, measure it, and sort."""
    length = len(returns) // blocks
    pieces = [returns[number * length : (number + 1) * length] for number in range(blocks)]
    ranks = []
    for chosen in combinations(range(blocks), blocks // 2):
        others = [number for number in range(blocks) if number not in chosen]
        best = sharpe(np.concatenate([pieces[number] for number in chosen])).argmax()
        test = sharpe(np.concatenate([pieces[number] for number in others]))
        rank = (test < test[best]).sum() + ((test == test[best]).sum() + 1) / 2
        ranks.append(rank / (returns.shape[1] + 1))
    return ranks


@settings(max_examples=40, deadline=None)
@given(data=st.data(), seed=SEEDS, blocks=st.sampled_from([2, 4, 6, 8]))
def test_ranks_are_what_each_half_gives_also_with_copies_and_flat_stretches(data, seed, blocks):
    sessions, trials = data.draw(st.integers(2 * blocks, 80)), data.draw(st.integers(1, 12))
    random = np.random.default_rng(seed)
    returns = normal_returns(seed, sessions, trials)
    traded = np.repeat(random.random((sessions, trials)) < 0.6, 8, axis=0)[:sessions]
    returns *= traded
    returns = returns[:, random.integers(0, trials, trials)]

    found = winners_ranks(returns, blocks=blocks)

    assert found.tolist() == reference(returns, blocks)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, trials=st.integers(2, 30))
def test_the_size_of_positions_does_not_count(seed, trials):
    returns = normal_returns(seed, 100, trials)
    sizes = np.random.default_rng(seed + 1).uniform(0.01, 100, trials)

    found = winners_ranks(returns * sizes, blocks=8)

    np.testing.assert_array_equal(found, winners_ranks(returns, blocks=8))


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, trials=st.integers(2, 30))
def test_the_order_of_trials_does_not_count(seed, trials):
    returns = normal_returns(seed, 100, trials)
    order = np.random.default_rng(seed + 1).permutation(trials)

    found = probability_of_overfitting(returns[:, order], blocks=8)

    assert found == probability_of_overfitting(returns, blocks=8)


@pytest.mark.parametrize("trials", [2, 7, 33, 1003])
def test_trials_that_differ_in_size_only_are_tied_wherever_they_stand(trials):
    returns = normal_returns(11, 203, 1) * np.linspace(0.1, 3, trials)

    for ordered in (returns, np.asfortranarray(returns)):
        assert set(winners_ranks(ordered, blocks=8)) == {0.5}


def test_trials_that_traded_in_one_session_are_tied_where_they_did():
    returns = np.zeros((160, 5))
    returns[7] = [0.011, 0.013, 0.0017, 0.3, 0.07]

    # The half without that session is tied as well, at nothing.
    assert set(winners_ranks(returns, blocks=8)) == {0.5}


@pytest.mark.parametrize("blocks", [2, 10, 16])
def test_the_combinations_do_not_depend_on_how_many_are_compared_at_a_time(blocks, monkeypatch):
    returns = normal_returns(12, 160, 9)
    at_once = winners_ranks(returns, blocks=blocks)

    monkeypatch.setattr(overfitting, "_CELLS", 1000)

    np.testing.assert_array_equal(winners_ranks(returns, blocks=blocks), at_once)
    assert len(at_once) == comb(blocks, blocks // 2)


def test_a_trial_that_is_always_better_is_not_overfitted():
    returns = normal_returns(13, 320, 50)
    returns[:, 17] += 0.02

    found = probability_of_overfitting(returns)

    assert found == Overfitting(0.0, 12_870, pytest.approx(50 / 51), 50, 320)


def test_a_choice_of_what_worked_once_is_overfitted():
    # Each trial earns in one block only and loses as much, evenly, in all others.
    earned = np.where(np.eye(8, dtype=bool), 0.07, -0.01)
    returns = np.repeat(earned, 40, axis=0) + normal_returns(14, 320, 8) / 10

    found = probability_of_overfitting(returns, blocks=8)

    assert found.probability == 1
    assert found.mean_rank < 0.5


def test_a_choice_among_trials_without_skill_is_even():
    found = [probability_of_overfitting(normal_returns(s, 160, 40), blocks=8) for s in range(60)]

    assert np.mean([one.probability for one in found]) == pytest.approx(0.5, abs=0.1)
    assert np.mean([one.mean_rank for one in found]) == pytest.approx(0.5, abs=0.1)


def test_sessions_beyond_a_multiple_of_the_blocks_are_left_out_at_the_end():
    returns = normal_returns(15, 255, 6)

    found = probability_of_overfitting(returns)

    assert found.sessions_used == 240
    assert found == probability_of_overfitting(returns[:240])


@pytest.mark.parametrize(
    ("returns", "note"),
    [
        (normal_returns(16, 79, 5), "fewer than 80 sessions"),
        (normal_returns(16, 80, 1), "fewer than 2 trials"),
        (np.empty((80, 0)), "fewer than 2 trials"),
        (np.zeros((80, 5)), "all trials earned the same"),
    ],
)
def test_where_there_is_no_probability_a_note_says_why(returns, note):
    found = probability_of_overfitting(returns)

    assert found == Overfitting(None, 0, None, returns.shape[1], 0, note)


def test_a_trial_that_hardly_traded_is_ranked_as_having_earned_nothing():
    returns = normal_returns(17, 160, 3)
    returns[:, 0] = np.abs(returns[:, 0])
    returns[:, 1] = -np.abs(returns[:, 1])
    returns[:, 2] = 0
    returns[3, 2] = 0.01

    found = probability_of_overfitting(returns)

    assert found == Overfitting(0.0, 12_870, 0.75, 3, 160)
    # Without the best, the idle one is chosen, and beats the one that loses.
    assert probability_of_overfitting(returns[:, 1:]).mean_rank == pytest.approx(2 / 3)


@pytest.mark.parametrize("seed", [18, 19])
def test_a_mean_far_above_the_deviation_costs_no_digits(seed):
    returns = 1.0 + normal_returns(seed, 120, 20) * 1e-5

    assert winners_ranks(returns, blocks=6).tolist() == reference(returns, 6)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_returns_near_the_ends_of_a_float_warn_of_nothing(scale):
    returns = normal_returns(20, 160, 5)
    returns[:, 2] *= scale

    found = winners_ranks(returns, blocks=8)

    np.testing.assert_array_equal(found, winners_ranks(normal_returns(20, 160, 5), blocks=8))


def test_what_cannot_be_cut_into_halves_is_refused():
    returns = normal_returns(21, 100, 5)
    missing = np.where(np.arange(5) == 3, np.nan, returns)
    for wrong in (0, 1, 7, 22):
        with pytest.raises(UsageError, match="blocks"):
            probability_of_overfitting(returns, blocks=wrong)
    for wrong in (missing, returns[:, 0]):
        with pytest.raises(UsageError):
            probability_of_overfitting(wrong)
    for wrong in (returns[:31], returns[:, :0]):
        with pytest.raises(UsageError, match="blocks"):
            winners_ranks(wrong)


@pytest.mark.parametrize(
    ("sessions", "trials", "blocks"),
    [
        (203, 40, 8),
        (1000, 100, 8),
        (120, 5, 10),
        pytest.param(1000, 100, 16, marks=pytest.mark.soak),
    ],
)
def test_ffn_gives_the_same_logits(sessions, trials, blocks):
    ffn, pandas = pytest.importorskip("ffn.core"), pytest.importorskip("pandas")
    returns = normal_returns(sessions, sessions, trials)
    returns[:, 3] = returns[:, 1]

    ranks = winners_ranks(returns, blocks=blocks)
    found = probability_of_overfitting(returns, blocks=blocks)

    theirs = ffn.calc_prob_backtest_overfitting(
        pandas.DataFrame(returns), n_blocks=blocks, full_output=True
    )
    np.testing.assert_allclose(np.log(ranks / (1 - ranks)), theirs["logits"], rtol=0, atol=1e-12)
    assert found.probability == theirs["pbo"]
    assert found.mean_rank == pytest.approx(theirs["mean_oos_rank"], abs=1e-12)
