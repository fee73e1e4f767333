"""How a query would be run, as text that runs nearly so in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from catalog.cli.options import plural

if TYPE_CHECKING:
    from catalog.query.choose import Choice
    from catalog.query.plan import Plan


def write_plan(plan: Plan) -> None:
    """Print what is read for each relation and why, and the query as it is rewritten."""
    opened = 0
    for choice in {choice.chosen.number: choice for choice in plan.choices}.values():
        opened += choice.chosen.files + choice.chosen.packs + choice.chosen.lake_files
        read = _read(choice, plan.totals[choice.relation])
        click.echo(f"-- {choice.relation}_{choice.chosen.number}: {read}")
        if choice.condition is not None:
            click.echo(f"--   those where {choice.condition}")
        elif choice.why is not None:
            click.echo(f"--   all of them: {choice.why}")
    for lateral in plan.laterals:
        opened += lateral.files
        click.echo(f"-- read_parquet({lateral.argument}): opens {plural(lateral.files, 'file')}")
    if not plan.choices and not plan.laterals:
        click.echo("-- opens no trace file")
    else:
        click.echo(f"-- opens {plural(opened, 'file')} in all")
    click.echo(plan.outline.strip())


def _read(choice: Choice, total: int) -> str:
    parts = []
    if choice.chosen.files or not (choice.chosen.packs or choice.chosen.lakes):
        parts.append(plural(choice.chosen.files, "file"))
    if choice.chosen.packs:
        parts.append(plural(choice.chosen.packs, "pack"))
    if choice.chosen.lake_files:
        parts.append(f"{plural(choice.chosen.lake_files, 'file')} of a lake")
    return f"{choice.traces:,} of {plural(total, 'trace')}; opens {' and '.join(parts)}"
