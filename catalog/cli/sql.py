"""catalog sql: run a query on the catalog."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

import click

from catalog.cli.options import catalog_option, open_catalog, say_next

FORMATS = ("table", "csv", "json", "jsonl", "markdown", "parquet")


@click.command("sql")
@click.argument("query", required=False)
@click.option(
    "-f", "--file", "file", type=click.File(encoding="utf-8"), help="Read the query from FILE."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Default: by the name of the output, else table.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to FILE instead of stdout.",
)
@click.option("--explain", is_flag=True, help="Say how it would be run, and do not run it.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.001),
    default=300.0,
    show_default=True,
    help="Seconds after which the query is stopped.",
)
@click.option("--memory-limit", help="Memory that the query may take, such as 4GB.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads that work on the query.")
@catalog_option
def command(
    query: str | None,
    file: TextIO | None,
    form: str | None,
    output: Path | None,
    explain: bool,
    timeout: float,
    memory_limit: str | None,
    threads: int | None,
    path: Path,
) -> None:
    """
    Run one SQL query that reads, and print its rows.

    The query is the argument, or the contents of -f FILE, or stdin. The tables to
    ask are strategies, trace_files, signals, classifications, holdings, runs and
    others: see `catalog sql "show tables"`. Only the trace files that can matter to
    the query are opened: --explain says which, and why.

    A query reads the catalog, its traces, and files below the current directory that
    it names. It can write nothing and reach nothing else.

    \b
    Examples:
      catalog sql "from strategies where param_period = 20"
      catalog sql "select symbol, count(*) from trace_files group by all" --format csv
      catalog sql -f query.sql -o rows.parquet
      catalog sql --explain "from signals where strategy_hash = '39a6426ec117'"
    """
    from catalog.cli.output import write_rows

    text = _query(query, file)
    form = form or _form_of(output)
    if form == "parquet" and output is None:
        raise click.UsageError("--format parquet needs -o FILE: it is no text")
    catalog = open_catalog(path)
    if explain:
        from catalog.cli.explain import write_plan

        write_plan(catalog.explain(text))
        return
    result = catalog.sql(text, timeout=timeout, memory_limit=memory_limit, threads=threads)
    write_rows(result, form, output, catalog=path)
    if output is not None:
        click.echo(f"wrote      {len(result):,} rows to {output}", err=True)
    elif form == "table" and sys.stdout.isatty():
        say_next('catalog sql "show tables"   or   catalog sql -o rows.csv "…"')


def _query(query: str | None, file: TextIO | None) -> str:
    if query is not None and file is not None:
        raise click.UsageError("Give a query or -f FILE, not both")
    if file is not None:
        try:
            return file.read()
        except UnicodeDecodeError as error:
            raise click.UsageError(f"{file.name} is not UTF-8: {error}") from error
    if query is not None and query != "-":
        return query
    if sys.stdin.isatty():
        raise click.UsageError('There is no query. Try: catalog sql "from strategies limit 5"')
    return sys.stdin.read()


def _form_of(output: Path | None) -> str:
    known = {
        ".csv": "csv",
        ".json": "json",
        ".jsonl": "jsonl",
        ".md": "markdown",
        ".parquet": "parquet",
    }
    return known.get(output.suffix.lower(), "table") if output is not None else "table"
