"""catalog completion: let the shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """
    Print a script that lets SHELL complete this program's commands and options.

    \b
    Example:
      catalog completion bash >> ~/.bashrc
    """
    from catalog.cli.main import main

    completion = get_completion_class(shell)
    assert completion is not None  # noqa: S101 - click knows the three shells
    click.echo(completion(main, {}, "catalog", "_CATALOG_COMPLETE").source())
