"""The sides of the benchmark of queries: the catalog's three ways, plain DuckDB, a bound list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection
from query_asking import Question, Rows, ask_all
from query_questions import VIEWS

from catalog import Catalog
from catalog.query.files import allow
from catalog.query.guard import check_text, check_tree
from catalog.query.parsing import parse_query
from catalog.query.plan import plan
from catalog.query.restored import Restored
from catalog.query.sandbox import Limits, readable_folders, restrict
from catalog.store.database import reading

Call = Callable[[], dict[str, Any]]


def naive(glob: str, questions: str, repetitions: int, files: int) -> Call:
    """Ask a view over all files, in plain DuckDB."""
    con = duckdb.connect()
    con.execute(VIEWS.format(glob=glob))

    def answer(question: Question) -> Rows:
        return con.execute(question["glob"]).fetchall()

    return lambda: ask_all(questions, "glob", repetitions, files, answer)


def whole(catalog: str, questions: str, repetitions: int, files: int) -> Call:
    """Ask with `Catalog.sql`, which opens the catalog for each question."""

    def answer(question: Question) -> Rows:
        return Catalog(catalog).sql(question["catalog"]).fetchall()

    return lambda: ask_all(questions, "catalog", repetitions, files, answer)


def plain(catalog: str, questions: str, repetitions: int, files: int) -> Call:
    """Ask the catalog's views in plain DuckDB, on an open connection."""
    con = duckdb.connect(catalog, read_only=True)

    def answer(question: Question) -> Rows:
        return con.execute(question["catalog"]).fetchall()

    return lambda: ask_all(questions, "catalog", repetitions, files, answer)


def planned(catalog: str, questions: str, repetitions: int, files: int) -> Call:
    """Check, plan and run on a connection that is open and restricted already."""

    def call() -> dict[str, Any]:
        with opened(Path(catalog)) as (con, restored, folders):

            def answer(question: Question) -> Rows:
                parsed = check(con, question["catalog"])
                con.begin()
                text = plan(con, parsed, {}, restored=restored, folders=folders, refused={}).text
                rows = con.sql(text).to_arrow_table()
                con.commit()
                return [tuple(row.values()) for row in rows.to_pylist()]

            return ask_all(questions, "catalog", repetitions, files, answer)

    return call


def planning(catalog: str, questions: str, repetitions: int, files: int) -> Call:
    """Check and plan only, on such a connection."""

    def call() -> dict[str, Any]:
        with opened(Path(catalog)) as (con, restored, folders):

            def answer(question: Question) -> Rows:
                parsed = check(con, question["catalog"])
                con.begin()
                plan(con, parsed, {}, restored=restored, folders=folders, refused={})
                con.commit()
                return []

            return ask_all(questions, "catalog", repetitions, files, answer)

    return call


def check(con: DuckDBPyConnection, query: str) -> Any:
    """Parse a query and see that it only reads, as the catalog does before it plans."""
    parsed = parse_query(query)
    check_tree(parsed)
    check_text(con, parsed)
    return parsed


@contextmanager
def opened(catalog: Path) -> Iterator[tuple[DuckDBPyConnection, Restored, list[str]]]:
    """Open a catalog and restrict the connection, as the catalog does for every query."""
    with reading(catalog) as con, Restored(is_wanted=False) as restored:
        con.execute("set search_path = 'main'")
        folders = readable_folders(con, catalog)
        restrict(con, folders, allow([], folders), Limits())
        yield con, restored, folders


def listed(catalog: str, questions: str, repetitions: int, files: int) -> Call:
    """Read the right files, bound as a list, on the planner's kind of connection."""

    def call() -> dict[str, Any]:
        with opened(Path(catalog)) as (con, _, _):

            def answer(question: Question) -> Rows:
                return con.execute(question["list"], {"files": question["files"]}).fetchall()

            return ask_all(questions, "list", repetitions, files, answer)

    return call


def listed_whole(catalog: str, questions: str, repetitions: int, files: int) -> Call:
    """Open the catalog plainly, and read the right files, bound as a list."""

    def answer(question: Question) -> Rows:
        with duckdb.connect(catalog, read_only=True) as con:
            return con.execute(question["list"], {"files": question["files"]}).fetchall()

    return lambda: ask_all(questions, "list", repetitions, files, answer)
