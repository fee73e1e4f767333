"""Composite strategies of a sweep whose components have another configuration than when traced."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Any

from catalog.canonical import Config, encode
from catalog.components import Component, components
from catalog.strategy import config_key, holds_components, is_composite, leaf_parameters, meaning
from catalog.sweeps.grid import Grid
from catalog.sweeps.members import key_batches


class Composites:
    """The strategies of a sweep that are made of other strategies; made once for all places."""

    def __init__(self, grids: Iterable[Grid]) -> None:
        self.grids = tuple(grid for grid in grids if is_composite(_any_config(grid)))

    def changed(self, traced: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """
        Return which of them were traced with other parameters of a component, and which.

        That is a composite that has a trace, is none of the sweep any more, and has the same type,
        parameters, and types, roles and weights of components.

        Args:
            traced: keys and configurations, as JSON, of composites that have a trace, newest last.

        Returns:
            What changed, by the kind and the key of the member.
        """
        if not traced:
            return {}
        before: dict[str, Config] = {}
        for key, text in traced:
            if key not in self._keys:
                config = json.loads(text)
                before[_outline_key(config)] = config
        if not before:
            return {}
        return {
            (kind, key): _difference(known, config)
            for kind, key, config, outline in self._members
            if (known := before.get(outline)) is not None
        }

    @cached_property
    def _keys(self) -> set[str]:
        return {key for _, _, keys in key_batches(self.grids) for key in keys}

    @cached_property
    def _members(self) -> list[tuple[str, str, Config, str]]:
        members: list[tuple[str, str, Config, str]] = []
        for grid, numbers, keys in key_batches(self.grids):
            for number, key in zip(numbers, keys, strict=True):
                config = grid.member(int(number), None).config
                members.append((grid.kind, key, config, _outline_key(config)))
        return members


def _any_config(grid: Grid) -> Config:
    return grid.member(0, None).config


def _outline_key(config: Config) -> str:
    return sha256(encode(meaning(_outline(config)))).hexdigest()


def _outline(config: Config) -> Config:
    """Return a configuration without the parameters of its components."""
    outline: Config = {}
    for name, value in config.items():
        if isinstance(value, dict | list) and holds_components(name, value):
            outline[name] = [
                [one.config["type"], one.role, one.weight] for one in components({name: value})
            ]
        else:
            outline[name] = _outline(value) if isinstance(value, dict) else value
    return outline


def _difference(before: Config, after: Config) -> str:
    for old, new in zip(components(before), components(after), strict=True):
        if config_key(old.config) != config_key(new.config):
            return f"its component {new.config['type']} has changed: {_changes(old, new)}"
    return "its components have changed"


def _changes(old: Component, new: Component) -> str:
    was = {leaf.name: leaf.value for leaf in leaf_parameters(old.config)}
    now = {leaf.name: leaf.value for leaf in leaf_parameters(new.config)}
    names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    said = [f"{name} {_text(was.get(name))} → {_text(now.get(name))}" for name in names]
    return ", ".join(said) or "its own components"


def _text(value: Any) -> str:
    return "none" if value is None else str(value)
