"""The small catalog of a bundle: what it takes over from the large one, and whether both agree."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.database import reading, writing
from catalog.store.facts import noting
from catalog.store.paths import catalog_root, side_folder
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.store.trials import write_missing_trials
from catalog.store.views import refresh_views
from catalog.upkeep.bundle_files import Put

# What was computed of the traces, on which terms, and how many were tried on the same data.
_FIGURES = ("metric_set", "metric", "metric_range", "trial", "trial_figure")
_PRICES = "price_series"


def carry_over(
    catalog: Path, small: Path, put: Put, *, prices: bool
) -> tuple[list[str], list[str]]:
    """
    Take figures of the traces over, the ledger of trials on their data, and maybe their prices.

    The ledger goes whole: who looks at a few of many strategies is told how many were tried.

    Returns:
        The price series that were taken over, and those that were wanted and are not there.
    """
    pairs = sorted({(one.symbol, one.timeframe) for one in put.traces if one.symbol}, key=repr)
    incoming = {
        "incoming_id": pa.table(
            {"trace_id": pa.array([one.trace_id for one in put.traces], pa.string())}
        ),
        "incoming_series": pa.table(
            {
                "symbol": pa.array([symbol for symbol, _ in pairs], pa.string()),
                "timeframe": pa.array([timeframe for _, timeframe in pairs], pa.string()),
            }
        ),
    }
    names = (*_FIGURES, _PRICES) if prices else _FIGURES
    with reading(catalog) as con, registered(con, **incoming):
        tables = {
            name: con.sql(statement(f"select_carried_{name}")).to_arrow_table() for name in names
        }
    files = _put_prices(catalog, small, tables[_PRICES]) if prices else {}
    if prices:
        tables[_PRICES] = _as_in_bundle(tables[_PRICES], files)
    with writing(small) as con, transaction(con):
        with noting(con, "prices", "metric_sets", "computations"):
            _insert(con, tables)
        write_missing_trials(con, small)
        refresh_views(con, catalog_root(small))
    there = set() if not prices else {_named(one) for one in tables[_PRICES].to_pylist()}
    wanted = {f"{symbol} {timeframe}" for symbol, timeframe in pairs} if prices else set()
    return sorted(there), sorted(wanted - there)


def _insert(con: DuckDBPyConnection, tables: dict[str, pa.Table]) -> None:
    # The set that every new catalog has is among those that come.
    con.execute("delete from internal.metric_set")
    for name, table in tables.items():
        with registered(con, incoming_carried=table):
            con.execute(f"insert into internal.{name} by name from incoming_carried")


def _named(row: dict[str, object]) -> str:
    return f"{row['symbol']} {row['timeframe']}"


def _put_prices(catalog: Path, small: Path, table: pa.Table) -> dict[str, str]:
    """Copy the files of price series, and return where they are by where they were."""
    folder = side_folder(small) / "prices"
    placed: dict[str, str] = {}
    for path in table["price_path"].to_pylist():
        source = Path(catalog_root(catalog)) / path
        if source.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / source.name)
            placed[path] = os.path.relpath(folder / source.name, catalog_root(small))
    return placed


def _as_in_bundle(table: pa.Table, files: dict[str, str]) -> pa.Table:
    rows = [row for row in table.to_pylist() if row["price_path"] in files]
    for row in rows:
        row["price_path"] = files[row["price_path"]]
        # Where it was on another machine says nothing there.
        row["source_path"] = os.path.basename(row["source_path"])
    return pa.Table.from_pylist(rows, table.schema)


def compare(small: Path, put: Put) -> list[str]:
    """
    Return the ids of the traces that the catalog of the bundle knows otherwise, or not at all.

    What counts is the strategy, by its configuration, and the bytes where these were copied.
    """
    with reading(small) as con:
        rows = con.execute(statement("select_bundle_known")).fetchall()
    there = {trace_id: (key, digest) for trace_id, key, digest in rows}
    differing = []
    for one in put.traces:
        key, digest = there.get(one.trace_id, (None, None))
        same_bytes = digest == one.digest or (digest and one.trace_id in put.unpacked)
        if key != one.strategy_key or not same_bytes:
            differing.append(one.trace_id)
    return differing


def settle(small: Path, home: Path) -> None:
    """
    Let the views of the catalog read where it will be.

    Args:
        home: absolute folder of the bundle.
    """
    # A relative one would do for some clients; others name the files that they read otherwise
    # than the catalog does, and find no rows.
    with writing(small) as con, transaction(con):
        refresh_views(con, str(home), beside=catalog_root(small))
