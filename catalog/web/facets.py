"""What the list of strategies can be filtered by: its columns, and the values that there are."""

from __future__ import annotations

import os
import threading
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from sqlglot import exp

from catalog.catalog import Catalog
from catalog.statements import statement
from catalog.web.columns import Column

FEW: Final = 40
"""As many numbers are listed; of more only the least and the greatest are said."""
MANY: Final = 1_000
"""As many texts are listed."""
_reading = threading.Lock()
_OF_A_TYPE: Final = 3  # columns of one parameter in the query of them


@dataclass(frozen=True)
class Facet:
    """The values that a column has, each with how many traces have it, most frequent first."""

    values: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class ParameterFacet:
    """The values of a parameter of one strategy type; of many numbers none are listed."""

    column: Column
    low: Any
    high: Any
    values: tuple[Any, ...]

    @property
    def options(self) -> list[tuple[str, None]]:
        """The values as what can be chosen, without counts."""
        return [(str(value), None) for value in self.values]


@dataclass(frozen=True)
class Facets:
    """What is in a catalog at one time, as far as filters need to know."""

    columns: dict[str, Column]
    values: dict[str, Facet] = field(default_factory=dict)
    traces: int = 0
    measured: int = 0

    def of(self, name: str) -> tuple[tuple[str, int], ...]:
        """Return the values of a column with their counts; none where it has none."""
        return self.values.get(name, Facet()).values

    @property
    def metrics(self) -> list[Column]:
        """The figures that `catalog metrics` computes."""
        return [column for column in self.columns.values() if column.is_metric]


def facets_of(catalog: Catalog) -> Facets:
    """
    Return what the list can be filtered by, kept until the catalog changes.

    Raises:
        StoreError: the catalog cannot be used.
    """
    # Who asks while they are being read waits for them, and need not read them as well.
    with _reading:
        return _facets(catalog.path, _state(catalog.path))


def parameters_of(catalog: Catalog, strategy_type: str) -> tuple[ParameterFacet, ...]:
    """
    Return the parameters of a strategy type and their values, kept until the catalog changes.

    Raises:
        StoreError: the catalog cannot be used.
    """
    with _reading:
        return _parameters(catalog.path, _state(catalog.path), strategy_type)


def _state(path: Path) -> tuple[int, int]:
    """Return what is another after every change of a file."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0  # What is asked next says so.
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4)
def _facets(path: Path, state: tuple[int, int]) -> Facets:
    catalog = Catalog(path)
    board = catalog.sql("from leaderboard limit 0")
    named = catalog.sql("select column_name, parameter from parameters").fetchall()
    often = Counter(parameter for _, parameter in named)
    called = {name: parameter for name, parameter in named if often[parameter] == 1}
    columns = {
        name: Column(name, kind, called.get(name, ""))
        for name, kind in zip(board.columns, board.types, strict=True)
    }
    found: dict[str, list[tuple[str, int]]] = {}
    for name, value, traces in catalog.sql(statement("web_facets")).fetchall():
        found.setdefault(name, []).append((value, traces))
    counts = {name: found.pop(name)[0][1] for name in ("all", "measured")}
    values = {name: Facet(tuple(rows)) for name, rows in found.items()}
    return Facets(columns, values, counts["all"], counts["measured"])


@lru_cache(maxsize=64)
def _parameters(
    path: Path, state: tuple[int, int], strategy_type: str
) -> tuple[ParameterFacet, ...]:
    columns = [one for one in _facets(path, state).columns.values() if one.is_parameter]
    if not columns:
        return ()
    looked_at: list[exp.Expr] = []
    for column in columns:
        of = exp.column(column.name, quoted=True)
        # Of 500 columns `list(distinct …)` takes thirty times as long.
        distinct = exp.func("list_distinct", exp.func("list", of.copy()))
        looked_at += [exp.Min(this=of), exp.Max(this=of.copy()), distinct]
    named = [exp.alias_(value, f"c{number}") for number, value in enumerate(looked_at)]
    query = (
        exp.select(*named)
        .from_("strategies")
        .where(exp.column("strategy_type").eq(exp.Placeholder(this="type")))
    )
    ((*row,),) = Catalog(path).sql(query.sql("duckdb"), {"type": strategy_type}).fetchall()
    found = []
    for number, column in enumerate(columns):
        low, high, values = row[_OF_A_TYPE * number : _OF_A_TYPE * (number + 1)]
        if low is None:
            continue  # No strategy of this type has it.
        known = sorted(value for value in values if value is not None)
        if column.is_number:
            known = known if len(known) <= FEW else []
        found.append(ParameterFacet(column, low, high, tuple(known[:MANY])))
    return tuple(found)
