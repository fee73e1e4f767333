"""How sure a Sharpe ratio is, and how high the best of many trials without skill would be."""

from __future__ import annotations

from math import e, erfc, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catalog.errors import UsageError

_NORMAL: Final = NormalDist()
_EULER_MASCHERONI: Final = 0.5772156649015329


def probabilistic_sharpe(
    sharpe: ArrayLike,
    threshold: ArrayLike,
    *,
    sessions: ArrayLike,
    skew: ArrayLike,
    kurtosis: ArrayLike,
) -> NDArray[np.float64]:
    """
    Return the probability that the true Sharpe ratio is above a threshold.

    Φ((SR - SR0)·√(T - 1) ÷ √(1 - γ3·SR + (γ4 - 1)/4·SR²)) (Bailey and López de Prado 2012,
    "The Sharpe Ratio Efficient Frontier"). With SR0 what the best of all trials is expected to
    have without skill (`expected_best_sharpe`) it is the deflated Sharpe ratio (Bailey and López
    de Prado 2014).

    Args:
        sharpe, threshold: SR and SR0, a session, not annualised.
        sessions: T, the returns that SR is made from, at least 2.
        skew: γ3, the skewness of those returns.
        kurtosis: γ4, their kurtosis, which is 3 for normal returns: not the excess.

    Returns:
        Probabilities from 0 to 1 in the shape that the arguments broadcast to. NaN where one of
        them is NaN, where there are fewer than two sessions, and where the radicand is not
        positive.
    """
    given = (sharpe, threshold, sessions, skew, kurtosis)
    ratio, hurdle, count, third, fourth = (np.asarray(one, dtype=np.float64) for one in given)
    with np.errstate(all="ignore"):
        radicand = 1 - third * ratio + (fourth - 1) / 4 * ratio**2
        deviations = (ratio - hurdle) * np.sqrt(count - 1) / np.sqrt(radicand)
        known = (count >= 2) & (radicand > 0) & np.isfinite(radicand)
    return _normal_cdf(np.where(known, deviations, np.nan))


def expected_best_sharpe(variance: float, trials: float, *, mean: float = 0.0) -> float:
    """
    Return the Sharpe ratio that the best of some trials is expected to have without skill.

    m + √V·((1 - γ)·Φ⁻¹(1 - 1/N) + γ·Φ⁻¹(1 - 1/(N·e)), γ the Euler–Mascheroni constant (Bailey and
    López de Prado 2014, "The Deflated Sharpe Ratio"). The expression is an approximation for
    many trials. Of one trial it is -∞ and of little more than one negative; the best of some is
    never expected below their mean, so it counts as 0 there.

    Args:
        variance: V, of the Sharpe ratios of all trials, in the terms wanted: a session, if the
            result is a threshold for `probabilistic_sharpe`.
        trials: N, at least 1; need not be whole, as the effective number of correlated trials.
        mean: m, the Sharpe ratio that a trial without skill is expected to have.

    Returns:
        A Sharpe ratio in the terms of `variance` and `mean`; NaN where an argument is NaN.

    Raises:
        UsageError: the variance is negative, the trials are fewer than one, or one is infinite.
    """
    if np.isnan([variance, trials, mean]).any():
        return float("nan")
    if not 0 <= variance < np.inf:
        raise UsageError(f"{variance} is no variance of Sharpe ratios")
    if not 1 <= trials < np.inf:
        raise UsageError(f"The best of {trials} trials is none", hint="Give one trial or more")
    if trials == 1:
        return mean
    # The upper quantiles are taken from the lower tail: 1 - 1/N is 1 for very many trials.
    share = 1 / trials
    upper = -_NORMAL.inv_cdf(share)
    further = -_NORMAL.inv_cdf(share / e)
    best = (1 - _EULER_MASCHERONI) * upper + _EULER_MASCHERONI * further
    return mean + sqrt(variance) * max(best, 0.0)


def _normal_cdf(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    # NumPy has no error function. The complement keeps the digits of small probabilities.
    values = (deviations.ravel() / -sqrt(2)).tolist()
    halved = np.fromiter(map(erfc, values), np.float64, count=len(values)) / 2
    return halved.reshape(deviations.shape)
