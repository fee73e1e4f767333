"""The cells of a table of strategies: what each says, and what a look at it for longer does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from catalog.reports.shown import exact, percent, shown, two
from catalog.web.columns import Column

ROUNDED: Final = 10_000
"""From here on figures are shown without decimals."""
MOST_CHARACTERS: Final = 90
"""So much of a configuration is shown in its cell, all of it in its title."""


@dataclass(frozen=True)
class Cell:
    """What a cell says, and what a look at it for longer does."""

    text: str
    title: str
    look: str = ""
    """The class of its element: `number`, `config`, or none."""


def cell(value: Any, column: Column, *, note: str = "") -> Cell:
    """
    Return the cell of a value.

    Args:
        note: why figures are not known, where they are not.
    """
    if column.name == "config":
        text = summary(value)
        cut = text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
        return Cell(cut, value or "", "config")
    if column.is_metric:
        return Cell(_figure(value, column), note if value is None else exact(value), "number")
    text = exact(value) if column.is_parameter else shown(value)
    return Cell(text, "", "number" if column.is_number else "")


def summary(config: str | None) -> str:
    """Return the parameters of a configuration in one line."""
    if config is None:
        return "unknown"
    try:
        body = json.loads(config)
    except ValueError:
        return config
    if not isinstance(body, dict):
        return config
    said = body.get("parameters", body.get("params"))
    if not isinstance(said, dict):
        said = {name: value for name, value in body.items() if name != "type"}
    return ", ".join(f"{name} {_brief(value)}" for name, value in said.items()) or "no parameters"


def _brief(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return f"({len(value)})"
    return value if isinstance(value, str) else json.dumps(value)


def _figure(value: Any, column: Column) -> str:
    """Return a figure with as many digits as its neighbours have; its title has all of them."""
    if column.is_percent:
        return percent(value)
    return two(value) if isinstance(value, float) and abs(value) < ROUNDED else shown(value)
