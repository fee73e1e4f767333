"""Read what a lake is: its writers, and the files that their manifests name."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pyarrow as pa

from catalog.errors import LakeError
from catalog.lake.layout import TABLES
from catalog.lake.manifest import Manifest, arrow_schema, place_of_lake, read_manifests
from catalog.places import join


@dataclass(frozen=True)
class LakeFile:
    """
    A file of a lake.

    `place` is its path or URL, `size` in bytes, `digest` the SHA-256 of all of them, `schema` its
    columns. `keys` is how many entries it holds: strategies, traces, series.
    """

    place: str
    rows: int
    writer: str
    size: int
    digest: str
    keys: int
    schema: pa.Schema


@dataclass(frozen=True)
class Lake:
    """
    A lake as it was at one moment: what its writers had published by then.

    It stays readable as it is until one of them collects garbage.
    """

    place: str
    manifests: tuple[Manifest, ...]

    @property
    def writers(self) -> tuple[str, ...]:
        """The ids of those who have published into it, in order."""
        return tuple(one.writer for one in self.manifests)

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that it has files of, in the order of `TABLES`."""
        named = {name for one in self.manifests for name, files in one.tables.items() if files}
        return tuple(name for name in TABLES if name in named)

    def files(self, table: str) -> list[LakeFile]:
        """Return the files of a table, by writer and path; none where there are none."""
        return [
            LakeFile(
                join(self.place, one.path),
                one.rows,
                manifest.writer,
                one.size,
                one.digest,
                one.keys,
                arrow_schema(one.columns),
            )
            for manifest in self.manifests
            for one in sorted(manifest.tables.get(table, ()), key=lambda one: one.path)
        ]

    def schema(self, table: str) -> pa.Schema:
        """
        Return all columns that files of a table have; where they differ in type, the wider one.

        Raises:
            LakeError: a column is a number in one file and something else in another.
        """
        found: dict[str, pa.DataType] = {}
        for manifest in self.manifests:
            for columns in {one.columns for one in manifest.tables.get(table, ())}:
                for field in arrow_schema(columns):
                    known = found.setdefault(field.name, field.type)
                    found[field.name] = _wider(known, field.type, f"{table}.{field.name}")
        return pa.schema(list(found.items()))


def read_lake(place: str | os.PathLike[str]) -> Lake:
    """
    Return the lake at a folder or URL.

    Raises:
        LakeError: there is none, or a manifest is damaged or of a later format.
        ObjectStoreError: the store cannot be reached, or says no.
    """
    where = place_of_lake(place)
    manifests = read_manifests(where)
    if not manifests:
        raise LakeError(
            f"There is no lake at {where}",
            hint=f"Publish one with: catalog publish {os.fspath(place)}",
        )
    return Lake(where, tuple(sorted(manifests, key=lambda one: one.writer)))


def _wider(one: pa.DataType, other: pa.DataType, named: str) -> pa.DataType:
    if one == other:
        return one
    if pa.types.is_integer(one) and pa.types.is_integer(other):
        return one if one.bit_width >= other.bit_width else other
    if {one, other} <= {pa.int64(), pa.int32(), pa.int16(), pa.int8(), pa.float64()}:
        return pa.float64()
    raise LakeError(
        f"{named} is {one} in one file of the lake and {other} in another",
        hint="Publish again, with one version of this program, from every catalog",
    )
