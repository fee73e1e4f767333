"""A Jupyter notebook about a run: paths, queries and plots filled in, for people to go on from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from catalog.compare.rank import Ranking
from catalog.errors import CatalogError, UsageError
from catalog.query.rows import Row
from catalog.query.target import written_whole
from catalog.reports.run import (
    Surface,
    curved,
    only,
    rank_run,
    read_run,
    read_surfaces,
    why_no_curves,
)
from catalog.reports.target import check_target
from catalog.statements import statement

ENDING = ".ipynb"
MOST_UP = 2
"""A path that goes up by more folders is absolute: what lies so far apart moves apart."""
BEST = 5
"""Strategies whose curves are drawn."""
_MARKDOWN = "\\`*_{}[]()#+-.!|~$"


@dataclass(frozen=True)
class Notebook:
    """A notebook that was written; `left_out` is what could not be filled in, and why."""

    path: Path
    run_id: str
    left_out: tuple[str, ...]


def write_notebook(
    catalog: Path, reference: str, path: Path | None = None, *, overwrite: bool = False
) -> Notebook:
    """
    Write a notebook about a run; see `Catalog.notebook`.

    Raises:
        UsageError: the file is there already, its name ends in something else, or what writes
            notebooks is not installed.
        QueryError: nothing, or more than one run, goes by that name.
        StoreError: the catalog cannot be used, or the file cannot be written.
    """
    run = read_run(catalog, reference)
    run_id = run["run_id"]
    path = Path(f"{_file_name(run_id)}{ENDING}") if path is None else path
    if path.suffix.lower() != ENDING:
        raise UsageError(f"{path} is no name of a notebook", hint=f"End it in {ENDING}")
    check_target(path, overwrite=overwrite)
    library = _library()
    ranking, why_not = rank_run(catalog, run_id, top=BEST)
    surfaces = read_surfaces(catalog, run_id)
    made = _Cells(library)
    _introduce(made, run, _where(catalog, path))
    best = curved(catalog, ranking.trace_ids) if ranking is not None else []
    _best(made, ranking, best, why_not)
    _landscapes(made, surfaces, why_not)
    _one(made, best)
    _health(made)
    with written_whole(catalog, path) as unfinished:
        unfinished.write_text(made.text(), "utf-8")
    return Notebook(path, run_id, tuple(made.left_out))


class _Cells:
    """The cells of a notebook, as they come."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._cells: list[Any] = []
        self.left_out: list[str] = []

    def say(self, text: str) -> None:
        """Add a cell of Markdown."""
        self._add(self._library.v4.new_markdown_cell(text))

    def run(self, code: str) -> None:
        """Add a cell of Python."""
        self._add(self._library.v4.new_code_cell(code))

    def query(self, name: str, values: str) -> None:
        """Add a cell that asks what stands in `sql/<name>.sql`."""
        text = statement(name).strip().removesuffix(";")
        self.run(f'catalog.sql("""\n{text}\n""", {values})')

    def leave_out(self, what: str, why: CatalogError | None) -> None:
        """Say in the place of something why it is not known."""
        hint = f"\n\n{plain(why.hint)}" if why is not None and why.hint else ""
        self.say(f"*Not known:* {plain(str(why))}{hint}" if why else "*Not known.*")
        self.left_out.append(f"{what}: {why}" if why else what)

    def text(self) -> str:
        """Return the notebook as the text of its file."""
        made = self._library.v4.new_notebook(
            cells=self._cells,
            metadata={
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            },
        )
        self._library.validate(made)
        return f"{self._library.writes(made)}\n"

    def _add(self, cell: Any) -> None:
        # Otherwise it is another one each time, and the same run would not give the same file.
        cell["id"] = f"cell-{len(self._cells) + 1}"
        self._cells.append(cell)


def _introduce(made: _Cells, run: Row, catalog: str) -> None:
    data = ", ".join(run["data"])
    made.say(
        f"# Run {plain(run['run_id'])}\n\n{run['strategies']:,} strategies, "
        f"{run['signals']:,} signal traces{f', {plain(data)}' if data else ''}."
    )
    made.run(
        "from catalog import Catalog\n\n"
        "# As seen from the folder of this notebook, which is where Jupyter runs it.\n"
        f"catalog = Catalog({catalog!r})\nRUN = {run['run_id']!r}\n"
        f"ONLY_THIS_RUN = {only(run['run_id'])!r}"
    )
    made.say("## What it is")
    made.query("notebook_overview", '{"run": RUN}')


