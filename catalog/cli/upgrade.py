"""catalog upgrade: old traces, written anew in our own format."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from catalog.cli.options import (
    FILE_OR_URL,
    catalog_option,
    listed,
    open_catalog,
    plural,
    quiet_option,
    say,
    say_next,
)
from catalog.cli.progress import progress_bar
from catalog.cli.register import IGNORED, KINDS, SOURCES

if TYPE_CHECKING:
    from catalog.upgrade.report import Upgrade

SHOWN = 10
ATTENTION = 3
LEFT_OUT = IGNORED | {"copy of a registered trace": ("copy of a trace", "copies of traces")}
TIMES = {"file": "from the files", "prices": "from the prices", "unknown": "unknown"}


@click.command("upgrade")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR2",
    help="Where the new files go: a new folder, or one that this command made from DIR before.",
)
@click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    type=FILE_OR_URL,
    help="A sweep file (YAML), or its URL, that made some of the traces; may be given many times.",
)
@click.option("--dry-run", is_flag=True, help="Read and report, and write nothing.")
@quiet_option
@catalog_option
def command(
    folder: Path,
    output: Path,
    sweeps: tuple[Path | str, ...],
    dry_run: bool,
    quiet: bool,
    path: Path,
) -> None:
    """
    Write the old traces at and below DIR anew in our format; DIR is left alone.

    Parameters and hash go into every file, bars count from 0, and times are in UTC: from the
    catalog's prices where a file knows only when it was written. Every new file is read back
    and compared with its source, row by row. Run it again after an interruption, or with more
    sweep files or prices: it goes on where it stopped. Where a file was left out, or has no
    parameters, the exit status is 3.

    \b
    Example:
      catalog upgrade ../old_runs --output runs --sweep grid.yaml
    """
    with progress_bar("converting traces", quiet=quiet) as progress:
        report = open_catalog(path).upgrade(
            folder, output=output, sweeps=sweeps, dry_run=dry_run, progress=progress
        )
    print_report(report)
    if report.sources["unknown"]:
        say_next("the same with --sweep FILE, the sweep file that made these traces")
    elif report.times["unknown"]:
        say_next("catalog prices add FILE --symbol SYMBOL --timeframe 1m, and the same again")
    elif dry_run:
        say_next("the same without --dry-run")
    else:
        say_next(f"catalog register {quote(str(output))}")
    if report.needs_attention:
        sys.exit(ATTENTION)


def print_report(report: Upgrade) -> None:
    """Print what an upgrade came to, on stderr."""
    done = "would make" if report.dry_run else "converted"
    generations = listed(sorted((f"of {name}", n) for name, n in report.converted.items()))
    text = plural(report.converted.total(), "file") + (f" ({generations})" if generations else "")
    say(done, f"{text} in {plural(len(report.runs), 'run')}, {report.seconds:.1f} s")
    if report.there:
        say("unchanged", f"{plural(report.there, 'file')} that were made before")
    if report.kinds:
        kinds = [(kind if report.kinds[kind] == 1 else f"{kind}s", report.kinds[kind])
                 for kind in KINDS]  # fmt: skip
        verb = "to compare" if report.dry_run else "compared"
        say("holding", f"{listed(kinds)}; {report.rows:,} rows, {verb} with their sources")
        known = [(words, report.sources[source]) for source, words in SOURCES.items()]
        say("parameters", listed([*known, ("unknown", report.sources["unknown"])]))
        say("times", listed([(words, report.times[name]) for name, words in TIMES.items()]))
    if report.copied:
        say("copied", f"{plural(report.copied, 'file')} of our format already")
    if report.removed:
        say("removed", f"{plural(report.removed, 'file')} made before that are elsewhere now")
    if report.left_over:
        more = f" and {len(report.left_over) - 1:,} more" if len(report.left_over) > 1 else ""
        say("left over", f"{report.left_over[0]}{more}: no file of the folder makes it")
    if report.ignored:
        named = {reason: LEFT_OUT.get(reason, (reason, reason)) for reason in report.ignored}
        say("ignored", listed([(named[r][n != 1], n) for r, n in report.ignored.most_common()]))
    for reason, without in report.without_times.most_common():
        say("warning", f"{plural(without, 'trace')} without times of bars: {reason}")
    if report.sources["unknown"]:
        count = plural(report.sources["unknown"], "trace")
        say("warning", f"{count} without a hash: nobody knows the parameters")
    for label, problems in (("quarantine", report.quarantined), ("failed", report.failed)):
        if problems:
            say(label, f"{plural(len(problems), 'file')} left out")
            for problem in problems[:SHOWN]:
                click.echo(f"  {problem.error}", err=True)
            if len(problems) > SHOWN:
                click.echo(f"  … and {len(problems) - SHOWN:,} more", err=True)
