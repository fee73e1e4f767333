"""
Read a sweep file: YAML, held to strictly, for a misread value is a wrong parameter.

    symbols: [SPY]
    strategies:
      - {type: sma_crossover, name: sma_grid, params: {fast: [3, 7], slow: [15, 23]}}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

import yaml

from catalog.canonical import MAX_DEPTH, plain_config
from catalog.errors import ConfigurationError, SweepFileError
from catalog.sweeps.grid import Grid, Kind, Sweep

MAX_CONFIGURATIONS = 5_000_000

_DECLARE = "Declare grids under strategies: and classifiers:, each with a type: and params:"
_QUOTE = "Put it in quotes: without them YAML reads a number, a date, or on and off"
_REPAIR = "Correct the file; a YAML file is indented with spaces and says each key once"

_BLOCKS: tuple[tuple[str, Kind], ...] = (("strategies", "signal"), ("classifiers", "classifier"))

# The one in C is six times as fast, and missing where PyYAML was built without libyaml.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_sweep(path: str | PathLike[str]) -> Sweep:
    """
    Read a sweep file.

    `strategies` and `classifiers` are lists of entries with a `type`, a `name` (else the type)
    and `params` or `parameters`; `symbols`, `timeframes` and `name` may stand beside them.

    Raises SweepFileError, which names the file, the entry and what to do.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        _refuse(path, f"it cannot be read: {error.strerror}", "Give the path of a YAML file")
    document = _read_yaml(path, data)
    if not isinstance(document, dict):
        _refuse(path, "it is not a mapping", _DECLARE)
    sweep = Sweep(
        name=str(document.get("name") or path.stem),
        path=path,
        digest=sha256(data).hexdigest(),
        symbols=_words(path, document, "symbols"),
        timeframes=_words(path, document, "timeframes"),
        grids=tuple(_grids(path, document)),
    )
    _refuse_what_is_too_large(sweep)
    return sweep


def _grids(path: Path, document: Mapping[str, Any]) -> Iterator[Grid]:
    for block, kind in _BLOCKS:
        entries = document.get(block)
        if entries is None:
            continue
        if not isinstance(entries, list):
            _refuse(path, f"{block} is not a list", f"Begin each entry under {block}: with a dash")
        for number, entry in enumerate(entries, start=1):
            yield _grid(path, f"{block}, entry {number}", kind, entry)


def _grid(path: Path, where: str, kind: Kind, entry: object) -> Grid:
    if not isinstance(entry, dict):
        _refuse(path, f"{where} is not a mapping", "Give it a type: and params:")
    type_ = entry.get("type")
    if not isinstance(type_, str) or not type_:
        _refuse(path, f"{where} has no type", "Add one, such as type: sma_crossover")
    where = f"{where} ({entry.get('name') or type_})"
    name = type_ if entry.get("name") is None else entry["name"]
    if not isinstance(name, str):
        _refuse(path, f"{where} has a name that is not text", "Put the name in quotes")
    if "params" in entry and "parameters" in entry:
        _refuse(path, f"{where} has both params and parameters", "Keep one of them")
    parameters = entry.get("params", entry.get("parameters"))
    parameters = {} if parameters is None else parameters
    if not isinstance(parameters, dict):
        _refuse(path, f"the parameters of {where} are not a mapping", "Write period: [10, 20]")
    for key, value in parameters.items():
        if not isinstance(key, str):
            _refuse(path, f"{where} has the parameter {key}, which is not text", _QUOTE)
        if value == []:
            _refuse(path, f"{where} has no values for {key}", "Give it one, or leave it out")
    try:
        plain = plain_config(parameters)
    except ConfigurationError as error:
        _refuse(path, f"{where} cannot be used: {error}", error.hint)
    return Grid(kind, type_, name, tuple(plain.items()))


def _words(path: Path, document: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = document.get(key)
    words = [] if found is None else found if isinstance(found, list) else [found]
    for word in words:
        if not isinstance(word, str):
            _refuse(path, f"{key} holds {word}, which is not text", _QUOTE)
    return tuple(dict.fromkeys(words))


def _refuse_what_is_too_large(sweep: Sweep) -> None:
    if not sweep.grids:
        _refuse(sweep.path, "it declares no strategies and no classifiers", _DECLARE)
    size = sum(grid.size for grid in sweep.grids) * max(1, len(sweep.symbols))
    if size > MAX_CONFIGURATIONS:
        largest = max(sweep.grids, key=lambda grid: grid.size)
        _refuse(
            sweep.path,
            f"it expands into {size:,} configurations, and {MAX_CONFIGURATIONS:,} are the most; "
            f"the largest entry is {largest.name} with {largest.size:,}",
            f"Shorten the lists of {largest.name}, or split the file",
        )


def _read_yaml(path: Path, data: bytes) -> Any:
    try:
        # libyaml builds its nodes recursively, and deep nesting would end the process.
        depth = 0
        for event in yaml.parse(data, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                _refuse(path, f"it is nested deeper than {MAX_DEPTH} levels", _DECLARE)
        loader = _Loader(data)
        root = loader.get_single_node()
        if root is not None:
            _refuse_keys_given_twice(path, root)
            return loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        _refuse(path, f"it is not YAML: {error.problem}{_line(error.problem_mark)}", _REPAIR)
    except (yaml.YAMLError, ValueError) as error:
        _refuse(path, f"it is not YAML: {error}", _REPAIR)


def _refuse_keys_given_twice(path: Path, root: yaml.Node) -> None:
    """YAML forbids them, and PyYAML takes the last."""
    nodes, seen = [root], 0
    while nodes:
        node = nodes.pop()
        seen += 1
        # Aliases share nodes: nine lines of them can stand for a billion values, or for a loop.
        if seen > MAX_CONFIGURATIONS:
            _refuse(path, "it has too many values, counting its aliases", "Use fewer aliases")
        if isinstance(node, yaml.SequenceNode):
            nodes.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            keys: set[tuple[str, str]] = set()
            for key, value in node.value:
                nodes.append(value)
                if isinstance(key, yaml.ScalarNode):
                    if (key.tag, key.value) in keys:
                        what = f"it has {key.value} twice in one mapping{_line(key.start_mark)}"
                        _refuse(path, what, "Keep one of them")
                    keys.add((key.tag, key.value))


def _line(mark: yaml.Mark | None) -> str:
    return "" if mark is None else f" (line {mark.line + 1})"


def _refuse(path: Path, what: str, hint: str | None) -> NoReturn:
    raise SweepFileError(f"The sweep file {path} cannot be used: {what}", hint=hint)
