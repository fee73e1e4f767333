"""Conditions on rows, loosened until they can be asked of the files that the rows are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp, parse_one

from catalog.query.relations import TRACE_RELATIONS
from catalog.query.scopes import Source, conjuncts

if TYPE_CHECKING:
    from catalog.query.meanings import Meanings

_FLIPPED: dict[type[exp.Expr], type[exp.Binary]] = {
    exp.EQ: exp.EQ, exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE,
}  # fmt: skip
_MOST_VALUES = 50
# Casts that keep the order of times and of whole numbers.
_ORDERED = (
    exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.BIGINT,
    exp.DataType.Type.INT, exp.DataType.Type.DOUBLE,
)  # fmt: skip


def relax(part: exp.Expr, target: Source, meanings: Meanings) -> exp.Expr | None:
    """
    Return a condition that holds wherever the given one does, on what can be asked.

    Columns that are the same in all rows of a file stay; a comparison with a column that has a
    range in each file becomes one with its ends; what cannot be asked is left out. None where
    nothing is left.
    """
    if isinstance(part, exp.Paren):
        inner = relax(part.this, target, meanings)
        return None if inner is None else exp.Paren(this=inner)
    if isinstance(part, exp.And):
        sides = [relax(side, target, meanings) for side in (part.left, part.right)]
        kept = [side for side in sides if side is not None]
        return exp.and_(*kept, copy=False) if kept else None
    if isinstance(part, exp.Or):
        sides = [relax(side, target, meanings) for side in (part.left, part.right)]
        if sides[0] is None or sides[1] is None:
            return None
        return exp.Or(this=exp.paren(sides[0], copy=False), expression=exp.paren(sides[1]))
    own = _own_keys(part)
    if own and isinstance(part, exp.Exists):
        return _relax_inside(part, target, meanings)
    uses = {
        _use(column, target, meanings)
        for column in part.find_all(exp.Column)
        if column.table.startswith(("#", "?")) and column.table not in own
    }
    if uses <= {"exact"}:
        return part.copy()
    return _relax_range(part, target, meanings)


def free_keys(part: exp.Expr) -> set[str]:
    """Return the keys of the sources that a condition speaks of."""
    return {
        column.table for column in part.find_all(exp.Column) if column.table.startswith("#")
    } - _own_keys(part)


def _own_keys(part: exp.Expr) -> set[str]:
    """Return the keys of the companions that a condition itself selects from."""
    aliases = {table.alias for table in part.find_all(exp.Table, exp.Subquery)}
    return {alias for alias in aliases if alias.startswith("#")}


def _relax_inside(part: exp.Exists, target: Source, meanings: Meanings) -> exp.Expr | None:
    """Loosen the conditions under which something exists, one by one."""
    copy = part.copy()
    where, own = copy.this.args["where"], _own_keys(part)
    kept = []
    for one in conjuncts(where.this):
        uses = {
            _use(column, target, meanings)
            for column in one.find_all(exp.Column)
            if column.table.startswith(("#", "?")) and column.table not in own
        }
        if uses <= {"exact"}:
            kept.append(one.copy())
    if not any(target.key in free_keys(one) for one in kept):
        return None
    copy.this.set("where", exp.Where(this=exp.and_(*kept, copy=False)))
    return copy


def _use(column: exp.Column, target: Source, meanings: Meanings) -> str:
    if column.table != target.key and not meanings.is_companion(column.table):
        return "unknown"
    return meanings.column_of(column.table, column.name)


def _relax_range(part: exp.Expr, target: Source, meanings: Meanings) -> exp.Expr | None:
    relation = meanings.names.trace_relation(target)
    if relation is None:
        return None
    if isinstance(part, exp.Between) and not part.args.get("symmetric"):
        ends = [
            exp.GTE(this=part.this.copy(), expression=part.args["low"].copy()),
            exp.LTE(this=part.this.copy(), expression=part.args["high"].copy()),
        ]
        return relax(exp.and_(*ends, copy=False), target, meanings)
    if isinstance(part, exp.In) and 0 < len(part.expressions) <= _MOST_VALUES:
        equal = [exp.EQ(this=part.this.copy(), expression=one.copy()) for one in part.expressions]
        found = [relax(one, target, meanings) for one in equal]
        kept = [one for one in found if one is not None]
        return exp.paren(exp.or_(*kept, copy=False)) if len(kept) == len(found) else None
    if type(part) not in _FLIPPED or not isinstance(part, exp.Binary):
        return None
    kind: type[exp.Expr] = type(part)
    side, other = part.left, part.right
    if _is_constant(side):
        side, other, kind = other, side, _FLIPPED[kind]
    column = _ordered_column(side)
    if column is None or column.table != target.key or not _is_constant(other):
        return None
    ends_of = TRACE_RELATIONS[relation].ranges.get(column.name)
    if ends_of is None:
        return None
    first, last = (_at(side, end, target.key) for end in ends_of)
    kept = []
    if kind in (exp.EQ, exp.GT, exp.GTE):
        above: type[exp.Binary] = exp.GT if kind is exp.GT else exp.GTE
        kept.append(above(this=last, expression=other.copy()))
    if kind in (exp.EQ, exp.LT, exp.LTE):
        below: type[exp.Binary] = exp.LT if kind is exp.LT else exp.LTE
        kept.append(below(this=first, expression=other.copy()))
    return exp.paren(exp.and_(*kept, copy=False), copy=False)


def _is_constant(side: exp.Expr) -> bool:
    return side.find(exp.Column, exp.Select) is None


def _ordered_column(side: exp.Expr) -> exp.Column | None:
    """Return the column that a side grows with, if that is all it is."""
    while True:
        if isinstance(side, exp.Column):
            return side
        if isinstance(side, exp.Paren):
            side = side.this
        elif isinstance(side, exp.Cast) and not isinstance(side, exp.TryCast):
            if side.to.this not in _ORDERED:
                return None
            side = side.this
        elif isinstance(side, exp.Add | exp.Sub) and isinstance(side.right, exp.Literal):
            side = side.left
        else:
            return None


def _at(side: exp.Expr, end: str, key: str) -> exp.Expr:
    """Return a side with the end of the range in the place of its column."""
    bound = parse_one(end, dialect="duckdb")

    def of_target(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            return exp.column(node.name, table=key, quoted=True)
        return node

    bound = exp.paren(bound.transform(of_target, copy=False), copy=False)
    copy = side.copy()
    column = copy if isinstance(copy, exp.Column) else copy.find(exp.Column)
    if column is copy or column is None:
        return bound
    column.replace(bound)
    return copy
