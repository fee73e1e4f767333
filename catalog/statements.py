"""SQL lives in files: `statement("name")` is the text of sql/name.sql."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """
    Return the text of `sql/<name>.sql`.

    Raises:
        FileNotFoundError: there is no such statement, which is a bug.
    """
    return files("catalog.sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
