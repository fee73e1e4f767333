"""Which traces somebody means: by names, by their run, by a condition, or all that are missing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from catalog.errors import QueryError
from catalog.places import absolute, as_text
from catalog.query.chosen import chosen_ids
from catalog.query.show import find_strategy
from catalog.statements import statement
from catalog.store.database import reading


def traces_meant(
    catalog: Path,
    references: Sequence[str | os.PathLike[str]] = (),
    *,
    run: str | None = None,
    where: str | None = None,
    missing: bool = False,
) -> list[str]:
    """
    Return the ids of the traces that all of these mean, all traces where nothing is given.

    Args:
        references: a trace's id or path, or what `show` takes for a strategy: all of its traces.
        run: of this run, of every kind.
        where: signal traces that meet a condition on the columns of `strategy_index`.
        missing: whose files are gone.

    Raises:
        UsageError: a reference is a URL that was made a path, which it does not survive.
        QueryError: a reference or the condition is none, or nothing is meant by all of them.
        StoreError: the catalog cannot be used.
    """
    chosen = None if where is None else set(chosen_ids(catalog, run=run, where=where) or ())
    names: list[str] = []
    keys: list[str] = []
    with reading(catalog) as con:
        for reference in map(as_text, references):
            path = absolute(reference)
            values = {"reference": reference, "path": path}
            if con.execute(statement("select_traces_named"), values).fetchall():
                names += [reference, path]
            else:
                keys.append(find_strategy(con, reference))
        rows = con.execute(
            statement("select_traces_meant"),
            {
                "run": run,
                "missing": missing,
                "names": names if references else None,
                "keys": keys,
            },
        ).fetchall()
    found = [trace_id for (trace_id,) in rows if chosen is None or trace_id in chosen]
    if not found:
        raise QueryError(
            "No trace is meant by that",
            hint='See what there is with: catalog sql "from runs"',
        )
    return found
