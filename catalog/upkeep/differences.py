"""What two catalogs say otherwise: rows that only one of them has, and columns that differ."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.statements import statement
from catalog.store.paths import catalog_root

SHOWN = 5
NOTHING: Final = exp.Literal.string("-")
"""Stands for a part of a key that a row does not have."""


@dataclass(frozen=True)
class Difference:
    """
    What differs in one relation.

    `only_before` and `only_after` count rows that only the former catalog or only the new one
    has, `columns` the rows in which a column differs; `examples` are the keys of some.
    """

    relation: str
    only_before: int = 0
    only_after: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Compared:
    """What tells rows apart, and the columns that another registration may say otherwise."""

    key: tuple[str, ...]
    besides: frozenset[str] = frozenset({"registered_at"})
    schema: str = "main"
    is_computed: bool = False


COMPARED: Final = {
    "runs": _Compared(("run_id",)),
    # Whoever copies files may give them other times, and they are the same files.
    "trace_files": _Compared(("trace_id",), frozenset({"registered_at", "modified_at"})),
    "strategies": _Compared(("strategy_key",)),
    "parameters": _Compared(("path", "form")),
    "components": _Compared(("parent_key", "position", "role")),
    # What is wrong with a file is said with its path, as it was then.
    "other_files": _Compared(("path",), frozenset({"seen_at", "error", "hint", "modified_at"})),
    "price_series": _Compared(("symbol", "timeframe")),
    "tags": _Compared(("strategy_key", "trace_id", "tag")),
    "metric_set": _Compared(("set_id",), schema="internal"),
    "trial": _Compared(
        ("symbol", "timeframe", "from_ts", "to_ts", "content_digest"),
        frozenset(),
        schema="internal",
    ),
    "trial_figure": _Compared(
        ("set_id", "symbol", "timeframe", "from_ts", "to_ts", "content_digest"),
        frozenset({"measured_at"}),
        schema="internal",
    ),
    "metric": _Compared(
        ("trace_id", "set_id", "period", "classifier", "regime"),
        frozenset({"computed_at"}),
        schema="internal",
        is_computed=True,
    ),
    "session_returns": _Compared(
        ("trace_id", "fill"),
        frozenset({"return_number", "pack_path"}),
        schema="internal",
        is_computed=True,
    ),
}


@contextmanager
def both_open(former: Path, rebuilt: Path) -> Iterator[DuckDBPyConnection]:
    """
    Open two catalogs of one folder to compare them; nobody writes to them meanwhile.

    Raises:
        duckdb.Error: one of them cannot be opened.
    """
    with duckdb.connect() as con:
        for name, path in (("former", former), ("rebuilt", rebuilt)):
            attach = exp.Attach(
                this=exp.alias_(exp.Literal.string(os.path.abspath(path)), name),
                expressions=[exp.AttachOption(this=exp.var("read_only"))],
            )
            con.execute(attach.sql("duckdb"))
        con.execute("set timezone = 'UTC'")
        con.execute("set variable catalog_root = $root", {"root": catalog_root(former)})
        yield con


def differences(con: DuckDBPyConnection, *, computed: bool) -> Iterator[Difference]:
    """
    Yield what differs between two catalogs that are open, in what both of them have.

    Args:
        computed: also compare figures and session returns.

    Raises:
        duckdb.Error: one of them cannot be read.
    """
    for relation, compared in COMPARED.items():
        if computed or not compared.is_computed:
            found = _compare(con, relation, compared)
            if found is not None:
                yield found


def _compare(con: DuckDBPyConnection, relation: str, compared: _Compared) -> Difference | None:
    values = {"schema": compared.schema, "relation": relation}
    types = dict(con.execute(statement("select_compared"), values).fetchall())
    if not set(compared.key) <= types.keys():
        return None
    columns = [name for name in types if name not in compared.key + tuple(compared.besides)]
    joined = _joined(relation, compared, types)
    missing = {side: _absent(side) for side in ("a", "b")}
    both = exp.not_(exp.or_(*missing.values()))
    counts = [
        exp.func("count_if", missing["b"]),
        exp.func("count_if", missing["a"]),
        *(exp.func("count_if", exp.and_(both, _differs(name, types[name]))) for name in columns),
    ]
    only_before, only_after, *changed = con.execute(
        joined.select(*counts).sql("duckdb")
    ).fetchall()[0]
    differing = {name: count for name, count in zip(columns, changed, strict=True) if count}
    if not (only_before or only_after or differing):
        return None
    wanted = [*missing.values(), *(_differs(name, types[name]) for name in differing)]
    keys = exp.func(
        "concat_ws",
        exp.Literal.string(" "),
        *(
            exp.func("coalesce", *(_text(name, side) for side in ("a", "b")), NOTHING.copy())
            for name in compared.key
        ),
    )
    some = joined.select(keys).where(exp.or_(*wanted)).limit(SHOWN)
    examples = tuple(str(row[0]) for row in con.execute(some.sql("duckdb")).fetchall())
    return Difference(relation, only_before, only_after, differing, examples)


def _joined(relation: str, compared: _Compared, types: dict[str, str]) -> exp.Select:
    """Return a query over the rows of both sides, `a` and `b`, by their key."""
    sides = [
        exp.select(*(exp.column(name, quoted=True) for name in types), exp.true().as_("is_there"))
        .from_(exp.table_(relation, db=compared.schema, catalog=catalog))
        .subquery(alias)
        for catalog, alias in (("former", "a"), ("rebuilt", "b"))
    ]
    # What has no classifier has none on both sides.
    on = exp.and_(
        *(
            exp.NullSafeEQ(
                this=exp.column(name, "a", quoted=True),
                expression=exp.column(name, "b", quoted=True),
            )
            for name in compared.key
        )
    )
    return exp.Select().from_(sides[0]).join(sides[1], on=on, join_type="full")


def _text(name: str, side: str) -> exp.Expression:
    return exp.cast(exp.column(name, side, quoted=True), "varchar")


def _absent(side: str) -> exp.Expression:
    return exp.column("is_there", side).is_(exp.null())


def _differs(name: str, kind: str) -> exp.Condition:
    before, after = (exp.column(name, side, quoted=True) for side in ("a", "b"))
    other = exp.NullSafeNEQ(this=before, expression=after)
    if kind not in ("DOUBLE", "FLOAT"):
        return other
    # Sums may be added up in another order.
    scale = exp.func("greatest", exp.func("abs", before.copy()), exp.func("abs", after.copy()))
    apart = exp.func("abs", exp.paren(before.copy() - after.copy()))
    near = exp.func("coalesce", apart <= exp.Literal.number("1e-9") * scale, exp.false())
    return exp.and_(other, exp.not_(near))
