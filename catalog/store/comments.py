"""What each public view and column means, as comments in the catalog itself."""

from __future__ import annotations

import re
from functools import cache

from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.statements import statement

_TARGET = re.compile(r'comment on (?:view|column) "?(\w+)')


def comment_view(con: DuckDBPyConnection, name: str) -> None:
    """Comment on a view that was just made, and on its columns."""
    for comment in _comments().get(name, ()):
        con.execute(comment)
    if name.startswith("type_"):
        view = exp.to_identifier(name, quoted=True).sql(dialect="duckdb")
        con.execute(f"comment on view {view} is 'The strategies of one type, with its parameters'")


@cache
def _comments() -> dict[str, list[str]]:
    """Return the statements of sql/comments.sql, which has one a line, by view."""
    by_view: dict[str, list[str]] = {}
    for line in statement("comments").splitlines():
        if target := _TARGET.match(line):
            by_view.setdefault(target[1], []).append(line)
    return by_view
