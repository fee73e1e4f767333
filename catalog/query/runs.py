"""The runs that there are, and the one that somebody means."""

from __future__ import annotations

from pathlib import Path

from duckdb import DuckDBPyConnection

from catalog.errors import QueryError
from catalog.places import absolute
from catalog.query.result import Result
from catalog.query.run import execute
from catalog.statements import statement
from catalog.store.database import reading


def list_runs(catalog: Path) -> Result:
    """
    Return a row per run, the newest first: what is registered of it, and what is wrong with it.

    `created_at` is the run's own, else the earliest that the footer of one of its traces states.
    `signals`, `classifiers` and `others` (orders, fills, positions) count registered traces,
    `missing` those whose file is gone, and `quarantined` the files in its folders that could not
    be registered. `data` has the symbols with their timeframes, `bars` the longest range.

    Raises:
        StoreError: the catalog cannot be used.
    """
    with reading(catalog) as con:
        return execute(con, statement("select_runs"))


def find_run(con: DuckDBPyConnection, reference: str) -> str:
    """
    Return the id of the run that goes by an id, its beginning or end, a name, or its folder.

    Raises:
        QueryError: nothing goes by that name, or several runs do.
    """
    values = {"reference": reference, "path": absolute(reference)}
    ids = [str(row[0]) for row in con.execute(statement("select_run_names"), values).fetchall()]
    if not ids:
        raise QueryError(f"No run goes by {reference!r}", hint="List the runs with: catalog runs")
    if len(ids) > 1:
        more = f" and {len(ids) - 5:,} more" if len(ids) > 5 else ""
        raise QueryError(
            f"{len(ids):,} runs go by {reference!r}: {', '.join(ids[:5])}{more}",
            hint="Name one of them by its run_id",
        )
    return ids[0]
