"""catalog repaint: traces of one configuration that differ where their ranges overlap."""

from __future__ import annotations

import sys
from collections import Counter
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
    from catalog.compare.repaint import Repaints

ATTENTION = 3
FORMATS = ("table", "csv", "json", "jsonl", "markdown")
SHOWN = [
    "strategy_id", "shorter_run", "longer_run", "where_differs", "first_bar", "first_ts",
    "shorter_value", "longer_value", "bars_differ", "bars",
]  # fmt: skip


@click.command("repaint")
@click.option(
    "--where",
    metavar="CONDITION",
    help="Only pairs with a trace that meets this, on strategy_index.",
)
@click.option("--all", "every", is_flag=True, help="List the pairs that agree too.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print the rows."
)
@quiet_option
@catalog_option
def command(where: str | None, every: bool, form: str, quiet: bool, path: Path) -> None:
    """
    Find strategies whose signals were other ones when more data was there.

    The same configuration over a longer range must have the same signals on the bars that
    both ranges share. Where it has not, the strategy looks ahead, or its code or its prices
    changed in between. Listed are the pairs of traces that differ, and the first bar that
    does; a table leaves out columns that the other formats have.

    A difference on the `last bar only` may be a run that closed its position at its end; one
    at the `start` of a range that begins later may be warm-up. Ends with status 3 where a
    pair differs.

    \b
    Examples:
      catalog repaint
      catalog repaint --where "strategy_type = 'rsi_bands'" --all --format csv
    """
    from catalog.cli.output import print_table

    with progress_bar("comparing", quiet=quiet) as progress:
        found = open_catalog(path).repaint(where=where, progress=progress)
    table = found.pairs if every else found.differing
    if form != "table":
        print_table(table, form)
    elif table.num_rows:
        print_table(table.select(SHOWN), form)
    sys.stdout.flush()
    _print(found)
    if found.differing.num_rows or found.unread:
        raise SystemExit(ATTENTION)


def _print(found: Repaints) -> None:
    pairs = found.pairs.num_rows
    if pairs:
        say("compared", f"{plural(pairs, 'pair')} of traces on the bars they share")
        say("agree", f"{found.agree:,} of {pairs:,}")
    elif not found.unread:
        say("compared", "0 pairs: no configuration has traces over ranges that overlap")
    differing = found.differing
    if differing.num_rows:
        places = Counter(differing["where_differs"].to_pylist())
        say(
            "differ",
            f"{plural(differing.num_rows, 'pair')}: {listed(dict(sorted(places.items())))}",
        )
    for reason, count in Counter(found.unread.values()).items():
        say("unread", f"{plural(count, 'trace')}: {reason}")
    if differing.num_rows:
        one = differing["longer"][0].as_py()
        say_next(f"catalog show {one}   or   catalog sql \"from signals where trace_id = '{one}'\"")
