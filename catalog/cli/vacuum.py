"""catalog vacuum: make the file of the catalog smaller."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.cli.options import catalog_option, open_catalog, quiet_option, say
from catalog.cli.progress import progress_bar


@click.command("vacuum")
@quiet_option
@catalog_option
def command(quiet: bool, path: Path) -> None:
    """
    Write the catalog into a new file, where that is smaller by a tenth or more.

    DuckDB keeps the room of what was deleted or written anew for later. Others wait meanwhile.
    Traces and packs are left alone: `catalog compact` is for those.

    \b
    Example:
      catalog vacuum
    """
    with progress_bar("writing anew", quiet=quiet):
        report = open_catalog(path).vacuum()
    before, after = report.size_before / 1e6, report.size_after / 1e6
    if report.gained:
        say("vacuumed", f"{path}: {before:,.1f} MB before, {after:,.1f} MB now")
    else:
        say("vacuumed", f"{path}: nothing to gain, {before:,.1f} MB")
