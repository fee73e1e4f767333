"""catalog correlate: how alike strategies earn."""

from __future__ import annotations

import math
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, open_catalog, quiet_option, say, say_next
from catalog.cli.progress import progress_bar
from catalog.cli.terms import DAY

if TYPE_CHECKING:
    import pyarrow as pa

    from catalog.compare.correlate import Correlations

FORMATS = ("table", "csv", "json", "jsonl", "markdown")


@click.command("correlate")
@click.option("--where", metavar="CONDITION", help="Only traces that meet this, on strategy_index.")
@click.option(
    "--top",
    type=click.IntRange(min=2),
    default=20,
    show_default=True,
    help="So many strategies at most, the best by Sharpe ratio.",
)
@click.option("--pairs", is_flag=True, help="List pairs, the most alike or opposed first.")
@click.option("--start", type=DAY, help="First session.")
@click.option("--end", type=DAY, help="Last session.")
@click.option(
    "--fill",
    type=click.Choice(("close", "next_open")),
    default="close",
    show_default=True,
    help="Whether a signal is filled at its own bar's close or at the next open.",
)
@click.option(
    "--cost-bps",
    type=click.FloatRange(min=0, max=10_000, max_open=True),
    default=0.0,
    show_default=True,
    help="Cost of every change of position, one way, in basis points of equity.",
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print the rows."
)
@quiet_option
@catalog_option
def command(
    where: str | None,
    top: int,
    pairs: bool,
    start: date | None,
    end: date | None,
    fill: str,
    cost_bps: float,
    form: str,
    quiet: bool,
    path: Path,
) -> None:
    """
    Correlate the session returns of strategies that were measured.

    Prints a matrix, or with --pairs a row per pair. Two strategies are compared over the
    sessions that both have; one that earned the same in all of them has no correlation. Of
    a strategy on a symbol counts the latest trace.

    \b
    Examples:
      catalog correlate --top 10
      catalog correlate --where "symbol = 'SPY'" --top 200 --pairs --format csv
      catalog correlate --start 2025-01-01
    """
    from catalog.cli.output import print_table

    with progress_bar("correlating", quiet=quiet):
        found = open_catalog(path).correlate(
            where=where, top=top, fill=fill, cost_bps=cost_bps, start=start, end=end
        )
    if pairs:
        print_table(_rounded(found.pairs()) if form == "table" else found.pairs(), form)
    elif form == "table":
        click.echo(_drawn(found), nl=False)
    else:
        print_table(found.table(), form)
    sys.stdout.flush()
    shown = len(found.names)
    better = ", the best by Sharpe ratio" if shown < found.meant else ""
    say("strategies", f"{shown:,} of {found.meant:,}{better}")
    if found.mean is not None:
        say("mean", f"{found.mean:.2f}, of the correlations of two")
    say("sessions", f"{found.common_sessions:,} that all of them have")
    if found.effective is not None:
        say("effective", f"{found.effective:.1f} independent strategies, over those sessions")
    if not pairs:
        say_next("catalog correlate --pairs")


def _rounded(pairs: pa.Table) -> pa.Table:
    import pyarrow.compute as pc

    place = pairs.column_names.index("correlation")
    return pairs.set_column(place, "correlation", pc.round(pairs["correlation"], 4))


def _drawn(found: Correlations) -> str:
    """Return the matrix as text; ids are too long to stand above columns, so numbers do."""
    names = found.names
    label = max(map(len, names))
    digits = len(str(len(names)))
    lines = [" " * (digits + label + 1) + "".join(f"{i:>6}" for i in range(1, len(names) + 1))]
    for number, (name, row) in enumerate(zip(names, found.matrix, strict=True), 1):
        cells = "".join(f"{'' if math.isnan(one) else format(one, '.2f'):>6}" for one in row)
        lines.append(f"{number:>{digits}} {name:<{label}}{cells}")
    return "\n".join(line.rstrip() for line in lines) + "\n"
