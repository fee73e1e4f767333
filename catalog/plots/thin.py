"""Fewer points of a curve, such that it looks the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def thin(points: int, *curves: Floats) -> NDArray[np.int64]:
    """
    Return which points of curves to keep, ascending, `points` at most.

    The first and the last one stay, and so do the greatest and the least of each curve, of each
    of as many stretches of equal length as there is room for.

    Args:
        curves: (rows,) each, of the same length.
    """
    count = len(curves[0])
    if count <= points:
        return np.arange(count)
    parts = max((points - 2) // (2 * len(curves)), 1)
    starts = np.linspace(0, count, parts + 1).astype(np.int64)
    kept = [np.array([0, count - 1])]
    for curve in curves:
        for find in (np.argmin, np.argmax):
            pieces = zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
            kept.append(np.array([start + find(curve[start:end]) for start, end in pieces]))
    return np.unique(np.concatenate(kept))
