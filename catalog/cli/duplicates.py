"""catalog duplicates: what was computed more than once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.cli.options import catalog_option, open_catalog, plural, quiet_option, say, say_next
from catalog.cli.progress import progress_bar

if TYPE_CHECKING:
    import pyarrow as pa

    from catalog.compare.duplicates import Duplicates

FORMATS = ("table", "csv", "json", "jsonl", "markdown")
REPEATED = [
    "strategy_hash", "strategy_type", "kind", "symbol", "timeframe", "last_bar", "traces", "runs",
    "contents",
]  # fmt: skip
ALIKE = ["strategies", "types", "kind", "symbol", "timeframe", "changes"]


@click.command("duplicates")
@click.option(
    "--where",
    metavar="CONDITION",
    help="Only groups with a trace that meets this, on strategy_index.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=10, show_default=True,
    help="Rows of each table at most; other formats have all.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print the rows."
)
@quiet_option
@catalog_option
def command(where: str | None, limit: int, form: str, quiet: bool, path: Path) -> None:
    """
    Find what was computed more than once.

    Three tables: configurations that were traced more than once on the same symbol, timeframe
    and range; different configurations that behave exactly alike; and, apart from these, those
    whose position is always 0, and classifiers that never leave their first state. Other
    formats print all in one, told apart by the column finding.

    \b
    Examples:
      catalog duplicates
      catalog duplicates --where "strategy_type = 'rsi_bands'" --format csv
    """
    from catalog.cli.output import print_table

    with progress_bar("looking", quiet=quiet):
        found = open_catalog(path).duplicates(where=where)
    if form != "table":
        print_table(found.table(), form)
    else:
        _draw("one configuration, traced more than once", _repeated(found), limit)
        _draw("different configurations, the same behaviour", _alike(found.behaviour), limit)
        _draw("different configurations, flat or constant", _alike(found.flat), limit)
    sys.stdout.flush()
    _print(found)


def _draw(title: str, table: pa.Table, limit: int) -> None:
    from catalog.cli.output import print_table

    if table.num_rows:
        some = f" (the first {limit:,} of {table.num_rows:,})" if table.num_rows > limit else ""
        click.echo(title + some)
        print_table(table.slice(0, limit), "table")


def _repeated(found: Duplicates) -> pa.Table:
    table = found.repeated.table
    return table.select(REPEATED).append_column("run", _listed(table["run_ids"], table["runs"]))


def _alike(table: pa.Table) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    shown = table.select(ALIKE)
    until = pc.if_else(table["is_one_range"], "", " of the shortest")
    bars = pc.binary_join_element_wise(table["last_bar"].cast(pa.string()), until, "")
    shown = shown.append_column("last_bar", bars)
    shown = shown.append_column("type", _listed(table["strategy_types"], table["types"]))
    return shown.append_column("such as", _listed(table["strategy_ids"], table["strategies"]))


def _listed(lists: pa.ChunkedArray, counts: pa.ChunkedArray) -> pa.Array:
    """Return the first one of each list, with how many more there are."""
    import pyarrow as pa

    texts = [
        None if not some else f"{some[0]}" + (f" and {count - 1:,} more" if count > 1 else "")
        for some, count in zip(lists.to_pylist(), counts.to_pylist(), strict=True)
    ]
    return pa.array(texts, pa.string())


def _print(found: Duplicates) -> None:
    import pyarrow.compute as pc

    repeated, behaviour, flat = found.repeated.table, found.behaviour, found.flat
    if repeated.num_rows:
        again = pc.sum(repeated["traces"]).as_py() - repeated.num_rows
        say("repeated", f"{plural(repeated.num_rows, 'configuration')}, "
            f"{plural(again, 'trace')} more than needed")  # fmt: skip
    differing = pc.sum(pc.greater(repeated["contents"], 1)).as_py() or 0
    if differing:
        say("differing", f"{differing:,} of them in content: see catalog changed")
    if behaviour.num_rows:
        say("alike", f"{pc.sum(behaviour['strategies']).as_py():,} configurations, "
            f"{plural(behaviour.num_rows, 'behaviour')}")  # fmt: skip
        if shorter := pc.sum(pc.invert(behaviour["is_one_range"])).as_py():
            say("ranges", f"{shorter:,} of them over several ranges: alike as far as all go")
    if flat.num_rows:
        say("flat", f"{pc.sum(flat['strategies']).as_py():,} configurations do the same nothing "
            f"as others")  # fmt: skip
    if not (repeated.num_rows or behaviour.num_rows or flat.num_rows):
        say("found", "nothing was computed twice")
    elif behaviour.num_rows:
        digest = behaviour["content_digest"][0].as_py()
        say_next(f"catalog sql \"from twins where content_digest = '{digest}'\"")
