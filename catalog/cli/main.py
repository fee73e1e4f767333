"""The group of commands, and the one place where errors become messages."""

from __future__ import annotations

import atexit
import gc
import sys
from importlib import import_module
from typing import Any

import click

from catalog.errors import CatalogError

# In the order in which people need them, with what the list of commands says of each. Written
# here, that list needs no command's module; a command's own --help says the rest.
COMMANDS = {
    "register": "Register the trace files of folders",
    "sql": "Run one SQL query that reads, and print its rows",
    "export": "Write the strategy index to a file",
    "info": "Say what the catalog holds, in figures",
    "show": "Show a strategy, its configuration and its traces",
    "find": "Find strategies by their parameters",
    "duplicates": "Find what was computed more than once",
    "changed": "Find traces that differ though nothing says why",
    "diff": "Compare two strategies, or two traces",
    "runs": "List the runs, or compare two of them",
    "tag": "Remember what is worth knowing about strategies and traces",
    "lineage": "Print what a strategy is made of, and who uses it",
    "sweep": "Say what of a sweep is computed, and compute what is missing",
    "prices": "Add price series, and list them",
    "metrics": "Compute what strategies earned, and how they earned it",
    "rank": "Rank measured strategies, and say how much luck explains",
    "correlate": "Correlate what measured strategies earned",
    "plot": "Draw equity, drawdown, parameters or correlation into a file",
    "report": "Write a run or strategies into one file to share",
    "notebook": "Write a Jupyter notebook about a run, to go on from",
    "repaint": "Find strategies whose past changed as more data came",
    "ui": "Look at the catalog in a browser",
    "verify": "Look for what is damaged, changed, gone or unknown",
    "compact": "Write registered signal traces into a few sorted packs",
    "unpack": "Write the files of packed traces again",
    "relocate": "Say that folders of traces were moved, or the catalog itself",
    "open": "Make a catalog over a published lake, or bring it up to date",
    "merge": "Take the rows of another catalog in",
    "bundle": "Pack traces, their index and a small catalog for a colleague",
    "publish": "Write what a lake lacks of the catalog, for any engine to read",
    "backup": "Copy the catalog and what lies beside it, at one moment",
    "vacuum": "Make the file of the catalog smaller",
    "rebuild": "Make the catalog anew from traces, packs and what lies beside it",
    "forget": "Take traces out of the catalog, and their files only if asked to",
    "upgrade": "Write old traces anew in the format of today",
    "demo": "Sweep four strategies over real prices, as an example",
    "completion": "Print a script that makes a shell complete commands",
}


class Commands(click.Group):
    """Commands that are imported when they are used, so that starting is quick."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command, and end."""
        # To look for garbage while modules load, and among all of them at the end, takes longer
        # than to find a strategy among a million.
        gc.set_threshold(50_000)
        atexit.register(gc.freeze)
        return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order in which they are listed."""
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command is for."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

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
            stopped(ctx)
        except RuntimeError as error:
            # A Ctrl-C that arrives while DuckDB works comes out of it as this, without a cause.
            if str(error) != "Query interrupted":
                raise
            stopped(ctx)
        except BrokenPipeError:
            # Somebody closed the other end, as `head` does: there is no one left to tell.
            sys.stderr.close()
            ctx.exit(1)


def stopped(ctx: click.Context) -> None:
    """End a command that somebody stopped with Ctrl-C."""
    click.echo("stopped: what was done so far stays as it is", err=True)
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
