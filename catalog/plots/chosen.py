"""Which traces a plot is of: those that names mean, or that meet a condition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalog.errors import QueryError, UsageError
from catalog.metrics.sets import MetricSet, options_of
from catalog.places import absolute
from catalog.query.chosen import chosen_ids
from catalog.query.show import find_strategy
from catalog.statements import statement
from catalog.store.database import reading


def traces_named(catalog: Path, references: Sequence[str]) -> list[str]:
    """
    Return the ids of the signal traces that names mean, in their order.

    Args:
        references: as for `show`. A trace id or a path means that trace; a strategy's id its latest
            trace under that id; any other name the strategy, on every symbol and timeframe.

    Raises:
        QueryError: nothing, or more than one strategy, goes by a name; or it has no signal trace.
        StoreError: the catalog cannot be used.
    """
    found: dict[str, None] = {}
    with reading(catalog) as con:
        for reference in references:
            values = {
                "strategy_key": find_strategy(con, reference),
                "reference": reference,
                "path": absolute(reference) if reference.endswith(".parquet") else "",
            }
            rows = con.execute(statement("plot_selected"), values).fetchall()
            if not rows:
                raise QueryError(
                    f"{reference} has no signal trace",
                    hint=f"See what it is: catalog show {reference}",
                )
            found |= dict.fromkeys(str(trace_id) for (trace_id,) in rows)
    return list(found)


def traces_meant(
    catalog: Path,
    references: Sequence[str],
    *,
    where: str | None,
    top: int | None,
    most: int,
    wanted: MetricSet,
) -> list[str]:
    """
    Return the ids of the traces to plot.

    Args:
        references: see `traces_named`; all traces that were measured where there are none.
        where: only those that meet a condition on the columns of `strategy_index`.
        top: so many at most, the best by Sharpe ratio.
        most: how many there is room for.

    Raises:
        UsageError: nothing says which, or they are too many.
        QueryError: see `traces_named`; the condition is none, or nothing measured meets it.
        StoreError: the catalog cannot be used.
    """
    if not references and where is None and top is None:
        raise UsageError(
            "It is not said which strategies are meant",
            hint="Name them, or take the best: --top 5, of some only: --where \"symbol = 'SPY'\"",
        )
    if top is not None and not 1 <= top <= most:
        raise UsageError(f"The best {top} cannot be shown together", hint=f"Take from 1 to {most}")
    ids = traces_named(catalog, references) if references else None
    if where is not None:
        meeting = dict.fromkeys(chosen_ids(catalog, run=None, where=where) or [])
        ids = list(meeting) if ids is None else [one for one in ids if one in meeting]
        if not ids:
            raise QueryError(
                f"None of the strategies that were named meets the condition: {where}",
                hint="Leave the names away, or the condition",
            )
    if references and top is None:
        chosen = ids or []
    else:
        with reading(catalog) as con:
            values = {"fill": wanted.terms.fill, "only": ids}
            rows = con.execute(statement("plot_best"), values).fetchall()
        chosen = [str(trace_id) for (trace_id,) in rows][:top]
    if not chosen:
        raise QueryError(
            "There are no session returns of what is meant",
            hint=f"Compute them: catalog metrics{options_of(MetricSet(wanted.terms))} "
            "(it needs prices: catalog prices add FILE)",
        )
    if len(chosen) > most:
        raise UsageError(
            f"{len(chosen):,} traces are meant, and there is room for {most}",
            hint=f"Narrow it with --where, or take the best: --top {most}",
        )
    return chosen
