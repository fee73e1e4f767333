"""
A strategy is its configuration: its hash, its key, its leaf parameters.

    config        {"type": "sma_crossover", "parameters": {"fast": 10, "slow": 30}}
    digest        sha256 of the canonical JSON, 64 hex digits: what tells strategies apart
    hash          the first 12 of them: what people write and files carry
    key           32 hex digits, equal where two configurations mean the same

The canonical JSON itself is made in catalog.canonical.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

from catalog.canonical import (
    Config,
    canonical_json,
    encode,
    escaped,
    parse_config,
    plain_config,
)
from catalog.errors import HashCollisionError

__all__ = [
    "Leaf",
    "Strategy",
    "canonical_json",
    "check_collision",
    "config_digest",
    "config_key",
    "is_composite",
    "leaf_parameters",
    "meaning",
    "parse_config",
    "strategy_hash",
]

COMPONENT_KEYS = frozenset(
    {
        "strategy",
        "strategies",
        "sub_strategies",
        "regime_strategies",
        "regime_boosters",
        "baseline_strategies",
        "components",
    }
)


class Leaf(NamedTuple):
    """One named parameter: where it is (a JSON Pointer, RFC 6901), its name, its value."""

    path: str
    name: str
    value: object


@dataclass(frozen=True)
class Strategy:
    """
    One configuration, checked and hashed when it is made.

    What it holds is a copy in plain JSON values, so that changing the dictionary it was made
    from changes nothing here. Two strategies are equal where their digests are: 20 and 20.0
    are different strategies with the same `key`.

    Raises ConfigurationError where the configuration cannot be hashed.
    """

    type: str | None = field(compare=False)
    parameters: Config = field(compare=False)
    constraints: Any = field(default=None, compare=False)
    config: Config = field(init=False, repr=False, compare=False)
    digest: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        config = {"type": self.type, "parameters": self.parameters}
        if self.constraints is not None:
            config["constraints"] = self.constraints
        self._hold(config)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Strategy:
        """The strategy of a whole configuration, whatever else it says, or a bare mapping."""
        strategy = cls.__new__(cls)
        strategy._hold(config)
        return strategy

    def _hold(self, config: Mapping[str, Any]) -> None:
        plain = plain_config(config)
        kind = plain.get("type")
        _, parameters = _parameters(plain)
        # Frozen for everybody else; a dataclass has no other way to fill its own fields.
        vars(self).update(
            type=kind if isinstance(kind, str) else None,
            parameters=parameters,
            constraints=plain.get("constraints"),
            config=plain,
            digest=sha256(encode(plain)).hexdigest(),
        )

    @property
    def hash(self) -> str:
        """The first 12 hex digits of the digest."""
        return self.digest[:12]

    @cached_property
    def key(self) -> str:
        """See `config_key`."""
        return config_key(self.config)

    @property
    def is_composite(self) -> bool:
        """Whether it is made of other strategies."""
        return is_composite(self.config)


def config_digest(config: Mapping[str, Any]) -> str:
    """sha256 of the canonical JSON: 64 hex digits."""
    return sha256(encode(plain_config(config))).hexdigest()


def strategy_hash(config: Mapping[str, Any]) -> str:
    """The first 12 hex digits of the digest."""
    return config_digest(config)[:12]


def config_key(config: Mapping[str, Any]) -> str:
    """
    32 hex digits that are equal where two configurations mean the same.

    Numbers count by value (20 is 20.0, -0.0 is 0, True is not 1), null constraints are no
    constraints, and keys that begin with `_` are dropped unless they hold a mapping.
    """
    return sha256(encode(meaning(plain_config(config)))).hexdigest()[:32]


def check_collision(short: str, digest_a: str, digest_b: str) -> None:
    """Raise HashCollisionError where two configurations share a hash and not the digest."""
    if digest_a != digest_b:
        raise HashCollisionError(
            f"Two different configurations share the hash {short}: "
            f"their digests are {digest_a} and {digest_b}",
            hint="Change one of the two, for example by one more parameter, and trace it again",
        )


def leaf_parameters(config: Mapping[str, Any]) -> list[Leaf]:
    """
    The named leaf parameters of a configuration of plain JSON values, in its own order.

    They are what lies under `parameters`, or under `params`, or in a bare mapping that has
    neither a type nor parameters. Nested names join with `_`; a list is one leaf. A null, a
    positional key such as `_strategy_type`, and whatever holds components give none.
    """
    leaves: list[Leaf] = []
    path, parameters = _parameters(config)
    _gather(parameters, path, "", leaves)
    return leaves


def is_composite(config: Mapping[str, Any]) -> bool:
    """Whether a configuration of plain JSON values is made of other strategies."""
    return any(
        holds_components(name, value) or (isinstance(value, dict) and is_composite(value))
        for name, value in config.items()
        if isinstance(value, (dict, list))
    )


def _parameters(config: Mapping[str, Any]) -> tuple[str, Config]:
    for name in ("parameters", "params"):
        if isinstance(found := config.get(name), dict):
            return f"/{name}", found
    if "type" in config or "parameters" in config:
        return "", {}
    return "", dict(config)


def _gather(parameters: Config, path: str, prefix: str, leaves: list[Leaf]) -> None:
    for name, value in parameters.items():
        if value is None:
            continue
        if isinstance(value, (dict, list)) and holds_components(name, value):
            continue
        pointer = f"{path}/{escaped(name)}"
        if isinstance(value, dict):
            _gather(value, pointer, f"{prefix}{name}_", leaves)
        elif not name.startswith("_"):
            leaves.append(Leaf(pointer, prefix + name, value))


def holds_components(name: str, value: Config | list[Any]) -> bool:
    """Say whether what stands under a name in a configuration is other strategies."""
    if name in COMPONENT_KEYS:
        return True
    return isinstance(value, list) and any(
        isinstance(item, dict)
        and ("type" in item or "name" in item)
        and ("params" in item or "parameters" in item)
        for item in value
    )


def meaning(value: Any) -> Any:
    """Return what of plain JSON values counts to `config_key`."""
    if isinstance(value, dict):
        return {
            name: meaning(inner)
            for name, inner in value.items()
            # `_strategy_type: strategy_17` is a position in somebody's list, and gave one
            # strategy three hashes. `_risk: {stop_loss: …}` is not: it decides the trades.
            if not (name.startswith("_") and not isinstance(inner, dict))
            and not (name == "constraints" and inner is None)
        }
    if isinstance(value, list):
        return [meaning(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
