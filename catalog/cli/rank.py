"""catalog rank: the best strategies, and how much of that luck explains."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog.cli.options import catalog_option, open_catalog, plural, say, say_next, terminal_width
from catalog.cli.progress import progress_bar
from catalog.cli.terms import terms_options

if TYPE_CHECKING:
    from catalog.compare.rank import Ranking
    from catalog.compare.verdict import Verdict

FORMATS = ("table", "csv", "json", "jsonl", "markdown")


@click.command("rank")
@click.option("--by", default="sharpe", show_default=True, help="A figure of metrics.")
@click.option(
    "--where",
    metavar="CONDITION",
    help="Show only those that meet this, on strategy_index and metrics.",
)
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Rows.")
@click.option("--columns", metavar="NAME,…", help="The columns to show, separated by commas.")
@terms_options
@click.option("--pbo", is_flag=True, help="Add the probability of backtest overfitting.")
@click.option(
    "--quiet", is_flag=True, help="Say in one line what was tried, and not how far it is."
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print the rows."
)
@catalog_option
def command(
    by: str,
    where: str | None,
    top: int,
    columns: str | None,
    cost_bps: float,
    fill: str,
    start: date | None,
    end: date | None,
    last_days: int | None,
    pbo: bool,
    quiet: bool,
    form: str,
    path: Path,
) -> None:
    """
    Rank measured strategies, and say how much of the best one's Sharpe ratio luck explains.

    Beside each row stand its deflated Sharpe ratio (the probability that its true Sharpe ratio
    is above what the best of as many strategies without skill would have), the cost at which it
    would break even, and the plateau: the median of its neighbours in the parameter grid. A
    condition narrows what is shown, never how many were tried.

    \b
    Examples:
      catalog rank --by sharpe --top 10
      catalog rank --where "strategy_type = 'rsi_bands' and trades > 100" --pbo
      catalog rank --by calmar --cost-bps 1 --format csv
    """
    from catalog.cli.output import box, write_rows

    with progress_bar("ranking", quiet=quiet) as progress:
        ranking = open_catalog(path).rank(
            by=by,
            where=where,
            top=top,
            columns=None if columns is None else [one.strip() for one in columns.split(",")],
            cost_bps=cost_bps,
            fill=fill,
            start=start,
            end=end,
            last_days=last_days,
            pbo=pbo,
            progress=progress,
        )
    if form == "table":
        click.echo(box(_rounded(ranking.rows.table), width=terminal_width(), rows=top), nl=False)
    else:
        write_rows(ranking.rows, form, None, catalog=path)
    sys.stdout.flush()
    for verdict in ranking.verdicts[: 1 if quiet else None]:
        _print(verdict, ranking, quiet=quiet)
    _print_other_data(ranking, quiet=quiet)
    if ranking.unmeasured:
        say("unmeasured", f"{plural(ranking.unmeasured, 'trace')}: run catalog metrics")
    if ranking.without_figures:
        say("none", f"{plural(ranking.without_figures, 'trace')} without figures: {_WHY_NONE}")
    if not quiet:
        say_next("catalog show STRATEGY_ID")


_WHY_NONE = 'see why with catalog sql "select note, count(*) from metrics group by all"'


def _print_other_data(ranking: Ranking, *, quiet: bool) -> None:
    told = len(ranking.verdicts)
    if told + ranking.other_data < 2 or quiet:
        return
    click.echo(err=True)
    if ranking.other_data:
        say("more", f"{plural(ranking.other_data, 'other range')} of data, not told here")
    say(
        "note",
        "a deflated Sharpe ratio counts what was tried on its own data: that these were chosen "
        f"from {told + ranking.other_data:,} symbols, timeframes or ranges comes on top",
    )


def _rounded(table: Any) -> Any:
    """Return rows as people read them: three decimals."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            table = table.set_column(place, field.name, pc.round(table[field.name], 3))
    return table


def _print(one: Verdict, ranking: Ranking, *, quiet: bool) -> None:
    from catalog.metrics.sets import in_words

    trials = one.trials
    data = f"{trials.symbol} {trials.timeframe}, {one.first} to {one.last}"
    if quiet:
        say("tried", f"{trials.trials:,} on {data}. {one.sentence}")
        return
    sessions = plural(one.sessions, "session")
    click.echo(err=True)
    say("data", f"{data}: {sessions}, {plural(one.bars, 'bar')}")
    say("terms", in_words(ranking.wanted))
    counts = f"{plural(one.traces, 'trace')}, {one.distinct:,} of them distinct"
    if trials.tried > one.distinct:
        # The ledger also knows what is not measured yet, or not registered any more.
        counts = (
            f"{plural(one.traces, 'trace')} measured here, {trials.tried:,} distinct ones known"
        )
    counts += f", {trials.flat:,} flat"
    waiting = f"; {trials.waiting:,} not measured" if trials.waiting else ""
    say("tried", f"{counts}: {trials.trials:,} count{waiting}")
    if one.overlapping:
        say("beside", f"{one.overlapping:,} more over other ranges that overlap, not counted")
    if one.independent is not None:
        say("effective", f"about {one.independent:,.0f} independent strategies")
    if one.luck is not None and one.luck_no_drift is not None:
        drift = f"{one.luck_no_drift:.2f} without the drift that their exposure earns"
        say("luck", f"alone would give a best Sharpe ratio of about {one.luck:.2f} ({drift})")
    if one.benchmark is not None:
        say("benchmark", f"buy and hold has a Sharpe ratio of {one.benchmark:.2f}")
    if one.best is not None and one.deflated is not None:
        say("best", f"a Sharpe ratio of {one.best:.2f}, deflated {one.deflated:.2f}")
    if one.overfitting is not None:
        _print_overfitting(one)
    say("verdict", one.sentence)


def _print_overfitting(one: Verdict) -> None:
    found = one.overfitting
    assert found is not None  # noqa: S101 - the caller looked
    if found.probability is None:
        say("pbo", f"unknown: {found.note}")
        return
    say(
        "pbo",
        f"probability of overfitting {found.probability:.2f}: how often the best of one half of "
        f"the sessions is in the worse half of the other ({found.combinations:,} ways)",
    )
