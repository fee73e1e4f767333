"""Session returns of many trials as one array, and how many independent trials they amount to."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catalog.errors import UsageError


def effective_trials(returns: ArrayLike) -> float:
    """
    Estimate how many independent trials correlated ones amount to.

    N_eff = ρ̄ + (1 - ρ̄)·M (Bailey and López de Prado 2014, "The Deflated Sharpe Ratio"), with M
    the trials and ρ̄ the mean correlation of two of them. The M × M matrix is never made: the sum
    of M standardised returns has the variance M + M·(M - 1)·ρ̄.

    ρ̄ is kept between 0 and 1. Trials that mostly hedge each other have a negative one, but the
    search was not larger than the trials in it; above 1 there is only rounding.

    Args:
        returns: sessions × trials, one return a session as a fraction. Trials that earned the
            same in every session have no correlation and are left out.

    Returns:
        Between 1 and M; 0 where no trial is left.

    Raises:
        UsageError: the returns are not two-dimensional numbers, or some are missing.
    """
    return effective_trials_of_chunks([returns])


def effective_trials_of_chunks(chunks: Iterable[ArrayLike]) -> float:
    """
    Estimate how many independent trials correlated ones amount to, some columns at a time.

    Args:
        chunks: arrays of sessions × some of the trials, all of the same sessions, as
            `effective_trials` takes them; only one is held at a time.

    Raises:
        UsageError: as `effective_trials`, or the chunks differ in sessions.
    """
    total: NDArray[np.float64] | None = None
    trials = 0
    for chunk in chunks:
        standardised = _standardised(trial_returns(chunk))
        if total is None:
            total = np.zeros(standardised.shape[0])
        if len(total) != len(standardised):
            raise UsageError(
                f"Some trials have {len(total):,} sessions, others {len(standardised):,}"
            )
        total += standardised.sum(axis=1)
        trials += standardised.shape[1]
    if total is None or trials < 2:
        return float(trials)
    correlation = (float(np.var(total)) - trials) / (trials * (trials - 1))
    correlation = min(max(correlation, 0.0), 1.0)
    return correlation + (1 - correlation) * trials


def trial_returns(returns: ArrayLike) -> NDArray[np.float64]:
    """
    Return session returns as float64, sessions × trials.

    Raises:
        UsageError: they are not two-dimensional numbers, or one is missing or infinite.
    """
    try:
        array = np.asarray(returns, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"Returns are numbers, sessions × trials: {error}") from error
    if array.ndim != 2:
        raise UsageError(f"Returns are sessions × trials, not of {array.ndim} dimensions")
    if not np.isfinite(array).all():
        raise UsageError(
            "The returns have NaN or an infinity in them",
            hint="Write 0 where there was no position, and leave out trials that were ruined",
        )
    return array


def binary_scale(returns: NDArray[np.float64]) -> NDArray[np.intc]:
    """
    Return the power of two, for each trial, above its largest absolute return.

    Sharpe ratios and correlations know no scale. Dividing by a power of two is exact, and what
    is then below 1 can be squared without leaving the range of float64.
    """
    largest = np.maximum(returns.max(axis=0, initial=0), -returns.min(axis=0, initial=0))
    exponents: NDArray[np.intc] = np.frexp(largest)[1]
    return exponents


def _standardised(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    if not returns.size:
        return returns[:, :0]
    # Whether a trial varies is asked of the returns: rounding gives a constant one a variance.
    varying = returns[:, returns.max(axis=0) > returns.min(axis=0)]
    varying = np.ldexp(varying, -binary_scale(varying))
    varying -= varying.mean(axis=0)
    varying /= np.sqrt(np.mean(varying * varying, axis=0))
    return varying
