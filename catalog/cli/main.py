"""The group of commands, and the one place where errors become messages."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from catalog.errors import CatalogError

COMMANDS = (
    "register", "sql", "export", "info", "show", "find", "lineage", "prices", "metrics", "rank",
    "correlate", "repaint", "compact", "unpack", "demo", "completion",
)  # fmt: skip


class Commands(click.Group):
    """Commands that are imported when they are used, so that starting is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"catalog.cli.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of ours becomes a message and its exit status."""
        try:
            return super().invoke(ctx)
        except CatalogError as error:
            click.echo(f"{click.style('error:', fg='red', bold=True)} {error}", err=True)
            if error.hint:
                hint = click.style("hint:", fg="cyan", bold=True)
                click.echo(f"\n{hint} {error.hint}", err=True)
            ctx.exit(error.exit_status)
        except KeyboardInterrupt:
            click.echo("stopped: what was done so far stays as it is", err=True)
            ctx.exit(1)
        except BrokenPipeError:
            # Somebody closed the other end, as `head` does: there is no one left to tell.
            sys.stderr.close()
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="strategy-trace-catalog", prog_name="catalog")
def main() -> None:
    """
    One catalog.duckdb that knows every strategy trace.

    \b
    catalog register old_runs --sweep grid.yaml
    catalog sql "from strategies limit 5"
    catalog export strategy_index.parquet
    """
