"""catalog prices: the price series that strategies are measured on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar

if TYPE_CHECKING:
    from catalog.prices.add import PricesAdded

ATTENTION = 3


@click.group("prices")
def command() -> None:
    """
    Add price series, and list them.

    \b
    Examples:
      catalog prices add SPY.parquet --symbol SPY --timeframe 1m --tz America/New_York
      catalog prices list
    """


@command.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--symbol", required=True, help="The symbol, as the traces have it.")
@click.option("--timeframe", required=True, help="The length of a bar, such as 1m, 5m, 1h, 1d.")
@click.option(
    "--tz",
    metavar="ZONE",
    help="The market's time zone: its days are the sessions, and times without an offset are "
    "local in it. Default: UTC, for times that have an offset.",
)
@click.option(
    "--label",
    type=click.Choice(("open", "close")),
    default="open",
    show_default=True,
    help="Whether the time of a bar is its beginning or its end.",
)
@click.option(
    "--adjustment",
    metavar="TEXT",
    help="How prices were adjusted for splits and dividends, to be remembered.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=NAME",
    help="The column of ts, open, high, low, close or volume; may be given many times.",
)
@click.option(
    "--regular-hours",
    metavar="FROM-TO",
    help="Default: 09:30-16:00 for America/New_York; elsewhere all bars are regular.",
)
@click.option(
    "--renumber",
    is_flag=True,
    help="Traces that know only bar numbers mean those of FILE, not of the first version.",
)
@quiet_option
@catalog_option
def add(
    file: Path,
    symbol: str,
    timeframe: str,
    tz: str | None,
    label: str,
    adjustment: str | None,
    columns: tuple[str, ...],
    regular_hours: str | None,
    renumber: bool,
    quiet: bool,
    path: Path,
) -> None:
    """
    Add the bars of a symbol and timeframe from FILE, Parquet or CSV.

    The columns are found by their usual names. Other prices take the place of those that were
    there, and what was computed from those is forgotten; the same again changes nothing. Where
    something about the prices should be looked at, the exit status is 3.

    \b
    Examples:
      catalog prices add SPY.parquet --symbol SPY --timeframe 1m --tz America/New_York
      catalog prices add btc.csv --symbol BTC --timeframe 1h --column close=Last
    """
    with progress_bar("reading prices", quiet=quiet):
        added = open_catalog(path).add_prices(
            file,
            symbol=symbol,
            timeframe=timeframe,
            tz=tz,
            label=label,
            adjustment=adjustment,
            columns=_pairs(columns),
            regular_hours=regular_hours,
            renumber=renumber,
        )
    _print(added)
    say_next(f"catalog sql \"from bars where symbol = '{added.symbol}' limit 5\"")
    if added.needs_attention:
        raise SystemExit(ATTENTION)


@command.command("list")
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "csv", "json", "jsonl", "markdown")),
    default="table",
    show_default=True,
    help="How to print them.",
)
@catalog_option
def list_series(form: str, path: Path) -> None:
    """
    List the price series: the rows of price_series.

    \b
    Example:
      catalog prices list --format csv
    """
    from catalog.cli.output import write_rows

    result = open_catalog(path).sql("from price_series order by symbol, timeframe")
    write_rows(result, form, None, catalog=path)
    if not len(result):
        say_next("catalog prices add FILE --symbol SPY --timeframe 1m --tz America/New_York")


def _print(added: PricesAdded) -> None:
    days = f"{added.first_session} to {added.last_session}"
    sessions = plural(added.sessions, "session")
    series = f"{added.symbol} {added.timeframe}: {plural(added.bars, 'bar')} in {sessions}, {days}"
    say(added.state, series)
    say("times", f"{added.time_zone}, labelled by {added.bar_label}" + _hours(added))
    say("year", f"{added.sessions_per_year:,.1f} sessions, {added.bars_per_year:,.0f} bars")
    if added.missing_bars:
        say("missing", f"{plural(added.missing_bars, 'bar')} between others of a session")
    for warning in added.warnings:
        say("warning", warning)


def _hours(added: PricesAdded) -> str:
    return f", regular hours {added.regular_hours}" if added.regular_hours else ""


def _pairs(columns: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for one in columns:
        field, equals, name = one.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--column {one} is no FIELD=NAME, such as close=Last")
        pairs[field.strip().lower()] = name
    return pairs
