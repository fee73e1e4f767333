"""catalog export: write strategy_index.parquet to share."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--where", help="Only the traces that meet this condition on strategy_index.")
@quiet_option
@catalog_option
def command(file: Path, where: str | None, quiet: bool, path: Path) -> None:
    """
    Write the strategy index to FILE: .parquet, .csv, .json or .jsonl.

    One row per signal trace, with every parameter as a typed column `param_…`. Paths of
    traces below FILE's folder are relative to it.

    \b
    Example:
      catalog export strategy_index.parquet --where "strategy_type = 'rsi'"
    """
    with progress_bar("exporting", quiet=quiet):
        count = open_catalog(path).export_strategy_index(file, where=where)
    say("exported", f"{plural(count, 'trace')} to {file}")
    if file.suffix == ".parquet":
        say_next(f"catalog sql \"select * from read_parquet('{file}') limit 5\"")
    else:
        say_next("catalog export strategy_index.parquet, which keeps the types of the columns")
