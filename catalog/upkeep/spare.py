"""Whether a pack can go: what it holds is elsewhere too, or nobody wants it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.paths import catalog_root
from catalog.store.registered import registered
from catalog.traces.pack import companion
from catalog.upkeep.packs import full_path, remove_pack


def remove_spare(
    con: DuckDBPyConnection,
    catalog: Path,
    pack_paths: Iterable[str],
    *,
    unwanted: Collection[str],
) -> None:
    """Delete those of some packs that are spare, with what lies beside them."""
    for path in pack_paths:
        pack = full_path(catalog, path)
        if is_spare(con, catalog, pack, unwanted=unwanted):
            remove_pack(pack)


def is_spare(
    con: DuckDBPyConnection,
    catalog: Path,
    pack: Path,
    *,
    unwanted: Collection[str],
) -> bool:
    """
    Say whether all traces of a pack are in files, in other packs, or not wanted any more.

    One is not where another trace is registered in the place of its file. The catalog itself may
    have lost what it knew of a pack, so that nothing of that is asked.

    Args:
        unwanted: the ids of traces whose rows in packs nobody wants.
    """
    if not pack.exists():
        return True
    try:
        held = pq.read_table(companion(pack), columns=["trace_id", "path"])
    except (OSError, pa.ArrowException):
        return False
    wanted = pa.array([one not in unwanted for one in held["trace_id"].to_pylist()], pa.bool_())
    values = {"root": catalog_root(catalog), "pack_name": pack.name}
    with registered(con, incoming_trace=held.filter(wanted)):
        ((needed,),) = con.execute(statement("count_only_in_pack"), values).fetchall()
    return not needed
