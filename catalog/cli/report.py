"""catalog report: a run or strategies in one file to share."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say
from catalog.cli.progress import progress_bar


@click.command("report")
@click.argument("selection", nargs=-1)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write: .html.",
)
@click.option("--where", metavar="CONDITION", help="Only what meets this, on strategy_index.")
@click.option("--top", type=int, help="So many strategies, the best by Sharpe ratio; ten at most.")
@click.option("--overwrite", is_flag=True, help="Write over a file that is there already.")
@quiet_option
@catalog_option
def command(
    selection: tuple[str, ...],
    output: Path,
    where: str | None,
    top: int | None,
    overwrite: bool,
    quiet: bool,
    path: Path,
) -> None:
    """
    Write a report to share: one file, which needs neither network nor scripts.

    SELECTION is a run (what it holds, its best strategies and what luck explains of them,
    curves, landscapes, months, health), or up to ten strategies or traces, as `catalog show`
    takes them (configuration, curves, figures in and out of sample, trades, months).

    \b
    Examples:
      catalog report march -o march.html
      catalog report 39a6426ec117 -o bands.html
      catalog report --where "symbol = 'AAPL'" --top 5 -o best.html
    """
    with progress_bar("reporting", quiet=quiet):
        made = open_catalog(path).report(
            selection, output, where=where, top=top, overwrite=overwrite
        )
    of = f"run {made.run_id}" if made.run_id is not None else plural(len(made.trace_ids), "trace")
    say("reported", f"{of}, to {made.path}")
