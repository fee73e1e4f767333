"""Which trace files a relation of a query has to read, as the catalog knows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection
from sqlglot import exp

from catalog.objects import is_url
from catalog.query.meanings import Meanings
from catalog.query.needs import Needs
from catalog.query.parsing import bound
from catalog.query.reads import PLANNED_COLUMNS, Chosen
from catalog.query.relations import TRACE_RELATIONS
from catalog.query.scopes import Source
from catalog.statements import statement
from catalog.store.patterns import escape
from catalog.store.remote import reach

_KEY = re.compile(r'"(#\d+)"')
_PLAIN_NAME = re.compile(r'"([a-z_][a-z0-9_]*)"')
# Stands for sql/candidate_traces.sql, which takes sqlglot longer to write than DuckDB to run.
_CANDIDATES = "candidate_traces"
_EVERY = f"select {', '.join(PLANNED_COLUMNS)} from {_CANDIDATES}"
_SHORT = 4
_FEW = 64
_MOST_LOOKS = 5_000_000


class RefusedError(Exception):
    """
    DuckDB refused to say which traces meet a condition; planned again, it is not asked.

    The transaction, and all that was chosen in it, is gone.
    """


@dataclass(frozen=True)
class Choice:
    """
    The traces chosen for one relation, and by what.

    `condition` is SQL over trace_files, or None where all are read, for the reason in `why`.
    """

    relation: str
    chosen: Chosen
    traces: int
    condition: str | None = None
    why: str | None = None


@dataclass
class Chooser:
    """
    Chooses the traces of each relation; what two of them need alike is chosen once.

    `refused` holds the conditions that are not to be asked, each with the reason.
    """

    con: DuckDBPyConnection
    values: Mapping[str, object]
    numbers: Iterator[int]
    refused: dict[str, str]
    wants_rows: bool = True
    """False where only the columns are asked for: then no file is read."""
    _made: dict[tuple[str, str], Choice] = field(default_factory=dict)

    def choose(
        self, relation: str, source: Source | None, meanings: Meanings, needs: Needs
    ) -> Choice:
        """Choose the traces for one place where a query reads a relation."""
        condition, why = None, None
        if not self.wants_rows:
            return self._make(relation, f"{_EVERY} where false", "false", None)
        if source is None:
            why = "where it stands, its conditions cannot be told"
        else:
            condition = needs.needed(source)
            if condition is None:
                why = _why(source)
        if condition is None or source is None:
            return self._make(relation, _EVERY, None, why)
        text = _sql(condition, source.key, meanings)
        if text in self.refused:
            return self._make(relation, _EVERY, None, self.refused[text])
        try:
            return self._make(relation, text, _shown(condition, source.key, meanings), None)
        except duckdb.Error as error:
            # If it is the user's mistake, the query itself will say so.
            reason = str(error).splitlines()[0]
            self.refused[text] = f"its conditions cannot be asked beforehand: {reason}"
            raise RefusedError from error

    def _make(self, relation: str, text: str, shown: str | None, why: str | None) -> Choice:
        kind = TRACE_RELATIONS[relation].kind
        key = (kind, text)
        if key not in self._made:
            self._made[key] = self._read(relation, kind, text, shown, why)
        made = self._made[key]
        if made.relation == relation:
            return made
        return replace(made, relation=relation)

    def _read(
        self, relation: str, kind: str, text: str, shown: str | None, why: str | None
    ) -> Choice:
        number = next(self.numbers)
        candidates = text.replace(_CANDIDATES, f"({statement('candidate_traces')})")
        query = f"from ({candidates}) where kind = '{kind}'"
        traces = self.con.sql(query, params=bound(query, self.values)).to_arrow_table()
        reach(self.con, _objects(traces))
        # Quicker than a temporary table, of few rows and of many.
        self.con.register(f"planned_{number}", traces)
        if kind in ("signal", "classifier"):
            chosen = self._list_files(number, traces)
        else:
            chosen = self._list_layouts(number, kind)
        if pc.any(_in_lakes(traces)).as_py():
            chosen = self._list_lakes(chosen)
        return Choice(relation, chosen, traces.num_rows, shown, why)

    def _list_files(self, number: int, traces: pa.Table) -> Chosen:
        packs = traces["pack_path"].unique().drop_null().to_pylist()
        loose = traces if not packs else traces.filter(pc.is_null(traces["trace_number"]))
        in_lakes = _in_lakes(loose)
        has_lakes = bool(pc.any(in_lakes).as_py())
        if has_lakes:
            loose = loose.filter(pc.invert(in_lakes))
        files = loose["path"].to_pylist()
        self._set(f"files_{number}", [escape(path) for path in files])
        if packs:
            self._set(f"packs_{number}", [escape(path) for path in packs])
        is_small = not packs and not has_lakes and self._list_few(number, traces)
        return Chosen(number, len(files), len(packs), is_small=is_small)

    def _list_lakes(self, chosen: Chosen) -> Chosen:
        """List the files of lakes that have some of the traces."""
        number = chosen.number
        text = statement("list_planned_lakes").replace("planned", f"planned_{number}")
        rows = self.con.execute(text).fetchall()
        for lake, files, sizes in rows:
            reach(self.con, dict(zip(files, sizes, strict=True)))
            self._set(f"lake_{number}_{lake}", [escape(path) for path in files])
        lakes = tuple(lake for lake, _, _ in rows)
        return replace(chosen, lakes=lakes, lake_files=sum(len(files) for _, files, _ in rows))

    def _list_few(self, number: int, traces: pa.Table) -> bool:
        """List the traces in variables too, where looking up every row among them is quick."""
        rows = pc.sum(traces["row_count"]).as_py() or 0
        if not 0 < traces.num_rows <= _FEW or rows * traces.num_rows > _MOST_LOOKS:
            return False
        self._set(f"paths_{number}", traces["path"].to_pylist())
        self.con.execute(
            f"set variable traces_{number} = (select list(p) from planned_{number} as p)"
        )
        return True

    def _list_layouts(self, number: int, kind: str) -> Chosen:
        text = statement("list_planned_layouts").replace("planned", f"planned_{number}")
        rows = self.con.execute(text).fetchall()
        for place, (_, files) in enumerate(rows):
            self._set(f"files_{number}_{place}", [escape(path) for path in files])
        names = [f"rows_{kind}_{'flat' if layout is None else 'nested'}" for layout, _ in rows]
        return Chosen(number, sum(len(files) for _, files in rows), 0, tuple(names))

    def _set(self, name: str, value: list[str]) -> None:
        self.con.execute(f"set variable {name} = $value", {"value": value})


def _in_lakes(traces: pa.Table) -> Any:
    """Say of each trace whether only a lake has its rows."""
    has_none = pc.equal(traces["has_original"], False)
    return pc.and_(pc.fill_null(has_none, False), pc.is_null(traces["trace_number"]))


def _objects(traces: pa.Table) -> dict[str, int | None]:
    """Return the traces that are objects of a store, with their sizes."""
    if not pc.any(pc.match_substring(traces["path"], "://")).as_py():
        return {}
    loose = traces.filter(pc.is_null(traces["trace_number"]))
    sizes = zip(loose["path"].to_pylist(), loose["file_size_bytes"].to_pylist(), strict=True)
    return {path: size for path, size in sizes if is_url(path)}


def _why(source: Source) -> str:
    if source.scope.is_opaque:
        return "it takes part in a right, full or positional join"
    return "no condition tells its files apart"


def _sql(condition: exp.Expr, key: str, meanings: Meanings) -> str:
    """Return the query of the traces that meet a condition."""
    traces = exp.to_table(_CANDIDATES)
    traces.set("alias", exp.TableAlias(this=exp.to_identifier(key, quoted=True)))
    query = exp.select(*(exp.column(name, table=key, quoted=True) for name in PLANNED_COLUMNS))
    query = query.from_(traces, copy=False).where(condition, copy=True)
    # Of a long list of values DuckDB makes a join that reads all columns before it compares.
    for part in list(query.find_all(exp.In)):
        if len(part.expressions) > _SHORT and not isinstance(part.parent, exp.Not):
            values = exp.Any(this=exp.array(*part.expressions, copy=False))
            part.replace(exp.EQ(this=part.this, expression=values))
    return meanings.with_common_tables(query).sql("duckdb")


def _shown(condition: exp.Expr, key: str, meanings: Meanings) -> str:
    """Return a condition as people write it: relations by their names, and no needless quotes."""
    text = condition.sql("duckdb").replace(f'"{key}"', "trace_files")
    for name in sorted(set(_KEY.findall(text))):
        text = text.replace(f'"{name}"', meanings.source(name).alias or "it")
    return _PLAIN_NAME.sub(r"\1", text).replace("internal.strategy AS", "strategies AS")
