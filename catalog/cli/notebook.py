"""catalog notebook: a Jupyter notebook about a run."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from catalog.cli.options import catalog_option, open_catalog, quiet_option, say, say_next
from catalog.cli.progress import progress_bar


@click.command("notebook")
@click.argument("run")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write: .ipynb.  [default: RUN.ipynb]",
)
@click.option("--overwrite", is_flag=True, help="Write over a file that is there already.")
@quiet_option
@catalog_option
def command(run: str, output: Path | None, overwrite: bool, quiet: bool, path: Path) -> None:
    """
    Write a Jupyter notebook about a run, to go on from.

    RUN is a run_id, its beginning or end, a name, or the folder of the run. Paths, queries and
    plots are filled in: what the run is, its best strategies and what luck explains of them,
    curves, landscapes, the signals and months of one trace, and the health of the run.

    \b
    Examples:
      catalog notebook march
      catalog notebook march -o analysis/march.ipynb
    """
    with progress_bar("filling in", quiet=quiet):
        made = open_catalog(path).notebook(run, output, overwrite=overwrite)
    say("written", f"the notebook of {made.run_id} to {made.path}")
    for one in made.left_out:
        say("left out", one)
    say_next(f"jupyter lab {quote(str(made.path))}")
