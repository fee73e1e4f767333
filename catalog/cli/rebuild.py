"""catalog rebuild: make the catalog anew from trace files, packs and what lies beside it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar

if TYPE_CHECKING:
    from catalog.upkeep.differences import Difference
    from catalog.upkeep.rebuild import Rebuild

ATTENTION = 3
SHOWN = 20


@click.command("rebuild")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@click.option("--no-metrics", is_flag=True, help="Leave the figures out: catalog metrics has them.")
@quiet_option
@catalog_option
def command(folders: tuple[Path, ...], no_metrics: bool, quiet: bool, path: Path) -> None:
    """
    Make the catalog anew from trace files, packs, and what lies beside them and in catalog.d.

    For a catalog.duckdb that is damaged or gone, or that is not to be trusted. Where it can be
    read, what differs is said. It is kept under another name, and nothing else is touched. All
    folders that were ever registered are; name FOLDERS that are not known any more. The exit
    status is 3 where something differs, or could not be brought back.

    \b
    Examples:
      catalog rebuild
      catalog rebuild ../old_runs
    """
    with progress_bar("making it anew", quiet=quiet) as progress:
        report = open_catalog(path).rebuild(*folders, metrics=not no_metrics, progress=progress)
    _print(report, path)
    if report.needs_attention:
        sys.exit(ATTENTION)


def _print(report: Rebuild, path: Path) -> None:
    packed = f", {report.packed:,} of them only in packs" if report.packed else ""
    many = "strategy" if report.strategies == 1 else "strategies"
    say(
        "rebuilt",
        f"{path}: {plural(report.traces, 'trace')}{packed}, {report.strategies:,} {many}, "
        f"{plural(report.runs, 'run')}, {report.seconds:.1f} s",
    )
    more = [
        (report.prices, "price series", "price series"),
        (report.measured, "measured trace", "measured traces"),
        (report.tags, "tag", "tags"),
        (report.forgotten, "forgotten trace", "forgotten traces"),
    ]
    if words := ", ".join(
        f"{count:,} {one if count == 1 else all_}" for count, one, all_ in more if count
    ):
        say("too", words)
    if report.notes:
        say("inbox", f"{plural(report.notes, 'note')} of finalized traces taken in")
    if report.aside is not None:
        say("kept", f"the old one is {report.aside}")
    if report.brought_back:
        known = ", ".join(
            f"{count:,} {name.replace('_', ' ')}" for name, count in report.brought_back.items()
        )
        say("back", f"the old one did not know {known}, of which catalog.d did")
    if report.unreadable is not None:
        say("old one", f"not compared: {report.unreadable}")
    elif not report.differences:
        say("old one", "says the same")
    for one in report.differences:
        say("differs", _difference(one))
    for text in report.lost[:SHOWN]:
        say("lost", text)
    if len(report.lost) > SHOWN:
        say("lost", f"… and {len(report.lost) - SHOWN:,} more")
    if report.quarantined:
        say("quarantine", f"{plural(report.quarantined, 'file')} that could not be registered")
        say_next('catalog sql "from quarantine"')
    else:
        say_next("catalog verify")


def _difference(one: Difference) -> str:
    parts = []
    if one.only_before:
        parts.append(f"{plural(one.only_before, 'row')} only in the old one")
    if one.only_after:
        parts.append(f"{plural(one.only_after, 'row')} only in the new one")
    parts += [f"{name} in {plural(count, 'row')}" for name, count in one.columns.items()]
    return f"{one.relation}: {', '.join(parts)}; such as {one.examples[0]}"
