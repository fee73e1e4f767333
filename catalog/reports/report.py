"""A report on a run or on strategies: one file to share, without any script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from catalog.compare.rank import Ranking
from catalog.errors import QueryError, UsageError
from catalog.metrics.kinds import SHARES
from catalog.metrics.sets import MetricSet
from catalog.places import absolute
from catalog.plots.charts import Chart, heat_map
from catalog.plots.chosen import traces_meant
from catalog.plots.landscape import Landscape
from catalog.query.rows import Row
from catalog.query.runs import list_runs
from catalog.query.target import written_whole
from catalog.reports.figures import MONTHS
from catalog.reports.render import check_libraries, render
from catalog.reports.rows import ask
from catalog.reports.run import curved, rank_run, read_run, read_surfaces, why_no_curves
from catalog.reports.target import check_target
from catalog.reports.trace import attempt, draw, months, tell
from catalog.verify.last import read_last

ENDINGS = (".html", ".htm")
MOST = 10
"""Strategies that there is room for."""
RANKED = 20
CURVES = 5
MONTHLY = 3
"""Of the best strategies of a run so many are told month by month."""


@dataclass(frozen=True)
class Report:
    """A report that was written: on a run, or on some traces of strategies."""

    path: Path
    run_id: str | None
    trace_ids: tuple[str, ...]


def write_report(
    catalog: Path,
    selection: Sequence[str],
    path: Path,
    *,
    where: str | None = None,
    top: int | None = None,
    overwrite: bool = False,
) -> Report:
    """
    Write a report; see `Catalog.report`.

    Raises:
        UsageError: the file is there already, its name ends in something else, more is meant than
            there is room for, or a library is not installed.
        QueryError: nothing, or more than one thing, goes by a name.
        StoreError: the catalog cannot be used, or the file cannot be written.
    """
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path} is no name of a report", hint="End it in .html")
    check_target(path, overwrite=overwrite)
    check_libraries()
    run, ids = _meant(catalog, selection, where, top)
    text = _on_strategies(catalog, ids) if run is None else _on_run(catalog, run)
    with written_whole(catalog, path) as unfinished:
        unfinished.write_text(text, "utf-8")
    return Report(path, None if run is None else run["run_id"], tuple(ids))


def _meant(
    catalog: Path, selection: Sequence[str], where: str | None, top: int | None
) -> tuple[Row | None, list[str]]:
    """Return the run that is meant, else the traces."""
    is_one = len(selection) == 1 and where is None and top is None
    if is_one and _is_run(catalog, selection[0]):
        return read_run(catalog, selection[0]), []
    try:
        return None, traces_meant(
            catalog, selection, where=where, top=top, most=MOST, wanted=MetricSet()
        )
    except QueryError as error:
        if not is_one:
            raise
        # A part of its id is enough for a run, too, where no strategy goes by it.
        run, why_not = attempt(lambda: read_run(catalog, selection[0]))
        if run is None:
            hints = [one.hint for one in (error, why_not) if one is not None and one.hint]
            raise QueryError(str(error), hint="\n".join(hints)) from None
        return run, []


def _is_run(catalog: Path, reference: str) -> bool:
    """Say whether a run goes by a name whole: it is meant where a strategy does, too."""
    names = list_runs(catalog).table.select(["run_id", "name", "root"]).to_pylist()
    folder = absolute(reference).rstrip("/")
    return any(
        reference in (run["run_id"], run["name"]) or run["root"].rstrip("/") == folder
        for run in names
    )


def _on_run(catalog: Path, run: Row) -> str:
    run_id = run["run_id"]
    ranking, why_no_ranking = rank_run(catalog, run_id, top=RANKED)
    best = curved(catalog, ranking.trace_ids)[:CURVES] if ranking is not None else []
    pictures, why_no_pictures = attempt(lambda: draw(catalog, best)) if best else (None, None)
    surfaces = [
        (one, None if one.landscape is None else _heat_map(one.landscape))
        for one in read_surfaces(catalog, run_id)
    ]
    return render(
        "run",
        catalog=catalog,
        run=run,
        ranking=ranking,
        why_no_ranking=why_no_ranking,
        numbers=_numbers(ranking),
        shares=SHARES,
        pictures=pictures,
        why_no_pictures=why_no_pictures or why_no_curves(),
        surfaces=surfaces,
        monthly_of=[(_named(catalog, one), months(catalog, one)) for one in best[:MONTHLY]],
        months=MONTHS,
        health=ask(catalog, "run_health", run=run_id),
        last=read_last(catalog),
    )


def _on_strategies(catalog: Path, ids: list[str]) -> str:
    told = [tell(catalog, trace_id) for trace_id in ids]
    together, why_not_together = None, None
    if len(ids) > 1:
        together, why_not_together = attempt(lambda: draw(catalog, ids))
    return render(
        "strategies",
        catalog=catalog,
        told=told,
        together=together,
        why_not_together=why_not_together,
        months=MONTHS,
        shares=SHARES,
    )


def _named(catalog: Path, trace_id: str) -> str:
    (trace,) = ask(catalog, "report_trace", trace_id=trace_id)
    return f"{trace['strategy_id']} on {trace['symbol']} {trace['timeframe']}"


def _heat_map(found: Landscape) -> Chart:
    return heat_map(found.cells, x=found.x.name, y=found.y.name, value=found.metric)


def _numbers(ranking: Ranking | None) -> list[bool]:
    """Return which columns of a ranking are shown as numbers."""
    fields: list[Any] = list(ranking.rows.table.schema) if ranking is not None else []
    return [pa.types.is_integer(one.type) or pa.types.is_floating(one.type) for one in fields]
