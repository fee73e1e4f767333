"""catalog runs: the runs that there are, and how two of them differ."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
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
    import pyarrow as pa

    from catalog.query.result import Result

FORMATS = ("table", "csv", "json", "jsonl", "markdown")
SHOWN = [
    "run_id", "created_at", "signals", "classifiers", "others", "strategies", "data", "bars",
    "size_mb", "missing", "quarantined",
]  # fmt: skip
DIFFERENCES = [
    "finding", "strategy_id", "strategy_hash", "strategy_type", "kind", "symbol", "timeframe",
    "trace_a", "trace_b",
]  # fmt: skip
_FORMAT = click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print the rows."
)


@click.group("runs", invoke_without_command=True)
@_FORMAT
@catalog_option
@click.pass_context
def command(ctx: click.Context, form: str, path: Path) -> None:
    """
    List the runs, or compare two of them.

    A table leaves out columns that the other formats have.

    \b
    Examples:
      catalog runs
      catalog runs diff march april
    """
    ctx.obj = path
    if ctx.invoked_subcommand is not None:
        return
    from catalog.cli.output import print_table, write_rows

    found = open_catalog(path).runs()
    if form == "table":
        print_table(_drawn(found.table), form, rows=200)
    else:
        write_rows(found, form, None, catalog=path)
    sys.stdout.flush()
    _print(found)


def _drawn(table: pa.Table) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    sizes = pc.round(pc.divide(table["size_bytes"].cast(pa.float64()), 1e6), 2)
    table = table.append_column("size_mb", sizes)
    data = [", ".join(one) for one in table["data"].to_pylist()]
    table = table.set_column(table.column_names.index("data"), "data", pa.array(data, pa.string()))
    place = table.column_names.index("created_at")
    seconds = pc.floor_temporal(table["created_at"], unit="second")
    return table.set_column(place, "created_at", seconds).select(SHOWN)


def _print(found: Result) -> None:
    import pyarrow.compute as pc

    sums = {
        name: pc.sum(found.table[name]).as_py() or 0
        for name in ("signals", "classifiers", "others", "missing", "quarantined")
    }
    say("runs", f"{len(found):,}")
    traces = sums["signals"] + sums["classifiers"] + sums["others"]
    say("traces", f"{traces:,}")
    if wrong := listed([(name, sums[name]) for name in ("missing", "quarantined")]):
        say("files", wrong)
    ids = found.table["run_id"].to_pylist()
    two = f"catalog runs diff {quote(ids[1])} {quote(ids[0])}" if len(ids) > 1 else None
    say_next(two or "catalog register FOLDER")


@command.command("diff")
@click.argument("a")
@click.argument("b")
@click.option("--all", "every", is_flag=True, help="List what is the same in both, too.")
@click.option(
    "--overlap",
    is_flag=True,
    help="Where ranges are not the same, read both traces and compare the bars that both have.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=40, show_default=True,
    help="Rows of the table at most; other formats have all.",
)  # fmt: skip
@_FORMAT
@quiet_option
@catalog_option
@click.pass_context
def diff(
    ctx: click.Context,
    a: str,
    b: str,
    every: bool,
    overlap: bool,
    limit: int,
    form: str,
    quiet: bool,
    path: Path,
) -> None:
    """
    Compare what two runs traced: in one only, same content, changed content.

    A and B are a run_id, its beginning or end, a name, or a folder. Strategies are the same
    where their configurations mean the same; one whose configuration is unknown goes by the
    name that the run gave it. Contents are compared where the ranges are the same.

    \b
    Examples:
      catalog runs diff march april
      catalog runs diff march april --all --format csv
    """
    from catalog.cli.output import print_table

    if ctx.get_parameter_source("path") is click.core.ParameterSource.DEFAULT:
        # It may have been given before the word diff.
        path = ctx.obj
    with progress_bar("comparing", quiet=quiet):
        found = open_catalog(path).diff_runs(a, b, overlap=overlap)
    table = found.rows.table if every else found.differing
    if form != "table":
        print_table(table, form)
    elif table.num_rows:
        import pyarrow.compute as pc

        names = pc.coalesce(table["id_a"], table["id_b"])
        shown = table.append_column("strategy_id", names).select(DIFFERENCES)
        print_table(shown, form, rows=limit)
    sys.stdout.flush()
    say("a", found.run_a)
    say("b", found.run_b)
    for finding, count in found.counts.items():
        if count:
            say("traced", f"{count:,} {finding}")
    if not sum(found.counts.values()):
        say("traced", "neither has signals or classifiers")
    for reason in sorted(set(found.unread.values())):
        count = list(found.unread.values()).count(reason)
        say("unread", f"{plural(count, 'trace')}: {reason}")
    changed = [row for row in table.to_pylist() if row["finding"].startswith("changed")]
    if changed:
        say_next(f"catalog diff {changed[0]['trace_a']} {changed[0]['trace_b']}")
    elif found.counts["other range"]:
        say_next(f"catalog runs diff {quote(a)} {quote(b)} --overlap")
