"""Delete the files of traces that are in packs, once the packs have proved that they hold them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from catalog.disk import sync
from catalog.errors import ObjectStoreError, TraceFileError
from catalog.objects import is_url, many_at_once
from catalog.places import existing, remove
from catalog.statements import statement
from catalog.store.database import reading, writing
from catalog.store.transactions import transaction
from catalog.traces.content import RowsDigest, content_digest
from catalog.traces.trace_table import TraceTable, read_trace_table, same_content
from catalog.traces.unpack import read_packed
from catalog.upkeep.packs import Known, check_unchanged, full_path, select_traces

Found = TypeVar("Found")


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
    packed = [one for one in known if one.pack_path is not None]
    # Where one was killed before, the catalog says that files are gone which are there.
    there = existing(one.trace.path for one in packed if not one.has_original)
    for one in packed:
        if one.pack_path is not None and (one.has_original or one.trace.path in there):
            by_pack.setdefault(one.pack_path, []).append(one)
    for pack_path, members in by_pack.items():
        proved = _proved(full_path(catalog, pack_path), members, kept)
        if not proved:
            continue
        ids = [one.trace.trace_id for one in proved]
        with writing(catalog) as con, transaction(con):
            con.execute(statement("set_original"), {"has_original": False, "trace_ids": ids})
        stayed = []
        for one, problem in zip(proved, _each(_delete, proved), strict=True):
            if problem is None:
                report.deleted += 1
            else:
                kept[f"it cannot be deleted: {problem}"] += 1
                stayed.append(one.trace.trace_id)
        if stayed:
            with writing(catalog) as con, transaction(con):
                values = {"has_original": True, "trace_ids": stayed}
                con.execute(statement("set_original"), values)
        for folder in {os.path.dirname(one.trace.path) for one in proved}:
            if not is_url(folder):
                sync(Path(folder))


def _each(work: Callable[[Known], Found], traces: Sequence[Known]) -> Iterator[Found]:
    """Return what comes of each trace, of objects many at a time."""
    are_objects = any(is_url(one.trace.path) for one in traces)
    return many_at_once(work, traces) if are_objects else map(work, traces)


def _delete(one: Known) -> str | None:
    """Delete the file of a trace, and return why it stays where it does."""
    try:
        if not _is_unchanged(one):
            return "it has changed since it was compared"
        remove(one.trace.path)
    except ObjectStoreError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _proved(pack: Path, members: list[Known], kept: Counter[str]) -> list[Known]:
    """Return the traces that the pack gives back as their files hold them."""
    wanted = {one.trace.trace_id: one for one in members}
    proved: list[Known] = []
    found: set[str] = set()
    try:
        given = ((wanted[entry["trace_id"]], read) for entry, read in read_packed(pack, [*wanted]))
        are_objects = any(is_url(one.trace.path) for one in members)
        compared = many_at_once(_compared, given) if are_objects else map(_compared, given)
        for one, reason in compared:
            found.add(one.trace.trace_id)
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


def _compared(given: tuple[Known, TraceTable]) -> tuple[Known, str | None]:
    return given[0], _difference(*given)


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
        check_unchanged(one)
    except (OSError, TraceFileError):
        return False
    return True
