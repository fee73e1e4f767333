"""What a sweep may say, checked strictly: a misread value is a wrong parameter."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any, Final, NoReturn

from catalog.canonical import Config, plain_config
from catalog.errors import ConfigurationError, SweepFileError
from catalog.sweeps.conditions import parse_condition
from catalog.sweeps.grid import Grid, Kind, Sweep
from catalog.sweeps.values import is_range, range_values

MAX_CONFIGURATIONS: Final = 5_000_000
_MOST_COMBINATIONS: Final = 20_000_000
"""Before conditions, each of which is asked of all of them."""

DECLARE: Final = "Declare grids under strategies: and classifiers:, each with a type: and params:"
QUOTE: Final = "Put it in quotes: without them YAML reads a number, a date, or on and off"

_BLOCKS: Final[tuple[tuple[str, Kind], ...]] = (
    ("strategies", "signal"),
    ("classifiers", "classifier"),
)


def declare(document: Mapping[str, Any]) -> Sweep:
    """
    Make a sweep of what somebody wrote in Python.

    Raises:
        SweepFileError: it cannot be used; the message says which entry and why.
    """
    document = {key: _plain(value) for key, value in document.items()}
    name = document["name"]
    if not isinstance(name, str) or not name:
        raise SweepFileError(f"The name of a sweep is {name!r}, which is no text")
    for block, _ in _BLOCKS:
        if isinstance(document[block], dict):
            document[block] = [document[block]]
    label = f"The sweep {name}"
    try:
        # In the order in which it was written, which the names of strategies follow.
        text = json.dumps(plain_config(document), separators=(",", ":")).encode()
    except ConfigurationError as error:
        refuse(label, str(error), error.hint)
    return read_declared(text, path=Path(f"{name} (declared)"), label=label)


def read_declared(text: bytes, path: Path | str, *, label: str) -> Sweep:
    """
    Make a sweep of what was declared in Python, from its JSON.

    Raises:
        SweepFileError: it cannot be used.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        refuse(label, f"it is not JSON: {error}", None)
    if not isinstance(document, dict):
        refuse(label, "it is not a mapping", DECLARE)
    sweep = sweep_of(document, label, path=path, digest=sha256(text).hexdigest())
    return replace(sweep, declared=text)


def sweep_of(document: Mapping[str, Any], label: str, *, path: Path | str, digest: str) -> Sweep:
    """
    Make a sweep of a mapping as a file holds it.

    Args:
        label: what it is called where it cannot be used.

    Raises:
        SweepFileError: it cannot be used; the message says which entry and why.
    """
    sweep = Sweep(
        name=str(document.get("name") or PurePath(path).stem),
        path=path,
        digest=digest,
        symbols=_words(label, document, "symbols"),
        timeframes=_words(label, document, "timeframes"),
        grids=tuple(_grids(label, document)),
    )
    _refuse_what_is_too_large(label, sweep)
    return sweep


def refuse(label: str, what: str, hint: str | None) -> NoReturn:
    """Raise the error that a sweep cannot be used."""
    raise SweepFileError(f"{label} cannot be used: {what}", hint=hint)


def _grids(label: str, document: Mapping[str, Any]) -> Iterator[Grid]:
    named: dict[str, list[Grid]] = {}
    for block, kind in _BLOCKS:
        entries = document.get(block)
        if entries is None:
            continue
        if not isinstance(entries, list):
            refuse(label, f"{block} is not a list", f"Begin each entry under {block}: with a dash")
        for number, entry in enumerate(entries, start=1):
            grid = _grid(label, f"{block}, entry {number}", kind, entry, named)
            named.setdefault(grid.name, []).append(grid)
            yield grid


def _grid(label: str, where: str, kind: Kind, entry: object, named: dict[str, list[Grid]]) -> Grid:
    if not isinstance(entry, dict):
        refuse(label, f"{where} is not a mapping", "Give it a type: and params:")
    type_ = entry.get("type")
    if not isinstance(type_, str) or not type_:
        refuse(label, f"{where} has no type", "Add one, such as type: sma_crossover")
    where = f"{where} ({entry.get('name') or type_})"
    name = type_ if entry.get("name") is None else entry["name"]
    if not isinstance(name, str):
        refuse(label, f"{where} has a name that is not text", "Put the name in quotes")
    if "params" in entry and "parameters" in entry:
        refuse(label, f"{where} has both params and parameters", "Keep one of them")
    parameters = entry.get("params", entry.get("parameters"))
    parameters = {} if parameters is None else parameters
    if not isinstance(parameters, dict):
        refuse(label, f"the parameters of {where} are not a mapping", "Write period: [10, 20]")
    for key, value in parameters.items():
        if not isinstance(key, str):
            refuse(label, f"{where} has the parameter {key}, which is not text", QUOTE)
        if value == []:
            refuse(label, f"{where} has no values for {key}", "Give it one, or leave it out")
    try:
        plain = plain_config(parameters)
        extra = plain_config(_extra(label, where, entry, named))
    except ConfigurationError as error:
        refuse(label, f"{where} cannot be used: {error}", error.hint)
    for key, value in plain.items():
        if is_range(value):
            try:
                plain[key] = range_values(value)
            except ValueError as error:
                hint = "Write {from: 5, to: 50, step: 5} or {from: 0, to: 1, count: 11}"
                refuse(label, f"the range of {key} in {where} is none: {error}", hint)
    return Grid(
        kind,
        type_,
        name,
        tuple(plain.items()),
        where=_conditions(label, where, entry, "where", plain),
        exclude=_conditions(label, where, entry, "exclude", plain),
        extra=tuple(extra.items()),
    )


