"""catalog sweep run: compute what of a sweep is missing, over processes."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.cli.options import open_catalog, plural, say, say_next
from catalog.cli.progress import progress_bar
from catalog.cli.sweep_options import said_again, say_places, strategy_option, sweep_options

ATTENTION = 3


@click.command("run")
@sweep_options
@strategy_option(required=True)
@click.option(
    "--stale/--no-stale", default=True, show_default=True, help="Compute stale ones again."
)
@click.option(
    "--failed/--no-failed", default=True, show_default=True, help="Try failed ones again."
)
@click.option("--behind", is_flag=True, help="Compute those whose prices have more bars by now.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes. Default: one a core.")
@click.option(
    "--runs",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder in which the run's directory is made. Default: runs, beside the catalog.",
)
def run(
    file: Path | str,
    symbols: tuple[str, ...],
    timeframes: tuple[str, ...],
    start: str | None,
    end: str | None,
    bars: tuple[int, int] | None,
    quiet: bool,
    path: Path,
    strategy: tuple[str, ...],
    stale: bool,
    failed: bool,
    behind: bool,
    workers: int | None,
    runs: Path | None,
) -> None:
    """
    Compute the configurations of the sweep in FILE that are not computed yet.

    MODULE:FUNCTION is called with each configuration, a dict with type and parameters, and the
    bars of the range, an Arrow table with ts, open, high, low, close, volume and more. It returns
    the position at the close of each bar, as a fraction of equity (for a classifier its state, as
    text): an array or list as long as the table. The module is looked for in the current folder
    too. Traces say the digest of the module's source, so that status knows which are of other
    code; only of that module: what it imports from others may change, and they stay done.

    What raises is recorded as failed, and the exit status is 3. Killed at any moment, run it
    again: it goes on with what is left. Ctrl-C lets each process finish what it is at.

    \b
    Examples:
      catalog sweep run grid.yaml --strategy strategies:positions
      catalog sweep run grid.yaml --strategy sma=my.sma:positions --strategy rsi=my.rsi:positions
    """
    states = ["missing"] + ["stale"] * stale + ["failed"] * failed + ["behind"] * behind
    with progress_bar("computed", quiet=quiet) as progress:
        found = open_catalog(path).run_sweep(
            file,
            strategy,
            symbols=symbols,
            timeframes=timeframes,
            start=start,
            end=end,
            bars=bars,
            states=states,
            runs=runs,
            workers=workers,
            progress=progress,
        )
    say_places(found.places)
    if found.recovered:
        say("recovered", f"{plural(found.recovered, 'trace')} of an earlier run that was stopped")
    counts = ", ".join(f"{count:,} {state}" for state, count in found.wanted.items() if count)
    say("wanted", f"{plural(found.total, 'configuration')}" + (f": {counts}" if counts else ""))
    say("computed", f"{plural(found.computed, 'trace')} in {found.seconds:,.1f} s")
    if found.computed:
        say("run", str(found.run_directory))
    if found.waiting:
        say("inbox", f"{plural(found.waiting, 'trace')} that the next writer will register")
    for strategy_id, error in found.errors.items():
        say("failed", f"{strategy_id}: {error}")
    if found.failed > len(found.errors):
        say("failed", f"… and {found.failed - len(found.errors):,} more")
    if found.interrupted:
        left = found.total - found.computed - found.failed
        say("stopped", f"{plural(left, 'configuration')} left: run the command again to go on")
        raise SystemExit(1)
    if found.failed:
        words = said_again(file, symbols, timeframes, start, end, bars)
        say_next(f"catalog sweep missing {words} --state failed")
        raise SystemExit(ATTENTION)
    say_next("catalog metrics")
