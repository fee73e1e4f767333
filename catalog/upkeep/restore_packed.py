"""Bring the traces that are only in packs into the tables of a catalog that is made anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from catalog.canonical import parse_config
from catalog.errors import TraceFileError
from catalog.register.analytics import AnalyticsReader
from catalog.register.batches import RunSources, open_run
from catalog.register.configs import Recovered
from catalog.register.entries import Reading, RunContext, Sighting, make_entries, measure_spacing
from catalog.register.folders import SeenFolder
from catalog.register.known import Known, known_runs
from catalog.register.plan import RunToRead, kind_of_path
from catalog.register.record import Batch, KeptTraces, record
from catalog.register.runs import record_paths, run_folder, stamp_of
from catalog.register.sweeps import SweepShelf
from catalog.statements import statement
from catalog.store.database import writing
from catalog.store.kept import pack_facts, read_kept
from catalog.store.paths import Prefix, absolute_prefix, catalog_root, stored_prefix
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.traces.pack import companion
from catalog.traces.read import read_trace_file
from catalog.traces.trace_table import write_trace_table
from catalog.traces.unpack import read_packed
from catalog.upkeep.packs import packs_folder, stored_path
from catalog.upkeep.restore_runs import restore_runs, runs_of

_BATCH = 8_192
_ABOUT_STRATEGY = ("config", "strategy_kind", "strategy_source", "strategy_claim")
_OF_COMPANION = ("trace_id", "trace_number", "run_id", "run_path", "path")


@dataclass(frozen=True, eq=False)
class Packs:
    """
    The packs beside a catalog, oldest first, with what their companions say of each trace.

    `damaged` are those that cannot be read.
    """

    entries: dict[Path, list[dict[str, Any]]]
    damaged: list[Path]


def read_packs(catalog: Path) -> Packs:
    """Return the packs that can be read, each with a row per trace; of two the newer counts."""
    entries: dict[Path, list[dict[str, Any]]] = {}
    damaged: list[Path] = []
    seen: set[str] = set()
    for pack in sorted(packs_folder(catalog).glob("[!.]*.parquet"), reverse=True):
        try:
            pq.read_metadata(pack)
            with pq.ParquetFile(companion(pack), page_checksum_verification=True) as file:
                rows = file.read(list(_OF_COMPANION), use_threads=False).to_pylist()
        except (OSError, pa.ArrowException):
            damaged.append(pack)
            continue
        entries[pack] = [row for row in rows if row["trace_id"] not in seen]
        seen.update(row["trace_id"] for row in rows)
    # One whose traces are all in newer ones was left by whoever was killed while compacting.
    return Packs({pack: rows for pack, rows in reversed(entries.items()) if rows}, damaged)


def restore_pack_list(con: DuckDBPyConnection, catalog: Path, packs: Packs) -> None:
    """Say which traces are in which pack: they are, whether their files are there or not."""
    table = pa.table(
        {
            "trace_id": pa.array(
                [row["trace_id"] for rows in packs.entries.values() for row in rows], pa.string()
            ),
            "trace_number": pa.array(
                [row["trace_number"] for rows in packs.entries.values() for row in rows], pa.int64()
            ),
            "pack_path": pa.array(
                [stored_path(catalog, pack) for pack, rows in packs.entries.items() for _ in rows],
                pa.string(),
            ),
        }
    )
    with registered(con, incoming_packed=table):
        con.execute(statement("insert_packed_known"))


def restore_packed(catalog: Path, packs: Packs, *, whose: Callable[[str], bool]) -> list[str]:
    """
    Register traces of packs that are not registered, and whose place no other trace has.

    Args:
        whose: says by the path of a trace's file if the trace is wanted.

    Returns:
        The ids of those that only the pack itself says something about: the size, the time and
        the digest of their files are not known any more.

    Raises:
        StoreError: the catalog cannot be used.
    """
    bare: list[str] = []
    for pack, rows in packs.entries.items():
        kept = read_kept(pack_facts(pack))
        names = [] if kept is None else kept["trace_id"].to_pylist()
        if kept is not None:
            ours = {row["trace_id"] for row in rows}
            own = pa.array([one in ours for one in names], pa.bool_())
            _restore_kept(catalog, kept.filter(own), stored_path(catalog, pack), whose)
        known = set(names)
        unknown = [row for row in rows if row["trace_id"] not in known]
        if unknown:
            bare += _restore_bare(catalog, pack, unknown, whose)
    return bare


def _restore_kept(
    catalog: Path, kept: pa.Table, pack_path: str, whose: Callable[[str], bool]
) -> None:
    root = catalog_root(catalog)
    with writing(catalog) as con:
        places = kept.select(["trace_id", "prefix", "is_relative", "file_name"])
        wanted = _unrestored(con, places, root, whose)
        own = [one in wanted for one in kept["trace_id"].to_pylist()]
        rows = kept.filter(pa.array(own, pa.bool_()))
        for start in range(0, rows.num_rows, _BATCH):
            part = rows.slice(start, _BATCH)
            places = zip(part["prefix"].to_pylist(), part["is_relative"].to_pylist(), strict=True)
            folders = {absolute_prefix(Prefix(*one), root).rstrip("/") for one in places}
            runs = runs_of(part, root)
            own_folders = sorted(folders.union(*runs.values()))
            seen = [SeenFolder(folder, run_folder(folder)) for folder in own_folders]
            batch = Batch(folders=seen, kept=KeptTraces(_rows(part, pack_path), _sightings(part)))
            record(con, root, batch)
            restore_runs(con, root, runs)


def _unrestored(
    con: DuckDBPyConnection, places: pa.Table, root: str, whose: Callable[[str], bool]
) -> set[str]:
    with registered(con, incoming_kept=places):
        rows = con.execute(statement("select_unrestored")).fetchall()
    return {
        trace_id
        for trace_id, prefix, is_relative, name in rows
        if whose(absolute_prefix(Prefix(prefix, is_relative), root) + name)
    }


def _rows(kept: pa.Table, pack_path: str) -> pa.Table:
    """Return rows of the table `trace_file` from what was kept of it."""
    count = kept.num_rows
    said: dict[str, Any] = {
        "is_latest": pa.repeat(pa.scalar(False), count),
        "status": pa.repeat(pa.scalar("registered"), count),
        "has_original": pa.repeat(pa.scalar(False), count),
        "pack_path": pa.repeat(pa.scalar(pack_path), count),
    }
    rows = kept.drop_columns([*_ABOUT_STRATEGY, "pack_path"])
    for name, values in said.items():
        rows = rows.append_column(name, values)
    return rows


def _sightings(kept: pa.Table) -> list[Sighting]:
    names = (
        "strategy_key", "strategy_kind", "strategy_type", "strategy_source", "config",
        "strategy_hash", "strategy_claim",
    )  # fmt: skip
    found: dict[str, Sighting] = {}
    for key, kind, strategy_type, source, text, short, claim in zip(
        *(kept[name].to_pylist() for name in names), strict=True
    ):
        if key is not None and key not in found:
            config = None if text is None else parse_config(text)
            digest = None if text is None else sha256(text.encode()).hexdigest()
            recovered = Recovered(source, config, text, digest, short, claim)
            found[key] = Sighting(key, kind or "signal", strategy_type, recovered)
    return list(found.values())


def _restore_bare(
    catalog: Path, pack: Path, rows: list[dict[str, Any]], whose: Callable[[str], bool]
) -> list[str]:
    """Register what only the pack itself says something about, as if its files were there."""
    root = catalog_root(catalog)
    with writing(catalog) as con:
        runs = known_runs(con, root)
        homes = {run.run_id: folder for folder, run in runs.items()}
        paths = {
            row["trace_id"]: f"{homes[row['run_id']]}/{row['run_path']}"
            if row["run_id"] in homes
            else row["path"]
            for row in rows
        }
        places = [stored_prefix(os.path.dirname(path), root) for path in paths.values()]
        table = pa.table(
            {
                "trace_id": pa.array(paths, pa.string()),
                "prefix": pa.array([place.prefix for place in places], pa.string()),
                "is_relative": pa.array([place.is_relative for place in places], pa.bool_()),
                "file_name": pa.array(map(os.path.basename, paths.values()), pa.string()),
            }
        )
        wanted = _unrestored(con, table, root, whose)
        sources = RunSources(Known(runs=runs), (), SweepShelf(catalog))
        with closing(AnalyticsReader()) as analytics, TemporaryDirectory() as folder:
            contexts = {
                run: open_run(_run_to_read(run, paths.values()), sources, analytics)
                for run in {run_folder(os.path.dirname(paths[one])) for one in wanted}
            }
            readings = list(_readings(pack, wanted, paths, contexts, Path(folder)))
        for start in range(0, len(readings), _BATCH):
            part = readings[start : start + _BATCH]
            own = {context.folder: context for context, *_ in part}
            folders = {place for _, place, _, _ in part}
            record(
                con,
                root,
                Batch(
                    entries=make_entries(part),
                    runs=list(own.values()),
                    folders=[
                        SeenFolder(one, run_folder(one)) for one in sorted(folders | own.keys())
                    ],
                ),
            )
        with transaction(con):
            values = {"has_original": False, "trace_ids": sorted(wanted)}
            con.execute(statement("set_original"), values)
    return sorted(wanted)


def _run_to_read(run: str, paths: Iterable[str]) -> RunToRead:
    records = record_paths(run)
    own = [path for path in paths if path.startswith(f"{run}/")]
    names = {("signal", os.path.basename(path).removesuffix(".parquet")) for path in own}
    return RunToRead(run, records, stamp_of(records), names)


def _readings(
    pack: Path,
    wanted: set[str],
    paths: dict[str, str],
    contexts: dict[str, RunContext],
    folder: Path,
) -> Iterator[Reading]:
    """
    Yield what is read of traces that are written into a folder for that, and as if elsewhere.

    What of the pack cannot be read is lost; the rest is there.
    """
    readings: list[Reading] = []
    mirrored: list[Reading] = []
    with suppress(TraceFileError):
        for entry, read in read_packed(pack, sorted(wanted)):
            place, _, name = paths[entry["trace_id"]].rpartition("/")
            written = Path(f"{folder}{place}/{name}")
            write_trace_table(written, read)
            with suppress(TraceFileError):
                trace = read_trace_file(str(written), kind_hint=kind_of_path(place) or "signal")
                context = contexts[run_folder(place)]
                readings.append((context, place, name, trace))
                there = replace(context, folder=f"{folder}{context.folder}")
                mirrored.append((there, os.path.dirname(written), name, trace))
    # How long bars are is told from rows, which only these files have; the run remembers it.
    measure_spacing(mirrored)
    yield from readings
