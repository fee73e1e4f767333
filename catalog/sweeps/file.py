"""
Read a sweep file: YAML, held to strictly, for a misread value is a wrong parameter.

    symbols: [SPY]
    strategies:
      - {type: sma_crossover, name: sma_grid, params: {fast: [3, 7], slow: [15, 23]}}

What an entry may say is in catalog.sweeps.declare.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

import yaml

from catalog.canonical import MAX_DEPTH
from catalog.objects import is_url
from catalog.places import as_text, read_bytes
from catalog.sweeps.declare import DECLARE, MAX_CONFIGURATIONS, refuse, sweep_of
from catalog.sweeps.grid import Sweep

_REPAIR = "Correct the file; a YAML file is indented with spaces and says each key once"

# The one in C is six times as fast, and missing where PyYAML was built without libyaml.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_sweep(path: str | PathLike[str]) -> Sweep:
    """
    Read a sweep file, of this machine or of a store.

    `strategies` and `classifiers` are lists of entries with a `type`, a `name` (else the type)
    and `params` or `parameters`; `symbols`, `timeframes` and `name` may stand beside them. A
    parameter is one value, a list of them, or a range (see catalog.sweeps.values). An entry may
    have conditions (`where: fast < slow`, `exclude: fast == 20`; each one or a list),
    `constraints`, and `components`: entries before it by their names, or strategies of their own.
    Whatever else a file says, dates among it, is passed over.

    Args:
        path: the file's, or its URL such as `s3://bucket/grid.yaml`.

    Raises:
        SweepFileError: it cannot be used; the message names the file, the entry and what to do.
        ObjectStoreError: its store cannot be reached, or says no.
        UsageError: it is a URL that was made a path.
    """
    place = as_text(path)
    path = place if is_url(place) else Path(place)
    try:
        data = read_bytes(place)
    except OSError as error:
        why = error.strerror or "it is not there"
        _refuse(path, f"it cannot be read: {why}", "Give the path or the URL of a YAML file")
    document = _read_yaml(path, data)
    if not isinstance(document, dict):
        _refuse(path, "it is not a mapping", DECLARE)
    sweep = sweep_of(document, _label(path), path=path, digest=sha256(data).hexdigest())
    return replace(sweep, text=data)


def _read_yaml(path: Path | str, data: bytes) -> Any:
    try:
        # libyaml builds its nodes recursively, and deep nesting would end the process.
        depth = 0
        for event in yaml.parse(data, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                _refuse(path, f"it is nested deeper than {MAX_DEPTH} levels", DECLARE)
        loader = _Loader(data)
        root = loader.get_single_node()
        if root is not None:
            _refuse_keys_given_twice(path, root)
            return loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        _refuse(path, f"it is not YAML: {error.problem}{_line(error.problem_mark)}", _REPAIR)
    except (yaml.YAMLError, ValueError) as error:
        _refuse(path, f"it is not YAML: {error}", _REPAIR)


def _refuse_keys_given_twice(path: Path | str, root: yaml.Node) -> None:
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


def _refuse(path: Path | str, what: str, hint: str | None) -> NoReturn:
    refuse(_label(path), what, hint)


def _label(path: Path | str) -> str:
    return f"The sweep file {path}"
