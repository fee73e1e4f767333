"""catalog forget: take traces out of the catalog, and their files only if that is asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar

if TYPE_CHECKING:
    from catalog.upkeep.forget import Forgetting

ATTENTION = 3
SHOWN = 10


@click.command("forget")
@click.argument("references", nargs=-1, metavar="[REFERENCE]...")
@click.option("--run", metavar="RUN_ID", help="Only the traces of this run, of every kind.")
@click.option("--where", metavar="CONDITION", help="Only those that meet this, on strategy_index.")
@click.option("--missing", is_flag=True, help="Only those whose files are gone.")
@click.option("--delete-files", is_flag=True, help="Delete their files too.")
@click.option("--dry-run", is_flag=True, help="Say what would be forgotten, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@quiet_option
@catalog_option
def command(
    references: tuple[str, ...],
    run: str | None,
    where: str | None,
    missing: bool,
    delete_files: bool,
    dry_run: bool,
    yes: bool,
    quiet: bool,
    path: Path,
) -> None:
    """
    Take traces out of the catalog, with all that was computed of them.

    A REFERENCE is a trace's id or path, or a strategy as `catalog show` takes it. Files stay
    where they are, and `catalog register` passes them over as long as they are unchanged;
    `catalog register FOLDER --forgotten` brings them back. --delete-files deletes them. How many
    strategies were tried is not forgotten.

    \b
    Examples:
      catalog forget --missing
      catalog forget --run 20240601_broken --dry-run
      catalog forget --where "is_flat" --delete-files
    """
    is_terminal = sys.stdin.isatty()
    if delete_files and not (yes or dry_run or is_terminal):
        raise click.UsageError("There is no terminal to ask in: add --yes, or --dry-run")

    def confirm(report: Forgetting) -> bool:
        with progress.paused():
            _describe(report, delete_files=delete_files)
            question = "Forget them, and delete the files?" if delete_files else "Forget them?"
            return yes or not is_terminal or click.confirm(question, err=True)

    with progress_bar("forgetting", quiet=quiet) as progress:
        report = open_catalog(path).forget(
            *references,
            run=run,
            where=where,
            missing=missing,
            delete_files=delete_files,
            dry_run=dry_run,
            confirm=confirm,
            progress=progress,
        )
    if report.finished:
        say("finished", f"{plural(report.finished, 'file')} deleted that was left from before")
    if report.is_preview:
        if dry_run:
            _describe(report, delete_files=delete_files)
            say_next("the same without --dry-run")
        else:
            say("forgot", "nothing")
            raise SystemExit(1)
        return
    _print(report, delete_files=delete_files)
    if report.kept:
        raise SystemExit(ATTENTION)


def _describe(report: Forgetting, *, delete_files: bool) -> None:
    many = "strategy" if report.strategies == 1 else "strategies"
    runs = plural(len(report.runs), "run")
    traces = plural(report.traces, "trace")
    say("meant", f"{traces} of {report.strategies:,} {many} in {runs}")
    for run, count in report.runs.most_common(SHOWN):
        say("", f"{count:>9,}  {run}")
    if len(report.runs) > SHOWN:
        say("", f"        …  and {len(report.runs) - SHOWN:,} more")
    if report.files:
        what = "to be deleted" if delete_files else "which stay"
        say("files", f"{plural(report.files, 'file')} of {report.size / 1e6:,.1f} MB, {what}")
    if report.pending:
        what = "to be deleted too" if delete_files else "which stay without --delete-files"
        say("before", f"{plural(len(report.pending), 'file')} left by who was stopped, {what}")
        for name in report.pending[:SHOWN]:
            say("", name)
        if len(report.pending) > SHOWN:
            say("", f"…  and {len(report.pending) - SHOWN:,} more")


def _print(report: Forgetting, *, delete_files: bool) -> None:
    if not report.traces:
        return
    say("forgot", plural(report.traces, "trace"))
    if delete_files:
        say("deleted", plural(report.deleted, "file"))
    for reason, count in report.kept.items():
        say("kept", f"{plural(count, 'file')} not deleted: {reason}")
    if not delete_files and report.files:
        say_next("catalog register FOLDER --forgotten brings back what was forgotten there")