def _extra(
    label: str, where: str, entry: Mapping[str, Any], named: dict[str, list[Grid]]
) -> Config:
    """Return what its configurations say beside their type and parameters."""
    extra: Config = {}
    if entry.get("constraints") is not None:
        extra["constraints"] = entry["constraints"]
    members = entry.get("components")
    if members is None:
        return extra
    if not isinstance(members, list) or not members:
        refuse(label, f"the components of {where} are no list", "Write components: [name, …]")
    extra["components"] = [_component(label, where, member, named) for member in members]
    return extra


def _component(label: str, where: str, member: object, named: dict[str, list[Grid]]) -> Config:
    """Return a component with its configuration: a name stands for an entry that came before."""
    said = {"name": member} if isinstance(member, str) else member
    if not isinstance(said, dict) or not said:
        refuse(label, f"{where} has a component that is neither a name nor a mapping", None)
    if "type" in said:
        return said
    grids = named.get(str(said.get("name")), [])
    if len(grids) != 1 or grids[0].combinations != 1:
        why = "there is none" if not grids else "it stands for several configurations"
        refuse(
            label,
            f"{where} has the component {said.get('name')}, and no one entry before it: {why}",
            "Name an entry whose parameters have one value each, or give type: and params:",
        )
    config = grids[0].member(0, None).config
    return {**said, **config}


def _conditions(
    label: str, where: str, entry: Mapping[str, Any], key: str, parameters: Mapping[str, Any]
) -> tuple[str, ...]:
    found = entry.get(key)
    texts = [] if found is None else found if isinstance(found, list) else [found]
    for text in texts:
        if not isinstance(text, str):
            refuse(label, f"{key} of {where} is {text!r}, which is not text", "Put it in quotes")
        try:
            parse_condition(text, parameters)
        except ValueError as error:
            hint = "A condition compares parameters: fast < slow, or lookback % 5 == 0"
            refuse(label, f"the condition {text!r} of {where} is none: {error}", hint)
    return tuple(texts)


def _words(label: str, document: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = document.get(key)
    words = [] if found is None else found if isinstance(found, list) else [found]
    for word in words:
        if not isinstance(word, str):
            refuse(label, f"{key} holds {word}, which is not text", QUOTE)
    return tuple(dict.fromkeys(words))


def _refuse_what_is_too_large(label: str, sweep: Sweep) -> None:
    if not sweep.grids:
        refuse(label, "it declares no strategies and no classifiers", DECLARE)
    places = max(1, len(sweep.symbols))
    largest = max(sweep.grids, key=lambda grid: grid.combinations)
    if largest.combinations > _MOST_COMBINATIONS:
        _refuse_size(label, "combinations", largest, largest.combinations, _MOST_COMBINATIONS)
    size = 0
    for grid in sweep.grids:
        try:
            own = grid.size
        except ValueError as error:
            conditions = " and ".join((*grid.where, *grid.exclude))
            refuse(label, f"{conditions} of {grid.name}: {error}", "Compare like with like")
        if not own:
            conditions = ", ".join((*grid.where, *(f"not {text}" for text in grid.exclude)))
            refuse(label, f"no combination of {grid.name} meets {conditions}", "Widen its values")
        size += own * places
    if size > MAX_CONFIGURATIONS:
        _refuse_size(label, "configurations", largest, size, MAX_CONFIGURATIONS)


def _refuse_size(label: str, what: str, largest: Grid, size: int, most: int) -> NoReturn:
    refuse(
        label,
        f"it expands into {size:,} {what}, and {most:,} are the most; "
        f"the largest entry is {largest.name} with {largest.combinations:,}",
        f"Shorten the lists of {largest.name}, or split the file",
    )


def _plain(value: Any) -> Any:
    """Return what Python has many sorts of as a file would hold it: lists and mappings."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return value
    return [_plain(inner) for inner in value]
