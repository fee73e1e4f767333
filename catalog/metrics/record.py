"""Write figures and session returns into the catalog: all of a piece in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.metrics.plan import trial_table
from catalog.metrics.returns import (
    Returned,
    read_small_packs,
    remove_orphans,
    write_pack,
)
from catalog.query.parsing import bound
from catalog.statements import statement
from catalog.store.database import writing
from catalog.store.paths import catalog_root
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.store.trials import note_trials
from catalog.store.views import refresh_views


@dataclass(eq=False)
class Piece:
    """
    What is written together.

    `sources` are the prices that it was computed from, (symbol, timeframe, digest) each: figures
    from others are not written, since others were added meanwhile. `ranges` are symbol, timeframe,
    and when the first and last bar ended that the set looks at, in microseconds since 1970.
    """

    set_id: int
    fill: str
    metrics: list[pa.Table]
    returned: list[Returned] = field(default_factory=list)
    trials: list[pa.Table] = field(default_factory=list)
    ranges: list[tuple[str, str, int, int]] = field(default_factory=list)
    sources: set[tuple[str, str, str]] = field(default_factory=set)


def record_piece(catalog: Path, piece: Piece) -> bool:
    """
    Write a piece, and return False if its prices are no longer those of the catalog.

    Raises:
        StoreError: the catalog cannot be written.
        CatalogError: a pack cannot be written.
    """
    with writing(catalog) as con:
        known = set(con.execute(statement("select_price_digests")).fetchall())
        if not known.issuperset(piece.sources):
            return False
        remove_orphans(con, catalog)
        pack = _Pack(con, catalog, piece)
        try:
            _write(con, catalog_root(catalog), piece, pack)
        except BaseException:
            # Unless the catalog knows the pack: who was stopped may have committed.
            with suppress(duckdb.Error):
                remove_orphans(con, catalog)
            raise
        pack.remove_replaced()
    return True


class _Pack:
    """The new pack of a piece, under its name already; the catalog does not know it yet."""

    def __init__(self, con: DuckDBPyConnection, catalog: Path, piece: Piece) -> None:
        self._root = Path(catalog_root(catalog))
        self.replaced: list[str] = []
        self.entries = _entries([], [], [], "")
        self.path: Path | None = None
        self.stored = ""
        if not piece.returned:
            return
        ((last,),) = con.execute(statement("select_last_return_number")).fetchall()
        self.replaced, tables = read_small_packs(con, catalog, piece.fill)
        numbered = []
        for returned in piece.returned:
            rows, numbers = returned.rows(last + 1)
            last = max((one for one in numbers if one is not None), default=last)
            tables.append(rows)
            numbered.append(numbers)
        self.path = write_pack(catalog, tables)
        self.stored = str(self.path.absolute().relative_to(self._root))
        self.entries = pa.concat_tables(
            [
                _entries(returned.trace_ids, numbers, returned.inputs, self.stored)
                for returned, numbers in zip(piece.returned, numbered, strict=True)
            ]
        )
        # Written anew within one second without a new row, a pack has the name that it had.
        self.replaced = [stored for stored in self.replaced if stored != self.stored]

    def remove_replaced(self) -> None:
        """Delete the packs whose rows are in the new one. Nobody reads them: the lock is ours."""
        for stored in self.replaced:
            (self._root / stored).unlink(missing_ok=True)


def _entries(
    trace_ids: Sequence[str], numbers: Sequence[int | None], inputs: Sequence[str], path: str
) -> pa.Table:
    paths = [None if number is None else path for number in numbers]
    return pa.table(
        {
            "trace_id": pa.array(trace_ids, pa.string()),
            "return_number": pa.array(numbers, pa.int64()),
            "inputs": pa.array(inputs, pa.string()),
            "pack_path": pa.array(paths, pa.string()),
        }
    )


def _ranges(piece: Piece) -> pa.Table:
    columns: list[Any] = list(zip(*piece.ranges, strict=True)) or [[], [], [], []]
    moment = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "set_id": pa.repeat(pa.scalar(piece.set_id, pa.int32()), len(piece.ranges)),
            "symbol": pa.array(columns[0], pa.string()),
            "timeframe": pa.array(columns[1], pa.string()),
            "from_ts": pa.array(columns[2], pa.int64()).cast(moment),
            "to_ts": pa.array(columns[3], pa.int64()).cast(moment),
        }
    )


def _write(con: DuckDBPyConnection, root: str, piece: Piece, pack: _Pack) -> None:
    values = {
        "set_id": piece.set_id,
        "fill": piece.fill,
        "pack_path": pack.stored,
        "replaced": pack.replaced,
    }
    fill = pa.repeat(pa.scalar(piece.fill, pa.string()), pack.entries.num_rows)
    tables = {
        "incoming_metric": pa.concat_tables(piece.metrics),
        "incoming_returns": pack.entries.append_column("fill", fill),
        "incoming_trial": pa.concat_tables([trial_table([], ("", "")), *piece.trials]),
        "incoming_range": _ranges(piece),
    }
    names = ["replace_metrics", "record_trials"] + (["replace_returns"] if pack.path else [])
    with transaction(con):
        with registered(con, **tables):
            for name in names:
                for part in con.extract_statements(statement(name)):
                    con.execute(part, bound(part.query, values))
        note_trials(con)
        refresh_views(con, root)
