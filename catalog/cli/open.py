"""catalog open: a catalog over a published lake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar

if TYPE_CHECKING:
    from catalog.lake.open import Opened

ATTENTION = 3


@click.command("open")
@click.argument("lake", metavar="LAKE")
@click.option("--forgotten", is_flag=True, help="Bring back what was forgotten of it.")
@quiet_option
@catalog_option
def command(lake: str, forgotten: bool, quiet: bool, path: Path) -> None:
    """
    Open a published lake: what it says of its traces comes into the catalog, their rows stay.

    LAKE is a folder, or a URL such as s3://bucket/lake. Opened again, the catalog takes in what
    is new there, and what left the lake goes. The exit status is 3 where something could not be
    taken over.

    \b
    Examples:
      catalog open /mnt/team/lake
      catalog open s3://bucket/lake --catalog team.duckdb
    """
    with progress_bar("opening", quiet=quiet):
        report = open_catalog(path).open(lake, forgotten=forgotten)
    _print(report)
    if report.needs_attention:
        raise SystemExit(ATTENTION)
    say_next('catalog sql "from strategies limit 5"')


def _print(report: Opened) -> None:
    many = plural(report.in_lake, "trace")
    say("opened", f"{report.place}: {many} of {plural(report.writers, 'writer')}")
    if report.forgotten:
        many = plural(report.forgotten, "trace")
        say("forgotten", f"{many}, which stay so; bring them back with --forgotten")
    strategies = f"{report.strategies:+,} strategies"
    say("catalog", f"{report.traces:+,} traces, {strategies}, {report.runs:+,} runs")
    say("rows", f"{plural(report.files, 'file')} of the lake, {report.size / 1e6:,.1f} MB")
    if report.prices:
        say("prices", ", ".join(report.prices))
    if report.returned:
        say("returns", f"those of {plural(report.returned, 'trace')} were copied")
    if report.tags:
        say("tags", f"{report.tags:+,}")
    if report.without_column:
        say("params", f"{plural(report.without_column, 'parameter')} beyond the 500th column")
    for one in report.lost:
        say("lost", one)
