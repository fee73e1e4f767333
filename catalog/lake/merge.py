"""
Take the rows of another catalog in: all that it knows of its traces, and what lies beside it.

    other, read-only -> rows with this catalog's ids of runs -> files beside it are copied
    -> one transaction: rows, facts, views

Trace files stay where they are. Prices, session returns and the rows of traces whose files are
gone are copied from beside the other catalog. Whoever is stopped leaves this one as it was.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import duckdb
from duckdb import DuckDBPyConnection

from catalog.errors import MigrationError, StoreError, UsageError
from catalog.lake.from_catalog import folders_of, rows_of
from catalog.lake.run_names import name_runs
from catalog.lake.stores import (
    Stores,
    choose_prices,
    copy_packed,
    copy_prices,
    copy_returns,
    put_stores,
    series_of,
    wanted_returns,
)
from catalog.lake.take_in import TakenIn, check_strategies, take_in
from catalog.lake.take_tags import take_tags
from catalog.lake.taken import Series, Taken
from catalog.places import put
from catalog.register.folders import SeenFolder, record_folders
from catalog.register.record import record_changes
from catalog.statements import statement
from catalog.store.database import as_it_is, writing
from catalog.store.facts import noting
from catalog.store.inbox import waiting_notes
from catalog.store.kept import keep_pack_facts
from catalog.store.migrations import lacks_migrations
from catalog.store.paths import catalog_root, side_folder
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.store.trials import write_missing_trials
from catalog.store.views import refresh_views

NOTED: Final = ("runs", "prices", "metric_sets", "computations")


@dataclass
class Merge:
    """
    What merging another catalog came to.

    `traces`, `strategies` and `runs` count what was new here, `packed` the traces whose rows were
    copied out of its packs. `renamed` has the ids that runs got whose own is another run's here.
    `lakes` are places of lakes that it reads traces from, which were not taken over; `lost` says
    what beside it could not be read; `notes` wait in its inbox, and are not in it yet.
    """

    traces: int = 0
    strategies: int = 0
    runs: int = 0
    packed: int = 0
    tags: int = 0
    prices: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    lakes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    notes: int = 0
    without_column: int = 0
    seconds: float = 0.0

    @property
    def needs_attention(self) -> bool:
        """Whether something of the other catalog did not come along."""
        return bool(self.lost or self.lakes or self.notes)


def merge(catalog: Path, other: Path) -> Merge:
    """
    Take another catalog's rows in, in one transaction.

    The same trace in both is one, at the place of the row that was registered last; a second
    merge changes nothing.

    Raises:
        UsageError: it is the catalog itself.
        HashCollisionError: two configurations share twelve digits.
        MigrationError: an older or a newer program made the other catalog.
        CatalogBusyError: another process has one of them.
        StoreError: one of them cannot be used.
    """
    started = time.monotonic()
    if not other.is_file():
        raise StoreError(f"There is no catalog at {other}", hint="Check the path")
    if catalog.exists() and catalog.samefile(other):
        raise UsageError(f"{other} is the catalog itself", hint="Name another one")
    report = Merge(notes=waiting_notes(other))
    with as_it_is(other) as theirs:
        _check_schema(theirs, other)
        taken, folders = rows_of(theirs, other), folders_of(theirs, other)
        report.lakes = [place for (place,) in theirs.execute(statement("merge_lakes")).fetchall()]
        with writing(catalog) as con:
            _merge(con, catalog, other, taken, folders, report)
    report.seconds = time.monotonic() - started
    return report


def _check_schema(con: DuckDBPyConnection, other: Path) -> None:
    if lacks_migrations(con, other):
        raise MigrationError(
            f"The catalog {other} was made by an older program",
            hint=f"Bring it up to date first, with: catalog info --catalog {other}",
        )


def _merge(
    con: DuckDBPyConnection,
    catalog: Path,
    other: Path,
    taken: Taken,
    folders: list[SeenFolder],
    report: Merge,
) -> None:
    root = catalog_root(catalog)
    check_strategies(con, taken)
    names = name_runs(con, root, taken.runs, taken.traces)
    report.renamed = {old: new for old, new in names.items() if old != new}
    theirs = taken.traces["trace_id"].to_pylist()
    taken = taken.with_run_names(names)
    ids = dict(zip(taken.traces["trace_id"].to_pylist(), theirs, strict=True))
    taken, replaced = choose_prices(con, taken)
    _copy_sweeps(catalog, other)
    with put_stores(con, catalog) as stores:
        prices = copy_prices(catalog, other, taken.prices, stores)
        taken = replace(taken, prices=prices)
        replaced &= series_of(prices)
        returns = wanted_returns(con, taken, taken.returns, replaced)
        returns = copy_returns(con, catalog, other, returns, stores)
        taken = replace(taken, returns=returns)
        taken = copy_packed(con, catalog, other, taken, ids, stores)
        try:
            made = _write(con, catalog, taken, folders, replaced, stores, report)
        except duckdb.Error as error:
            if ".parquet" not in str(error):
                raise
            # DuckDB makes no view over files that are gone, or have been damaged since.
            record_changes(con, root)
            made = _write(con, catalog, taken, folders, replaced, stores, report)
    if made.retyped:
        con.execute("checkpoint")
    report.lost += stores.lost
    report.packed = stores.packed.num_rows
    report.prices = sorted(" ".join(key) for key in series_of(prices))
    report.traces, report.strategies, report.runs = made.traces, made.strategies, made.runs
    report.without_column = made.without_column


def _write(
    con: DuckDBPyConnection,
    catalog: Path,
    taken: Taken,
    folders: list[SeenFolder],
    replaced: set[Series],
    stores: Stores,
    report: Merge,
) -> TakenIn:
    root = catalog_root(catalog)
    with transaction(con), noting(con, *NOTED):
        record_folders(con, root, folders)
        made = take_in(con, root, taken, replaced=replaced)
        if stores.packed.num_rows:
            with registered(con, taken_packed=stores.packed):
                con.execute(statement("take_packed"))
            keep_pack_facts(con, Path(root), stores.packed)
        report.tags = take_tags(con, catalog, taken.tags)
        write_missing_trials(con, catalog)
        refresh_views(con, root, strategy_altered=made.altered)
    return made


def _copy_sweeps(catalog: Path, other: Path) -> None:
    """Copy the sweep files that the runs of another catalog were made from."""
    source, target = (side_folder(one) / "sweeps" for one in (other, catalog))
    for path in sorted(source.glob("[!.]*")):
        if not (target / path.name).exists():
            put(os.fspath(target / path.name), partial(shutil.copyfile, path))
