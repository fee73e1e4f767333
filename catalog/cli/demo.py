"""catalog demo: a sweep over real prices, from nothing to the exported index."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.cli.options import plural, quiet_option, say, say_next, terminal_width
from catalog.cli.progress import progress_bar


@click.command("demo")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--catalog",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    show_default="DIRECTORY/catalog.duckdb",
    help="The catalog to register the traces in.",
)
@quiet_option
def command(directory: Path, path: Path | None, quiet: bool) -> None:
    """
    Sweep four strategies over real prices in DIRECTORY, and catalog the traces.

    Needs the extra: pip install 'strategy-trace-catalog[demo]'

    \b
    Example:
      catalog demo sweep_demo
    """
    from catalog.cli.output import box
    from catalog.demo.run import run_demo

    with progress_bar("working", quiet=quiet) as progress:

        def tell(text: str) -> None:
            with progress.paused():
                click.echo(text, err=True)

        report = run_demo(directory, path, say=tell)
    for title, table in report.results:
        click.echo(f"\n{title}")
        click.echo(box(table, width=terminal_width()), nl=False)
    say("demo", f"{plural(report.traces, 'trace')} in {report.seconds:.1f} s, below {directory}")
    say_next(f"catalog ui --catalog {report.catalog}")
    say("or", f"catalog find --catalog {report.catalog} --type bollinger_bands period=20")
