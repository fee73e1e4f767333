"""The manifest of a writer: which files are its part of the lake, as text and as values."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pyarrow as pa

from catalog.errors import LakeError, UsageError
from catalog.lake.layout import FORMAT, MANIFESTS, manifest_path
from catalog.objects import is_url
from catalog.places import absolute, join, list_files, read_bytes

WRITER = re.compile(r"[0-9a-f]{12}")
"""What a writer's id looks like."""

Columns = tuple[tuple[str, str], ...]
"""The columns of a file, each with the name of its Arrow type."""

_TYPES: dict[str, pa.DataType] = {
    str(kind): kind
    for kind in (
        pa.string(), pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float64(),
        pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class ManifestFile:
    """
    A file that a manifest names.

    `path` is below the lake, `size` in bytes, `digest` the SHA-256 of all of them. `keys` is how
    many entries it holds: strategies, traces, series.
    """

    path: str
    rows: int
    keys: int
    size: int
    digest: str
    columns: Columns


@dataclass(frozen=True)
class Manifest:
    """A writer's part of a lake. `sequence` grows by one each time that it is replaced."""

    writer: str
    sequence: int = 0
    published_at: str = ""
    program: str = ""
    tables: Mapping[str, tuple[ManifestFile, ...]] = field(default_factory=dict)

    def as_text(self) -> str:
        """Return it as JSON. Files of the same columns share them."""
        shapes: dict[Columns, int] = {}
        tables = {
            name: [
                {
                    "path": one.path, "rows": one.rows, "keys": one.keys, "bytes": one.size,
                    "digest": one.digest, "columns": shapes.setdefault(one.columns, len(shapes)),
                }
                for one in files
            ]
            for name, files in self.tables.items()
        }  # fmt: skip
        document = {
            "format": FORMAT,
            "writer": self.writer,
            "sequence": self.sequence,
            "published_at": self.published_at,
            "program": self.program,
            "columns": [dict(columns) for columns in shapes],
            "tables": tables,
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def place_of_lake(place: str | os.PathLike[str]) -> str:
    """
    Return where a lake is, or is to be, as an absolute path or a URL.

    Raises:
        UsageError: it is empty, which would mean the folder that one happens to be in.
    """
    if not os.fspath(place):
        raise UsageError("No lake is named", hint="Name a folder or a URL; . is this folder")
    return absolute(place)


def read_manifests(place: str) -> list[Manifest]:
    """
    Return the manifests of all writers of a lake, none where there is no lake.

    Raises:
        LakeError: one is damaged, or of a later format.
        ObjectStoreError, OSError: the place cannot be read.
    """
    found = []
    for file in list_files(join(place, MANIFESTS)):
        name = file.place.rpartition("/")[2]
        if name.endswith(".json") and WRITER.fullmatch(name[: -len(".json")]):
            manifest = read_manifest(place, name[: -len(".json")])
            found += [manifest] if manifest is not None else []
    return found


def read_manifest(place: str, writer: str) -> Manifest | None:
    """
    Return the manifest of a writer, or None where it has published nothing.

    Raises: as `read_manifests`.
    """
    path = join(place, manifest_path(writer))
    try:
        data = read_bytes(path)
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise LakeError(
            f"{place} is no folder, or lies below a file", hint="Name a folder for the lake"
        ) from error
    except OSError as error:
        raise LakeError(
            f"{path} cannot be read: {error.strerror or error}",
            hint="Check its permissions, and those of its folder",
        ) from error
    return _parse(data, path, writer)


@lru_cache(maxsize=256)
def arrow_schema(columns: Columns) -> pa.Schema:
    """Return the columns of a file as an Arrow schema."""
    return pa.schema([pa.field(name, _TYPES[kind]) for name, kind in columns])


def columns_of(schema: pa.Schema) -> Columns:
    """
    Return an Arrow schema as a manifest keeps it.

    Raises:
        LakeError: a column has a type that no file of a lake has.
    """
    for column in schema:
        if str(column.type) not in _TYPES:
            raise LakeError(f"No file of a lake has the type {column.type}: {column.name}")
    return tuple((column.name, str(column.type)) for column in schema)


def _parse(data: bytes, path: str, writer: str) -> Manifest:
    try:
        document = json.loads(data)
        written = document["format"]
        if isinstance(written, int) and written > FORMAT:
            raise LakeError(
                f"{path} is of format {written}, and this program knows up to {FORMAT}",
                hint="Upgrade with: pip install --upgrade strategy-trace-catalog",
            )
        shapes = [_columns(one) for one in document["columns"]]
        manifest = Manifest(
            str(document["writer"]),
            int(document["sequence"]),
            str(document["published_at"]),
            str(document["program"]),
            {
                str(name): tuple(_file(one, shapes) for one in files)
                for name, files in document["tables"].items()
            },
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise LakeError(
            f"{path} is damaged: {error}",
            hint="Move it aside, and publish once more from the catalog of that writer",
        ) from error
    if manifest.writer != writer:
        raise LakeError(
            f"{path} is that of writer {manifest.writer}",
            hint="A manifest that was copied or renamed counts twice: move it aside",
        )
    return manifest


def _columns(document: dict[str, str]) -> Columns:
    if unknown := set(document.values()) - _TYPES.keys():
        raise ValueError(f"unknown types {sorted(unknown)}")
    return tuple(document.items())


def _file(document: dict[str, Any], shapes: list[Columns]) -> ManifestFile:
    path = str(document["path"])
    # A manifest may come from anybody: what it names lies in its lake.
    if is_url(path) or path.startswith("/") or {"..", ""} & set(path.split("/")):
        raise ValueError(f"{path!r} is not below the lake")
    return ManifestFile(
        path,
        int(document["rows"]),
        int(document["keys"]),
        int(document["bytes"]),
        str(document["digest"]),
        shapes[document["columns"]],
    )
