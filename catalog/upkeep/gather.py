"""What traces hold that are to be packed: from their files, from objects, or out of older packs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from catalog.errors import TraceFileError
from catalog.objects import is_url, many_at_once
from catalog.traces.trace_table import TraceTable, read_trace_table
from catalog.traces.unpack import read_packed
from catalog.upkeep.packs import Known, check_unchanged, full_path


def read_all(
    catalog: Path, chosen: Sequence[Known], left: Counter[str], spoiled: set[str]
) -> Iterator[tuple[Known, TraceTable]]:
    """
    Yield the traces with what they hold, from their files or from the packs they are in.

    Args:
        left: counts those that cannot be read, by reason.
        spoiled: takes the packs that do not give back all that they are to hold.

    Raises:
        ObjectStoreError: a store cannot be reached, or says no to more than one object.
    """
    packed: dict[str, _Packed] = {}
    loose = [one for one in chosen if one.pack_path is None and is_url(one.trace.path)]
    objects = many_at_once(_read_object, loose) if loose else iter(())
    for one in chosen:
        try:
            if one.pack_path is not None:
                if one.pack_path not in packed:
                    ids = [
                        each.trace.trace_id for each in chosen if each.pack_path == one.pack_path
                    ]
                    packed[one.pack_path] = _Packed(full_path(catalog, one.pack_path), ids)
                with suppress(TraceFileError):
                    yield one, packed[one.pack_path].take(one.trace.trace_id)
                    continue
            if one.pack_path is None and is_url(one.trace.path):
                read = next(objects)
                if isinstance(read, Exception):
                    raise read
                yield one, read
                continue
            check_unchanged(one)
            yield one, read_trace_table(one.trace.path)
            continue
        except FileNotFoundError:
            reason = "gone"
        except OSError:
            reason = "unreadable"
        except TraceFileError as error:
            reason = error.reason
        if one.pack_path is not None:
            spoiled.add(one.pack_path)
            reason = "its pack is damaged"
        left[reason] += 1


def _read_object(one: Known) -> TraceTable | Exception:
    """Read an object; what is wrong with it alone is no reason to leave out the others."""
    try:
        check_unchanged(one)
        return read_trace_table(one.trace.path)
    except (OSError, TraceFileError) as error:
        return error


class _Packed:
    """
    Traces of a pack, one after the other.

    They are wanted in the order in which they are there, but for those whose strategy became
    known since: what is passed over waits in memory.
    """

    def __init__(self, pack: Path, trace_ids: list[str]) -> None:
        self._source = read_packed(pack, trace_ids)
        self._waiting: dict[str, TraceTable] = {}

    def take(self, trace_id: str) -> TraceTable:
        if trace_id in self._waiting:
            return self._waiting.pop(trace_id)
        for entry, read in self._source:
            if entry["trace_id"] == trace_id:
                return read
            self._waiting[entry["trace_id"]] = read
        raise TraceFileError("the pack does not hold it")
