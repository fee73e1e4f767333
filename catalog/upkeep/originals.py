"""Delete the files of traces that are in packs, once the packs have proved that they hold them."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from catalog.disk import sync
from catalog.errors import TraceFileError
from catalog.statements import statement
from catalog.store.database import reading, writing
from catalog.store.transactions import transaction
from catalog.traces.content import RowsDigest, content_digest
from catalog.traces.trace_table import TraceTable, read_trace_table, same_content
from catalog.traces.unpack import read_packed
from catalog.upkeep.packs import Known, full_path, select_traces


class _Report(Protocol):
    deleted: int


def delete_originals(
    catalog: Path, trace_ids: Sequence[str] | None, kept: Counter[str], report: _Report
) -> None:
    """
    Delete the files of packed traces, all or those with these ids.

    A pack is read back from the disk, its page checksums included. A file goes only where the
    pack gives back its rows, schema and footer keys, and the catalog's content digest. The
    catalog says that files are gone before they are: one that is killed in between stays.

    Args:
        kept: counts the files that stay, by reason.
    """
    with reading(catalog) as con:
        known = select_traces(catalog, con, trace_ids)
    by_pack: dict[str, list[Known]] = {}
    for one in known:
        if one.pack_path is None:
            continue
        # Where one was killed before, the catalog says that files are gone which are there.
        if one.has_original or os.path.exists(one.trace.path):
            by_pack.setdefault(one.pack_path, []).append(one)
    for pack_path, members in by_pack.items():
        proved = _proved(full_path(catalog, pack_path), members, kept)
        if not proved:
            continue
        ids = [one.trace.trace_id for one in proved]
        with writing(catalog) as con, transaction(con):
            con.execute(statement("set_original"), {"has_original": False, "trace_ids": ids})
        stayed = []
        for one in proved:
            try:
                if not _is_unchanged(one):
                    raise OSError(errno.ESTALE, "it has changed since it was compared")
                os.unlink(one.trace.path)
                report.deleted += 1
            except OSError as error:
                kept[f"it cannot be deleted: {error.strerror}"] += 1
                stayed.append(one.trace.trace_id)
        if stayed:
            with writing(catalog) as con, transaction(con):
                values = {"has_original": True, "trace_ids": stayed}
                con.execute(statement("set_original"), values)
        for folder in {os.path.dirname(one.trace.path) for one in proved}:
            sync(Path(folder))


def _proved(pack: Path, members: list[Known], kept: Counter[str]) -> list[Known]:
    """Return the traces that the pack gives back as their files hold them."""
    wanted = {one.trace.trace_id: one for one in members}
    proved: list[Known] = []
    found: set[str] = set()
    try:
        for entry, read in read_packed(pack, list(wanted)):
            one = wanted[entry["trace_id"]]
            found.add(one.trace.trace_id)
            reason = _difference(one, read)
            if reason is None:
                proved.append(one)
            else:
                kept[reason] += 1
    except TraceFileError:
        # What comes behind the damage is unknown, so is what it did to the rest.
        kept["the pack is damaged"] += len(members)
        return []
    if lacking := len(wanted.keys() - found):
        kept["the pack does not hold it"] += lacking
    return proved


def _difference(one: Known, read: TraceTable) -> str | None:
    if not _is_unchanged(one):
        return "its file is not what was registered"
    if packed_digest(one, read) != one.content_digest:
        return "the content digests differ"
    try:
        original = read_trace_table(one.trace.path)
    except TraceFileError:
        return "its file cannot be read"
    return None if same_content(original, read) else "the pack does not give it back as it is"


def packed_digest(one: Known, read: TraceTable) -> str:
    """Return the content digest of what a pack gives back."""
    bars = _numbers(read.table, "idx", np.int64) - one.idx_base
    values = _numbers(read.table, "val", np.float64)
    changes = np.ones(len(values), bool)
    changes[1:] = values[1:] != values[:-1]
    digest = RowsDigest(one.trace.kind)
    digest.add_arrays(bars[changes], values[changes])
    return content_digest(one.symbol, one.timeframe, one.trace.kind, digest.hexdigest())


def _numbers(table: pa.Table, name: str, kind: type) -> Any:
    return np.asarray(table[name].combine_chunks().to_numpy(zero_copy_only=False), kind)


def _is_unchanged(one: Known) -> bool:
    try:
        status = os.stat(one.trace.path)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (one.size, one.mtime_ns)
