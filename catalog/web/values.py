"""Values of an address, read and checked."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

from catalog.errors import UsageError

Query = Mapping[str, str]

# What fits into a BIGINT; a double has 53 bits for it.
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")


def choice(query: Query, name: str, choices: Iterable[str], default: str) -> str:
    """
    Return one of some values.

    Raises:
        UsageError: it is none of them.
    """
    value = query.get(name, "") or default
    known = list(choices)
    if value not in known:
        known = [one for one in known if one]
        some = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
        raise UsageError(f"The address asks for {name}={value}", hint=f"There are: {some}")
    return value


def whole(query: Query, name: str, default: int) -> int:
    """
    Return a whole number.

    Raises:
        UsageError: it is none.
    """
    value = query.get(name, "").strip()
    if not value:
        return default
    found = parse_number(name, value)
    if not float(found).is_integer():
        raise _no_number(name, value, "whole number")
    return int(found)


def number(query: Query, name: str, default: float) -> float:
    """
    Return a finite number.

    Raises:
        UsageError: it is none.
    """
    value = query.get(name, "").strip()
    return parse_number(name, value) if value else default


def parse_number(name: str, value: str) -> float:
    """
    Return the finite number that a value of an address is; a whole one with all of its digits.

    Raises:
        UsageError: it is none.
    """
    if _WHOLE.fullmatch(value):
        return int(value)
    try:
        found = float(value)
    except ValueError:
        raise _no_number(name, value) from None
    if not math.isfinite(found):
        raise _no_number(name, value)
    return found


def _no_number(name: str, value: str, what: str = "number") -> UsageError:
    return UsageError(
        f"The address asks for {name}={value[:40]}, which is no {what}",
        hint="Correct it, or leave it",
    )
