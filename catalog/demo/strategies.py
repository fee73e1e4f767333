"""
Four textbook strategies, each from closes to the position of every bar.

A position is 1 (long), 0 (flat) or -1 (short). On bar t it depends on the closes up to and
including bar t, never on a later one, and it is 0 until there are enough of them. Multiplying
all closes by a constant changes nothing, so a price that was adjusted for a later split tells
no strategy of that split.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def ma_crossover(closes: Floats, *, fast: int, slow: int) -> Floats:
    """Long while the average of the last `fast` closes is above that of `slow`, else short."""
    return _sign(moving_average(closes, fast) - moving_average(closes, slow))


def bollinger_bands(closes: Floats, *, period: int, std_dev: float) -> Floats:
    """
    Fade closes outside the bands, which lie `std_dev` deviations around the moving average.

    Long from a close below the lower band, short from one above the upper band, in either case
    until a close reaches the average. The deviation is the population's, as in Bollinger's own
    definition: within 10 closes none can lie more than 9/√10 = 2.85 of them from the average.
    """
    middle = moving_average(closes, period)
    width = std_dev * moving_deviation(closes, period)
    return _fade(closes, middle - width, middle, middle + width)


def rsi(closes: Floats, *, period: int, oversold: float, overbought: float) -> Floats:
    """Long from an index below `oversold`, short from one above `overbought`, until it is 50."""
    return _fade(relative_strength_index(closes, period), oversold, 50.0, overbought)


def momentum(closes: Floats, *, lookback: int, threshold: float) -> Floats:
    """Long (short) while the return over `lookback` bars is above (below -) `threshold`."""
    positions = np.zeros(len(closes))
    change = closes[lookback:] / closes[: len(closes[lookback:])] - 1.0
    positions[lookback:] = np.where(np.abs(change) > threshold, np.sign(change), 0.0)
    return positions


STRATEGIES: dict[str, Callable[..., Floats]] = {
    "ma_crossover": ma_crossover,
    "bollinger_bands": bollinger_bands,
    "rsi": rsi,
    "momentum": momentum,
}


def moving_average(values: Floats, window: int) -> Floats:
    """Return the mean of the last `window` values, NaN where there are fewer."""
    averages = np.full(len(values), np.nan)
    full = len(values) - window + 1
    if full > 0:
        # One shifted series after the other, not a running total: the rounding of a window's
        # sum then depends on that window alone.
        total = np.zeros(full)
        for offset in range(window):
            total += values[offset : offset + full]
        averages[window - 1 :] = total / window
    return averages


def moving_deviation(values: Floats, window: int) -> Floats:
    """Return the population standard deviation of the last `window` values, NaN before."""
    deviations = np.full(len(values), np.nan)
    full = len(values) - window + 1
    if full > 0:
        mean = moving_average(values, window)[window - 1 :]
        total = np.zeros(full)
        for offset in range(window):
            total += (values[offset : offset + full] - mean) ** 2
        deviations[window - 1 :] = np.sqrt(total / window)
    return deviations


def relative_strength_index(closes: Floats, period: int) -> Floats:
    """
    Return Wilder's index (1978) from 0 to 100: 100 · gains / (gains + losses), smoothed.

    The first value, on bar `period`, uses the plain mean of the changes so far; each later one
    moves by 1/period towards the new change. Where no close has changed it is 50. NaN before.
    """
    index = np.full(len(closes), np.nan)
    changes = np.diff(closes)
    if len(changes) >= period:
        gains = _smooth(np.maximum(changes, 0.0), period)
        losses = _smooth(np.maximum(-changes, 0.0), period)
        moved = gains + losses
        share = np.full(len(moved), 0.5)
        index[period:] = 100.0 * np.divide(gains, moved, out=share, where=moved > 0.0)
    return index


def _smooth(values: Floats, period: int) -> Floats:
    """Smooth as Wilder did: y[t] = y[t-1] + (x[t] - y[t-1]) / period, from a plain mean on."""
    smoothed = values[period - 1 :] / period
    smoothed[0] = values[:period].mean()
    # y[t] = Σ (1 - 1/period)^j · smoothed[t-j], twice as many terms with every pass.
    decay, shift = 1.0 - 1.0 / period, 1
    while shift < len(smoothed):
        smoothed[shift:] += decay**shift * smoothed[:-shift]
        shift *= 2
    return smoothed


def _fade(
    values: Floats, lower: Floats | float, middle: Floats | float, upper: Floats | float
) -> Floats:
    long = _hold(enter=values < lower, leave=values >= middle)
    short = _hold(enter=values > upper, leave=values <= middle)
    return long.astype(np.float64) - short.astype(np.float64)


def _hold(*, enter: Bools, leave: Bools) -> Bools:
    """Be true from an `enter` until the next `leave`; a bar that is both does not enter."""
    bars = np.arange(len(enter))
    entered = np.maximum.accumulate(np.where(enter, bars, -1))
    left = np.maximum.accumulate(np.where(leave, bars, -1))
    return np.asarray(entered > left)


def _sign(values: Floats) -> Floats:
    return np.nan_to_num(np.sign(values), nan=0.0)
