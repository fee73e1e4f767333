"""
Ranges of a sweep: a few words that stand for a list of values.

    fast:      {from: 5, to: 50, step: 5}                   5, 10, … 50
    threshold: {from: 0.001, to: 0.1, count: 3, scale: log} 0.001, 0.01, 0.1
    width:     {from: 0, to: 1, count: 5}                   0.0, 0.25, … 1.0

Both ends belong to a range. A mapping of other keys is a value like any other, as it always was.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, Final

_FORMS: Final = (
    {"from", "to", "step"},
    {"from", "to", "count"},
    {"from", "to", "count", "scale"},
)
MOST_VALUES: Final = 1_000_000
"""Of one range. It is a list, and a sweep has fewer configurations than that of each."""


def is_range(value: object) -> bool:
    """Say whether a parameter's value is the words of a range."""
    return isinstance(value, dict) and set(value) in _FORMS


def range_values(words: dict[str, Any]) -> list[int | float]:
    """
    Return the values of a range, all of them whole numbers or none.

    Decimals are counted as they are written: the third of 0.1, 0.2, … is 0.3 and not
    0.30000000000000004. Those of a logarithmic scale are rounded to ten digits, so that every
    machine has the same.

    Raises:
        ValueError: the words make no range; the text says why.
    """
    for key, number in words.items():
        if key != "scale" and (isinstance(number, bool) or not isinstance(number, int | float)):
            raise ValueError(f"{key} is {number!r}, which is no number")
        if isinstance(number, float) and not math.isfinite(number):
            raise ValueError(f"{key} is {number}, which is no number")
    first, last = words["from"], words["to"]
    if "step" in words:
        return _steps(first, last, words["step"])
    count = words["count"]
    if not isinstance(count, int) or not 2 <= count <= MOST_VALUES:
        raise ValueError(f"count is {count}, and a range has from 2 to {MOST_VALUES:,} values")
    scale = words.get("scale", "linear")
    if scale == "log":
        return _logarithmic(first, last, count)
    if scale != "linear":
        raise ValueError(f"scale is {scale!r}, and can be linear or log")
    begin, step = _exact(first), (_exact(last) - _exact(first)) / (count - 1)
    return _numbers([begin + step * number for number in range(count)], words)


def _steps(first: int | float, last: int | float, step: int | float) -> list[int | float]:
    if step == 0:
        raise ValueError("step is 0")
    count = (_exact(last) - _exact(first)) / _exact(step)
    if count < 0:
        raise ValueError(f"it makes no values: from {first} no step of {step} leads to {last}")
    if count >= MOST_VALUES:
        raise ValueError(f"it makes more than {MOST_VALUES:,} values")
    values = [_exact(first) + _exact(step) * number for number in range(int(count) + 1)]
    return _numbers(values, {"from": first, "step": step})


def _logarithmic(first: int | float, last: int | float, count: int) -> list[int | float]:
    if first <= 0 or last <= 0:
        raise ValueError("a logarithmic scale needs from and to above 0")
    with localcontext() as context:
        # Decimal's functions round the same everywhere, those of the machine need not.
        context.prec = 30
        begin = _decimal(first).ln()
        step = (_decimal(last).ln() - begin) / (count - 1)
        inner = [float(f"{(begin + step * number).exp():.10g}") for number in range(1, count - 1)]
    return [float(first), *inner, float(last)]


def _numbers(values: list[Fraction], words: dict[str, Any]) -> list[int | float]:
    is_whole = all(value.denominator == 1 for value in values)
    # What was written 5.0 stays 5.0: it hashes otherwise than 5.
    if is_whole and not any(isinstance(number, float) for number in words.values()):
        return [int(value) for value in values]
    return [float(value) for value in values]


def _exact(number: int | float) -> Fraction:
    return Fraction(_decimal(number))


def _decimal(number: int | float) -> Decimal:
    # By its text: 0.1 is one tenth here, and not the nearest power of two.
    return Decimal(repr(number))
