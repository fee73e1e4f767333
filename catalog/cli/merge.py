"""catalog merge: another catalog's rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar

if TYPE_CHECKING:
    from catalog.lake.merge import Merge

ATTENTION = 3
SHOWN = 10


@click.command("merge")
@click.argument("other", metavar="OTHER.duckdb", type=click.Path(dir_okay=False, path_type=Path))
@quiet_option
@catalog_option
def command(other: Path, quiet: bool, path: Path) -> None:
    """
    Take the rows of another catalog in: strategies, runs, traces, figures, returns, prices, tags.

    The same trace in both is one. Trace files stay where they are, and the other catalog as it
    is; a second merge changes nothing. The exit status is 3 where something did not come along.

    \b
    Examples:
      catalog merge ../laptop/catalog.duckdb
      catalog merge /mnt/team/catalog.duckdb --catalog all.duckdb
    """
    with progress_bar("merging", quiet=quiet):
        report = open_catalog(path).merge(other)
    _print(report, other)
    if report.needs_attention:
        raise SystemExit(ATTENTION)


def _print(report: Merge, other: Path) -> None:
    many = "strategy" if report.strategies == 1 else "strategies"
    new = f"{plural(report.traces, 'trace')}, {report.strategies:,} {many}"
    say("merged", f"{new} and {plural(report.runs, 'run')} that were not here yet")
    if report.packed:
        say("copied", f"{plural(report.packed, 'trace')} out of packs, whose files are gone")
    if report.prices:
        say("prices", ", ".join(report.prices))
    if report.tags:
        say("tagged", plural(report.tags, "tag"))
    for old, new_id in sorted(report.renamed.items()):
        say("run", f"{old} is called {new_id} here: another run has its name")
    if report.without_column:
        say("params", f"{plural(report.without_column, 'parameter')} beyond the 500th column")
    for one in report.lost[:SHOWN]:
        say("lost", one)
    if len(report.lost) > SHOWN:
        say("lost", f"… and {len(report.lost) - SHOWN:,} more")
    if report.notes:
        say("inbox", f"{plural(report.notes, 'note')} wait there: catalog register, with {other}")
    for place in report.lakes:
        say_next(f"catalog open {place}")
