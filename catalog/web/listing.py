"""The rows of the list of strategies: sql/web_strategies.sql with what is asked for put in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, cast

import pyarrow as pa
from sqlglot import exp, parse_one

from catalog.catalog import Catalog
from catalog.statements import statement
from catalog.web.columns import Column
from catalog.web.facets import Facets
from catalog.web.list_asked import Asked, value_of

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
    text, values = _query(asked, facets, wanted, limit=PAGE, offset=PAGE * (asked.page - 1))
    rows = catalog.sql(text, values).table.to_pylist()
    return Listed(rows, rows[0]["found"] if rows else 0)


@contextmanager
def all_rows(
    catalog: Catalog, asked: Asked, facets: Facets, columns: Sequence[Column]
) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
    """
    Yield all that is asked for as it comes: the columns that are shown, and which strategies.

    Until the block ends nobody can write to the catalog.

    Raises:
        QueryError: a value is none of its column's type.
        StoreError: the catalog cannot be used.
    """
    names = ["strategy_id", "strategy_hash", *(one.name for one in columns)]
    wanted = [facets.columns[name] for name in dict.fromkeys(names)]
    text, values = _query(asked, facets, wanted, limit=None, offset=0)
    with catalog.stream(text, values) as rows:
        schema = rows.schema.remove(rows.schema.get_field_index("found"))
        yield schema, (batch.drop_columns(["found"]) for batch in rows)


def _query(
    asked: Asked, facets: Facets, columns: Sequence[Column], *, limit: int | None, offset: int
) -> tuple[str, dict[str, object]]:
    met = list(_conditions(asked, facets))
    text = _text(
        tuple(one.shape for one in met),
        facets.columns[asked.sorted_by],
        asked.is_descending,
        tuple(columns),
    )
    values = {f"v{number}": one.value for number, one in enumerate(met) if one.takes_value}
    return text, {"limit": limit, "offset": offset, **values}


@dataclass(frozen=True)
class _Condition:
    """What rows have to meet: how a column, if it is of one, is compared with a value, if any."""

    how: str
    column: Column | None = None
    value: object = None

    @property
    def shape(self) -> tuple[str, Column | None]:
        """All that the text of a query depends on."""
        return self.how, self.column

    @property
    def takes_value(self) -> bool:
        return self.how != _LATEST


_LATEST: Final = "latest"
_FIGURES: Final = frozenset({"m", "i", "o"})
_SEARCHED: Final = ("strategy_id", "strategy_hash", "strategy_key")


def _conditions(asked: Asked, facets: Facets) -> Iterable[_Condition]:
    equals = dict(asked.equals)
    if "run_id" not in equals or asked.is_latest:
        # Of a run all traces are meant, also those that later runs made anew.
        yield _Condition(_LATEST)
    for name, text in equals.items():
        column = facets.columns[name]
        yield _Condition("equal", column, value_of(column, text))
    for name, low, high in asked.ranges:
        for how, bound in (("least", low), ("greatest", high)):
            if bound is not None:
                yield _Condition(how, facets.columns[name], bound)
    for tag in asked.tags:
        yield _Condition("tagged", None, tag)
    if asked.text:
        yield _Condition("called", None, asked.text.lower())


# To make a text takes a tenth of the time of its query, and people ask for few kinds of them.
@lru_cache(maxsize=256)
def _text(
    conditions: tuple[tuple[str, Column | None], ...],
    sorted_by: Column,
    is_descending: bool,
    columns: tuple[Column, ...],
) -> str:
    """Return the query for some conditions, whose values are `$v0`, `$v1`, … in their order."""
    tree = _template().copy()
    chosen, page = (one.this for one in tree.ctes)
    compared = [
        _compared(how, column, exp.Placeholder(this=f"v{number}"))
        for number, (how, column) in enumerate(conditions)
    ]
    chosen.where(*compared, copy=False)
    chosen.select(exp.alias_(_column(sorted_by), "sorted_by"), copy=False)
    for select in (page, tree):
        select.args["order"].expressions[0].set("desc", is_descending)
    _drop_joins(chosen)
    # Figures that were needed to choose are handed on: to look each up again takes as long.
    known = {one.alias_or_name for one in chosen.args["joins"]} & _FIGURES
    for column in columns:
        look_up = _column(column)
        if look_up.table in known:
            chosen.select(exp.alias_(look_up, column.name, quoted=True), copy=False)
            page.select(exp.column(column.name, quoted=True), copy=False)
            look_up = exp.column(column.name, table="p", quoted=True)
        tree.select(exp.alias_(look_up, column.name, quoted=True), copy=False)
    _drop_joins(tree)
    return tree.sql("duckdb", comments=False)


@cache
def _template() -> exp.Select:
    return cast(exp.Select, parse_one(statement("web_strategies"), read="duckdb"))


def _compared(how: str, column: Column | None, value: exp.Expr) -> exp.Expr:
    if column is not None:
        left = _column(column)
        if how == "least":
            return exp.GTE(this=left, expression=value)
        if how == "greatest":
            return exp.LTE(this=left, expression=value)
        typed = value if column.is_number else exp.cast(value, column.type, dialect="duckdb")
        return exp.EQ(this=left, expression=typed)
    if how == _LATEST:
        return exp.column("is_latest", table="t")
    if how == "tagged":
        tagged = exp.select("strategy_key").from_("tags").where(exp.column("tag").eq(value))
        return exp.column("strategy_key", table="t").isin(query=tagged)
    names = (exp.Lower(this=exp.column(name, table="t")) for name in _SEARCHED)
    return exp.or_(*(exp.func("contains", name, value.copy()) for name in names))


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
