"""catalog info: what the catalog holds."""

from __future__ import annotations

from pathlib import Path

import click

from catalog.cli.options import catalog_option, listed, open_catalog, plural, say_next

_MUCH = 10_000_000
"""Less room than this is not worth a word."""


@click.command("info")
@catalog_option
def command(path: Path) -> None:
    """
    Say what the catalog holds, in figures.

    \b
    Example:
      catalog info
    """
    info = open_catalog(path).info()
    times = info.without_bar_times
    lines = [
        ("catalog", f"{info.path} ({info.size_bytes / 1e6:,.1f} MB, schema {info.schema_version})"),
        (
            "strategies",
            f"{info.strategies:,} of {plural(info.types, 'type')}, "
            f"{plural(info.parameters, 'parameter')}",
        ),
        ("traces", listed([(kind if n == 1 else kind + "s", n) for kind, n in info.kinds.items()])),
        ("runs", f"{info.runs:,}"),
        ("configs", listed(info.sources)),
        ("content", f"{info.contents:,} distinct signal traces"),
        ("missing", info.missing and plural(info.missing, "file") + " gone since registered"),
        ("quarantine", info.quarantined and plural(info.quarantined, "file")),
        ("copies", info.copies and plural(info.copies, "file") + ", counted once"),
        ("no times", times and f"{plural(times, 'trace')} without bar times"),
        ("inbox", info.inbox and plural(info.inbox, "note") + " waiting for the next writer"),
    ]  # fmt: skip
    if info.free_bytes > _MUCH and info.free_bytes > info.size_bytes / 2:
        room = f"{info.free_bytes / 1e6:,.1f} MB of it hold nothing: catalog vacuum gives them back"
        lines.insert(1, ("room", room))
    for root in info.roots:
        lines.append(("root", root))
    for label, text in lines:
        if text:
            click.echo(f"{label:<11}{text}")
    say_next(
        "catalog find --type TYPE 'KEY>=VALUE'" if info.strategies else "catalog register FOLDER"
    )
