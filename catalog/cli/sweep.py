"""catalog sweep: what of a sweep is computed, what is missing, and computing that."""

from __future__ import annotations

import click

from catalog.cli.sweep_missing import missing
from catalog.cli.sweep_run import run
from catalog.cli.sweep_status import status


@click.group("sweep")
def command() -> None:
    """
    Say what of a sweep is computed, what is missing, and compute that.

    A sweep file is YAML: symbols, timeframes, and under strategies entries with a type and
    params, each one value, a list, or a range such as {from: 5, to: 50, step: 5}; `where: fast <
    slow` leaves combinations out. Dates in a sweep file are passed over: the range is that of
    --from and --to, or all registered prices.

    \b
    Examples:
      catalog sweep status grid.yaml
      catalog sweep missing grid.yaml --format jsonl > todo.jsonl
      catalog sweep run grid.yaml --strategy strategies:positions --workers 8
    """


command.add_command(status)
command.add_command(missing)
command.add_command(run)
