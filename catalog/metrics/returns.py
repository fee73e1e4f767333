"""Packs of session returns: sorted Parquet files beside the catalog, which daily_returns reads."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from catalog.errors import StoreError
from catalog.metrics.changes import may_hold
from catalog.metrics.sessions import SessionReturns
from catalog.statements import statement
from catalog.store.paths import catalog_root, is_anew, side_folder
from catalog.traces.finalize import short_digest, write_whole
from catalog.traces.format import unfinished

ROWS = pa.schema(
    {
        "return_number": pa.int64(),
        "session_date": pa.date32(),
        "ret_gross": pa.float64(),
        "ret_overnight": pa.float64(),
        "turnover": pa.float64(),
        "bars_held": pa.int32(),
    }
)
"""The columns of a pack; `return_number` stands for a trace, in `session_returns`."""

ROW_GROUP = 122_880
SMALL_ROWS = 500_000
"""A pack with fewer is written into the next one."""
_OURS = re.compile(r"\d{8}T\d{6}_([0-9a-f]{8}){1,2}\.parquet")


@dataclass(frozen=True, eq=False)
class Returned:
    """
    What some traces earned each session.

    `inputs` says of each trace what that was computed from, `dates` has the dates of all sessions.
    """

    trace_ids: tuple[str, ...]
    inputs: tuple[str, ...]
    sessions: SessionReturns
    dates: Any

    def rows(self, first_number: int) -> tuple[pa.Table, list[int | None]]:
        """
        Return the rows of a pack, and the number of each trace in it.

        A trace whose returns are not known has no rows, and no number.
        """
        made = self.sessions
        known = ~np.isnan(np.add.reduceat(made.net, made.offsets[:-1]))
        number = np.cumsum(known) - 1 + first_number
        keep = known[made.strategy]
        table = pa.table(
            {
                "return_number": pa.array(number[made.strategy][keep]),
                "session_date": pa.array(self.dates[made.session[keep]]),
                "ret_gross": pa.array(made.net[keep]),
                "ret_overnight": pa.array(made.overnight[keep]),
                "turnover": pa.array(made.turnover[keep]),
                "bars_held": pa.array(made.bars_held[keep].astype(np.int32)),
            },
            schema=ROWS,
        )
        numbers = zip(known.tolist(), number.tolist(), strict=True)
        return table, [one if is_known else None for is_known, one in numbers]


def returns_folder(catalog: Path) -> Path:
    """Return the folder of the packs of session returns, beside the catalog."""
    return side_folder(catalog) / "returns"


def write_pack(catalog: Path, tables: Sequence[pa.Table]) -> Path:
    """
    Write a pack of rows in ascending order, which appears whole, and return its path.

    Its name says when it was made, and ends in a digest of its bytes.

    Raises:
        CatalogError: it cannot be written.
    """
    table = pa.concat_tables(tables).combine_chunks()
    made = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    return write_whole(
        returns_folder(catalog) / made,
        lambda temporary: pq.write_table(
            table,
            temporary,
            compression="zstd",
            compression_level=1,
            row_group_size=ROW_GROUP,
            use_dictionary=["return_number", "session_date", "turnover", "bars_held"],
            write_page_checksum=True,
            store_schema=False,
        ),
        name=lambda temporary: f"{made}_{short_digest(temporary)}.parquet",
    )


def read_small_packs(
    con: DuckDBPyConnection, catalog: Path, fill: str
) -> tuple[list[str], list[pa.Table]]:
    """Return the packs that are better written anew, and the rows in them that are still known."""
    small, tables = [], []
    for stored, numbers in con.execute(statement("select_return_packs"), {"fill": fill}).fetchall():
        path = Path(catalog_root(catalog)) / stored
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                if file.metadata.num_rows >= SMALL_ROWS:
                    continue
                table = file.read(use_threads=False)
        except (OSError, pa.ArrowException):
            continue  # What asks for it says so.
        known = pc.is_in(table["return_number"], pa.array(numbers, pa.int64()))
        small.append(stored)
        tables.append(table.filter(known).cast(ROWS))
    tables.sort(key=lambda one: one["return_number"][0].as_py() if one.num_rows else -1)
    return small, tables


def read_returns(path: Path, numbers: NDArray[np.int64], *, first: date, last: date) -> pa.Table:
    """
    Return the rows of some traces in a pack from one session to another, in the pack's order.

    Args:
        numbers: of the traces, ascending.

    Raises:
        StoreError: the pack is gone or damaged.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            groups = [
                group
                for group in range(file.num_row_groups)
                if may_hold(file.metadata.row_group(group).column(0).statistics, numbers)
            ]
            table = file.read_row_groups(groups, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"A pack of session returns cannot be read: {path}",
            hint="Compute them again with: catalog metrics",
        ) from error
    own = pc.is_in(table["return_number"], pa.array(numbers))
    dates = table["session_date"]
    within = pc.and_(pc.greater_equal(dates, first), pc.less_equal(dates, last))
    return table.filter(pc.and_(own, within))


def remove_orphans(con: DuckDBPyConnection, catalog: Path) -> None:
    """Delete the packs that the catalog does not know. Only who holds the lock may do that."""
    folder = returns_folder(catalog)
    if is_anew(catalog) or not folder.is_dir():
        return
    rows = con.execute(statement("select_return_paths")).fetchall()
    known = {os.path.basename(path) for (path,) in rows}
    for path in folder.iterdir():
        is_ours = unfinished(path.name) or _OURS.fullmatch(path.name) is not None
        if is_ours and path.name not in known:
            path.unlink(missing_ok=True)
