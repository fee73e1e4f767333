"""Conditions on parameters as people write them, KEY>=VALUE, and as DuckDB takes them."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from math import isfinite

from duckdb import (
    CoalesceOperator,
    ColumnExpression,
    ConstantExpression,
    Expression,
    SQLExpression,
)

from catalog.errors import QueryError, UsageError

Compare = Callable[[Expression, Expression], Expression]

_CONDITION = re.compile(r"\s*([^<>=!]+?)\s*(>=|<=|!=|=|>|<)\s*(.*?)\s*", re.DOTALL)
_OPERATORS: dict[str, Compare] = {
    "=": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge,
    "<": operator.lt, "<=": operator.le,
}  # fmt: skip
_PLAIN = ("strategy_hash", "strategy_type", "kind", "config_source", "constraints")
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Condition:
    """One condition: a name, what compares, and a value, still as text."""

    name: str
    compare: Compare
    value: str


def parse_condition(text: str) -> Condition:
    """
    Take a condition apart.

    Raises:
        UsageError: it is malformed.
    """
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise UsageError(
            f"This is no condition: {text!r}",
            hint="Write KEY=VALUE, or in quotes 'KEY>=VALUE', with one of = != < <= > >=",
        )
    return Condition(found[1], _OPERATORS[found[2]], found[3])


def as_expression(condition: Condition, columns: dict[str, dict[str, list[str]]]) -> Expression:
    """
    Return a condition on the columns of strategies.

    Args:
        columns: those of each parameter, by their form, number or text.

    Raises:
        QueryError: there is no such parameter, or it never has a value of that form.
    """
    if condition.name == "tag" and "tag" not in columns:
        return _has_tag(condition)
    name = _known_name(condition.name, columns)
    if name in _PLAIN and name not in columns:
        return condition.compare(ColumnExpression(name), ConstantExpression(condition.value))
    wanted = _wanted(condition, columns[name])
    if not wanted:
        form = "text" if _number(condition.value) is None else "number"
        other = "numbers" if form == "text" else "words"
        raise QueryError(
            f"{name} is {other} in every strategy, and {condition.value!r} is not",
            hint=f'See its values with: catalog sql "select distinct '
            f'{next(iter(columns[name].values()))[0]} from strategies"',
        )
    if condition.compare is operator.ne:
        return _differs(columns[name], wanted)
    return any_of(*(condition.compare(column, value) for column, value in wanted))


def _wanted(
    condition: Condition, columns: dict[str, list[str]]
) -> list[tuple[Expression, Expression]]:
    """Return what is compared with which value: a number also as the text that looks like it."""
    number = _number(condition.value)
    wanted = []
    if number is not None:
        wanted += [(name, ConstantExpression(number)) for name in columns.get("number", ())]
    # In order words come after one another, and numbers by their size.
    if number is None or condition.compare in (operator.eq, operator.ne):
        text = ConstantExpression(_as_stored(condition.value))
        wanted += [(name, text) for name in columns.get("text", ())]
    return [(ColumnExpression(name), value) for name, value in wanted]


def _as_stored(text: str) -> str:
    """Return a list with the blanks that its text in the catalog has."""
    if text.startswith("["):
        try:
            return json.dumps(json.loads(text), ensure_ascii=False)
        except ValueError:
            pass
    return text


def tagged(tag: str) -> Expression:
    """Meet the strategies that have a tag, or a trace that has it."""
    return SQLExpression(
        f"strategy_key in (select strategy_key from tags where tag = {ConstantExpression(tag)})"
    )


def _has_tag(condition: Condition) -> Expression:
    if condition.compare is operator.eq:
        return tagged(condition.value)
    if condition.compare is operator.ne:
        return ~tagged(condition.value)
    raise UsageError("Tags are not greater or less", hint="Write tag=NAME, or tag!=NAME")


def any_of(first: Expression, *others: Expression) -> Expression:
    """Meet any of some conditions."""
    return reduce(operator.or_, others, first)


def all_of(first: Expression, *others: Expression) -> Expression:
    """Meet all of some conditions."""
    return reduce(operator.and_, others, first)


def _known_name(name: str, columns: dict[str, dict[str, list[str]]]) -> str:
    name = name.removeprefix("param_") if name not in columns else name
    if name not in columns and name not in _PLAIN:
        # DuckDB's names are case-insensitive, and people say type for strategy_type.
        name = {"type": "strategy_type"}.get(name, name)
        name = next((one for one in columns if one.lower() == name.lower()), name)
    if name in columns or name in _PLAIN:
        return name
    from difflib import get_close_matches

    close = get_close_matches(name, [*columns, *_PLAIN], n=3)
    raise QueryError(
        f"There is no parameter {name!r}",
        hint=f"Did you mean {' or '.join(close)}?"
        if close
        else 'List them with: catalog sql "from parameters"',
    )


def _differs(
    columns: dict[str, list[str]], wanted: list[tuple[Expression, Expression]]
) -> Expression:
    """Meet the strategies that have the parameter, in whichever form, and not with this value."""
    every = [ColumnExpression(name) for several in columns.values() for name in several]
    has = any_of(*(column.isnotnull() for column in every))
    # Either column of a parameter is NULL where the other has its value.
    nothing = ConstantExpression(False)
    equal = any_of(*(CoalesceOperator(column == value, nothing) for column, value in wanted))
    return has & ~equal


def _number(text: str) -> bool | int | float | None:
    """Return a value as a number, where it is one; true and false are 1 and 0 to DuckDB."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        number = float(text)
    except ValueError:
        return None
    if not isfinite(number) or not text.isascii():
        return None
    try:
        # Beyond 2**53 a float would be another number.
        return whole if (whole := int(text)) in _INT64 else number
    except ValueError:
        return number
