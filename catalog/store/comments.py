"""What each public view and column means, as comments in the catalog itself."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from duckdb import DuckDBPyConnection

from catalog.statements import statement

# A statement a line: comment on column VIEW.COLUMN is 'TEXT';
_COMMENT = re.compile(r"^comment on (?:view|column) (\w+)\.?(\w*) is '(.*)';$", re.MULTILINE)
_OF_A_TYPE = "The strategies of one type, with that type's parameters"
_OF_ANY_TYPE = ("strategy_hash", "strategy_key", "config", "constraints", "config_source")
_EARNED = (
    "sharpe", "total_return", "annual_return", "volatility", "sortino", "max_drawdown", "exposure",
    "turnover", "trades", "hit_rate", "profit_factor", "breakeven_cost_bps",
)  # fmt: skip
_PARAMETER = "A parameter of the configuration: see parameters"


def comment_view(
    con: DuckDBPyConnection, name: str, template: str, parameters: Collection[str]
) -> None:
    """
    Comment on a view that was just made, and on its columns.

    Args:
        parameters: its parameter columns.
    """
    comments = dict(_comments().get(template, {}))
    if template == "strategies_of_type":
        of_strategies = _comments()["strategies"]
        comments = {None: _OF_A_TYPE} | {column: of_strategies[column] for column in _OF_ANY_TYPE}
        earned = _comments()["strategy_index"]
        comments |= {name: f"{earned[name]}; the mean of its latest traces" for name in _EARNED}
    comments |= dict.fromkeys(parameters, _PARAMETER)
    view = _quoted(name, '"')
    # There are hundreds of these: a syntax tree for each would take longer than DuckDB does.
    lines = [
        f"comment on {_target(view, column)} is {_quoted(text, chr(39))};"
        for column, text in comments.items()
    ]
    con.execute("\n".join(lines))


def _target(view: str, column: str | None) -> str:
    return f"view {view}" if column is None else f"column {view}." + _quoted(column, '"')


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark


@cache
def _comments() -> dict[str, dict[str | None, str]]:
    """Return the comments in sql/comments.sql by view and column, the view's own under None."""
    by_view: dict[str, dict[str | None, str]] = {}
    for view, column, text in _COMMENT.findall(statement("comments")):
        by_view.setdefault(view, {})[column or None] = text.replace("''", "'")
    return by_view