def _best(
    made: _Cells, ranking: Ranking | None, best: list[str], why_not: CatalogError | None
) -> None:
    made.say(
        "## The best strategies\n\n"
        "A result ends in `.df()` for pandas, in `.pl()` for polars, in `.arrow()` for Arrow."
    )
    made.query("notebook_best", '{"run": RUN}')
    made.say("How much of it luck alone would explain:")
    if ranking is None:
        made.leave_out("ranking and curves", why_not)
        return
    made.run(
        "ranking = catalog.rank(where=ONLY_THIS_RUN, top=20)\n"
        "for verdict in ranking.verdicts:\n"
        "    data = verdict.trials\n"
        '    print(f"{data.symbol} {data.timeframe}: {verdict.sentence}")\n'
        "ranking.rows"
    )
    made.say("## What they grew to\n\nBeside buying and holding, without cost.")
    if not best:
        made.leave_out("curves", why_no_curves())
        return
    traces = "".join(f"    {trace_id!r},\n" for trace_id in best)
    made.run(f'BEST = [\n{traces}]\ncatalog.chart("equity", BEST)')
    made.run('catalog.chart("drawdown", BEST)')


def _landscapes(made: _Cells, surfaces: list[Surface], why_not: CatalogError | None) -> None:
    made.say("## Landscape\n\nThe Sharpe ratio over two parameters.")
    if not surfaces:
        made.leave_out("landscape", why_not)
    for surface in surfaces:
        found = surface.landscape
        made.say(f"### {plain(surface.strategy_type)}")
        if found is None:
            made.leave_out(f"landscape of {surface.strategy_type}", surface.why_not)
            continue
        made.run(
            "catalog.chart(\n"
            '    "heat-map",\n'
            f"    where={surface.where!r},\n"
            f"    x={found.x.name!r},\n"
            f"    y={found.y.name!r},\n"
            ")"
        )


def _one(made: _Cells, best: list[str]) -> None:
    made.say("## One trace\n\nThe best one; put the `trace_id` of another one in its place.")
    if not best:
        made.run(
            'found = catalog.sql("select min(trace_id) from strategy_index '
            'where run_id = $run", {"run": RUN})\n'
            "TRACE = found.fetchall()[0][0]"
        )
    else:
        made.run(f"TRACE = {best[0]!r}")
    made.query("notebook_signals", '{"trace": TRACE}')
    if best:
        made.say("Month by month:")
        made.query("notebook_months", '{"trace": TRACE}')


def _health(made: _Cells) -> None:
    made.say("## Health\n\nWhat is gone, in quarantine, unknown or not measured; empty is good.")
    made.query("run_health", '{"run": RUN}')


def plain(text: str) -> str:
    """Return text as Markdown that shows it as it is, whatever it holds."""
    shown = "".join(f"\\{one}" if one in _MARKDOWN else one for one in " ".join(text.split()))
    # Quotes need no escaping outside of tags, and there are none.
    return escape(shown, quote=False)


def _where(catalog: Path, notebook: Path) -> str:
    """Return the path of the catalog from where the notebook lies; absolute where far apart."""
    whole = os.path.realpath(catalog)
    try:
        near = os.path.relpath(whole, os.path.realpath(notebook.parent))
    except ValueError:
        # They are on different drives.
        return whole
    return whole if near.split(os.sep).count(os.pardir) > MOST_UP else Path(near).as_posix()


def _file_name(run_id: str) -> str:
    """Return a run's id as a name that every file system takes."""
    return "".join(one if one.isalnum() or one in "-_." else "_" for one in run_id).lstrip(".")


def _library() -> Any:
    try:
        return import_module("nbformat")
    except ImportError:
        raise UsageError(
            "Writing notebooks needs a library that is not installed",
            hint="Install it: pip install 'strategy-trace-catalog[notebook]'",
        ) from None
