"""catalog verify: whether files and catalog are still true to each other."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar

if TYPE_CHECKING:
    from catalog.verify.finding import Finding, Verification

ATTENTION = 3
SHOWN = 5
FORMATS = ("table", "json", "jsonl", "csv")


def _share(ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
    """Return a share such as 5% or 0.05 as a number from 0 to 1."""
    try:
        if text is None:
            return None
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no share: write 5% or 0.05") from error


@click.command("verify")
@click.argument("paths", nargs=-1)
@click.option("--sample", callback=_share, help="Read only so many of the files, such as 5%.")
@click.option("--seed", type=int, help="Take the same sample again.")
@click.option("--fast", is_flag=True, help="Look at sizes, times and names only.")
@click.option("--deep", is_flag=True, help="Read every file as a trace again; compare its row.")
@click.option("--repair", is_flag=True, help="Mend what needs no trace file to be touched.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print findings."
)
@quiet_option
@catalog_option
def command(
    paths: tuple[str, ...],
    sample: float | None,
    seed: int | None,
    fast: bool,
    deep: bool,
    repair: bool,
    form: str,
    quiet: bool,
    path: Path,
) -> None:
    """
    Look for what is damaged, changed, gone, unknown or left over.

    Reads the bytes of every registered file, pack and price series once, and compares them
    with what was registered; PATHS limit it to files and folders. Prints only what is wrong,
    and what to do about it. The exit status is 3 when anything is, or stays so after
    --repair, which registers again, marks what is gone, drops orphaned rows, removes what
    killed processes left, and makes views anew. It never writes or deletes a trace file.

    \b
    Examples:
      catalog verify
      catalog verify --sample 5% --format json
      catalog verify --fast --repair runs/20240601_sweep
    """
    with progress_bar("verifying", quiet=quiet) as progress:
        report = open_catalog(path).verify(
            *paths, sample=sample, seed=seed, fast=fast, deep=deep, repair=repair,
            progress=progress,
        )  # fmt: skip
    _print(report.findings, form)
    _say(report, fast=fast)
    if report.needs_attention:
        raise SystemExit(ATTENTION)


def _print(findings: list[Finding], form: str) -> None:
    rows = [
        {"path": f.path, "finding": f.finding, "detail": f.detail, "what_to_do": f.what_to_do}
        for f in findings
    ]
    if form == "json":
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    elif form == "jsonl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif form == "csv":
        import csv
        import io

        text = io.StringIO()
        writer = csv.DictWriter(text, list(_COLUMNS), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        click.echo(text.getvalue(), nl=False)
    else:
        _print_groups(findings)


_COLUMNS = ("path", "finding", "detail", "what_to_do")


def _print_groups(findings: list[Finding]) -> None:
    """Print findings by what they are and what is to be done about them, a few of each."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        # What to do names a file's own folder or trace: a group says it as for its first one.
        groups.setdefault((one.finding, one.what_to_do.partition(":")[0]), []).append(one)
    for (finding, _), members in groups.items():
        click.echo(f"{finding} ({len(members):,})")
        for one in members[:SHOWN]:
            click.echo(f"  {one.path}: {one.detail}")
        if len(members) > SHOWN:
            click.echo(f"  … and {len(members) - SHOWN:,} more")
        click.echo(f"  → {members[0].what_to_do}")


def _say(report: Verification, *, fast: bool) -> None:
    looked = plural(report.files, "trace file")
    if report.packs:
        looked += f" and {plural(report.packs, 'pack')}"
    if fast:
        how = "by size, time and name; no bytes were read"
    else:
        how = f"{plural(report.read, 'file')} of {report.size_bytes / 1e6:,.1f} MB read"
    if report.sample is not None:
        how += f", a sample of {report.sample:.3g} (--seed {report.seed})"
    say("verified", f"{looked}, {how}, {report.seconds:.1f} s")
    if report.touched:
        say(
            "touched", f"{plural(len(report.touched), 'file')} with another time and the same bytes"
        )
    for repair, count in Counter(one.repair for one in report.repairs).items():
        first = next(one.path for one in report.repairs if one.repair == repair)
        more = f" and {count - 1:,} more" if count > 1 else ""
        say("repaired", f"{repair}: {first}{more}")
    if not report.findings:
        say("found", "nothing wrong")
        return
    say("found", plural(len(report.findings), "finding"))
    if not report.repairs:
        say_next("catalog verify --repair, which mends what needs no trace file to be touched")
