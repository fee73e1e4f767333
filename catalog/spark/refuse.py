"""How a construct is refused: by its name, with the way around it."""

from __future__ import annotations

from catalog.errors import QueryError

HINT = "Run it with DuckDB: catalog open LAKE, then catalog sql without --engine"


def refused(what: str, why: str = "it has no equal there", *, hint: str = HINT) -> QueryError:
    """Return the error for what cannot be translated."""
    return QueryError(f"{what} is not translated to Spark: {why}", hint=hint)
