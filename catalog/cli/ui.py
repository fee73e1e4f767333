"""catalog ui: look at the catalog in a browser."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.cli.options import catalog_option, open_catalog, say


@click.command("ui")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Where to listen on 127.0.0.1; one that is free unless given.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@catalog_option
def command(port: int, no_browser: bool, path: Path) -> None:
    """
    Look at the catalog in a browser: strategies, landscapes, rankings, comparisons.

    The pages are served on this machine alone, read only, and need no network. Ctrl-C ends it.

    \b
    Examples:
      catalog ui
      catalog ui --port 8000 --no-browser
    """
    from catalog.errors import UsageError

    try:
        from catalog.web.server import serve
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The pages need a library that is not installed: {error.name}",
            hint="pip install 'strategy-trace-catalog[ui]'",
        ) from error

    serve(
        open_catalog(path),
        port=port,
        browser=not no_browser,
        say=_print_address,
    )


def _print_address(address: str) -> None:
    click.echo(address)
    say("next", "open it in a browser; Ctrl-C ends it")
