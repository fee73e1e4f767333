"""catalog sweep missing: the configurations of a sweep that are not computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from catalog.cli.options import open_catalog, plural, say, say_next
from catalog.cli.progress import progress_bar
from catalog.cli.sweep_options import said_again, say_behind, strategy_option, sweep_options

_SHOWN = ("state", "strategy_id", "symbol", "timeframe", "strategy_hash", "config", "why")


@click.command("missing")
@sweep_options
@strategy_option(required=False)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(("missing", "stale", "failed", "behind", "done")),
    default=("missing", "stale", "failed"),
    show_default=True,
    help="Those in this state; repeatable.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "jsonl", "csv")),
    default="table",
    show_default=True,
    help="jsonl has one configuration a line, with all that running it needs.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=40, show_default=True, help="Rows of a table."
)
def missing(
    file: Path | str,
    symbols: tuple[str, ...],
    timeframes: tuple[str, ...],
    start: str | None,
    end: str | None,
    bars: tuple[int, int] | None,
    quiet: bool,
    path: Path,
    strategy: tuple[str, ...],
    states: tuple[str, ...],
    form: str,
    limit: int,
) -> None:
    """
    Print the configurations of the sweep in FILE that are missing, stale or failed.

    A line of jsonl has state, kind, strategy_type, strategy_id, symbol, timeframe, from and to
    (the first and last bar), strategy_hash, config_key, config and why.

    \b
    Examples:
      catalog sweep missing grid.yaml
      catalog sweep missing grid.yaml --format jsonl --state missing > todo.jsonl
    """
    with progress_bar("comparing", quiet=quiet):
        tables = open_catalog(path).sweep_missing(
            file,
            symbols=symbols,
            timeframes=timeframes,
            start=start,
            end=end,
            bars=bars,
            strategy=strategy or None,
            states=states,
        )
    total = elsewhere = 0
    shown = []
    for number, table in enumerate(tables):
        if form == "table":
            if total < limit:
                shown.append(table.select(_SHOWN).slice(0, limit - total))
        else:
            lines = _jsonl(table) if form == "jsonl" else _csv(table, with_header=number == 0)
            click.echo(lines, nl=False)
        total += table.num_rows
        elsewhere += _of_other_ranges(table)
    if shown:
        import pyarrow as pa

        from catalog.cli.output import print_table

        print_table(pa.concat_tables(shown), "table", rows=limit)
    found = plural(total, "configuration")
    say("found", f"{found}, of which {limit:,} are shown" if shown and total > limit else found)
    if elsewhere:
        say("note", f"{elsewhere:,} have traces over other ranges: --bars, or --from and --to")
    words = said_again(file, symbols, timeframes, start, end, bars)
    if "behind" not in states:
        say_behind(tables.counts["behind"], words)
    if total and form == "table":
        say_next(f"catalog sweep missing {words} --format jsonl")


def _of_other_ranges(table: Any) -> int:
    """Return how many are missing only over the range that is asked for."""
    import pyarrow.compute as pc

    from catalog.sweeps.ranges import MISSING, ONLY

    is_other = pc.and_(pc.equal(table["state"], MISSING), pc.starts_with(table["why"], ONLY))
    return int(pc.sum(is_other).as_py() or 0)


def _jsonl(table: Any) -> str:
    """Return a line for each row; configurations are JSON already."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pieces: list[Any] = []
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        pieces += [f'{", " if pieces else "{"}"{name}": ', _as_json(name, column)]
    lines = pc.binary_join_element_wise(*pieces, pa.scalar("}\n"), "")
    return "".join(lines.to_pylist())


def _as_json(name: str, column: Any) -> Any:
    """Return a column of text as JSON. Column by column: there may be millions of rows."""
    import json

    import pyarrow as pa
    import pyarrow.compute as pc

    if name == "config":
        return column
    if name not in ("strategy_id", "strategy_hash", "config_key"):
        few = column.dictionary_encode(null_encoding="encode")
        return pa.array(map(json.dumps, few.dictionary.to_pylist())).take(few.indices)
    if pc.any(pc.match_substring_regex(column, r"[^A-Za-z0-9_.+=^@-]")).as_py():
        return pa.array(map(json.dumps, column.to_pylist()))
    return pc.binary_join_element_wise('"', column, '"', "")


def _csv(table: Any, *, with_header: bool) -> str:
    import pyarrow as pa
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink, csv.WriteOptions(include_header=with_header))
    text: str = sink.getvalue().to_pybytes().decode()
    return text
