"""Values of an address, read and checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from catalog.errors import UsageError

Query = Mapping[str, str]


def choice(query: Query, name: str, choices: Iterable[str], default: str) -> str:
    """
    Return one of some values.

    Raises:
        UsageError: it is none of them.
    """
    value = query.get(name, "") or default
    known = list(choices)
    if value not in known:
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
    try:
        return int(value) if value else default
    except ValueError:
        raise _no_number(name, value) from None


def number(query: Query, name: str, default: float) -> float:
    """
    Return a finite number.

    Raises:
        UsageError: it is none.
    """
    value = query.get(name, "").strip()
    try:
        found = float(value) if value else default
    except ValueError:
        raise _no_number(name, value) from None
    if not math.isfinite(found):
        raise _no_number(name, value)
    return found


def _no_number(name: str, value: str) -> UsageError:
    return UsageError(
        f"The address asks for {name}={value}, which is no number", hint="Correct it, or leave it"
    )
