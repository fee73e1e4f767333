"""catalog find: strategies by their parameters."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from catalog.cli.options import (
    catalog_option,
    open_catalog,
    plural,
    say,
    say_next,
    terminal_width,
)


@click.command("find")
@click.argument("conditions", nargs=-1)
@click.option("--type", "strategy_type", help="Only strategies of this type.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Rows at most."
)
@catalog_option
def command(conditions: tuple[str, ...], strategy_type: str | None, limit: int, path: Path) -> None:
    """
    Find the strategies whose parameters meet all CONDITIONS.

    A condition is KEY=VALUE, or in quotes, since < and > mean something to the shell,
    'KEY>=VALUE' with one of = != < <= > >=.

    \b
    Example:
      catalog find --type bollinger_bands period=20 'std_dev>=2'
    """
    found = open_catalog(path).find(
        *conditions, strategy_type=strategy_type, limit=limit, width=terminal_width()
    )
    click.echo(found.drawn, nl=False)
    say("found", f"{plural(found.total, 'strategy').replace('strategys', 'strategies')}")
    if found.total:
        first = found.rows[0][0]
        say_next(f"catalog show {first}" if first else 'catalog sql "from strategies limit 5"')
    else:
        say_next('catalog sql "from parameters", for the parameters that there are')
    sys.stdout.flush()
