"""What users made in catalog.duckdb themselves, which nothing beside it can bring back."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.macros import MACROS
from catalog.store.views import VIEWS


def own_objects(con: DuckDBPyConnection) -> list[str]:
    """Return tables, views, macros and the like that are not the catalog's: "table main.notes"."""
    values = {"views": list(VIEWS), "macros": list(MACROS)}
    return [own for (own,) in con.execute(statement("select_own_objects"), values).fetchall()]
