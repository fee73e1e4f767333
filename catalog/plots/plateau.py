"""Plateaus of a landscape: where a cell is good, and those beside it are good as well."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from catalog.metrics.kinds import greater_is_better


def best_plateau(cells: pa.Table, metric: str) -> int | None:
    """
    Return the row of the cell that is good and stands among good ones; see `plateau_rank`.

    None where there is none, where all are alike, or where a greater figure is no better one.
    """
    known = [one for one in cells["plateau"].to_pylist() if one is not None]
    if not greater_is_better(metric) or not known or min(known) == max(known):
        return None
    ranked = [plateau_rank(row) for row in cells.to_pylist()]
    return ranked.index(max(ranked))


def plateau_rank(cell: Mapping[str, Any]) -> tuple[float, ...]:
    """Return what the best plateau has most of: the lesser of a cell and of those beside it."""
    value, beside = (-math.inf if cell[n] is None else cell[n] for n in ("value", "plateau"))
    return min(value, beside), beside, value


def step_text(cell: Mapping[str, Any], name: str) -> str:
    """Return where a cell is on an axis, in words: a value, or the first and last of several."""
    first, last = cell[name], cell[f"{name}_last"]
    if first == last:
        return repr(first).removesuffix(".0") if isinstance(first, float) else str(first)
    return " to ".join(
        f"{one:.6g}" if isinstance(one, float) else str(one) for one in (first, last)
    )
