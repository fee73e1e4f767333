"""Run a user's SQL on the catalog: planned, and where it can do no harm."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.errors import QueryError
from catalog.objects import is_url
from catalog.query.choose import RefusedError
from catalog.query.files import Allowed, allow, column_argument, file_function, named_files
from catalog.query.guard import check_text, check_tree
from catalog.query.interrupt import interruptible
from catalog.query.parsing import Parsed, parse_query
from catalog.query.plan import Plan, plan, reads_traces
from catalog.query.relations import TRACE_RELATIONS
from catalog.query.restored import Restored
from catalog.query.result import Result, Stream
from catalog.query.sandbox import Limits, readable_folders, restrict
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.remote import load_own, problem_of, reach

NO_LIMITS = Limits()


@dataclass(frozen=True)
class _Ready:
    """A planned query with the connection that it runs on."""

    con: DuckDBPyConnection
    parsed: Parsed
    plan: Plan
    values: dict[str, object]
    limits: Limits


def run_query(
    catalog: Path,
    query: str,
    parameters: Mapping[str, object] | None = None,
    *,
    limits: Limits = NO_LIMITS,
) -> Result:
    """
    Run one query that reads, and return all of its rows.

    Args:
        parameters: a value for each `$name` in the query.

    Raises:
        QueryError: it is no single query that reads, or DuckDB refuses it.
        StoreError: the catalog cannot be used.
    """
    with _ready(catalog, query, parameters, limits) as ready:
        con, text = ready.con, ready.plan.text
        with _query_errors(ready.limits, con):
            return interruptible(con, lambda: _fetch(con, text, ready.values))


@contextmanager
def stream_query(
    catalog: Path,
    query: str,
    parameters: Mapping[str, object] | None = None,
    *,
    limits: Limits = NO_LIMITS,
) -> Iterator[Stream]:
    """
    Run one query that reads, and yield its rows as they come. See `run_query`.

    Until the block ends nobody else can write to the catalog.
    """
    with _ready(catalog, query, parameters, limits) as ready:
        con, text = ready.con, ready.plan.text
        with _query_errors(ready.limits, con):
            rows = interruptible(con, lambda: con.sql(text, params=ready.values))
            if rows is None:
                raise _no_query()
            types = tuple(str(kind) for kind in rows.types)
            reader = interruptible(con, rows.to_arrow_reader)
            batches = _batches(con, reader)
            try:
                yield Stream(reader.schema, types, batches)
            finally:
                # What still holds rows would hold the catalog as well.
                batches.close()
                reader.close()
                del rows, reader


def explain_query(
    catalog: Path, query: str, parameters: Mapping[str, object] | None = None
) -> Plan:
    """
    Say how a query would be run; see `run_query`.

    Raises:
        QueryError: it is no single query that reads, or DuckDB refuses it.
        StoreError: the catalog cannot be used.
    """
    with _ready(catalog, query, parameters, NO_LIMITS) as ready:
        if isinstance(ready.parsed.tree, exp.Query) and not ready.parsed.prefix:
            # A mistake is said, though nothing is run.
            with _query_errors(NO_LIMITS, ready.con):
                ready.con.execute(f"explain {ready.plan.text}", ready.values).fetchall()
        counts = dict(ready.con.execute(statement("count_kinds")).fetchall())
        totals = {name: counts.get(one.kind, 0) for name, one in TRACE_RELATIONS.items()}
        return replace(ready.plan, totals=totals)


@contextmanager
def _ready(
    catalog: Path, query: str, parameters: Mapping[str, object] | None, limits: Limits
) -> Iterator[_Ready]:
    parsed = parse_query(query)
    check_tree(parsed)
    values = {name: _plain(value) for name, value in (parameters or {}).items()}
    files = named_files(parsed.tree, values)
    is_lateral = _reads_laterally(parsed)
    with reading(catalog) as con, Restored(is_wanted=is_lateral) as restored:
        con.execute("set search_path = 'main'")
        check_text(con, parsed)
        folders = readable_folders(con, catalog)
        allowed = allow(files, folders)
        if files or is_lateral or reads_traces(parsed.tree):
            load_own(con, folders)
            reach(con, dict.fromkeys(file for file in files if is_url(file)))
        if is_lateral:
            # Which files those are is only known to the rows; each is looked at before.
            more = (
                os.path.realpath(os.getcwd()) + "/",
                os.path.realpath(str(restored.folder)) + "/",
            )
            allowed = Allowed((*allowed.directories, os.getcwd() + "/", *more), allowed.paths)
        restrict(con, folders, allowed, limits)
        with _query_errors(limits, con):
            made = interruptible(con, lambda: _plan(con, parsed, values, restored, folders))
        yield _Ready(con, parsed, made, values, limits)


def _plan(
    con: DuckDBPyConnection,
    parsed: Parsed,
    values: dict[str, object],
    restored: Restored,
    folders: Sequence[str],
) -> Plan:
    refused: dict[str, str] = {}
    while True:
        # One moment for what is chosen and for what is read: now() is the same in both.
        con.begin()
        try:
            return plan(con, parsed, values, restored=restored, folders=folders, refused=refused)
        except RefusedError:
            con.rollback()


def _plain(value: object) -> object:
    """Return a value that is bound as DuckDB knows it."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _reads_laterally(parsed: Parsed) -> bool:
    return any(
        file_function(node.this) is not None and column_argument(node.this) is not None
        for node in parsed.tree.find_all(exp.Table, exp.Lateral)
    )


