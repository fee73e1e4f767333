"""catalog plot: what strategies earned, as a picture."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from catalog.cli.options import catalog_option, open_catalog, quiet_option, say
from catalog.cli.progress import progress_bar
from catalog.cli.terms import DAY


@click.command("plot")
@click.argument("kind", type=click.Choice(("equity", "drawdown", "heat-map", "correlation")))
@click.argument("selection", nargs=-1)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to draw: .png, .svg or .html (one file that needs no network).",
)
@click.option(
    "--where",
    metavar="CONDITION",
    help="Only what meets this, on strategy_index; of a heat map on leaderboard.",
)
@click.option("--top", type=int, help="So many at most, the best by Sharpe ratio.")
@click.option("--metric", help="Of a heat map: the figure shown.  [default: sharpe]")
@click.option("--x", help="Of a heat map: a parameter; the one with most values unless given.")
@click.option("--y", help="Likewise.")
@click.option("--facet", help="Of a heat map: one for each value of this parameter, or symbol.")
@click.option(
    "--cost-bps",
    type=click.FloatRange(min=0, max=10_000, max_open=True),
    default=0.0,
    show_default=True,
    help="Cost of every change of position, one way, in basis points of equity.",
)
@click.option(
    "--fill",
    type=click.Choice(("close", "next_open")),
    default="close",
    show_default=True,
    help="Whether a signal is filled at its own bar's close or at the next open.",
)
@click.option("--start", type=DAY, help="First session.")
@click.option("--end", type=DAY, help="Last session.")
@click.option("--theme", type=click.Choice(("light", "dark")), default="light", show_default=True)
@quiet_option
@catalog_option
def command(
    kind: str,
    selection: tuple[str, ...],
    output: Path,
    where: str | None,
    top: int | None,
    metric: str | None,
    x: str | None,
    y: str | None,
    facet: str | None,
    cost_bps: float,
    fill: str,
    start: date | None,
    end: date | None,
    theme: str,
    quiet: bool,
    path: Path,
) -> None:
    """
    Plot what measured strategies earned.

    SELECTION names strategies or traces, as `catalog show` takes them; without one, all that
    meet the condition are meant. Equity and drawdown have room for ten, with buy and hold beside
    them; a heat map shows a metric over two parameters of all that meet the condition.

    \b
    Examples:
      catalog plot equity AAPL_momentum_60_0.1 -o equity.png
      catalog plot drawdown --where "symbol = 'AAPL'" --top 3 -o drawdown.svg
      catalog plot heat-map --where "strategy_type = 'rsi'" --facet symbol -o rsi.html
      catalog plot correlation --top 15 -o correlation.png --theme dark
    """
    with progress_bar("drawing", quiet=quiet):
        made = open_catalog(path).plot(
            kind,
            selection,
            output,
            where=where,
            top=top,
            metric=metric,
            x=x,
            y=y,
            facet=facet,
            cost_bps=cost_bps,
            fill=fill,
            start=start,
            end=end,
            theme=theme,
        )
    say("plotted", f"{made.title}, to {output}")
    for note in made.notes:
        say("", note)
