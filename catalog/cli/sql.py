"""catalog sql: run a query on the catalog."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

import click

from catalog.cli.options import catalog_option, open_catalog, quiet_option, say_next
from catalog.cli.progress import progress_bar

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
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What runs it: DuckDB on the catalog, or Spark on a published lake.",
)
@click.option("--remote", metavar="URL", help="The Spark Connect server: sc://HOST:PORT.")
@click.option("--lake", metavar="LAKE", help="The lake that Spark reads: a folder or a URL.")
@quiet_option
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
    engine: str,
    remote: str | None,
    lake: str | None,
    quiet: bool,
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

    With --engine spark a Spark Connect server runs it, on a lake that `catalog publish`
    wrote. The query is the same; what has no equal in Spark is refused by its name.
    --explain prints what Spark would be sent.

    \b
    Examples:
      catalog sql "from strategies where param_period = 20"
      catalog sql "select symbol, count(*) from trace_files group by all" --format csv
      catalog sql -f query.sql -o rows.parquet
      catalog sql --explain "from signals where strategy_hash = '39a6426ec117'"
      catalog sql --engine spark --remote sc://host:15002 --lake s3://team/lake "from runs"
    """
    text = _query(query, file)
    form = form or _form_of(output)
    if form == "parquet" and output is None:
        raise click.UsageError("--format parquet needs -o FILE: it is no text")
    if engine == "spark":
        if lake is None or (remote is None and not explain):
            raise click.UsageError("--engine spark needs --remote sc://HOST:PORT and --lake LAKE")
        if memory_limit is not None or threads is not None:
            raise click.UsageError("--memory-limit and --threads are DuckDB's: Spark has its own")
    elif remote is not None or lake is not None:
        raise click.UsageError("--remote and --lake are for --engine spark")
    if explain and lake is not None:
        from catalog.spark.sql import explain_spark_sql

        click.echo(explain_spark_sql(text, lake=lake))
        return
    if explain:
        from catalog.cli.explain import write_plan

        write_plan(open_catalog(path).explain(text))
        return
    from catalog.cli.output import write_rows

    with progress_bar("asking", quiet=quiet):
        if remote is not None and lake is not None:
            from catalog.spark.sql import spark_sql

            result = spark_sql(text, remote=remote, lake=lake, timeout=timeout)
        else:
            result = open_catalog(path).sql(
                text, timeout=timeout, memory_limit=memory_limit, threads=threads
            )
    write_rows(result, form, output, catalog=path)
    if output is not None:
        click.echo(f"wrote      {len(result):,} rows to {output}", err=True)
    elif form == "table" and sys.stdout.isatty() and engine == "duckdb":
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
