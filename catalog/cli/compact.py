"""catalog compact: many small trace files into a few packs."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar

ATTENTION = 3


@click.command("compact")
@click.option("--run", metavar="RUN_ID", help="Only the traces of this run.")
@click.option("--where", metavar="CONDITION", help="Only those that meet this, on strategy_index.")
@click.option(
    "--delete-originals",
    is_flag=True,
    help="Delete the packed files, once the packs were read back and compared.",
)
@quiet_option
@catalog_option
def command(
    run: str | None, where: str | None, delete_originals: bool, quiet: bool, path: Path
) -> None:
    """
    Write registered signal traces into a few sorted packs, which the tables then read.

    The packs lie beside the catalog. The trace files stay where they are unless
    --delete-originals is given; `catalog unpack` writes them again.

    \b
    Examples:
      catalog compact
      catalog compact --run 20240601_sweep --delete-originals
    """
    with progress_bar("packed", quiet=quiet) as progress:
        report = open_catalog(path).compact(
            run=run, where=where, delete_originals=delete_originals, progress=progress
        )
    if report.packs:
        sizes = f"{report.size_before / 1e6:,.1f} MB of files"
        say("packed", f"{plural(report.traces, 'trace')}, {report.rows:,} rows, {sizes}")
        say("packs", f"{plural(report.packs, 'pack')} of {report.size_after / 1e6:,.1f} MB")
    else:
        say("packed", "0 traces: all that are meant are in packs")
    if delete_originals:
        say("deleted", plural(report.deleted, "file"))
    for reason, count in report.left.items():
        say("left", f"{plural(count, 'trace')} not packed: {reason}")
    for reason, count in report.kept.items():
        say("kept", f"{plural(count, 'file')} not deleted: {reason}")
    say_next('catalog sql "select pack_path, count(*) from trace_files group by all"')
    if report.left or report.kept:
        raise SystemExit(ATTENTION)
