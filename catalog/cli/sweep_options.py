"""What the commands about sweeps share: which places and range are meant, and how to tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from catalog.cli.options import FILE_OR_URL, catalog_option, quiet_option, say

if TYPE_CHECKING:
    from catalog.sweeps.places import Place

Command = TypeVar("Command", bound=Callable[..., Any])

_MOST_PLACES = 12


def _bars(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    found = re.fullmatch(r"(\d+):(\d+)", value)
    if found is None:
        raise click.BadParameter(f"{value!r} are no bars; write the first and the last, as 0:999")
    return int(found[1]), int(found[2])


_OPTIONS = (
    click.argument("file", type=FILE_OR_URL),
    click.option("--symbol", "symbols", multiple=True, help="Instead of the file's; repeatable."),
    click.option(
        "--timeframe", "timeframes", multiple=True, help="Instead of the file's; repeatable."
    ),
    click.option(
        "--from",
        "start",
        metavar="DATE|TIME",
        help="First session, or moment with an offset. Default: all registered prices.",
    ),
    click.option("--to", "end", metavar="DATE|TIME", help="The last one, which belongs to it."),
    click.option(
        "--bars",
        metavar="FIRST:LAST",
        callback=_bars,
        help="Instead: 0-based bars, the last included.",
    ),
    quiet_option,
    catalog_option,
)


def sweep_options(command: Command) -> Command:
    """Give a command FILE and the options that say where and over which range."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def strategy_option(*, required: bool) -> Callable[[Command], Command]:
    """Give a command the option --strategy."""
    why = (
        "The function that computes positions; repeatable with TYPE= before it."
        if required
        else "The function, so that traces of other code are stale; repeatable with TYPE=."
    )
    return click.option(
        "--strategy",
        "strategy",
        multiple=True,
        required=required,
        metavar="[TYPE=]MODULE:FUNCTION",
        help=why,
    )


def say_places(places: Iterable[Place]) -> None:
    """Print over which range configurations are looked at, and where that comes from."""
    places = list(places)
    for place in places[:_MOST_PLACES]:
        say("range", f"{place} ({place.source})")
        if place.cut:
            say("note", f"{place.name}: {place.cut}")
        if not place.has_prices:
            say("warning", f"no prices of {place.name} are registered to compare traces with")
    if len(places) > _MOST_PLACES:
        say("range", f"… and {len(places) - _MOST_PLACES:,} more")


def say_behind(count: int, words: str) -> None:
    """Say how many are behind, which nothing computes unless it is asked for."""
    if count:
        command = f"catalog sweep run {words} --behind --strategy module:function"
        say("behind", f"{count:,}: computed before prices were appended; {command} computes them")


def said_again(
    file: Path | str,
    symbols: tuple[str, ...],
    timeframes: tuple[str, ...],
    start: str | None,
    end: str | None,
    bars: tuple[int, int] | None,
) -> str:
    """Return the file and the options that were given, as they stand in a command."""
    import shlex

    pairs = [
        *(("--symbol", one) for one in symbols),
        *(("--timeframe", one) for one in timeframes),
        ("--from", start),
        ("--to", end),
        ("--bars", None if bars is None else f"{bars[0]}:{bars[1]}"),
    ]
    words = [str(file), *(word for name, one in pairs if one is not None for word in (name, one))]
    return shlex.join(words)
