"""
The ledger of trials as small Parquet files in `catalog.d/trials`: it only grows.

What a transaction adds to the ledger is in a file before it is committed, so that a catalog that
is made anew counts what was tried before, and forgetting lowers no number of trials.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Final

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.facts import catalog_of, has_table
from catalog.store.journal import read_facts
from catalog.store.kept import read_kept, write_kept
from catalog.store.paths import side_folder
from catalog.store.registered import registered

MOST_FILES: Final = 64
"""With more, they are written into one."""


def trials_folder(catalog: Path) -> Path:
    """Return the folder of the ledger, beside the catalog."""
    return side_folder(catalog) / "trials"


def trial_files(catalog: Path) -> list[Path]:
    """Return the files of the ledger, oldest first."""
    return sorted(trials_folder(catalog).glob("*.parquet"))


def note_trials(con: DuckDBPyConnection) -> None:
    """
    Keep what this transaction wrote into the ledger; it belongs behind that, before the commit.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    _note(con, catalog_of(con))


def write_missing_trials(con: DuckDBPyConnection, catalog: Path) -> None:
    """
    Keep what the ledger has that no file of it says which can be read.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    if not has_table(con, "trial"):
        return
    rows = con.sql(statement("facts_trials"), params={"all": True}).to_arrow_table()
    kept = [table for path in trial_files(catalog) if (table := read_kept(path)) is not None]
    if kept:
        there = pa.concat_tables(kept, promote_options="permissive")
        with registered(con, incoming_trial=rows, incoming_kept=there):
            rows = con.sql(statement("select_trials_not_kept")).to_arrow_table()
    if rows.num_rows:
        _write(catalog, rows)


def restore_trials(con: DuckDBPyConnection, catalog: Path) -> list[Path]:
    """
    Bring the ledger back from its files, and return those that are damaged. In a transaction.

    Raises:
        StoreError: what is known of the prices cannot be read.
    """
    damaged = []
    files = []
    for path in trial_files(catalog):
        if read_kept(path) is None:
            damaged.append(path)
        else:
            files.append(str(path))
    if files:
        replaced = _replaced(catalog)
        with registered(con, incoming_replaced=replaced):
            for part in con.extract_statements(statement("restore_trials")):
                con.execute(part, {"files": files} if "$files" in part.query else None)
    return damaged


def _note(con: DuckDBPyConnection, catalog: Path) -> None:
    rows = con.sql(statement("facts_trials"), params={"all": False}).to_arrow_table()
    # What bars a set looks at changes nothing by itself.
    if not any(part != "range" for part in rows["part"].to_pylist()):
        return
    _write(catalog, rows)
    files = trial_files(catalog)
    if len(files) > MOST_FILES:
        tables = [table for path in files if (table := read_kept(path)) is not None]
        # One that is damaged stays, for whoever can mend it.
        if len(tables) == len(files):
            # What says the same twice costs little, and the newest counts whatever the order.
            _write(catalog, pa.concat_tables(tables, promote_options="permissive"))
            for path in files:
                path.unlink(missing_ok=True)


def _write(catalog: Path, rows: pa.Table) -> None:
    # Sorted by name they are in the order in which they came.
    name = f"{time.time_ns():020}_{token_hex(4)}.parquet"
    # Only who holds the catalog's lock writes here: what is unfinished is of one who was killed.
    for left in trials_folder(catalog).glob(".*.tmp"):
        left.unlink(missing_ok=True)
    write_kept(trials_folder(catalog) / name, rows)


def _replaced(catalog: Path) -> pa.Table:
    """Return when each price series was last replaced by another."""
    digests: dict[tuple[str, str], str] = {}
    when: dict[tuple[str, str], datetime] = {}
    for fact in read_facts(catalog, "prices"):
        with suppress(KeyError, ValueError, TypeError):
            key = (fact["symbol"], fact["timeframe"])
            if key in digests and digests[key] != fact["digest"]:
                when[key] = datetime.fromisoformat(fact["added_at"])
            digests[key] = fact["digest"]
    return pa.table(
        {
            "symbol": pa.array([symbol for symbol, _ in when], pa.string()),
            "timeframe": pa.array([timeframe for _, timeframe in when], pa.string()),
            "replaced_at": pa.array(when.values(), pa.timestamp("us", "UTC")),
        }
    )
