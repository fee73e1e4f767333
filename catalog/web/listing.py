"""The rows of the list of strategies: sql/web_strategies.sql with what is asked for put in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

import pyarrow as pa
from sqlglot import exp, parse_one

from catalog.catalog import Catalog
from catalog.statements import statement
from catalog.web.columns import Column
from catalog.web.facets import Facets
from catalog.web.list_asked import Asked

PAGE: Final = 100
# What every row needs, whichever columns are chosen.
_ALWAYS: Final = ("strategy_key", "strategy_id", "trace_id", "is_flat")


@dataclass(frozen=True)
class Listed:
    """A page of rows, each by the names of its columns, and how many there are on all pages."""

    rows: list[dict[str, Any]]
    found: int


def list_page(catalog: Catalog, asked: Asked, facets: Facets, columns: Sequence[Column]) -> Listed:
    """
    Return one page of what is asked for.

    Raises:
        QueryError: a value is none of its column's type.
        StoreError: the catalog cannot be used.
    """
    names = [*_ALWAYS, *(one.name for one in columns)]
    if any(one.is_metric for one in columns):
        names.append("metrics_note")
    wanted = [facets.columns[name] for name in dict.fromkeys(names)]
    table = _ask(catalog, asked, facets, wanted, limit=PAGE, offset=PAGE * (asked.page - 1))
    rows = table.to_pylist()
    return Listed(rows, rows[0]["found"] if rows else 0)


def list_all(catalog: Catalog, asked: Asked, facets: Facets, columns: Sequence[Column]) -> pa.Table:
    """
    Return all that is asked for, with the columns that are shown, behind those that say which.

    Raises:
        QueryError: a value is none of its column's type.
        StoreError: the catalog cannot be used.
    """
    names = ["strategy_id", "strategy_hash", *(one.name for one in columns)]
    wanted = [facets.columns[name] for name in dict.fromkeys(names)]
    table = _ask(catalog, asked, facets, wanted, limit=None, offset=0)
    return table.drop_columns(["found"])


def _ask(
    catalog: Catalog,
    asked: Asked,
    facets: Facets,
    columns: Sequence[Column],
    *,
    limit: int | None,
    offset: int,
) -> pa.Table:
    tree = _template().copy()
    chosen, page = (one.this for one in tree.ctes)
    values: dict[str, object] = {"limit": limit, "offset": offset}

    conditions = list(_conditions(asked, facets, values))
    chosen.where(*conditions, copy=False)
    sorted_by = _column(facets.columns[asked.sorted_by])
    chosen.select(exp.alias_(sorted_by, "sorted_by"), copy=False)
    for select in (page, tree):
        select.args["order"].expressions[0].set("desc", asked.is_descending)

    selected = [exp.alias_(_column(one), one.name, quoted=True) for one in columns]
    tree.select(*selected, copy=False)
    for select in (chosen, tree):
        _drop_joins(select)
    return catalog.sql(tree.sql("duckdb"), values).table


@cache
def _template() -> exp.Select:
    return cast(exp.Select, parse_one(statement("web_strategies"), read="duckdb"))


def _conditions(asked: Asked, facets: Facets, values: dict[str, object]) -> Iterable[exp.Expr]:
    """Yield what rows have to meet; the values that are compared with go into `values`."""

    def bound(value: object) -> exp.Expr:
        name = f"v{len(values)}"
        values[name] = value
        return exp.Placeholder(this=name)

    equals = dict(asked.equals)
    if "run_id" not in equals:
        # Of a run all traces are meant, also those that later runs made anew.
        yield exp.column("is_latest", table="t")
    for name, text in equals.items():
        column = facets.columns[name]
        value = bound(float(text) if column.is_number else text)
        if not column.is_number:
            value = exp.cast(value, column.type, dialect="duckdb")
        yield exp.EQ(this=_column(column), expression=value)
    for name, low, high in asked.ranges:
        column = facets.columns[name]
        if low is not None:
            yield exp.GTE(this=_column(column), expression=bound(low))
        if high is not None:
            yield exp.LTE(this=_column(column), expression=bound(high))
    for tag in asked.tags:
        tagged = exp.select("strategy_key").from_("tags").where(exp.column("tag").eq(bound(tag)))
        yield exp.column("strategy_key", table="t").isin(query=tagged)
    if asked.text:
        yield exp.or_(*(_contains(name, bound(asked.text.lower())) for name in _SEARCHED))


_SEARCHED: Final = ("strategy_id", "strategy_hash", "strategy_key")


def _contains(name: str, text: exp.Expr) -> exp.Expr:
    return exp.func("contains", exp.Lower(this=exp.column(name, table="t")), text)


def _column(column: Column) -> exp.Column:
    alias, name = column.source
    return exp.column(name, table=alias, quoted=True)


def _drop_joins(select: exp.Select) -> None:
    """Leave out the joins to relations of which no column is needed elsewhere."""
    joins = select.args["joins"]
    needed = {
        column.table
        for part in ("expressions", "where", "order")
        for node in _listed(select.args.get(part))
        for column in node.find_all(exp.Column)
    }
    select.set("joins", [one for one in joins if one.side != "LEFT" or one.alias_or_name in needed])


def _listed(part: Any) -> list[exp.Expr]:
    if part is None:
        return []
    return list(part) if isinstance(part, list) else [part]
