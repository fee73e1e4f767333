"""
The ledger of trials as small Parquet files in `catalog.d/trials`: it only grows.

What a transaction adds to the ledger is in a file before it is committed, so that a catalog that
is made anew counts what was tried before, and forgetting lowers no number of trials.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from catalog.disk import sync
from catalog.errors import StoreError
from catalog.statements import statement
from catalog.store.facts import catalog_of, has_table
from catalog.store.journal import read_facts
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
    _note(con, catalog_of(con), whole=False)


def write_missing_trials(con: DuckDBPyConnection, catalog: Path) -> None:
    """
    Keep the whole ledger, where nothing of it is kept.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    if not trial_files(catalog) and has_table(con, "trial"):
        _note(con, catalog, whole=True)


def restore_trials(con: DuckDBPyConnection, catalog: Path) -> list[Path]:
    """
    Bring the ledger back from its files, and return those that are damaged. In a transaction.

    Raises:
        StoreError: what is known of the prices cannot be read.
    """
    damaged = []
    files = []
    for path in trial_files(catalog):
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                file.read(use_threads=False)
            files.append(str(path))
        except (OSError, pa.ArrowException):
            damaged.append(path)
    if files:
        replaced = _replaced(catalog)
        with registered(con, incoming_replaced=replaced):
            for part in con.extract_statements(statement("restore_trials")):
                con.execute(part, {"files": files} if "$files" in part.query else None)
    return damaged


def _note(con: DuckDBPyConnection, catalog: Path, *, whole: bool) -> None:
    rows = con.sql(statement("facts_trials"), params={"all": whole}).to_arrow_table()
    # What bars a set looks at changes nothing by itself.
    if not any(part != "range" for part in rows["part"].to_pylist()):
        return
    with _errors(catalog):
        _write(catalog, rows)
        files = trial_files(catalog)
        if len(files) > MOST_FILES:
            _write(catalog, _joined(files))
            for path in files:
                path.unlink(missing_ok=True)


def _joined(files: Sequence[Path]) -> pa.Table:
    # What says the same twice costs little, and the newest counts whatever the order.
    tables = [pq.read_table(path) for path in files]
    return pa.concat_tables(tables, promote_options="permissive")


def _write(catalog: Path, rows: pa.Table) -> None:
    folder = trials_folder(catalog)
    folder.mkdir(parents=True, exist_ok=True)
    # Sorted by name they are in the order in which they came.
    name = f"{time.time_ns():020}_{token_hex(4)}.parquet"
    unfinished = folder / f".{name}.tmp"
    try:
        pq.write_table(rows, unfinished, compression="zstd", write_page_checksum=True)
        sync(unfinished)
        unfinished.replace(folder / name)
    finally:
        unfinished.unlink(missing_ok=True)
    sync(folder)
    sync(folder.parent)


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


@contextmanager
def _errors(catalog: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        text = getattr(error, "strerror", None) or str(error)
        raise StoreError(
            f"Cannot keep the ledger of trials in {trials_folder(catalog)}: {text}",
            hint="Free some space, or check the permissions of the folder",
        ) from error
