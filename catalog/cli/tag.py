"""catalog tag: remember what is worth knowing about strategies and traces."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, listed, open_catalog, say, say_next

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = ("table", "csv", "json", "jsonl", "markdown")


@click.command("tag")
@click.argument("words", nargs=-1, metavar="[REFERENCE...] [TAG]")
@click.option("--note", metavar="TEXT", help="What to remember beside the tag.")
@click.option("--remove", metavar="TAG", help="Take this tag off what is referred to.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print a list."
)
@catalog_option
def command(
    words: tuple[str, ...], note: str | None, remove: str | None, form: str, path: Path
) -> None:
    """
    Give the tag TAG to every strategy that goes by a REFERENCE, or list the tags.

    REFERENCE is as for catalog show. A trace id or the path of a trace file tags that trace
    only, anything else the strategy. Alone it lists the tags that the strategy and its traces
    have; without words all tags are listed.

    Tags are kept in tags.jsonl beside the catalog too. They stay when files move or are
    registered again. Find what has one with: catalog find tag=TAG

    \b
    Examples:
      catalog tag 39a6426ec117 good-in-march --note "only before noon"
      catalog tag 39a6426ec117 --remove good-in-march
      catalog tag
    """
    catalog = open_catalog(path)
    if remove is None and len(words) < 2:
        if note is not None:
            raise click.UsageError("A note belongs to a tag: catalog tag REFERENCE TAG --note TEXT")
        from catalog.cli.output import print_table, write_rows

        found = catalog.tags(*words)
        if form == "table":
            print_table(_drawn(found.table), form, rows=200)
        else:
            write_rows(found, form, None, catalog=path)
        sys.stdout.flush()
        say_next("catalog find tag=TAG" if len(found) else "catalog tag HASH TAG --note TEXT")
        return
    if remove is not None:
        if note is not None:
            raise click.UsageError("A tag that is removed takes no note")
        done, tag, verb = catalog.untag(words, remove), remove, "untagged"
    else:
        done, tag, verb = catalog.tag(words[:-1], words[-1], note=note), words[-1], "tagged"
    counts = [
        ("strategy" if done.strategies == 1 else "strategies", done.strategies),
        ("trace" if done.traces == 1 else "traces", done.traces),
    ]
    say(verb, f"{listed(counts)}: {tag}")
    say_next(f"catalog find {quote(f'tag={tag}')}" if remove is None else "catalog tag")


def _drawn(table: pa.Table) -> pa.Table:
    """Return tags as people read them: a strategy without a hash by its key, times in seconds."""
    import pyarrow.compute as pc

    names = pc.coalesce(table["strategy_hash"], table["strategy_key"])
    seconds = pc.floor_temporal(table["tagged_at"], unit="second")
    table = table.set_column(table.column_names.index("strategy_key"), "strategy", names)
    table = table.set_column(table.column_names.index("tagged_at"), "tagged_at", seconds)
    return table.drop_columns("strategy_hash")
