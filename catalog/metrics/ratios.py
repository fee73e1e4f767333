"""Ratios of session returns: Sharpe, Sortino, moments, and how they go with the benchmark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.metrics.prefix import grouped_sums

Floats = NDArray[np.float64]

# Below this share of the mean square, a variance is what rounding left of equal returns.
_NO_VARIANCE = 1e-18


@dataclass(frozen=True, eq=False)
class Ratios:
    """
    Of each strategy, (strategies,) each, per session and not annualised; NaN where undefined.

    `sharpe` is the mean over the sample standard deviation `deviation`, risk-free rate 0 (Sharpe
    1994). `sortino` is the mean over the root of the mean square of losses (Sortino and Price
    1994). `skew` and `kurtosis` are those of the population, the kurtosis of a normal being 3.
    `beta` and `correlation` are with the benchmark, `alpha` the mean less beta times its mean.
    """

    mean: Floats
    deviation: Floats
    sharpe: Floats
    sortino: Floats
    skew: Floats
    kurtosis: Floats
    benchmark_sharpe: Floats
    beta: Floats
    alpha: Floats
    correlation: Floats


def session_ratios(net: Floats, benchmark: Floats, offsets: NDArray[np.int64]) -> Ratios:
    """
    Return the ratios of groups of session returns.

    Args:
        net: (rows,) returns as fractions.
        benchmark: (rows,) the benchmark's returns in the same sessions; NaN where unknown.
        offsets: (strategies + 1,) where each strategy's rows begin and the last one's end.
    """
    counts = np.diff(offsets).astype(np.float64)
    mean, centred, square = _centred(net, offsets, counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.sqrt(square / (counts - 1))
        deviation[_is_constant(square, mean, counts)] = np.nan
        population = np.where(np.isnan(deviation), np.nan, square / counts)
        powers = centred * centred * centred
        skew = grouped_sums(powers, offsets) / counts / population**1.5
        powers *= centred
        kurtosis = grouped_sums(powers, offsets) / counts / population**2
        losses = np.minimum(net, 0.0)
        downside = np.sqrt(grouped_sums(losses * losses, offsets) / counts)
        other_mean, other_centred, other_square = _centred(benchmark, offsets, counts)
        other_deviation = np.sqrt(other_square / (counts - 1))
        other_deviation[_is_constant(other_square, other_mean, counts)] = np.nan
        together = grouped_sums(centred * other_centred, offsets) / (counts - 1)
        beta = together / other_deviation**2
        return Ratios(
            mean,
            deviation,
            mean / deviation,
            mean / np.where(downside > 0, downside, np.nan),
            skew,
            kurtosis,
            other_mean / other_deviation,
            beta,
            mean - beta * other_mean,
            together / (deviation * other_deviation),
        )


def _centred(
    values: Floats, offsets: NDArray[np.int64], counts: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return each group's mean, all values less it, and the sum of the squares of those."""
    mean = grouped_sums(values, offsets) / counts
    centred = values - np.repeat(mean, np.diff(offsets))
    return mean, centred, grouped_sums(centred * centred, offsets)


def _is_constant(square: Floats, mean: Floats, counts: Floats) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = ~(square > _NO_VARIANCE * counts * mean * mean) | (square == 0)
    return result
