"""catalog diff: two strategies side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar

if TYPE_CHECKING:
    import pyarrow as pa

    from catalog.compare.diff import Diff, Side

FORMATS = ("table", "csv", "json", "jsonl", "markdown")
SIGNALS = [
    "kind", "symbol", "timeframe", "bars", "agreement", "where_differs", "first_bar", "first_ts",
    "value_a", "value_b", "trace_a", "trace_b",
]  # fmt: skip


@click.command("diff")
@click.argument("a")
@click.argument("b")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print the rows."
)
@quiet_option
@catalog_option
def command(a: str, b: str, form: str, quiet: bool, path: Path) -> None:
    """
    Compare two strategies, or two traces: parameters, signals and metrics.

    A and B are as for catalog show; a trace id or the path of a trace file stands for that
    trace, anything else for the strategy, of which the latest traces on the same symbols and
    timeframes are compared. Says which parameters differ, at which share of the bars the
    two hold the same position (or are in the same state), and at which bar they part.

    \b
    Examples:
      catalog diff 39a6426ec117 SPY_5m_strategy_65
      catalog diff traces/signals/rsi/a.parquet traces/signals/rsi/b.parquet
    """
    from catalog.cli.output import print_table

    with progress_bar("comparing", quiet=quiet):
        found = open_catalog(path).diff(a, b)
    if form in ("json", "jsonl"):
        _print_json(found.rows(), form)
    elif form != "table":
        print_table(found.table(), form)
    else:
        click.echo(f"a  {_named(found.a)}\nb  {_named(found.b)}")
        signals = found.signals.select(SIGNALS)
        for table in (found.parameters, _rounded(signals), _rounded_apart(found.metrics)):
            if table.num_rows:
                print_table(table, "table", rows=100)
    sys.stdout.flush()
    _print(found)


def _named(side: Side) -> str:
    known = side.strategy_hash or side.strategy_key
    asked = "" if side.reference in (known, side.strategy_key) else f"  ({side.reference})"
    return f"{known}  {side.strategy_type or 'unknown'}{asked}"


def _print_json(rows: list[dict[str, Any]], form: str) -> None:
    import json
    from math import isfinite

    for row in rows:
        for side, value in row.items():
            if isinstance(value, float) and not isfinite(value):
                row[side] = str(value)
    if form == "json":
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False, default=str))
    else:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False, default=str))


def _rounded(signals: pa.Table) -> pa.Table:
    """Return signals with shares of four digits, where only all of the bars are 1."""
    import pyarrow as pa

    shares = [
        share if share is None or share == 1 else min(round(share, 4), 0.9999)
        for share in signals["agreement"].to_pylist()
    ]
    place = signals.column_names.index("agreement")
    return signals.set_column(place, "agreement", pa.array(shares, pa.float64()))


def _rounded_apart(metrics: pa.Table) -> pa.Table:
    """Return metrics with four digits, or as many more as it takes to tell a from b."""
    import pyarrow as pa

    rows = metrics.to_pylist()
    for row in rows:
        a, b = row["a"], row["b"]
        apart = a is not None and b is not None and a != b
        digits = next((d for d in range(4, 17) if not apart or round(a, d) != round(b, d)), None)
        if digits is not None:
            for name in ("a", "b", "difference"):
                row[name] = None if row[name] is None else round(row[name], digits)
    return pa.Table.from_pylist(rows, metrics.schema)


def _print(found: Diff) -> None:
    say("parameters", _parameters(found))
    for row in found.signals.to_pylist():
        say("signals" if row["kind"] == "signal" else "states", _agreement(row))
    for on, side in found.alone.items():
        say("alone", f"only {side} has a {on}")
    for trace_id, reason in found.unread.items():
        say("unread", f"{trace_id}: {reason}")
    if found.metrics.num_rows:
        say("terms", found.terms or "")
    elif any(row["kind"] == "signal" for row in found.signals.to_pylist()):
        say("metrics", "not measured: run catalog metrics")
    say_next(f"catalog show {quote(found.b.strategy_hash or found.b.strategy_key)}")


def _parameters(found: Diff) -> str:
    unknown = [name for name, side in (("a", found.a), ("b", found.b)) if side.config is None]
    if unknown:
        return f"the configuration of {' and '.join(unknown)} is unknown"
    if not found.parameters.num_rows:
        return "the same configuration"
    count = sum(found.parameters["matters"].to_pylist())
    if not count and found.means_the_same:
        return "the same configuration, written differently"
    return f"{count:,} {'differs' if count == 1 else 'differ'}"


def _agreement(row: dict[str, Any]) -> str:
    on = f"{row['symbol']} {row['timeframe']}"
    if row["bars"] == 0:
        return f"{on}: the two ranges share no bar"
    if row["where_differs"] is None:
        return f"{on}: they agree" + (f" at all of {plural(row['bars'], 'bar')}" if row["bars"]
                                      else "; how many bars they share is not known")  # fmt: skip
    at = f"bar {row['first_bar']:,}" if row["first_bar"] is not None else ""
    when = f"{row['first_ts']:%Y-%m-%d %H:%M} UTC" if row["first_ts"] is not None else ""
    part = f"they part at {', '.join(one for one in (at, when) if one)}"
    if row["agreement"] is None:
        return f"{on}: {part}; one lacks bars of the other, so that shares are not known"
    # 0.99996 is not all of them.
    share = min(row["agreement"], 0.9999) if row["agree"] < row["bars"] else 1.0
    return f"{on}: {share:.2%} of {plural(row['bars'], 'bar')} agree; {part}"
