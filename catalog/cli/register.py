"""catalog register: record old trace directories."""

from __future__ import annotations

import sys
from pathlib import Path
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

if TYPE_CHECKING:
    from catalog.register.report import Registration

SHOWN = 10
KINDS = ("signal", "classifier", "order", "fill", "position")
IGNORED = {
    "folder without traces": ("folder without traces", "folders without traces"),
    "file that is no Parquet": ("file that is no Parquet", "files that are no Parquet"),
    "file that is no trace": ("file that is no trace", "files that are no traces"),
    "hidden file": ("hidden file", "hidden files"),
    "forgotten": ("forgotten trace", "forgotten traces"),
    "a file of a lake": ("file of a lake", "files of lakes"),
    "an index file": ("index file", "index files"),
    "trades of an older tracer": ("file of trades", "files of trades"),
    "no trace columns": (
        "Parquet file without a trace's columns",
        "Parquet files without a trace's columns",
    ),
}
SOURCES = {
    "footer": "from footers",
    "metadata": "from metadata.json",
    "analytics": "from analytics.duckdb",
    "sweep": "from sweep files",
}


@click.command("register")
@click.argument("folders", nargs=-1, required=True)
@click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    type=FILE_OR_URL,
    help="A sweep file (YAML), or its URL, that made some of the traces; may be given many times.",
)
@click.option("--forgotten", is_flag=True, help="Bring back what was forgotten in the folders.")
@click.option("--dry-run", is_flag=True, help="Read and report, and write nothing.")
@quiet_option
@catalog_option
def command(
    folders: tuple[str, ...],
    sweeps: tuple[Path | str, ...],
    forgotten: bool,
    dry_run: bool,
    quiet: bool,
    path: Path,
) -> None:
    """
    Register the trace files at and below FOLDERS, or URLs such as s3://bucket/runs.

    Registering again is quick and harmless: only what is new or has changed is read.
    Files that cannot be registered are put in quarantine with the reason; then the exit
    status is 3.

    \b
    Example:
      catalog register ../old_runs --sweep grid.yaml
      catalog register s3://bucket/runs
    """
    catalog = open_catalog(path)
    with progress_bar("reading traces", quiet=quiet) as progress:
        report = catalog.register(
            *folders, sweeps=sweeps, forgotten=forgotten, dry_run=dry_run, progress=progress
        )
    print_report(report)
    if report.needs_attention:
        say_next('catalog sql "select reason, count(*), min(path) from quarantine group by all"')
        sys.exit(3)
    unknown = report.sources["unknown"]
    if unknown and not sweeps:
        say_next("catalog register … --sweep FILE, with the sweep file that made these traces")
    elif dry_run:
        say_next("the same without --dry-run")
    else:
        say_next('catalog sql "from strategies limit 5"')


def print_report(report: Registration) -> None:
    """Print what a registration came to, on stderr."""
    kinds = report.kinds
    done = "would register" if report.dry_run else "registered"
    parts = listed([(kind if kinds[kind] == 1 else f"{kind}s", kinds[kind]) for kind in KINDS])
    text = plural(report.registered, "trace") + (f" ({parts})" if len(kinds) > 0 else "")
    if report.runs:
        text += f" in {plural(len(report.runs), 'run')}"
    say(done, f"{' ' * (0 if len(done) < 11 else 1)}{text}, {report.seconds:.1f} s")
    known = [(words, report.sources[source]) for source, words in SOURCES.items()]
    if report.sources.total():
        from_where = listed(known)
        unknown = f"{report.sources['unknown']:,} unknown"
        say("parameters", f"{from_where}, {unknown}" if from_where else unknown)
    if kinds["signal"]:
        say("content", f"{len(report.contents):,} distinct signal traces of {kinds['signal']:,}")
    if report.notes:
        say("inbox", f"{plural(report.notes, 'note')} of finalized traces taken in")
    if report.unchanged:
        say("unchanged", f"{plural(report.unchanged, 'file')}, not read again")
    if report.missing:
        say("missing", f"{plural(report.missing, 'file')} gone since the last time")
    if report.copies:
        more = f" and {len(report.copies) - 1:,} more" if len(report.copies) > 1 else ""
        say("copies", f"{report.copies[0]}{more}: counted once")
    if report.ignored:
        named = {reason: IGNORED.get(reason, (reason, reason)) for reason in report.ignored}
        counts = [(named[reason][n != 1], n) for reason, n in report.ignored.most_common()]
        say("ignored", listed(counts))
    for warning in _warnings(report):
        say("warning", warning)
    if report.needs_attention:
        total = len(report.quarantined) + report.still_quarantined
        say("quarantine", f"{plural(total, 'file')} that could not be registered")
        for problem in report.quarantined[:SHOWN]:
            click.echo(f"  {problem.error}", err=True)
        if total > SHOWN:
            click.echo(f"  … and {total - SHOWN:,} more", err=True)


def _warnings(report: Registration) -> list[str]:
    warnings = list(report.warnings[:SHOWN])
    if len(report.warnings) > SHOWN:
        warnings.append(f"… and {len(report.warnings) - SHOWN:,} more like these")
    if report.without_bar_times:
        count = plural(report.without_bar_times, "trace")
        know = "knows" if report.without_bar_times == 1 else "know"
        warnings.append(f"{count} {know} no bar times: they are matched to prices by bar_index")
    if report.without_column:
        warnings.append(
            f"{plural(report.without_column, 'parameter')} beyond the 500th: no column of "
            "their own, read them from config"
        )
    return warnings
