"""Where packs lie, and which traces are in them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from catalog.errors import ObjectError, TraceFileError
from catalog.places import look_at
from catalog.statements import statement
from catalog.store.kept import pack_facts
from catalog.store.paths import catalog_root, is_anew, side_folder
from catalog.store.registered import registered
from catalog.traces.finalize import writing_errors
from catalog.traces.pack import TraceToPack, companion, pack_digest

_PARTS = (".parquet", ".companion")
_TEMPORARY = re.compile(r"\.\w+\.(\d+)\.(tmp|companion)")


@dataclass(frozen=True, slots=True)
class Known:
    """A registered trace: what a pack wants of it, and how its file was when it was read."""

    trace: TraceToPack
    content_digest: str
    size: int
    mtime_ns: int
    pack_path: str | None
    has_original: bool | None
    symbol: str | None
    timeframe: str | None
    idx_base: int


def packs_folder(catalog: Path) -> Path:
    """Return the folder of the packs, beside the catalog."""
    return side_folder(catalog) / "packs"


def pack_name(temporary: Path) -> str:
    """Return the name of a pack that is whole: when it was made, and the digest of its bytes."""
    with writing_errors(temporary):
        return f"{datetime.now(UTC):%Y%m%dT%H%M%S}_{pack_digest(temporary)}"


def temporary_pack(catalog: Path) -> Path:
    """Return what a pack is called until it is whole; its companion's name follows from it."""
    return packs_folder(catalog) / f".{token_hex(8)}.{os.getpid()}.tmp"


def stored_path(catalog: Path, pack: Path) -> str:
    """Return the path of a pack as the catalog keeps it, relative to its folder."""
    return os.path.relpath(pack, catalog_root(catalog))


def full_path(catalog: Path, pack_path: str) -> Path:
    """Return the path of a pack that the catalog knows."""
    return Path(catalog_root(catalog)) / pack_path


def select_traces(
    catalog: Path, con: DuckDBPyConnection, trace_ids: Sequence[str] | None
) -> list[Known]:
    """Return the registered signal traces, all or those with these ids, in pack order."""
    values = {"root": catalog_root(catalog), "trace_ids": trace_ids}
    rows = con.execute(statement("select_compactable"), values).fetchall()
    return [
        Known(
            TraceToPack(trace_id, strategy_hash, kind, run_id, run_path, path),
            digest, size, mtime_ns, pack_path, has_original, symbol, timeframe, idx_base,
        )
        for trace_id, strategy_hash, kind, run_id, run_path, path, digest, symbol, timeframe,
            idx_base, size, mtime_ns, pack_path, has_original in rows
    ]  # fmt: skip


def check_unchanged(one: Known) -> None:
    """
    Look at the file or object of a trace, and refuse it where it is not what was registered.

    Raises:
        TraceFileError: it has another size or time of change, or may not be looked at.
        FileNotFoundError: it is gone.
        OSError, ObjectStoreError: it cannot be looked at.
    """
    try:
        there = look_at(one.trace.path)
    except ObjectError as error:
        raise TraceFileError(error.reason, str(error)) from error
    if there is None:
        raise FileNotFoundError(one.trace.path)
    if (there.size, there.mtime_ns) != (one.size, one.mtime_ns):
        raise TraceFileError("changed since it was registered")


def remove_orphans(catalog: Path, con: DuckDBPyConnection) -> None:
    """
    Delete what a compaction that was killed left. Only who holds the lock may do that.

    A pack that holds a trace which the catalog has from nowhere else stays: it may be that of a
    catalog that was lost, from which `rebuild` brings it back.
    """
    folder = packs_folder(catalog)
    for path in find_orphans(catalog, con):
        if path.parent != folder or path.suffix != ".parquet":
            path.unlink(missing_ok=True)
        elif _is_spare(con, path):
            # All at once: what a pack holds is told by its companion.
            remove_pack(path)


def find_orphans(catalog: Path, con: DuckDBPyConnection) -> list[Path]:
    """Return packs, parts of a pack that is gone, and unfinished files that nobody knows."""
    folder = packs_folder(catalog)
    if is_anew(catalog) or not folder.is_dir():
        return []
    rows = con.execute("select distinct pack_path from packed_trace").fetchall()
    known = {full_path(catalog, path).stem for (path,) in rows}
    names = set(os.listdir(folder))
    paths = [folder / name for name in sorted(names)]
    facts = pack_facts(folder / "any").parent
    kept = [path for pattern in ("*.parquet", ".*.tmp") for path in facts.glob(pattern)]
    return [
        *(path for path in paths if _is_orphan(path, known, names)),
        *(path for path in kept if path.name not in names),
    ]


def _is_orphan(path: Path, known: set[str], names: set[str]) -> bool:
    found = _TEMPORARY.fullmatch(path.name)
    if found is not None:
        return not is_alive(int(found[1]))
    if path.suffix not in _PARTS or path.stem in known:
        return False
    return path.suffix == ".parquet" or f"{path.stem}.parquet" not in names


def remove_pack(pack: Path) -> None:
    """Delete a pack, with what lies beside it."""
    for path in (pack, companion(pack), pack_facts(pack)):
        path.unlink(missing_ok=True)


def remove_unknown(catalog: Path, con: DuckDBPyConnection, packs: Sequence[Path]) -> None:
    """Delete new packs, unless the catalog reads them: who was stopped may have committed."""
    try:
        rows = con.execute("select distinct pack_path from packed_trace").fetchall()
    except duckdb.Error:
        # What nobody knows goes with the next compaction.
        return
    known = {path for (path,) in rows}
    for pack in packs:
        if stored_path(catalog, pack) not in known:
            remove_pack(pack)


def _is_spare(con: DuckDBPyConnection, pack: Path) -> bool:
    """Say whether the catalog has all that a pack holds which it does not know."""
    try:
        ids = pq.read_table(companion(pack), columns=["trace_id"])
    except (OSError, pa.ArrowException):
        return False
    with registered(con, incoming_trace=ids):
        ((needed,),) = con.execute(statement("count_needed")).fetchall()
    return not needed


def is_alive(pid: int) -> bool:
    """Say whether a process of this machine is running."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
