"""The files of opened lakes: there, and as long as they were when the lake was opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from catalog.errors import ObjectStoreError
from catalog.objects import is_url, many_at_once
from catalog.places import PlacedFile, look_at
from catalog.statements import statement
from catalog.verify import finding as f
from catalog.verify.finding import Finding, found


@dataclass(frozen=True, slots=True)
class LakeFile:
    """How many bytes a file of a lake had, and how many traces are read from it."""

    size: int
    traces: int


def load_lake_files(con: DuckDBPyConnection) -> dict[str, LakeFile]:
    """Return the files of lakes that rows are read from, by their places."""
    rows = con.execute(statement("verify_lakes")).fetchall()
    return {place: LakeFile(size, traces) for place, size, traces in rows}


def check_lake_files(files: Mapping[str, LakeFile]) -> Iterator[Finding]:
    """Yield what is gone, or not as long as it was; of a store out of reach only that."""
    unreached: set[str] = set()
    here = [place for place in files if not is_url(place)]
    there = [place for place in files if is_url(place)]
    answers = [*map(_look_at, here), *(many_at_once(_look_at, there) if there else ())]
    for place, now in zip([*here, *there], answers, strict=True):
        known = files[place]
        if isinstance(now, ObjectStoreError | OSError):
            store = "/".join(place.split("/")[:3]) if is_url(place) else place
            if store not in unreached:
                unreached.add(store)
                hint = getattr(now, "hint", None)
                yield found(f.UNREADABLE, place, str(now), what_to_do=hint)
        elif now is None:
            yield found(f.MISSING_LAKE_FILE, place, f"{known.traces:,} traces are read from it")
        elif now.size != known.size:
            detail = f"it has {now.size:,} bytes, and had {known.size:,}"
            yield found(f.CHANGED_LAKE_FILE, place, detail)


def _look_at(place: str) -> PlacedFile | ObjectStoreError | OSError | None:
    try:
        return look_at(place)
    except (ObjectStoreError, OSError) as error:
        return error
