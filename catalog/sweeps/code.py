"""The functions that strategies are, named as module:function, and which code they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from catalog.errors import UsageError
from catalog.traces.code import code_digest

Function = Callable[[dict[str, Any], Any], Any]
Named = str | Function
Given = Named | Mapping[str, Named] | Iterable[str] | None

_HINT = "Write it as module:function, where module can be imported from the current folder"


@dataclass(frozen=True)
class Code:
    """
    One function, and the digest of its code: that of its whole module, where that has a file.

    `name` is module:function, `digests` are those that a trace of this code may say, the first of
    them that of what is traced now. It is empty where there is no source to read.
    """

    name: str
    function: Function
    digests: tuple[str, ...]

    @property
    def digest(self) -> str | None:
        """What a trace that is made now says."""
        return self.digests[0] if self.digests else None


@dataclass(frozen=True)
class Codes:
    """The code of each strategy type, and the one of all others, None where there is none."""

    by_type: dict[str, Code]
    others: Code | None

    def of(self, strategy_type: str) -> Code | None:
        """Return the code of a strategy type."""
        return self.by_type.get(strategy_type, self.others)

    def digests(self, types: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the digests of those types whose code is known."""
        found = {one: self.of(one) for one in types}
        return {one: code.digests for one, code in found.items() if code and code.digests}


def load_codes(given: Given) -> Codes:
    """
    Find the functions of strategies.

    Args:
        given: `module:function` or a function for all strategy types; a mapping of types to
            these; or texts, each of which may be `type=module:function`.

    Raises:
        UsageError: there is no such module or function.
    """
    pairs: list[tuple[str | None, Named]] = []
    if given is None:
        pass
    elif isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, str) or callable(given):
        pairs = [_pair(given)]
    else:
        pairs = [_pair(one) for one in given]
    by_type: dict[str, Code] = {}
    others: Code | None = None
    for kind, named in pairs:
        code = load_code(named)
        if kind is None:
            if others is not None:
                raise UsageError(
                    f"{others.name} and {code.name} are both for all strategies",
                    hint="Say the type of one: type=module:function",
                )
            others = code
        else:
            by_type[kind] = code
    return Codes(by_type, others)


def load_code(named: Named) -> Code:
    """
    Find one function.

    Raises:
        UsageError: there is no such module or function.
    """
    if not isinstance(named, str):
        name = f"{named.__module__}:{getattr(named, '__qualname__', type(named).__name__)}"
        return Code(name, named, _digests(named))
    module_name, colon, path = named.partition(":")
    if not colon or not module_name or not path:
        raise UsageError(f"{named!r} names no function", hint=_HINT)
    found: Any = _import(module_name, named)
    for step in path.split("."):
        if not hasattr(found, step):
            raise UsageError(f"There is no {path} in the module {module_name}", hint=_HINT)
        found = getattr(found, step)
    if not callable(found):
        raise UsageError(f"{named} is no function, but of type {type(found).__name__}", hint=_HINT)
    return Code(named, found, _digests(found))


def _pair(named: Named) -> tuple[str | None, Named]:
    if isinstance(named, str) and "=" in named:
        kind, _, rest = named.partition("=")
        return kind, rest
    return None, named


def _import(module_name: str, named: str) -> ModuleType:
    if (folder := os.getcwd()) not in sys.path:
        # A program that is installed does not look where it is started.
        sys.path.insert(0, folder)
    try:
        return import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise UsageError(f"There is no module {module_name} for {named}", hint=_HINT) from error
        raise UsageError(
            f"The module {module_name} cannot be imported: {error}",
            hint=f"Install {error.name} where this program is installed",
        ) from error
    except Exception as error:
        raise UsageError(
            f"The module {module_name} cannot be imported: {type(error).__name__}: {error}",
            hint=f"Try: python -c 'import {module_name}'",
        ) from error


def _digests(function: Function) -> tuple[str, ...]:
    # Of the module first: what a function calls is mostly there. A trace that was made otherwise
    # may say the digest of the function alone.
    made = []
    for code in (sys.modules.get(getattr(function, "__module__", "")), function):
        try:
            made.append(code_digest(code))
        except UsageError:
            continue
    return tuple(made)
