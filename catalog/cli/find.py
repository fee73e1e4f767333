"""catalog find: strategies by their parameters or tags, or by what they are like."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import (
    catalog_option,
    open_catalog,
    plural,
    quiet_option,
    say,
    say_next,
    terminal_width,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from catalog.compare.like import Like


@click.command("find")
@click.argument("conditions", nargs=-1)
@click.option("--type", "strategy_type", help="Only strategies of this type.")
@click.option("--tag", "tags", multiple=True, help="Only strategies that have this tag.")
@click.option(
    "--like", "reference", metavar="HASH", help="The strategies that are most like this one."
)
@click.option(
    "--by",
    type=click.Choice(("parameters", "behaviour")),
    help="With --like, in what. Default: a table of each.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Rows at most.  [default: 100, or 10 with --like]",
)
@quiet_option
@catalog_option
def command(
    conditions: tuple[str, ...],
    strategy_type: str | None,
    tags: tuple[str, ...],
    reference: str | None,
    by: str | None,
    limit: int | None,
    quiet: bool,
    path: Path,
) -> None:
    """
    Find the strategies whose parameters meet all CONDITIONS.

    A condition is KEY=VALUE, or in quotes, since < and > mean something to the shell,
    'KEY>=VALUE' with one of = != < <= > >=; or tag=TAG.

    With --like, those nearest to one strategy. In parameters: of the same type, by the mean
    over the parameters of how many steps two values are apart, of all the steps between the
    values that occur; words are 0 or 1 apart. In behaviour: by the share of bars at which both
    hold the same position, of the latest traces on the same symbols and timeframes.

    \b
    Examples:
      catalog find --type bollinger_bands period=20 'std_dev>=2'
      catalog find --like 39a6426ec117 --by behaviour
    """
    catalog = open_catalog(path)
    if reference is not None:
        # What is found by parameters alone takes less time than this to load.
        from catalog.cli.progress import progress_bar

        with progress_bar("comparing", quiet=quiet):
            found = catalog.like(
                reference,
                *conditions,
                by=by,
                strategy_type=strategy_type,
                tags=tags,
                limit=limit or 10,
            )
        _print_like(found, reference)
        return
    if by is not None:
        raise click.UsageError("--by says in what strategies are alike: give --like HASH too")
    some = catalog.find(
        *conditions,
        strategy_type=strategy_type,
        tags=tags,
        limit=limit or 100,
        width=terminal_width(),
    )
    click.echo(some.drawn, nl=False)
    say("found", f"{plural(some.total, 'strategy').replace('strategys', 'strategies')}")
    if some.total:
        first = some.rows[0][0]
        say_next(f"catalog show {first}" if first else 'catalog sql "from strategies limit 5"')
    else:
        say_next('catalog sql "from parameters", for the parameters that there are')
    sys.stdout.flush()


def _print_like(found: Like, reference: str) -> None:
    nearest = None
    for title, table in (
        ("nearest in parameters", found.parameters),
        ("nearest in behaviour", found.behaviour),
    ):
        if table is None:
            continue
        click.echo(title)
        _draw(table)
        if table.num_rows:
            nearest = (
                nearest or table["strategy_hash"][0].as_py() or table["strategy_key"][0].as_py()
            )
    sys.stdout.flush()
    if found.behaviour is not None:
        say("compared", f"the traces of {found.compared:,} others, bar by bar")
    if found.untold is not None:
        say("untold", found.untold)
    for reason in sorted(set(found.unread.values())):
        count = list(found.unread.values()).count(reason)
        say("unread", f"{plural(count, 'trace')}: {reason}")
    if nearest is not None:
        say_next(f"catalog diff {reference} {nearest}")


def _draw(table: pa.Table) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    from catalog.cli.output import print_table

    hashes = pc.coalesce(table["strategy_hash"], table["strategy_key"])
    table = table.set_column(0, "strategy_hash", hashes).drop_columns("strategy_key")
    for place, one in enumerate(table.schema):
        if pa.types.is_floating(one.type):
            table = table.set_column(place, one.name, pc.round(table[one.name], 4))
    print_table(table, "table", rows=max(table.num_rows, 1))
