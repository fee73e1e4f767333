"""Which columns of a file are the time, the prices and the volume of its bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.errors import PriceFileError, UsageError

PRICES = ("open", "high", "low", "close")
FIELDS = ("ts", *PRICES, "volume")

# The first that is there is taken. The last of the times are what pandas calls an index
# without a name.
_USUAL = {
    "ts": (
        "timestamp", "ts", "datetime", "date", "time", "open_time", "", "index",
        "__index_level_0__", "unnamed:_0",
    ),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c", "last", "adj_close", "adjclose", "adjusted_close", "close_adj"),
    "volume": ("volume", "vol", "v"),
}  # fmt: skip
_ADJUSTED = frozenset({"adj_close", "adjclose", "adjusted_close", "close_adj"})


@dataclass(frozen=True)
class Chosen:
    """
    The columns of a file by what they hold: ts, close, and those of open, high, low, volume.

    `notes` says where there was a choice.
    """

    columns: Mapping[str, str]
    notes: tuple[str, ...] = ()


def choose_columns(names: Sequence[str], given: Mapping[str, str] | None = None) -> Chosen:
    """
    Choose the columns of bars among those of a file, by their usual names in any case.

    Args:
        given: columns that the user names, by ts, open, high, low, close or volume.

    Raises:
        UsageError: a name is given for something else, or there is no such column.
        PriceFileError: the time or the close is not found, or could be several.
    """
    given = dict(given or {})
    normal = {_normal(name): name for name in reversed(names)}
    chosen: dict[str, str] = {}
    for field, name in given.items():
        if field not in FIELDS:
            raise UsageError(
                f"{field} is nothing that bars have", hint=f"Name one of {', '.join(FIELDS)}"
            )
        found = name if name in names else normal.get(_normal(name))
        if found is None:
            raise UsageError(
                f"There is no column {name} for {field}", hint=f"There are {_listed(names)}"
            )
        chosen[field] = found
    for field in FIELDS:
        usual = next((name for name in _USUAL[field] if name in normal), None)
        if field not in chosen and usual is not None:
            chosen[field] = normal[usual]
    for field in ("ts", "close"):
        if field not in chosen:
            raise PriceFileError(
                f"No column is recognised as {field}: there are {_listed(names)}",
                hint=f"Name it with --column {field}=NAME",
            )
    if "ts" not in given and _normal(chosen["ts"]) == "date" and "time" in normal:
        raise PriceFileError(
            "There is a column of dates and one of times",
            hint="Write them as one column, such as 2024-03-26T09:30:00-04:00",
        )
    return _without_mixture(chosen, normal, "close" in given)


def _without_mixture(chosen: dict[str, str], normal: Mapping[str, str], is_given: bool) -> Chosen:
    """Leave out raw prices beside an adjusted close: returns between the two mean nothing."""
    adjusted = next((normal[name] for name in normal if name in _ADJUSTED), None)
    if _normal(chosen["close"]) not in _ADJUSTED:
        if adjusted is None or is_given:
            return Chosen(chosen)
        note = (
            f"{chosen['close']} is taken, and {adjusted} is not: "
            f"take that with --column close='{adjusted}'"
        )
        return Chosen(chosen, (note,))
    raw = [
        field
        for field in ("open", "high", "low")
        if field in chosen and "adj" not in _normal(chosen[field])
    ]
    if not raw:
        return Chosen(chosen)
    kept = {field: name for field, name in chosen.items() if field not in raw}
    note = f"{', '.join(raw)} left out: only {chosen['close']} is adjusted"
    return Chosen(kept, (note,))


def _normal(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_").removeprefix("\ufeff")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:20]) + (", …" if len(names) > 20 else "")
