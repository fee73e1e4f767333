"""
Conditions between the parameters of a sweep: `fast < slow`, read and never run as code.

A condition may compare (`< <= > >= == != in`), calculate (`+ - * / // % **`), combine (`and or
not`) and ask for `abs`, `min` and `max`. Names are parameters. Everything else is refused.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

Values = tuple[Any, ...]
Compute = Callable[[Values], Any]

_BINARY: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {"abs": abs, "min": min, "max": max}
_MOST_DIGITS: Final = 300
"""Of a power: a longer one would be computed for longer than anybody waits."""


@dataclass(frozen=True)
class Condition:
    """
    A condition that was read: its text, and the parameters that it is about.

    `holds` takes their values in this order.
    """

    text: str
    names: tuple[str, ...]
    _compute: Compute

    def holds(self, values: Values) -> bool:
        """
        Say whether it is met.

        Raises:
            ValueError: these values cannot be compared or calculated with.
        """
        try:
            return bool(self._compute(values))
        except (TypeError, ArithmeticError, ValueError) as error:
            said = ", ".join(f"{name} = {v!r}" for name, v in zip(self.names, values, strict=True))
            raise ValueError(f"with {said} it cannot be computed: {error}") from error


def parse_condition(text: str, parameters: Collection[str]) -> Condition:
    """
    Read a condition.

    Args:
        parameters: the names that it may use.

    Raises:
        ValueError: it is no condition, or about something else; the text says why.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        why = " (write == for equal)" if "=" in text else ""
        raise ValueError(f"it cannot be read{why}") from error
    found = {node.id: None for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names = tuple(name for name in found if name not in _FUNCTIONS or name in parameters)
    for name in names:
        if name not in parameters:
            there = ", ".join(parameters) or "none at all"
            raise ValueError(f"there is no parameter {name}; there are {there}")
    if not names:
        raise ValueError("it is about no parameter")
    try:
        compute = _compile(tree, {name: place for place, name in enumerate(names)})
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return Condition(text, names, compute)


def _compile(node: ast.expr, places: Mapping[str, int]) -> Compute:
    """Return a function of the values of the parameters that does what a node says."""
    if isinstance(node, ast.Name):
        return operator.itemgetter(places[node.id])
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None):
        constant = node.value
        return lambda values: constant
    if isinstance(node, ast.List | ast.Tuple):
        items = [_compile(item, places) for item in node.elts]
        return lambda values: [item(values) for item in items]
    if isinstance(node, ast.BoolOp):
        parts = [_compile(part, places) for part in node.values]
        return _combine(parts, ends_at=isinstance(node.op, ast.Or))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.UAdd):
        inner = _compile(node.operand, places)
        if isinstance(node.op, ast.Not):
            return lambda values: not inner(values)
        sign = operator.neg if isinstance(node.op, ast.USub) else operator.pos
        return lambda values: sign(inner(values))
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _compile(node.left, places), _compile(node.right, places)
        apply = _power if isinstance(node.op, ast.Pow) else _BINARY[type(node.op)]
        return lambda values: apply(_number(left(values)), _number(right(values)))
    if isinstance(node, ast.Compare) and all(type(op) in _COMPARE for op in node.ops):
        return _compare(node, places)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        function = _FUNCTIONS.get(node.func.id)
        arguments = [_compile(argument, places) for argument in node.args]
        if function is not None and node.func.id not in places:
            return lambda values: function(*(argument(values) for argument in arguments))
    raise ValueError(f"{ast.unparse(node)!r} is nothing that a condition may say")


def _combine(parts: list[Compute], *, ends_at: bool) -> Compute:
    """Return what says the first value that is true, or that is not, else the last, as Python."""

    def combined(values: Values) -> Any:
        value = None
        for part in parts:
            value = part(values)
            if bool(value) is ends_at:
                break
        return value

    return combined


def _compare(node: ast.Compare, places: Mapping[str, int]) -> Compute:
    first = _compile(node.left, places)
    steps = [
        (_COMPARE[type(op)], _compile(_listed(op, right), places))
        for op, right in zip(node.ops, node.comparators, strict=True)
    ]
    if len(steps) == 1:  # Most are, and there may be millions of values.
        (apply, second) = steps[0]
        return lambda values: apply(first(values), second(values))

    def chain(values: Values) -> bool:
        left = first(values)
        for compare, step in steps:
            right = step(values)
            if not compare(left, right):
                return False
            left = right
        return True

    return chain


def _listed(op: ast.cmpop, node: ast.expr) -> ast.expr:
    """Return a set as a list where something is looked for in it; elsewhere it is refused."""
    if isinstance(op, ast.In | ast.NotIn) and isinstance(node, ast.Set):
        return ast.List(node.elts, ast.Load())
    return node


def _number(value: Any) -> Any:
    # Text times a number is text that may be as long as memory.
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return value


def _power(base: Any, exponent: Any) -> Any:
    if abs(base) > 1 and exponent * math.log10(abs(base)) > _MOST_DIGITS:
        raise ValueError(f"{base} ** {exponent} is too large")
    return operator.pow(base, exponent)
