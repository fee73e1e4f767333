"""
`read_parquet` of a path in another relation's row, which no DuckDB runs by itself.

The paths are asked for first. All their files are then read in one call, and each row finds its
own among them by its path.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.errors import QueryError
from catalog.objects import is_url
from catalog.query.expand import call_span
from catalog.query.files import allow, column_argument, file_function, named_files
from catalog.query.meanings import Meanings
from catalog.query.needs import Needs
from catalog.query.parsing import Parsed
from catalog.query.quick import UnknownError
from catalog.query.restored import Restored
from catalog.query.scopes import Scope, Scopes, Source
from catalog.statements import statement
from catalog.store.patterns import escape
from catalog.store.registered import registered
from catalog.store.remote import reach

_NO_ROWS = (
    "select null::bigint as idx, null::timestamptz as ts, null::varchar as sym, "
    "null::double as val, null::varchar as strat, null::double as px, "
    "null::varchar as metadata, null::varchar as strategy_hash where false"
)


@dataclass(frozen=True)
class LateralCall:
    """A call of `read_parquet` on a column of a relation beside it."""

    call: exp.Expr
    argument: exp.Expr
    scope: Scope
    span: tuple[int, int]
    is_lateral: bool
    has_alias: bool


@dataclass(frozen=True)
class LateralRead:
    """What is put in the place of such a call, and how many files it reads."""

    argument: str
    sql: str
    files: int


def find_laterals(parsed: Parsed, scopes: Scopes) -> Iterator[LateralCall]:
    """Yield the calls of a statement, in no order."""
    for node in parsed.tree.find_all(exp.Table, exp.Lateral):
        call = node.this
        if file_function(call) not in ("read_parquet", "parquet_scan"):
            continue
        argument = column_argument(call)
        if argument is None:
            continue
        if isinstance(argument, exp.Array) and len(argument.expressions) == 1:
            argument = argument.expressions[0]
        select = node.find_ancestor(exp.Select)
        scope = scopes.by_select.get(id(select))
        span = call_span(parsed.body, call)
        if scope is not None and span is not None:
            is_lateral = isinstance(node, exp.Lateral)
            yield LateralCall(call, argument, scope, span, is_lateral, bool(node.alias))


def prepare_lateral(
    con: DuckDBPyConnection,
    call: LateralCall,
    number: int,
    meanings: Meanings,
    needs: Needs,
    *,
    restored: Restored,
    fetch: Callable[[str], Sequence[tuple[object, ...]]],
    folders: Sequence[str],
) -> LateralRead:
    """
    Find out which files such a call reads, and return what reads them.

    Args:
        fetch: returns the rows of a query of ours on what the user's query reads.
        folders: where files may lie beside the working directory.

    Raises:
        QueryError: the relation cannot be told, or a file is not there or may not be read.
    """
    source, argument = _source(call, meanings)
    columns = meanings.names.columns(source) or ()
    if columns and isinstance(argument, exp.Column) and argument.name.lower() not in columns:
        raise QueryError(
            f"{call.argument.sql('duckdb')} is no column: {source.alias} has none of that name",
            hint=f'See its columns with: catalog sql "describe {source.name or source.alias}"',
        )
    traced = "trace_id" in columns
    query = exp.select(
        argument.as_("given"),
        exp.column("trace_id", table=source.key, quoted=True).as_("trace_id")
        if traced
        else exp.cast(exp.null(), "varchar").as_("trace_id"),
    ).distinct()
    query = query.from_(meanings.named(source), copy=False)
    condition = needs.needed(source)
    if condition is not None:
        query = query.where(condition)
    rows = [
        (str(given), None if trace_id is None else str(trace_id))
        for given, trace_id in fetch(meanings.with_common_tables(query).sql("duckdb"))
        if given is not None
    ]
    shown = call.argument.sql("duckdb")
    if not rows:
        return LateralRead(shown, _wrapped(call, _NO_ROWS), 0)
    files = _files(con, rows, _base(source, meanings), shown, restored=restored, folders=folders)
    con.register(f"paths_{number}", _table(files))
    distinct = [escape(path) for path in dict.fromkeys(files.values())]
    con.execute(f"set variable lateral_{number} = $files", {"files": distinct})
    alias = exp.to_identifier(source.node.alias_or_name or source.alias, quoted=True)
    same_trace = (
        f" and p.trace_id is not distinct from {alias.sql('duckdb')}.trace_id" if traced else ""
    )
    options, keeps_name = _options(call.call)
    star = "r.*" if keeps_name else "r.* exclude (filename)"
    sql = (
        f"select {star} from read_parquet(getvariable('lateral_{number}'), filename = true"
        f"{options}) as r join paths_{number} as p on p.file = r.filename "
        f"where p.given = {shown}{same_trace}"
    )
    return LateralRead(shown, _wrapped(call, sql), len(distinct))


def _source(call: LateralCall, meanings: Meanings) -> tuple[Source, exp.Expr]:
    """Return the relation whose rows have the path, and the path in canonical form."""
    tables = {column.table.lower() for column in call.argument.find_all(exp.Column)}
    scope: Scope | None = call.scope
    while scope is not None and len(tables) == 1:
        (alias,) = tables
        beside = [one for one in scope.sources if one.node.this is not call.call]
        named = [one for one in beside if one.alias == alias or not alias]
        if len(named) == 1:
            key = named[0].key

            def of_source(node: exp.Expr, key: str = key) -> exp.Expr:
                is_column = isinstance(node, exp.Column)
                return exp.column(node.name, table=key, quoted=True) if is_column else node

            return named[0], call.argument.copy().transform(of_source)
        scope = scope.parent if not named else None
    copy: exp.Expr | None = None
    with suppress(UnknownError):
        copy = meanings.canonical(call.argument, call.scope)
    keys = {column.table for column in copy.find_all(exp.Column)} if copy is not None else set()
    if copy is None or len(keys) != 1:
        raise QueryError(
            f"It cannot be told which relation {call.argument.sql('duckdb')} is a column of",
            hint="Name it in full: read_parquet(s.trace_path), of one relation s",
        )
    return meanings.source(keys.pop()), copy


def _base(source: Source, meanings: Meanings) -> str:
    """Return the folder that relative paths count from: that of the file that says them."""
    nodes = [source.node]
    nodes += [one.node for one in meanings.common_tables(exp.select("*").from_(source.node.copy()))]
    names: list[str] = []
    for node in nodes:
        names += named_files(node, meanings.names.values)
    folders = {os.path.dirname(os.path.abspath(name)) for name in names}
    return folders.pop() if len(folders) == 1 else os.getcwd()


def _files(
    con: DuckDBPyConnection,
    rows: list[tuple[str, str | None]],
    base: str,
    shown: str,
    *,
    restored: Restored,
    folders: Sequence[str],
) -> dict[tuple[str, str | None], str]:
    """Return the file to read for each path and trace."""
    if any(given.startswith("lake:") for given, _ in rows):
        raise QueryError(
            f"{shown} names traces that only a lake has, in files that hold many of them",
            hint="Join the view that has their rows: join signals as t using (trace_id)",
        )
    files = {
        (given, trace): given if is_url(given) else os.path.abspath(os.path.join(base, given))
        for given, trace in rows
    }
    with registered(con, given_paths=_table(files)):
        known = con.execute(statement("select_lateral_traces")).fetchall()
    packed = {
        (given, trace): (pack, trace_id)
        for given, trace, trace_id, pack, has_original in known
        if pack is not None and not has_original
    }
    if packed:
        written = restored.write(sorted(set(packed.values())))
        for row, (_, trace_id) in packed.items():
            files[row] = str(written[trace_id])
    loose = {path for row, path in files.items() if row not in packed}
    packs = {path for (path,) in con.execute(statement("select_pack_files")).fetchall()}
    if loose & packs:
        raise QueryError(
            f"{shown} names a pack, which holds many traces, and trace_id does not say which",
            hint="Select trace_id beside trace_path, or write the files again: catalog unpack",
        )
    for path in loose:
        # Of an object that is told when it is read: each would have to be asked for.
        if not is_url(path) and not os.path.isfile(path):
            raise QueryError(
                f"{shown} names {path}, which is not there",
                hint="Bring the catalog up to date with catalog register, or export the index anew",
            )
    allow(sorted(loose), folders)
    reach(con, dict.fromkeys(loose))
    return files


def _table(files: Mapping[tuple[str, str | None], str]) -> pa.Table:
    return pa.table(
        {
            "given": pa.array([given for given, _ in files], pa.string()),
            "trace_id": pa.array([trace_id for _, trace_id in files], pa.string()),
            "file": pa.array(list(files.values()), pa.string()),
        }
    )


def _options(call: exp.Expr) -> tuple[str, bool]:
    """Return the named arguments of a call as text, and whether the file's name is one."""
    texts, keeps_name, has_union = [], False, False
    for argument in call.expressions[1:]:
        name = argument.this.name.lower() if argument.args.get("expression") is not None else ""
        if name == "filename":
            keeps_name = argument.expression.sql("duckdb").lower() != "false"
        else:
            has_union = has_union or name in ("union_by_name", "schema")
            texts.append(f", {argument.sql('duckdb')}")
    # Traces of several generations have different columns.
    return "".join(texts) + ("" if has_union else ", union_by_name = true"), keeps_name


def _wrapped(call: LateralCall, sql: str) -> str:
    alias = "" if call.has_alias else " as read_parquet"
    return f"{'' if call.is_lateral else 'lateral '}({sql}){alias}"
