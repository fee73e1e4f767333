"""
What a composite strategy is made of: other strategies, each with a hash of its own.

    {"type": "ensemble", "strategies": [{"type": "rsi", "parameters": {…}, "weight": 0.5}, …]}
    {"type": "ensemble", "strategy": [{"rsi": {"period": 14, "weight": 0.5}}, {"threshold": 0.6}]}
    {"type": "adaptive", "parameters": {"regime_strategies": {"bull": [{"name": "rsi", …}]}}}

Pure, as catalog.strategy is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.canonical import Config
from catalog.strategy import COMPONENT_KEYS, holds_components

_BODY = ("params", "parameters")
# What an entry says beside its parameters where these stand in it directly.
_NO_PARAMETERS = frozenset(
    {"type", "name", "weight", "role", "regime", "constraints", *_BODY, *COMPONENT_KEYS}
)


@dataclass(frozen=True)
class Component:
    """
    One strategy that another one is made of.

    `config` is what it would be alone; `role` is the regime or the key that it stands under,
    `position` its 0-based place among all components, `weight` None where none is given.
    """

    config: Config
    position: int
    role: str
    weight: float | None


def components(config: Mapping[str, Any]) -> list[Component]:
    """Return the direct components of a configuration of plain JSON values, in its order."""
    return [
        Component(own, position, role, weight)
        for position, (own, role, weight) in enumerate(_found_in(config))
    ]


def _found_in(config: Mapping[str, Any]) -> Iterator[tuple[Config, str, float | None]]:
    for key, value in config.items():
        if key in COMPONENT_KEYS:
            yield from _entries(value, key)
        elif isinstance(value, Mapping):
            yield from _found_in(value)
        elif isinstance(value, list) and holds_components(key, value):
            yield from _entries(value, key)


def _entries(value: Any, role: str) -> Iterator[tuple[Config, str, float | None]]:
    """Yield the strategies of a list, of a mapping by regime or name, or a single one."""
    if isinstance(value, list):
        for item in value:
            yield from _entry(item, role)
    elif isinstance(value, Mapping):
        if _is_named(value):
            yield from _entry(value, role)
            return
        for name, inner in value.items():
            if isinstance(inner, list):
                yield from _entries(inner, name)
            elif isinstance(inner, Mapping):
                # A regime's strategy, or as in a list: its type, and what it says.
                yield from _entry(inner if _is_named(inner) else {name: inner}, name)


def _entry(item: Any, role: str) -> Iterator[tuple[Config, str, float | None]]:
    if not isinstance(item, Mapping):
        return
    if _is_named(item):
        yield _alone(str(item.get("type", item.get("name"))), item, role)
        return
    for kind, body in item.items():
        # {threshold: 0.6} beside them is no strategy.
        if isinstance(body, Mapping):
            yield _alone(kind, body, role)


def _alone(kind: str, body: Mapping[str, Any], role: str) -> tuple[Config, str, float | None]:
    nested = next((body[key] for key in _BODY if isinstance(body.get(key), Mapping)), None)
    if nested is None:
        nested = {key: value for key, value in body.items() if key not in _NO_PARAMETERS}
    config: Config = {"type": kind, "parameters": dict(nested)}
    if body.get("constraints") is not None:
        config["constraints"] = body["constraints"]
    config |= {key: body[key] for key in body if key in COMPONENT_KEYS}
    weight = body.get("weight")
    is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
    return (
        config,
        str(body.get("regime") or body.get("role") or role),
        (float(weight) if is_number and weight is not None else None),
    )


def _is_named(item: Any) -> bool:
    """Say whether a mapping is a strategy that says its own type."""
    return isinstance(item, Mapping) and any(
        isinstance(item.get(key), str) for key in ("type", "name")
    )
