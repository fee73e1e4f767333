"""catalog publish: what a lake lacks of the catalog, for any engine to read."""

from __future__ import annotations

import shlex
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import (
    catalog_option,
    listed,
    open_catalog,
    plural,
    quiet_option,
    say,
    say_next,
)
from catalog.cli.progress import progress_bar

if TYPE_CHECKING:
    from catalog.lake.publish import Published, PublishedTable

ATTENTION = 3
SHOWN = 5


@click.command("publish")
@click.argument("dest", metavar="FOLDER|URL")
@click.option("--where", metavar="CONDITION", help="Only those that meet this, on strategy_index.")
@click.option(
    "--writer", metavar="ID", help="Publish as this writer, 12 hex digits.  [default: its own]"
)
@click.option(
    "--collect-garbage",
    is_flag=True,
    help="Then remove files of this writer that are not read any more.",
)
@click.option(
    "--garbage-age",
    metavar="DAYS",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Only those that were written so long ago.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@quiet_option
@catalog_option
def command(
    dest: str,
    where: str | None,
    writer: str | None,
    collect_garbage: bool,
    garbage_age: float,
    dry_run: bool,
    quiet: bool,
    path: Path,
) -> None:
    """
    Write what a lake lacks of the catalog: plain Parquet, in a folder or at a URL.

    A lake holds the strategies, runs, traces, figures and prices, and the rows of every trace in
    sorted files. Readers see it as it was before or as it is after, whenever this is stopped; run
    again, it goes on where it stopped. What was forgotten since leaves the lake, unless --where
    is given: then what was published before stays. Several catalogs may publish into one lake at
    the same time.

    The exit status is 3 where a trace could not be read.

    \b
    Examples:
      catalog publish /data/lake
      catalog publish s3://team/lake --where "sharpe > 1"
      catalog publish /data/lake --dry-run
    """
    with progress_bar("published", quiet=quiet) as progress:
        report = open_catalog(path).publish(
            dest,
            where=where,
            writer=writer,
            collect_garbage=collect_garbage,
            garbage_age=timedelta(days=garbage_age),
            dry_run=dry_run,
            progress=progress,
        )
    _print(report, is_dry=dry_run)
    if not dry_run:
        say_next(f"catalog open {shlex.quote(dest)}")
    if report.needs_attention:
        raise SystemExit(ATTENTION)


def _print(report: Published, *, is_dry: bool) -> None:
    tables = [one for one in report.tables if one.files]
    say("lake", f"{report.place}, as writer {report.writer}")
    for one in tables:
        what = "to write" if is_dry else "wrote"
        size = "" if is_dry else f", {one.size / 1e6:,.1f} MB"
        rows, files = plural(one.rows, "row"), plural(one.files, "file")
        # How many session returns there are only reading them says.
        about = "about " if is_dry and one.name.startswith("daily_returns") else ""
        say(what, f"{one.name}: {_entries(one)}, {about}{rows}{size} in {files}")
    if not tables and not is_dry:
        is_less = any(one.replaced for one in report.tables)
        say("wrote", "nothing but the manifest" if is_less else "nothing: the lake has it all")
    elif not tables:
        say("to write", "nothing: the lake has it all")
    if reused := sum(one.reused for one in tables):
        say("there", f"{plural(reused, 'file')} of these, from a publish that did not end")
    if kept := sum(one.kept for one in report.tables):
        kept_rows = sum(one.kept_rows for one in report.tables)
        say("kept", f"{plural(kept, 'file')} as they were, {plural(kept_rows, 'row')}")
    if replaced := sum(one.replaced for one in report.tables):
        say("replaced", f"{plural(replaced, 'file')}, which stay until --collect-garbage")
    if report.garbage is not None:
        _print_garbage(report)
    if report.left:
        _print_left(report)


_NOUNS = {"runs": "run", "tags": "tagged thing", "trials": "trial", "trial_figures": "trial"}


def _entries(one: PublishedTable) -> str:
    if one.name in ("price_series", "bars", "metric_ranges"):
        return f"{one.entries:,} series"
    if one.name in ("strategies", "components"):
        return f"{one.entries:,} {'strategy' if one.entries == 1 else 'strategies'}"
    return plural(one.entries, _NOUNS.get(one.name, "trace"))


def _print_garbage(report: Published) -> None:
    garbage = report.garbage
    assert garbage is not None  # noqa: S101 - told before
    for path in garbage.removed:
        say("removed", path)
    size = f"{garbage.size / 1e6:,.1f} MB"
    younger = f", {plural(garbage.younger, 'file')} younger than that" if garbage.younger else ""
    say("garbage", f"{plural(len(garbage.removed), 'file')} removed, {size}{younger}")


def _print_left(report: Published) -> None:
    reasons = Counter(one.reason for one in report.left.values())
    left = listed(list(reasons.items()))
    say("left", f"{plural(len(report.left), 'trace')} not read anew: {left}")
    for one in sorted({one.path for one in report.left.values()})[:SHOWN]:
        say("", one)