def execute(
    con: DuckDBPyConnection, query: str, values: Mapping[str, object] | None = None
) -> Result:
    """
    Run a query of ours on an open connection.

    Raises:
        QueryError: DuckDB refuses it.
    """
    with _query_errors(NO_LIMITS, con):
        return _fetch(con, query, dict(values or {}))


def _fetch(con: DuckDBPyConnection, query: str, values: dict[str, object]) -> Result:
    rows = con.sql(query, params=values)
    if rows is None:
        raise _no_query()
    return Result(rows.to_arrow_table(), tuple(str(kind) for kind in rows.types))


def _batches(
    con: DuckDBPyConnection, reader: pa.RecordBatchReader
) -> Generator[pa.RecordBatch, None, None]:
    while True:
        try:
            yield interruptible(con, reader.read_next_batch)
        except StopIteration:
            return


def _no_query() -> QueryError:
    return QueryError("There is no query", hint='Try: catalog sql "from strategies limit 5"')


@contextmanager
def _query_errors(limits: Limits, con: DuckDBPyConnection) -> Iterator[None]:
    """Turn what DuckDB says of a query into an error of ours."""
    try:
        yield
    except duckdb.Error as error:
        _raise_problem(con, error)
        raise _as_query_error(error, limits) from error
    except pa.ArrowInvalid as error:
        _raise_problem(con, error)
        # What happens while rows stream comes through Arrow.
        with suppress(IndexError):
            raise QueryError(str(error).splitlines()[0]) from error
        raise


def _raise_problem(con: DuckDBPyConnection, error: Exception) -> None:
    """Say of an object that could not be read what its store said, not how that reached us."""
    problem = problem_of(con)
    if problem is not None:
        raise QueryError(str(problem), hint=problem.hint) from error


def _as_query_error(error: duckdb.Error, limits: Limits) -> QueryError:
    text = str(error).strip()
    hint = None
    if "maximum execution time" in text:
        return QueryError(
            f"The query was stopped: it ran longer than {limits.timeout:g} seconds",
            hint="Narrow it down (see what it reads with --explain), or give it more --timeout",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        text, hint = text.splitlines()[0], "Narrow the query down, or give it more --memory-limit"
    elif isinstance(error, duckdb.PermissionException) and "configuration" in text:
        hint = "A query reads the catalog's traces, and files that it names below this folder"
    elif "/packs/" in text and ("No files found" in text or "Cannot open file" in text):
        hint = "A pack is gone. Read the traces from their files again with: catalog compact"
    elif ".d/prices/" in text and ".parquet" in text:
        hint = "A price series is gone or damaged. Add it again with: catalog prices add FILE"
    elif "/returns/" in text and ("No files found" in text or "Cannot open file" in text):
        hint = "A pack of session returns is gone. Compute them again with: catalog metrics"
    elif re.search(r"/[0-9a-f]{12}-[0-9a-f]{16}\.parquet", text):
        hint = (
            "A file of a lake is gone or damaged. Where somebody collected garbage there, take in "
            "what it has now: catalog open LAKE"
        )
    elif "No files found that match" in text or re.search(r"Cannot open file .*\.parquet", text):
        hint = (
            "Trace files are gone, have moved or cannot be read. Bring the catalog up to date "
            "with catalog register, or ask without them: where run_id <> '…'"
        )
    elif ".parquet" in text and re.search(r"parquet|magic bytes|schema", text, re.IGNORECASE):
        hint = "A file has changed since it was registered. Run: catalog register FOLDER"
    elif isinstance(error, duckdb.CatalogException | duckdb.BinderException):
        hint = 'See the tables with: catalog sql "show tables", and columns with: describe NAME'
    return QueryError(text, hint=hint)
