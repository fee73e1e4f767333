"""How configurations differ, parameter by parameter."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

# What stands under these is a parameter by its own name.
_BODIES = ("parameters.", "params.")
_COLUMNS = pa.schema(
    {"parameter": pa.string(), "a": pa.string(), "b": pa.string(), "matters": pa.bool_()}
)


def differing_parameters(a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> pa.Table:
    """
    Return what two configurations of plain JSON values do not have alike.

    A row has the name (nested ones join with a dot), and both values as JSON, NULL where one
    has none. `matters` is False where the two mean the same: 20 is 20.0, and names that begin with
    `_` are positions in somebody's list. Of an unknown configuration nothing is known to differ.
    """
    if a is None or b is None:
        return _COLUMNS.empty_table()
    left, right = dict(leaves(a)), dict(leaves(b))
    rows = []
    for name in sorted({*left, *right}, key=lambda name: (name != "type", name)):
        one, other = left.get(name, _NOTHING), right.get(name, _NOTHING)
        if _text(one) != _text(other):
            is_position = name.rpartition(".")[2].startswith("_")
            matters = not is_position and not _means_the_same(one, other)
            rows.append({"parameter": name, "a": _text(one), "b": _text(other), "matters": matters})
    return pa.Table.from_pylist(rows, _COLUMNS)


@dataclass(frozen=True)
class SeveralValues:
    """A parameter in several configurations; a value is None where one lacks it."""

    name: str
    values: tuple[Any, ...]
    is_alike: bool


def parameters_of_several(
    configs: Sequence[Mapping[str, Any] | None],
) -> list[SeveralValues]:
    """
    Return each parameter of any of some configurations, with its values.

    They are alike where all mean the same, as `differing_parameters` says it; positions in
    somebody's list are left out, and so is an unknown configuration, which has no values.
    """
    each = [dict(leaves(config)) if config is not None else None for config in configs]
    names = dict.fromkeys(name for one in each if one is not None for name in one)
    found = []
    for name in names:
        if name.rpartition(".")[2].startswith("_"):
            continue
        known = [one.get(name, _NOTHING) for one in each if one is not None]
        values = tuple(None if one is None else one.get(name) for one in each)
        is_alike = all(_means_the_same(known[0], value) for value in known)
        found.append(SeveralValues(name, values, is_alike))
    return found


_NOTHING = object()


def leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the parameters of a configuration and of its components, each with its value."""
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, Mapping) and inner:
            yield from leaves(inner, f"{name}.")
        elif isinstance(inner, list) and any(isinstance(item, Mapping) for item in inner):
            # Components, or other things that have parameters of their own.
            yield from leaves({str(place): item for place, item in enumerate(inner)}, f"{name}.")
        else:
            body = next((body for body in _BODIES if name.startswith(body)), "")
            yield name.removeprefix(body), inner


def _means_the_same(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_means_the_same, a, b))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return bool(a == b) or {id(a), id(b)} == {id(_NOTHING), id(None)}


def _text(value: Any) -> str | None:
    return None if value is _NOTHING else json.dumps(value, ensure_ascii=False, sort_keys=True)
