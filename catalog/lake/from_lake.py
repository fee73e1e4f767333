"""The rows of a published lake, as those that a catalog takes in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.errors import CatalogError, LakeError
from catalog.lake.contents import read_held
from catalog.lake.entries import RETURNS
from catalog.lake.from_catalog import rows_of
from catalog.lake.lake import Lake, LakeFile
from catalog.lake.lake_rows import LakeRows
from catalog.lake.layout import TABLES
from catalog.lake.taken import Taken, run_script
from catalog.places import join
from catalog.statements import statement
from catalog.store.migrations import known_migrations
from catalog.store.patterns import escape
from catalog.store.registered import registered
from catalog.store.remote import problem_of, reach, release
from catalog.strategy import check_collision

EVENTS: Final = ("orders", "fills", "positions")
ROWS: Final = tuple(name for name, table in TABLES.items() if table.kind is not None)
"""The relations whose rows stay in the lake."""
_MEASURED: Final = ("metrics", "trial_figures", "metric_ranges")
_HELD: Final = pa.schema(
    {"trace_id": pa.string(), "writer": pa.string(), "relation": pa.string(), "path": pa.string()}
)
_RETURNED: Final = pa.schema(
    {"trace_id": pa.string(), "fill": pa.string(), "writer": pa.string(), "file": pa.string()}
)


@dataclass(frozen=True, eq=False)
class LakeReader:
    """A connection of its own that reads the files of a lake."""

    lake: Lake
    con: DuckDBPyConnection

    def rows(self, lake_id: int) -> LakeRows:
        """
        Return all that the lake says of its traces, each as one of its writers says it.

        Args:
            lake_id: the number of the lake in the catalog, which tells its folders apart.

        Raises:
            HashCollisionError: two configurations share twelve digits.
            LakeError: a file is gone, damaged or of another shape.
            ObjectStoreError: the store cannot be reached, or says no.
        """
        with self._reading():
            self.con.execute("set variable lake_id = $lake_id", {"lake_id": lake_id})
            for row in self._ask("collisions", "strategies"):
                check_collision(*row)
            return self._rows()

    def bars(self, symbol: str, timeframe: str, writer: str) -> pa.Table:
        """Return the bars of a price series as one writer published them."""
        files = [one.place for one in self.lake.files("bars") if one.writer == writer]
        values = {"files": _escaped(files), "symbol": symbol, "timeframe": timeframe}
        with self._reading():
            return self.con.sql(statement("open_bars"), params=values).to_arrow_table()

    def returns(self, file: str, trace_ids: Sequence[str]) -> pa.Table:
        """Return the session returns of some traces in a file, trace by trace in order."""
        ids = pa.table({"trace_id": pa.array(trace_ids, pa.string())})
        with self._reading(), registered(self.con, incoming_id=ids):
            values = {"files": _escaped([file])}
            return self.con.sql(statement("open_returns"), params=values).to_arrow_table()

    def _rows(self) -> LakeRows:
        empty = rows_of(self.con, Path("catalog.duckdb"))
        traces = self._table("traces", "trace_files", _with_writer(empty.traces))
        prices = self._table("prices", "price_series", _with_writer(empty.prices))
        taken = replace(
            empty,
            strategies=self._table("strategies", "strategies", empty.strategies),
            components=self._table("components", "components", empty.components),
            runs=self._table("runs", "runs", empty.runs),
            traces=_as(traces, empty.traces.schema),
            events=self._events(empty.events),
            prices=_as(prices, empty.prices.schema),
            tags=self._table("tags", "tags", empty.tags),
        )
        names = ("symbol", "timeframe", "writer")
        writers = {
            (symbol, timeframe): writer
            for symbol, timeframe, writer in zip(
                *(prices[one].to_pylist() for one in names), strict=True
            )
        }
        taken, returned = self._measured(taken, empty, traces)
        whose = traces.select(["trace_id", "writer"])
        return LakeRows(taken, whose, self._held(), returned, writers)

    def _measured(self, taken: Taken, empty: Taken, traces: pa.Table) -> tuple[Taken, pa.Table]:
        for table in _MEASURED:
            if self._has(table):
                self._view(f"lake_{table}", [one.place for one in self.lake.files(table)])
            else:
                self.con.sql(statement(f"open_no_{table}")).create_view(f"lake_{table}", True)
        run_script(self.con, "open_sets")
        known = {"taken_price": taken.prices, "taken_trace": traces}
        with registered(self.con, held_returns=self._held_returns(), **known):
            metrics = _as(self._query("metrics"), empty.metrics.schema)
            figures = _as(self._query("figures"), empty.figures.schema)
            ranges = _as(self._query("ranges"), empty.ranges.schema)
            returned = self._query("returned")
        sets = _as(
            self.con.sql("from lake_set order by set_id").to_arrow_table(), empty.sets.schema
        )
        trials = self._table("trials", "trials", empty.trials)
        taken = replace(
            taken, sets=sets, metrics=metrics, figures=figures, trials=trials, ranges=ranges
        )
        return taken, returned

    def _events(self, empty: pa.Table) -> pa.Table:
        files = [one.place for name in EVENTS for one in self.lake.files(name)]
        if not files:
            return empty
        self._view("lake_events", files)
        return _as(self._query("events"), empty.schema)

    def _held(self) -> pa.Table:
        parts = [_HELD.empty_table()]
        for name in ROWS:
            for writer, entries in self._entries(name):
                columns = {
                    "trace_id": entries["key"],
                    "writer": _repeated(writer, entries.num_rows),
                    "relation": _repeated(name, entries.num_rows),
                    "path": entries["file"],
                }
                parts.append(pa.table(columns, schema=_HELD))
        return pa.concat_tables(parts)

    def _held_returns(self) -> pa.Table:
        parts = [_RETURNED.empty_table()]
        for name, fill in RETURNS.items():
            for writer, entries in self._entries(name):
                places = [join(self.lake.place, path) for path in entries["file"].to_pylist()]
                columns = {
                    "trace_id": entries["key"],
                    "fill": _repeated(fill, entries.num_rows),
                    "writer": _repeated(writer, entries.num_rows),
                    "file": pa.array(places, pa.string()),
                }
                parts.append(pa.table(columns, schema=_RETURNED))
        return pa.concat_tables(parts)

    def _entries(self, name: str) -> Iterator[tuple[str, pa.Table]]:
        """Yield what is in the files of a table, by their writers."""
        for manifest in self.lake.manifests:
            files = manifest.tables.get(name, ())
            if files:
                yield manifest.writer, read_held(self.lake.place, files)

    def _has(self, table: str) -> bool:
        return bool(self.lake.files(table))

    def _table(self, name: str, table: str, empty: pa.Table) -> pa.Table:
        """Return what a statement says of a table of the lake, nothing where that has no files."""
        if not self._has(table):
            return empty
        self._view(f"lake_{table}", [one.place for one in self.lake.files(table)])
        return _as(self._query(name), empty.schema)

    def _ask(self, name: str, table: str) -> list[tuple[str, str, str]]:
        if not self._has(table):
            return []
        self._view(f"lake_{table}", [one.place for one in self.lake.files(table)])
        return self.con.execute(statement(f"open_{name}")).fetchall()

    def _query(self, name: str) -> pa.Table:
        return self.con.sql(statement(f"open_{name}")).to_arrow_table()

    def _view(self, name: str, files: Sequence[str]) -> None:
        # Files of several programs, or from before a parameter was known, have other columns.
        rows = self.con.read_parquet(_escaped(files), union_by_name=True)
        rows.create_view(name, replace=True)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn what DuckDB says of a file of the lake into an error of ours."""
        try:
            yield
        except (duckdb.Error, pa.ArrowException) as error:
            problem: CatalogError | None = problem_of(self.con)
            if problem is not None:
                raise problem from error
            raise LakeError(
                f"The lake at {self.lake.place} cannot be read: {str(error).splitlines()[0]}",
                hint="If somebody collected its garbage meanwhile, open it again; else publish "
                "again from the catalog of the file's writer",
            ) from error


@contextmanager
def lake_reader(lake: Lake) -> Iterator[LakeReader]:
    """Open a connection that reads the files of a lake, and has the tables of an empty catalog."""
    with duckdb.connect(config=_CONFIG) as con:
        con.execute("set timezone = 'UTC'")
        con.execute("create schema internal")
        con.execute("set search_path = 'main,internal'")
        for migration in known_migrations():
            con.execute(migration.sql)
        try:
            reach(con, {one.place: one.size for one in _all_files(lake)})
            yield LakeReader(lake, con)
        finally:
            release(con)


_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def _all_files(lake: Lake) -> Iterator[LakeFile]:
    for name in lake.tables:
        yield from lake.files(name)


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the columns of a table that a schema names, in its types."""
    arrays = [table[field.name].cast(field.type) for field in schema]
    return pa.table(arrays, schema=schema)


def _with_writer(table: pa.Table) -> pa.Table:
    return table.append_column("writer", pa.nulls(table.num_rows, pa.string()))


def _escaped(files: Sequence[str]) -> list[str]:
    return [escape(one) for one in files]


def _repeated(value: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), count)
