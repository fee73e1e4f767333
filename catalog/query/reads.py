"""The SQL that reads chosen trace files in the shape of a public view."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlglot import exp, parse_one

from catalog.store.view_queries import NO_COST, no_rows, parsed, put
from catalog.store.views import LAKE_ROWS

# What the views want of trace_files.
PLANNED_COLUMNS = (
    "trace_id", "path", "kind", "run_id", "strategy_hash", "strategy_id", "strategy_type",
    "symbol", "timeframe", "generation", "idx_base", "status", "first_bar", "last_bar", "first_ts",
    "last_ts", "first_change_bar", "last_change_bar", "first_change_ts", "last_change_ts",
    "knows_bar_times", "pack_path", "trace_number", "has_original", "row_count",
    "file_size_bytes",
)  # fmt: skip

# Who reads it puts a number there.
_NUMBER = "_000"


@dataclass(frozen=True)
class Chosen:
    """
    The traces that one relation of a query reads.

    They are in the relation `planned_<number>`; the variables `files_<number>` and
    `packs_<number>` list the loose files and the packs. Of `layouts` (of orders, fills and
    positions) each has a variable `files_<number>_<place>`, of `lakes` a variable
    `lake_<number>_<lake>`.
    """

    number: int
    files: int
    packs: int
    layouts: tuple[str, ...] = ()
    is_small: bool = False
    """Whether the variables `traces_<number>` and `paths_<number>` list them as well."""
    lakes: tuple[int, ...] = ()
    lake_files: int = 0


def reading_sql(relation: str, chosen: Chosen) -> str:
    """Return a query that returns what the view of this name does, of the chosen traces only."""
    text = _template(
        relation,
        chosen.files > 0,
        chosen.packs > 0,
        chosen.layouts,
        chosen.lakes,
        is_small=chosen.is_small,
    )
    return text.replace(_NUMBER, f"_{chosen.number}")


@cache
def _template(
    relation: str,
    has_files: bool,
    has_packs: bool,
    layouts: tuple[str, ...],
    lakes: tuple[int, ...],
    *,
    is_small: bool,
) -> str:
    query = _query(relation, has_files, has_packs, layouts, lakes)
    if is_small and relation in ("signals", "classifications", "holdings", "trades"):
        _look_up(query)
    return query.sql("duckdb")


def _look_up(query: exp.Query) -> None:
    """
    Let rows look their trace up in a list, in the place of a join.

    Of few files the join takes longer than reading them does.
    """
    for join in list(query.find_all(exp.Join)):
        select = join.parent
        call = select.args["from_"].this if isinstance(select, exp.Select) else None
        if not isinstance(call, exp.Table) or not isinstance(call.this, exp.ReadParquet):
            continue
        assert isinstance(select, exp.Select)  # noqa: S101 - it has a FROM
        found = parse_one(
            f"getvariable('traces{_NUMBER}')"
            f"[list_position(getvariable('paths{_NUMBER}'), r.filename)]",
            dialect="duckdb",
        )
        rows = exp.select("r.*", exp.alias_(found, "f")).from_(call.copy(), copy=False)
        select.set("from_", exp.From(this=rows.subquery(alias="r")))
        select.set("joins", None)


def _query(
    relation: str,
    has_files: bool,
    has_packs: bool,
    layouts: tuple[str, ...],
    lakes: tuple[int, ...],
) -> exp.Query:
    if relation == "signals":
        branches = [_branch("rows_signal_loose", "files" if has_files else None)]
        if has_packs:
            branches = branches[:1] if has_files else []
            branches.append(_branch("rows_signal_packed", "packs"))
        return _with_lakes(branches, relation, lakes, is_needed=has_files or has_packs)
    if relation in ("holdings", "trades"):
        query = _branch(f"view_{relation}", None)
        if relation == "trades":
            _put_rows(query, [_branch("rows_trades", None)])
            put(query, "cost", NO_COST)
        for table in list(query.find_all(exp.Table)):
            if table.name == "signals":
                changes = _query("signals", has_files, has_packs, (), lakes)
                table.replace(changes.subquery(alias=table.alias or "signals"))
        return query
    query = _branch(f"view_{relation}", "files" if has_files else None)
    if relation != "classifications":
        rows = [_branch(layout, f"files{_NUMBER}_{i}") for i, layout in enumerate(layouts)]
        _put_rows(query, rows or [_branch(f"rows_{relation.removesuffix('s')}_flat", None)])
    return _with_lakes([query], relation, lakes, is_needed=has_files)


def _with_lakes(
    branches: list[exp.Query], relation: str, lakes: tuple[int, ...], *, is_needed: bool
) -> exp.Query:
    """Return the union of what is here and of what lakes have; of what is needed, or alone."""
    if lakes and not is_needed:
        branches = []
    for lake in lakes:
        rows = _branch(LAKE_ROWS[relation], f"lake{_NUMBER}_{lake}")
        put(rows, "lake", exp.Literal.number(lake))
        branches.append(rows)
    return branches[0] if len(branches) == 1 else exp.union(*branches, distinct=False)


def _put_rows(query: exp.Query, rows: list[exp.Query]) -> None:
    place = next(table for table in query.find_all(exp.Table) if table.name == "rows")
    union = rows[0] if len(rows) == 1 else exp.union(*rows, distinct=False)
    place.replace(union.subquery(alias=place.alias))


def _branch(name: str, variable: str | None) -> exp.Query:
    """Return a statement of sql/ that reads the files in a variable, or none."""
    query = parsed(name).copy()
    for table in query.find_all(exp.Table):
        if table.name == "trace_files":
            table.set("this", exp.to_identifier(f"planned{_NUMBER}"))
    call = query.find(exp.ReadParquet)
    if call is None:
        return query
    if variable is None:
        call.replace(no_rows(call))
        return query
    named = variable if _NUMBER in variable else variable + _NUMBER
    for node in list(query.find_all(exp.Parameter, exp.Placeholder)):
        if node.name == "files":
            node.replace(exp.func("getvariable", exp.Literal.string(named)))
    return query
