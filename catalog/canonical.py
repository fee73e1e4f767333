"""
The one JSON text of a configuration, and reading one strictly.

Two programs that hold the same configuration must write the same text, for it is hashed.
Pure: the standard library only. numpy scalars are recognised by their shape, not by import.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, NoReturn

from catalog.errors import ConfigurationError

Config = dict[str, Any]

MAX_DEPTH = 200

_PLAIN = frozenset({int, str, bool, type(None)})
_CERTAIN = _PLAIN - {str}

# What is encoded is a fresh tree without cycles, so nothing is checked twice.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False)


def canonical_json(config: Mapping[str, Any]) -> str:
    """
    The one JSON text of a configuration: keys sorted, no spaces, ASCII.

    numpy scalars become Python's, a Decimal a float, an Enum its value, a tuple a list, a date
    or datetime its ISO 8601 text. Keys become text *before* they are sorted, so that a
    configuration hashes the same before it is written to a file and after it is read back
    (json.dumps sorts {1: …, 10: …, 2: …} as numbers, and its own output as words).

    Raises ConfigurationError, which names the path of the value, for NaN and infinities, for
    keys that become the same text, for text that is no valid Unicode, for other types, and
    beyond 200 levels.
    """
    return encode(plain_config(config)).decode()


def parse_config(text: str | bytes) -> Config:
    """
    Read a configuration from JSON, strictly.

    Raises ConfigurationError where it is not UTF-8 or not JSON, is no object, says NaN or a
    number beyond a float's range, has a key twice in one object, or passes 200 levels.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        config = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The configuration is not UTF-8: {error}") from error
    except RecursionError as error:
        raise ConfigurationError(
            f"The configuration is nested deeper than {MAX_DEPTH} levels"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"The configuration is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise ConfigurationError(
            f"A configuration is a JSON object, and this is {_shortened(text)!r}"
        )
    # Only a text with so many brackets can be so deep, and hardly any has.
    if text.count("{") + text.count("[") > MAX_DEPTH:
        plain_config(config)
    return config


def plain_config(config: Mapping[str, Any]) -> Config:
    """A copy in plain JSON values. Raises ConfigurationError, as canonical_json does."""
    if not isinstance(config, Mapping):
        raise ConfigurationError(f"A configuration is a mapping, and this is a {_type(config)}")
    return _plain_mapping(config, ())


def encode(plain: Config) -> bytes:
    """The canonical JSON of what plain_config returned."""
    try:
        return _ENCODER.encode(plain).encode()
    except ValueError as error:  # Python writes no integer of more than 4,300 digits.
        raise ConfigurationError(f"The configuration cannot be written: {error}") from error


def escaped(step: str) -> str:
    """One step of a JSON Pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


def _plain_mapping(config: Mapping[Any, Any], path: tuple[str, ...]) -> Config:
    _refuse_depth(path)
    plain: Config = {}
    for key, value in config.items():
        name = key if type(key) is str else _plain_key(key, path)
        if name in plain:
            _refuse("Two keys become the same text", (*path, name))
        _check_text(name, path)
        plain[name] = value if type(value) in _CERTAIN else _plain(value, (*path, name))
    return plain


def _plain_key(key: object, path: tuple[str, ...]) -> str:
    plain = _plain(key, (*path, str(key)))
    if isinstance(plain, (dict, list)):
        _refuse(f"A {_type(key)} cannot be a key", (*path, str(key)))
    # What json.dumps makes of a key that is not text: 1 is "1", True is "true".
    return plain if isinstance(plain, str) else json.dumps(plain)


def _plain(value: object, path: tuple[str, ...]) -> Any:
    if type(value) is str:
        _check_text(value, path)
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return _plain(value.value, path)
    if isinstance(value, (float, Decimal)):
        # float() raises for a Decimal's signalling NaN.
        is_nan = isinstance(value, Decimal) and value.is_nan()
        number = math.nan if is_nan else float(value)
        if not math.isfinite(number):
            _refuse(f"{number} cannot be part of a configuration", path)
        return number
    if isinstance(value, Mapping):
        return _plain_mapping(value, path)
    if isinstance(value, (list, tuple)):
        _refuse_depth(path)
        return [_plain(item, (*path, str(number))) for number, item in enumerate(value)]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (int, str)):  # A subclass: json would write what it says of itself.
        return int(value) if isinstance(value, int) else _plain(str.__str__(value), path)
    return _plain_scalar(value, path)


def _check_text(text: str, path: tuple[str, ...]) -> None:
    # JSON can say half of a surrogate pair, and Python hold it; no file or database can.
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            _refuse("This is no valid Unicode", (*path, ascii(text)[1:-1]))


def _plain_scalar(value: Any, path: tuple[str, ...]) -> Any:
    """A numpy scalar has an empty shape; an array, even of one value, has not."""
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        item = value.item()
        # Nanoseconds since 1970 come out of datetime64[ns] as an int: a number nobody wrote.
        is_time = getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M")
        if type(item) is not type(value) and not (is_time and isinstance(item, int)):
            return _plain(item, path)
    _refuse(f"A {_type(value)} cannot be part of a configuration", path)


def _refuse(message: str, path: tuple[str, ...]) -> NoReturn:
    pointer = "".join(f"/{escaped(step)}" for step in path)
    raise ConfigurationError(
        f"{message}: {_shortened(pointer)}",
        hint="A configuration holds numbers, text, true, false, null, lists and mappings",
    )


def _refuse_depth(path: tuple[str, ...]) -> None:
    if len(path) >= MAX_DEPTH:
        _refuse(f"The configuration contains itself, or more than {MAX_DEPTH} levels", path)


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"


def _type(value: object) -> str:
    module = type(value).__module__
    name = type(value).__qualname__
    return name if module == "builtins" else f"{module}.{name}"


def _distinct(pairs: list[tuple[str, Any]]) -> Config:
    config = dict(pairs)
    if len(config) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigurationError(f"The configuration has the key {twice!r} twice in one object")
    return config


def _finite_number(text: str) -> float:
    if math.isinf(number := float(text)):
        _not_a_number(text)
    return number


def _not_a_number(text: str) -> NoReturn:
    raise ConfigurationError(f"The configuration holds {_shortened(text)}, which is not a number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_distinct, parse_float=_finite_number, parse_constant=_not_a_number
)
