"""catalog metrics: what strategies earned on the prices of the catalog."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar
from catalog.cli.terms import DAY, terms_options

if TYPE_CHECKING:
    from catalog.metrics.compute import Computation

ATTENTION = 3
SHOWN = 8
BY = {"ts": "by the time of their bars", "bar_index": "by bar number"}


@click.command("metrics")
@click.option("--where", metavar="CONDITION", help="Only traces that meet this, on strategy_index.")
@terms_options
@click.option("--split", type=DAY, help="First session out of sample: adds the periods is and oos.")
@click.option(
    "--folds", type=click.IntRange(2, 100), help="Cut the range into so many periods: fold_1, …"
)
@click.option(
    "--by-regime",
    metavar="CLASSIFIER",
    help="Also in each state of a classifier: its hash, type, id or trace id.",
)
@quiet_option
@catalog_option
def command(
    where: str | None,
    cost_bps: float,
    fill: str,
    start: date | None,
    end: date | None,
    last_days: int | None,
    split: date | None,
    folds: int | None,
    by_regime: str | None,
    quiet: bool,
    path: Path,
) -> None:
    """
    Compute what is missing or stale: returns, Sharpe ratio, drawdown, trades and more.

    Figures go to the table metrics, those without cost over the whole range also to
    strategy_index, leaderboard and the type_ tables, and returns per session to daily_returns.
    What was computed from prices that were replaced is computed again. Stopped, it goes on
    where it ended.

    \b
    Examples:
      catalog metrics
      catalog metrics --cost-bps 1 --fill next_open --last 90d
      catalog metrics --split 2025-01-01
    """
    from catalog.metrics.sets import make_set, options_of

    catalog = open_catalog(path)
    began = time.monotonic()
    with progress_bar("measured", quiet=quiet) as progress:
        report = catalog.metrics(
            where=where,
            cost_bps=cost_bps,
            fill=fill,
            start=start,
            end=end,
            last_days=last_days,
            split=split,
            folds=folds,
            by_regime=by_regime,
            progress=progress,
        )
    _print(report, time.monotonic() - began)
    if report.measured or report.skipped:
        terms = make_set(cost_bps=cost_bps, fill=fill, start=start, end=end, last_days=last_days)
        say_next(f"catalog rank{options_of(terms)} --by sharpe")
    if report.without_figures:
        raise SystemExit(ATTENTION)


def _print(report: Computation, seconds: float) -> None:
    say("measured", f"{plural(report.measured, 'trace')}, {seconds:,.1f} s")
    if report.skipped:
        say("unchanged", f"{plural(report.skipped, 'trace')}, not measured again")
    for by, count in sorted(report.matched.items(), reverse=True):
        say("matched", f"{plural(count, 'trace')} {BY[by]}")
    if report.sessions:
        say("returns", f"{report.sessions:,} rows in daily_returns")
    for note, count in report.without_figures.most_common(SHOWN):
        say("no figures", f"{plural(count, 'trace')}: {note}")
    _more(len(report.without_figures))
    for note, count in report.notes.most_common(SHOWN):
        say("note", f"{plural(count, 'trace')}: {note}")
    _more(len(report.notes))
    if report.missing_series:
        symbol, timeframe = next(iter(report.missing_series))
        say_next(f"catalog prices add FILE --symbol {symbol} --timeframe {timeframe}")


def _more(kinds: int) -> None:
    if kinds > SHOWN:
        say(
            "", f"and {kinds - SHOWN} more reasons: select note, count(*) from metrics group by all"
        )
