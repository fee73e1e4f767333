"""catalog show: one strategy and its traces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from catalog.cli.options import catalog_option, open_catalog, say_next

SHOWN = 10


@click.command("show")
@click.argument("reference")
@catalog_option
def command(reference: str, path: Path) -> None:
    """
    Show the strategy that goes by REFERENCE, its configuration and its traces.

    REFERENCE is a hash or its first digits, a strategy id, a trace id, or the path of a
    trace file.

    \b
    Example:
      catalog show 39a6426ec117
    """
    shown = open_catalog(path).show(reference)
    strategy = shown.strategy
    click.echo(f"strategy   {strategy['strategy_hash'] or strategy['strategy_key']}")
    click.echo(f"type       {strategy['strategy_type'] or 'unknown'}  ({strategy['kind']})")
    click.echo(f"config     {_config(shown.config)}")
    click.echo(f"source     {strategy['config_source']}")
    for tag in shown.tags:
        click.echo(f"tag        {_tag(tag)}")
    for trace in shown.traces[:SHOWN]:
        click.echo(f"\ntrace      {trace['strategy_id']} in {trace['run_id']}{_marks(trace)}")
        click.echo(f"  data     {trace['symbol']} {trace['timeframe']}, {_range(trace)}")
        click.echo(f"  signal   {_signal(trace)}")
        click.echo(f"  file     {trace['path']}")
    if len(shown.traces) > SHOWN:
        click.echo(f"\n… and {len(shown.traces) - SHOWN:,} traces more")
    if strategy["strategy_hash"]:
        rows = "signals" if strategy["kind"] == "signal" else "classifications"
        say_next(f"catalog sql \"from {rows} where strategy_hash = '{strategy['strategy_hash']}'\"")


def _config(config: dict[str, Any] | None) -> str:
    if config is None:
        return "unknown: register again with the --sweep file that made it"
    return json.dumps(config, ensure_ascii=False)


def _tag(tag: dict[str, Any]) -> str:
    of = f" (trace {tag['trace_id']})" if tag["trace_id"] else ""
    return f"{tag['tag']}{of}" + (f": {tag['note']}" if tag["note"] else "")


def _marks(trace: dict[str, Any]) -> str:
    marks = [
        word
        for word, on in (
            ("latest", trace["is_latest"]),
            (trace["status"], trace["status"] != "registered"),
        )
        if on
    ]
    return f"  ({', '.join(marks)})" if marks else ""


def _range(trace: dict[str, Any]) -> str:
    if trace["first_bar"] is None or trace["last_bar"] is None:
        return "range unknown"
    times = [f"{time:%Y-%m-%d %H:%M}" for time in (trace["first_ts"], trace["last_ts"]) if time]
    return f"bars {trace['first_bar']:,} to {trace['last_bar']:,}" + (
        f", {' to '.join(times)} UTC" if len(times) == 2 else ""
    )


def _signal(trace: dict[str, Any]) -> str:
    if trace["last_state"] is not None:
        return f"{trace['change_count']:,} changes, last {trace['last_state']}"
    if trace["last_val"] is None:
        return "no rows"
    return (
        f"{trace['change_count']:,} changes, {trace['bars_long']:,} bars long, "
        f"{trace['bars_short']:,} short, last {trace['last_val']:g}"
    )
