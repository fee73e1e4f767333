"""catalog changed: traces that differ though nothing says why."""

from __future__ import annotations

import sys
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
    import pyarrow as pa

    from catalog.compare.changed import Changed

ATTENTION = 3
FORMATS = ("table", "csv", "json", "jsonl", "markdown")
SHOWN = [
    "strategy_id", "strategy_hash", "kind", "symbol", "timeframe", "first_bar", "last_bar",
    "earlier_run", "later_run", "earlier", "later",
]  # fmt: skip


@click.command("changed")
@click.option(
    "--where",
    metavar="CONDITION",
    help="Only pairs with a trace that meets this, on strategy_index.",
)
@click.option("--all", "every", is_flag=True, help="List what other data or code explains too.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print the rows."
)
@quiet_option
@catalog_option
def command(where: str | None, every: bool, form: str, quiet: bool, path: Path) -> None:
    """
    Find traces of one configuration over the same range whose content differs.

    An alarm is a pair of traces whose configuration, symbol, timeframe, range, price data and
    code are all known and equal: the strategy is not deterministic, or depends on something
    that nobody recorded, such as highs or volumes: a trace says the digest of times and closes.
    Ends with status 3 where there is one. Listed apart are the pairs
    that changed for an unknown cause, since one of these is not known.

    Traces over different ranges are compared by catalog repaint.

    \b
    Examples:
      catalog changed
      catalog changed --all --format csv
    """
    from catalog.cli.output import print_table

    with progress_bar("looking", quiet=quiet):
        found = open_catalog(path).changed(where=where)
    pairs = found.pairs.table
    if form != "table":
        import pyarrow.compute as pc

        told = pairs if every else pairs.filter(pc.is_in(pairs["cause"], _causes()))
        print_table(told, form)
    else:
        _draw("alarm: every key is equal, and the content differs", found.alarms, [])
        _draw("changed, cause unknown", found.unexplained, ["unknown"])
        if every:
            import pyarrow.compute as pc

            rest = pairs.filter(pc.invert(pc.is_in(pairs["cause"], _causes())))
            _draw("changed with its data or code", rest, ["cause"])
    sys.stdout.flush()
    _print(found)
    if found.alarms.num_rows:
        raise SystemExit(ATTENTION)


def _causes() -> pa.Array:
    import pyarrow as pa

    return pa.array(["none", "unknown"])


def _draw(title: str, table: pa.Table, columns: list[str]) -> None:
    from catalog.cli.output import print_table

    if table.num_rows:
        click.echo(title)
        print_table(table.select([*columns, *SHOWN]), "table")


def _print(found: Changed) -> None:
    alarms, unexplained = found.alarms, found.unexplained
    say("alarms", f"{alarms.num_rows:,}")
    if unexplained.num_rows:
        say("unknown", f"{plural(unexplained.num_rows, 'pair')} changed for a cause unknown")
    if explained := listed([(f"by other {cause}", n) for cause, n in found.explained.items()]):
        say("explained", explained)
    if found.unknown_configs:
        say("left out", f"{plural(found.unknown_configs, 'trace')} of unknown configurations")
    worst = alarms if alarms.num_rows else unexplained
    if worst.num_rows:
        say_next(f"catalog diff {worst['earlier'][0].as_py()} {worst['later'][0].as_py()}")
    else:
        say_next("catalog repaint, for traces over different ranges")
