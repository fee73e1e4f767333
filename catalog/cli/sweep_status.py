"""catalog sweep status: how many configurations of a sweep are done, stale, failed, missing."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.cli.options import open_catalog, plural, say, say_next
from catalog.cli.progress import progress_bar
from catalog.cli.sweep_options import (
    said_again,
    say_behind,
    say_places,
    strategy_option,
    sweep_options,
)


@click.command("status")
@sweep_options
@strategy_option(required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "csv", "json", "jsonl", "markdown")),
    default="table",
    show_default=True,
    help="How to print the counts.",
)
def status(
    file: Path | str,
    symbols: tuple[str, ...],
    timeframes: tuple[str, ...],
    start: str | None,
    end: str | None,
    bars: tuple[int, int] | None,
    quiet: bool,
    path: Path,
    strategy: tuple[str, ...],
    form: str,
) -> None:
    """
    Count the configurations of the sweep in FILE by strategy type and state.

    \b
    done     there is a trace over the range
    behind   its trace is on all prices that there were, unchanged, and more were appended
    stale    prices, over the range of its trace, or code, or a component have changed
    failed   computing it failed, and no trace is newer
    missing  there is no trace of it over the range

    Configurations are compared by what they mean: 20 and 20.0 are the same. Of traces that sweep
    run made, all columns of the prices are compared; of others times and closes, for more they do
    not say. Of code only the module counts that --strategy names.

    \b
    Example:
      catalog sweep status grid.yaml --symbol SPY --timeframe 5m
    """
    from catalog.cli.output import print_table

    with progress_bar("comparing", quiet=quiet):
        found = open_catalog(path).sweep_status(
            file,
            symbols=symbols,
            timeframes=timeframes,
            start=start,
            end=end,
            bars=bars,
            strategy=strategy or None,
        )
    print_table(found.table, form, rows=200)
    say_places(found.places)
    counts = [
        f"{found[state]:,} {state}"
        for state in ("done", "behind", "stale", "failed", "missing")
        if found[state]
    ]
    say("sweep", f"{plural(found.total, 'configuration')} of {found.name}: {', '.join(counts)}")
    for note, count in found.notes.items():
        say("note", f"{count:,} done or behind, though {note}")
    words = said_again(file, symbols, timeframes, start, end, bars)
    say_behind(found["behind"], words)
    if found["missing"] or found["stale"] or found["failed"]:
        say_next(f"catalog sweep run {words} --strategy module:function")
    elif found["behind"]:
        say_next(f"catalog sweep run {words} --behind --strategy module:function")
    else:
        say_next("catalog rank")
