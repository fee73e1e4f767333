"""catalog bundle: some traces, their index and a small catalog for a colleague."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import (
    catalog_option,
    listed,
    open_catalog,
    plural,
    quiet_option,
    say,
    say_next,
)
from catalog.cli.progress import progress_bar

if TYPE_CHECKING:
    from catalog.upkeep.bundle import Bundle

ATTENTION = 3
SHOWN = 5


@click.command("bundle")
@click.argument("target", metavar="FILE.zip|FOLDER", type=click.Path(path_type=Path))
@click.option("--where", metavar="CONDITION", help="Only those that meet this, on strategy_index.")
@click.option("--run", metavar="RUN_ID", help="Only the traces of this run, of every kind.")
@click.option("--prices", is_flag=True, help="Also the prices of their symbols.")
@quiet_option
@catalog_option
def command(
    target: Path, where: str | None, run: str | None, prices: bool, quiet: bool, path: Path
) -> None:
    """
    Pack traces for a colleague: the files as they are, their index and a small catalog.

    A colleague opens the catalog in it, or registers it into another one: trace ids, runs,
    hashes and configurations are the same there. README.txt in it says how. The exit status is
    3 where something that is meant could not be packed.

    \b
    Examples:
      catalog bundle best.zip --where "sharpe > 1 and symbol = 'SPY'" --prices
      catalog bundle sweep_a --run 20240601_sweep
    """
    with progress_bar("packing", quiet=quiet) as progress:
        report = open_catalog(path).bundle(
            target, where=where, run=run, prices=prices, progress=progress
        )
    _print(report, target)
    if report.needs_attention:
        raise SystemExit(ATTENTION)


def _print(report: Bundle, target: Path) -> None:
    many = "strategy" if report.strategies == 1 else "strategies"
    traces = f"{plural(report.traces, 'trace')} of {report.strategies:,} {many}"
    runs, size = plural(report.runs, "run"), f"{report.size / 1e6:,.1f} MB"
    say("bundled", f"{traces} in {runs} to {target}, {size}")
    if report.unpacked:
        say("unpacked", f"{plural(report.unpacked, 'file')} out of packs")
    if report.series:
        say("prices", ", ".join(report.series))
    for one in report.without_prices:
        say("prices", f"none of {one}: catalog prices add")
    if report.left:
        left = listed(list(report.left.items()))
        say("left", f"{plural(report.left.total(), 'trace')} not in it: {left}")
    if report.differing:
        some = ", ".join(report.differing[:SHOWN])
        say("differing", f"{plural(len(report.differing), 'trace')} not known alike there: {some}")
    is_archive = target.suffix.lower() == ".zip"
    before, folder = (f"unzip {target} && ", target.stem) if is_archive else ("", str(target))
    say_next(f"{before}catalog register {folder}, with another catalog")
