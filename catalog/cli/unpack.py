"""catalog unpack: write the files of packed traces again."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say
from catalog.cli.progress import progress_bar


@click.command("unpack")
@click.argument("trace_ids", nargs=-1, metavar="[TRACE_ID]...")
@click.option("--run", metavar="RUN_ID", help="Only the traces of this run.")
@click.option("--where", metavar="CONDITION", help="Only those that meet this, on strategy_index.")
@click.option(
    "--to",
    help="Write into this folder, or URL, instead of where the files were.",
)
@quiet_option
@catalog_option
def command(
    trace_ids: tuple[str, ...],
    run: str | None,
    where: str | None,
    to: str | None,
    quiet: bool,
    path: Path,
) -> None:
    """
    Write the files of packed traces again: the same rows, columns and footer keys.

    A file that is there is left as it is, and the packs stay.

    \b
    Examples:
      catalog unpack
      catalog unpack --where "strategy_hash = '39a6426ec117'" --to traces_to_share
    """
    if trace_ids and (run is not None or where is not None):
        raise click.UsageError("Name traces, or give --run or --where, not both")
    with progress_bar("unpacked", quiet=quiet) as progress:
        report = open_catalog(path).unpack(
            *trace_ids, run=run, where=where, to=to, progress=progress
        )
    say("unpacked", plural(len(report.written), "file"))
    if report.there:
        say("unchanged", f"{plural(report.there, 'file')} already there")
    if report.loose:
        say("loose", f"{plural(report.loose, 'trace')} in no pack")
