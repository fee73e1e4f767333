"""
Rank strategies, and say how much of what the best of them earned luck alone would explain.

What is shown can be narrowed; how many were tried cannot.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp, parse_one

from catalog.compare.overfitting import Progress
from catalog.compare.parameter_table import read_parameter_table
from catalog.compare.plateau import Grid
from catalog.compare.verdict import DATA, Verdict, read_verdicts
from catalog.errors import QueryError, UsageError
from catalog.metrics.batches import FIGURES
from catalog.metrics.sets import MetricSet, find_set, options_of
from catalog.query.parsing import parse_condition
from catalog.query.result import Result
from catalog.query.run import run_query
from catalog.statements import statement
from catalog.store.database import reading
from catalog.strategy import leaf_parameters

RANKED_BY = (*FIGURES[3:], "deflated_sharpe", "deflated_sharpe_no_drift", "sharpe_is", "sharpe_oos")
"""What strategies can be ranked by: the greatest first, NULL last."""

MOST_DATA = 4
_PLACE = (
    "row_number() over (partition by content_digest, from_ts, to_ts "
    "order by is_latest desc, strategy_id, trace_id) as place"
)
COLUMNS = (
    "sharpe_oos", "deflated_sharpe", "plateau", "benchmark_sharpe", "breakeven_cost_bps", "trades",
    "total_return", "max_drawdown", "alike",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Ranking:
    """
    The best strategies, a row each, and what was tried on each data that they are ranked on.

    `keys` are the strategies of the rows, and `trace_ids` their traces; `total` is how many
    traces met the condition, of those with the same content one. `unmeasured` signal traces have
    no figures of this metric set yet, and `without_figures` cannot have any: a note says why.
    """

    rows: Result
    keys: tuple[str, ...]
    trace_ids: tuple[str, ...]
    by: str
    total: int
    wanted: MetricSet
    verdicts: tuple[Verdict, ...]
    other_data: int
    unmeasured: int
    without_figures: int


def rank(
    catalog: Path,
    wanted: MetricSet,
    *,
    by: str = "sharpe",
    where: str | None = None,
    top: int = 20,
    columns: tuple[str, ...] | None = None,
    pbo: bool = False,
    progress: Progress = lambda done, total: None,
) -> Ranking:
    """
    Rank the measured strategies; see `Catalog.rank`.

    Raises:
        QueryError: there are no figures of this metric set, nothing meets the condition, or it
            or a column is none.
        StoreError: the catalog cannot be used.
    """
    if by not in RANKED_BY:
        raise UsageError(
            f"Strategies cannot be ranked by {by}", hint=f"Take one of: {', '.join(RANKED_BY)}"
        )
    with reading(catalog) as con:
        set_id, wanted = find_set(con, wanted)
        ((unmeasured, without_figures),) = con.execute(
            statement("count_unmeasured"), {"set_id": set_id}
        ).fetchall()
        ((rows,),) = con.execute(
            "select count(*) from internal.metric where set_id = $set_id", {"set_id": set_id}
        ).fetchall()
    if set_id is None or not rows:
        raise _nothing(wanted)
    if by in ("sharpe_is", "sharpe_oos") and wanted.split is None:
        raise UsageError(
            f"There is no split, and so no {by}",
            hint=f"Give one: catalog metrics{options_of(wanted)} --split 2025-01-01",
        )
    # What people write is run where it can do no harm.
    ranked = _Ranked(catalog, set_id, by)
    found = ranked.order(where, top)
    if not found:
        raise _meets_nothing(where)
    shown = ranked.rows([trace_id for trace_id, _, _ in found])
    _, total, every = found[0]
    texts = [_parameters(config) for config in shown.table["config"].to_pylist()]
    types = shown.table["strategy_type"].unique().to_pylist()
    figures = ranked.figures_of_types([one for one in types if one is not None])
    table = shown.table.append_column("plateau", _plateaus(catalog, figures, shown.table))
    table = table.append_column("parameters", pa.array(texts, pa.string()))
    shown = Result(table, (*shown.types, "DOUBLE", "VARCHAR"))
    # What is told is about the data of the rows, that of the best one first.
    told = zip(*(shown.table[name].to_pylist() for name in DATA), strict=True)
    data = list(dict.fromkeys(told))[:MOST_DATA]
    with reading(catalog) as con:
        verdicts = tuple(
            read_verdicts(
                con, catalog, data, set_id=set_id, wanted=wanted, pbo=pbo, progress=progress
            )
        )
    return Ranking(
        _columns(shown, by, columns, has_split=wanted.split is not None),
        tuple(shown.table["strategy_key"].to_pylist()),
        tuple(shown.table["trace_id"].to_pylist()),
        by,
        total,
        wanted,
        verdicts,
        every - len(data),
        unmeasured,
        without_figures,
    )


class _Ranked:
    """The measured traces of a metric set, as they are asked in a few ways."""

    def __init__(self, catalog: Path, set_id: int, by: str) -> None:
        self._catalog = catalog
        self._values = {"set_id": set_id}
        self._by = by
        tree = parse_one(statement("select_ranked"), dialect="duckdb")
        assert isinstance(tree, exp.Select)  # noqa: S101 - sql/select_ranked.sql is one
        self._source = tree.subquery("ranked")

    def order(self, where: str | None, top: int) -> list[tuple[str, int, int]]:
        """
        Return the ids of the best that meet a condition, the best first.

        With each is how many meet it, and on how many different data those are.
        """
        names = dict.fromkeys((self._by, "sharpe", "total_return"))
        meeting = self._from(
            "trace_id", *DATA, "strategy_id", "is_latest", "content_digest", *names
        )
        if where is not None:
            meeting = meeting.where(parse_condition(where))
        # Of those with the same content one is shown: of those that meet the condition.
        placed = exp.select("*", _PLACE, dialect="duckdb").from_(meeting.subquery("meeting"))
        chosen = exp.select("*").from_(placed.subquery("placed")).where("place = 1")
        data = exp.select(*DATA).distinct().from_("chosen").subquery("data")
        order = [f"{name} desc nulls last" for name in names]
        query = exp.select(
            "trace_id",
            exp.alias_(exp.select("count(*)").from_("chosen").subquery(), "total"),
            exp.alias_(exp.select("count(*)").from_(data).subquery(), "every"),
        ).from_("chosen")
        query = query.order_by(*order, "strategy_id", "trace_id", dialect="duckdb").limit(top)
        return self._run(query.with_("chosen", as_=chosen, materialized=True)).fetchall()

    def rows(self, trace_ids: list[str]) -> Result:
        """Return all columns of some, in the order of their ids."""
        query = self._from("*").where("list_contains($trace_ids, trace_id)", dialect="duckdb")
        found = self._run(query, trace_ids=trace_ids)
        ids = found.table["trace_id"].to_pylist()
        place = {trace_id: row for row, trace_id in enumerate(ids)}
        return Result(found.table.take([place[one] for one in trace_ids]), found.types)

    def figures_of_types(self, types: list[str]) -> pa.Table:
        """Return the strategies of some types, each with its data and figure, the latest last."""
        query = self._from("strategy_type", *DATA, "strategy_key", f"{self._by} as figure")
        query = query.where("list_contains($types, strategy_type)", dialect="duckdb")
        return self._run(query.order_by("is_latest", "trace_id"), types=types).table

    def _from(self, *columns: str) -> exp.Select:
        return exp.select(*columns, dialect="duckdb").from_(self._source)

    def _run(self, query: exp.Select, **values: object) -> Result:
        text = query.sql(dialect="duckdb", comments=False)
        return run_query(self._catalog, text, self._values | values)


def _plateaus(catalog: Path, figures: pa.Table, shown: pa.Table) -> pa.Array:
    """Return the median of the neighbours of each row, by the figure that is ranked by."""
    of_figures, of_shown = _groups(figures, shown)
    keys = shown["strategy_key"].to_pylist()
    types = np.array(shown["strategy_type"].to_pylist(), object)
    found: list[float | None] = [None] * shown.num_rows
    for strategy_type in dict.fromkeys(types):
        if strategy_type is None:
            continue
        with reading(catalog) as con:
            table = read_parameter_table(con, strategy_type)
        for group in np.unique(of_shown[types == strategy_type]):
            there = figures.filter(pa.array(of_figures == group))
            grid = Grid(table, *(there[name].to_pylist() for name in ("strategy_key", "figure")))
            for row in np.flatnonzero(of_shown == group):
                found[row] = grid.plateau(keys[row])
    return pa.array(found, pa.float64())


def _groups(*tables: pa.Table) -> list[NDArray[np.int64]]:
    """Return of each row of some tables a number that those of the same type and data share."""
    names = ["strategy_type", *DATA]
    both = pa.concat_tables([table.select(names) for table in tables]).combine_chunks()
    # As codes: a hundred thousand instants as Python's take a second.
    encoded = (both[name].combine_chunks().dictionary_encode() for name in names)
    codes = [np.asarray(one.indices.fill_null(-1), np.int64) for one in encoded]
    groups = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)[1].ravel()
    return np.split(groups, np.cumsum([table.num_rows for table in tables])[:-1])


def _columns(found: Result, by: str, columns: tuple[str, ...] | None, *, has_split: bool) -> Result:
    """Return the columns that are shown: what it is, its parameters, what it earned."""
    shown = found.table
    types = dict(zip(shown.column_names, found.types, strict=True))
    if columns is not None:
        columns = tuple(dict.fromkeys(columns))
        for name in columns:
            if name not in types:
                raise UsageError(
                    f"There is no column {name} to show",
                    hint="Take columns of strategy_index or metrics, or: plateau, alike, "
                    "sharpe_is, sharpe_oos",
                )
        return Result(shown.select(list(columns)), tuple(types[name] for name in columns))
    names = ["strategy_id"]
    for name in ("strategy_type", "symbol", "timeframe"):
        if _differ(shown, name):
            names.append(name)
    told = [shown[name].to_pylist() for name in names]
    if len(set(zip(*told, strict=True))) < shown.num_rows:
        names += ["run_id", "from_ts", "to_ts"]
    names += _parameter_columns(shown)
    names.append(by)
    names += ["sharpe"] if by != "sharpe" else []
    names += ["sharpe_is"] if has_split and by != "sharpe_is" else []
    names += [name for name in COLUMNS if name != by and (has_split or name != "sharpe_oos")]
    return Result(shown.select(names), tuple(types[name] for name in names))


def _parameter_columns(shown: pa.Table) -> list[str]:
    """Return the parameters of one type a column each, those of several in one."""
    if "strategy_type" in shown.column_names and _differ(shown, "strategy_type"):
        return ["parameters"]
    return [
        name
        for name in shown.column_names
        if name.startswith("param_") and shown[name].null_count < shown.num_rows
    ]


def _differ(shown: pa.Table, name: str) -> bool:
    return bool(pc.count_distinct(shown[name], mode="all").as_py() > 1)


def _parameters(config: str | None) -> str | None:
    """Return the parameters of a configuration as text: `fast=5 slow=20`."""
    if config is None:
        return None
    return " ".join(f"{leaf.name}={leaf.value}" for leaf in leaf_parameters(json.loads(config)))


def _nothing(wanted: MetricSet) -> QueryError:
    return QueryError(
        "There are no figures to rank by",
        hint=f"Compute them: catalog metrics{options_of(wanted)}",
    )


def _meets_nothing(where: str | None) -> QueryError:
    if where is None:
        return QueryError(
            "No trace has figures: their prices are missing",
            hint='See why with: catalog sql "select note, count(*) from metrics group by all"',
        )
    return QueryError(
        f"No measured strategy meets the condition: {where}",
        hint="It is a condition on the columns of strategy_index and metrics",
    )
