"""catalog backup: a consistent copy of the catalog and what lies beside it."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say
from catalog.cli.progress import progress_bar


@click.command("backup")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Take the place of an earlier backup.")
@click.option(
    "--without-packs",
    is_flag=True,
    help="Leave packs out. They may hold traces whose files are deleted.",
)
@quiet_option
@catalog_option
def command(folder: Path, overwrite: bool, without_packs: bool, quiet: bool, path: Path) -> None:
    """
    Copy the catalog, and what lies beside it, to a FOLDER, as they are at one moment.

    Others go on reading and writing meanwhile. The copy is checked, and appears whole. In it are
    catalog.duckdb, the facts, sweeps, prices and packs in catalog.d, and backup.json, which tells
    that it is a backup. Trace files are not, but for those in packs.

    \b
    Example:
      catalog backup /disk2/catalog_monday

    \b
    To restore it where the catalog was:
      rm -f catalog.duckdb catalog.duckdb.wal
      cp -rp /disk2/catalog_monday/. .
      catalog verify --fast
    """
    with progress_bar("copying", quiet=quiet) as progress:
        report = open_catalog(path).backup(
            folder, overwrite=overwrite, packs=not without_packs, progress=progress
        )
    for done in report.left_before:
        say("before", done)
    packs = "packs and prices included" if report.with_packs else "prices included, packs not"
    say(
        "copied",
        f"{plural(report.traces, 'trace')} in {plural(report.files, 'file')} of "
        f"{report.size / 1e6:,.1f} MB to {report.path}, {packs}, {report.seconds:.1f} s",
    )
    say("restore", f"cp -rp {report.path}/. FOLDER, without a {path.name}.wal there")
