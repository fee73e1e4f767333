"""Look whether the files of a lake are there, whole, before anything relies on them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

import catalog.objects as objects
from catalog.errors import LakeError
from catalog.lake.contents import name_of
from catalog.lake.lake import Lake, LakeFile
from catalog.lake.manifest import Manifest, ManifestFile
from catalog.objects import is_url
from catalog.places import join, list_files, look_at

if TYPE_CHECKING:
    from collections.abc import Iterator

HINT = (
    "If somebody collected its garbage meanwhile, open it again; else restore the file, or publish "
    "from the catalog of its writer to a new lake"
)


def check_whole(lake: Lake, tables: Iterable[str]) -> None:
    """
    Refuse a lake in some of whose tables a file is gone, or is not as long as it was written.

    Raises:
        LakeError: it names the file.
        ObjectStoreError: the store cannot be reached, or says no.
    """
    files = [one for name in tables for one in lake.files(name)]
    many = objects.many_at_once(_problem, files) if is_url(lake.place) else map(_problem, files)
    for problem in many:
        if problem is not None:
            raise LakeError(problem, hint=HINT)


def whole(manifest: Manifest, place: str) -> dict[str, tuple[ManifestFile, ...]]:
    """
    Return the files of a writer that are there, as long as they were written, by table.

    Raises:
        OSError, ObjectStoreError: the lake cannot be listed.
    """
    if not manifest.tables:
        return {}
    sizes = {file.place: file.size for file in list_files(place)}

    def is_whole(one: ManifestFile) -> bool:
        # Without its contents nobody knows what is in it.
        contents = join(place, name_of(one.path).contents)
        return sizes.get(join(place, one.path)) == one.size and contents in sizes

    return {name: tuple(filter(is_whole, files)) for name, files in manifest.tables.items()}


@contextmanager
def unreadable_files(lake: Lake) -> Iterator[None]:
    """Turn what DuckDB says of a file of the lake that is damaged into an error of ours."""
    try:
        yield
    except duckdb.Error as error:
        if f"{lake.place}/" not in str(error):
            raise
        raise LakeError(
            f"The lake at {lake.place} cannot be read: {str(error).splitlines()[0]}", hint=HINT
        ) from error


def _problem(file: LakeFile) -> str | None:
    found = look_at(file.place)
    if found is None:
        return f"{file.place} is gone, and the lake's manifest names it"
    if found.size != file.size:
        return (
            f"{file.place} is damaged: it has {found.size:,} bytes, and {file.size:,} were written"
        )
    return None
