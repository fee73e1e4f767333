"""catalog relocate: folders were moved, or the catalog itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar

if TYPE_CHECKING:
    from catalog.upkeep.relocation import Relocation

ATTENTION = 3
SHOWN = 10


@click.command("relocate")
@click.argument("old", required=False)
@click.argument("new", required=False)
@quiet_option
@catalog_option
def command(old: str | None, new: str | None, quiet: bool, path: Path) -> None:
    """
    Let the catalog know that the traces in OLD are in NEW now.

    Without folders: that the catalog itself was moved or copied, with the traces below its
    folder. Traces keep their ids, and nothing is registered anew. The exit status is 3 where
    files are missing or are not what was registered.

    \b
    Examples:
      catalog relocate /data/runs /archive/runs
      catalog relocate /data/runs s3://bucket/runs
      catalog relocate
    """
    with progress_bar("looking", quiet=quiet) as progress:
        report = open_catalog(path).relocate(old, new, progress=progress)
    _print(report, moved=new)
    if report.needs_attention:
        say_next(
            'catalog sql "from missing_files"' if report.missing else "catalog register FOLDER"
        )
        raise SystemExit(ATTENTION)
    say_next('catalog sql "from strategies limit 5"')


def _print(report: Relocation, *, moved: str | None) -> None:
    say("found", f"{plural(report.found, 'trace')} in {moved}" if moved else _found(report))
    if report.retimed:
        say("compared", f"{plural(report.retimed, 'file')} of another time, by their bytes")
    if report.packed:
        say("packed", f"{plural(report.packed, 'trace')} in packs only")
    if report.stayed:
        say("stayed", f"{plural(report.stayed, 'trace')} still at the old place, known there")
    for run in report.renamed:
        say("run", f"{run} keeps its id, though its folder has another name")
    for folder in report.lost:
        say("lost", f"{folder} is not there: if it was moved, catalog relocate {folder} NEW")
    for label, paths in (("missing", report.missing), ("changed", report.changed)):
        if paths:
            say(label, plural(len(paths), "file"))
        for one in paths[:SHOWN]:
            click.echo(f"  {one}", err=True)
        if len(paths) > SHOWN:
            click.echo(f"  … and {len(paths) - SHOWN:,} more", err=True)


def _found(report: Relocation) -> str:
    return f"{plural(report.found, 'trace')} where they should be"
