"""What lies in a folder of old traces, as registering it says: in a catalog for the moment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from duckdb import DuckDBPyConnection

from catalog.register.batches import BATCH_SIZE, Progress, RunSources, batches
from catalog.register.files import Problem
from catalog.register.known import Known, load_known
from catalog.register.plan import make_plan
from catalog.register.record import write_batch
from catalog.register.sweeps import SweepShelf
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.migrations import known_migrations
from catalog.store.paths import catalog_root, side_folder
from catalog.store.transactions import transaction
from catalog.sweeps.grid import Sweep


@dataclass(frozen=True, slots=True)
class Source:
    """
    A trace file as the catalog knows it. Bars are 0-based, times microseconds since 1970 in UTC.

    `first_bar` to `last_us` are the range evaluated.
    """

    trace_id: str
    path: str
    run_path: str
    run_id: str
    kind: str
    generation: str
    strategy_id: str | None
    strategy_type: str | None
    strategy_hash: str | None
    config: str | None
    config_digest: str | None
    config_source: str | None
    symbol: str | None
    timeframe: str | None
    symbol_raw: str | None
    timeframe_raw: str | None
    idx_base: int
    layout: str | None
    row_count: int
    first_bar: int | None
    last_bar: int | None
    first_us: int | None
    last_us: int | None
    first_change_bar: int | None
    last_change_bar: int | None
    first_change_us: int | None
    last_change_us: int | None
    knows_bar_times: bool
    data_digest: str | None
    code_digest: str | None
    content_digest: str
    file_digest: str
    size: int
    mtime_ns: int
    created_us: int | None

    @property
    def run_folder(self) -> str:
        """The directory of its run."""
        return self.path[: -len(self.run_path)].rstrip("/")

    @property
    def stem(self) -> str:
        """The file's name without its ending."""
        return self.path.rpartition("/")[2].removesuffix(".parquet")


@dataclass(frozen=True)
class Found:
    """The traces of a folder, and the files in it that are none or cannot be used."""

    traces: list[Source]
    quarantined: list[Problem]
    ignored: list[Problem]


def find_sources(
    folder: Path, *, catalog: Path, sweeps: Sequence[Sweep], progress: Progress
) -> Found:
    """
    Read what lies at and below a folder, and find out everything that registering it would say.

    Args:
        catalog: where what sweeps made runs that are registered there is known from.
        sweeps: sweep files to find parameters in.

    Raises:
        StoreError: the catalog cannot be read.
    """
    root = catalog_root(catalog)
    known = _known_runs(catalog, folder)
    skip = frozenset({os.path.abspath(side_folder(catalog))})
    roots = [os.path.abspath(folder)]
    plan = make_plan(roots, known, skip=skip, sweeps=sweeps)
    sources = RunSources(known, sweeps, SweepShelf(catalog))
    with _scratch_catalog() as con:
        for batch in batches(plan, roots, sources, progress, size=BATCH_SIZE):
            with transaction(con):
                write_batch(con, root, batch)
        traces, others = _traces(con, root), _others(con, root)
    return Found(
        traces,
        [problem for problem in others if problem.status == "quarantined"],
        [problem for problem in others if problem.status != "quarantined"],
    )


@contextmanager
def _scratch_catalog() -> Iterator[DuckDBPyConnection]:
    """Make a catalog's tables, without views, in a folder that is gone afterwards."""
    with (
        TemporaryDirectory(prefix="catalog-upgrade-") as folder,
        duckdb.connect(os.path.join(folder, "catalog.duckdb")) as con,
    ):
        con.execute("set timezone = 'UTC'")
        con.execute(statement("create_migration_ledger"))
        con.execute("set search_path = 'main,internal'")
        for migration in known_migrations():
            con.execute(migration.sql)
        yield con


def _known_runs(catalog: Path, folder: Path) -> Known:
    """Return the runs that the catalog knows, and nothing of their files: all are to be read."""
    if not catalog.exists():
        return Known()
    with reading(catalog) as con:
        known = load_known(con, [os.path.abspath(folder)], catalog_root(catalog))
    return Known(runs=known.runs)


def _traces(con: DuckDBPyConnection, root: str) -> list[Source]:
    rows = con.execute(statement("select_upgradable"), {"root": root}).fetchall()
    assert not rows or len(rows[0]) == len(fields(Source))  # noqa: S101
    return [Source(*row) for row in rows]


def _others(con: DuckDBPyConnection, root: str) -> list[Problem]:
    rows = con.execute(statement("select_left_out"), {"root": root}).fetchall()
    return [
        Problem(path, reason, error, hint, status=status)
        for path, status, reason, error, hint in rows
    ]
