"""Write figures and session returns into the catalog: all of a piece in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.metrics.returns import (
    Returned,
    read_small_packs,
    remove_orphans,
    returns_folder,
    write_pack,
)
from catalog.query.parsing import bound
from catalog.statements import statement
from catalog.store.database import writing
from catalog.store.paths import catalog_root
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.store.views import refresh_views


@dataclass(frozen=True, eq=False)
class Piece:
    """
    What is written together.

    `sources` are the prices that it was computed from, (symbol, timeframe, digest) each: figures
    from others are not written, since others were added meanwhile.
    """

    set_id: int
    fill: str
    metrics: list[pa.Table]
    returned: list[tuple[Returned, str]]
    trials: list[pa.Table]
    sources: list[tuple[str, str, str]]


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
            pack.discard()
            raise
        pack.remove_replaced()
    return True


class _Pack:
    """The new pack of a piece, under its name already; the catalog does not know it yet."""

    def __init__(self, con: DuckDBPyConnection, catalog: Path, piece: Piece) -> None:
        self._root = Path(catalog_root(catalog))
        self.replaced: list[str] = []
        self.entries = _entries([], [], "", "")
        self.path: Path | None = None
        self.stored = ""
        if not piece.returned:
            return
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}_{token_hex(4)}.parquet"
        path = returns_folder(catalog) / name
        self.stored = str(path.absolute().relative_to(self._root))
        ((last,),) = con.execute(statement("select_last_return_number")).fetchall()
        self.replaced, tables = read_small_packs(con, catalog, piece.fill)
        parts = [self.entries]
        for returned, inputs in piece.returned:
            rows, trace_ids = returned.rows(last + 1)
            numbers = list(range(last + 1, last + 1 + len(trace_ids)))
            last += len(trace_ids)
            tables.append(rows)
            parts.append(_entries(trace_ids, numbers, inputs, self.stored))
        self.entries = pa.concat_tables(parts)
        write_pack(path, tables)
        self.path = path

    def discard(self) -> None:
        """Leave nothing behind."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def remove_replaced(self) -> None:
        """Delete the packs whose rows are in the new one. Nobody reads them: the lock is ours."""
        for stored in self.replaced:
            (self._root / stored).unlink(missing_ok=True)


def _entries(trace_ids: Sequence[str], numbers: Sequence[int], inputs: str, path: str) -> pa.Table:
    count = len(trace_ids)
    return pa.table(
        {
            "trace_id": pa.array(trace_ids, pa.string()),
            "return_number": pa.array(numbers, pa.int64()),
            "inputs": pa.array([inputs] * count, pa.string()),
            "pack_path": pa.array([path] * count, pa.string()),
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
        "incoming_trial": pa.concat_tables(piece.trials),
    }
    names = ["replace_metrics", "record_trials"] + (["replace_returns"] if pack.path else [])
    with transaction(con):
        with registered(con, **tables):
            for name in names:
                for part in con.extract_statements(statement(name)):
                    con.execute(part, bound(part.query, values))
        refresh_views(con, root)
