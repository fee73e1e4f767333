"""Which entries are in each file of a lake: written beside it, read before the next publish."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.parquet as pq

import catalog.objects as objects
from catalog.errors import LakeError
from catalog.lake.layout import FORMAT, contents_path
from catalog.lake.manifest import ManifestFile
from catalog.objects import is_url
from catalog.places import exists, join, look_at, put, read_bytes

ENTRIES = pa.schema(
    {
        "key": pa.string(),
        "digest": pa.uint64(),
        "rows": pa.int64(),
        "place": pa.string(),
    }
)
"""A row an entry: its key, what it depends on, how many rows it has, and what orders it."""
_FILE = b"catalog_file"
_HELD = pa.schema([*ENTRIES, pa.field("file", pa.string()), pa.field("folder", pa.string())])


@dataclass(frozen=True)
class Named:
    """A file of a lake by what it is called."""

    table: str
    folder: str
    writer: str
    digest: str

    @property
    def contents(self) -> str:
        """The path of its contents, below the lake."""
        return contents_path(self.table, self.writer, self.digest)


def name_of(path: str) -> Named:
    """Return what a path below a lake says."""
    table, *folders, name = path.split("/")
    writer, _, digest = name.removesuffix(".parquet").partition("-")
    return Named(table, "/".join(folders), writer, digest)


def digest_of(table: str, folder: str, keys: Iterable[str], digests: Iterable[int]) -> str:
    """Return the digest in the name of the file that is to hold these entries, in their order."""
    made = hashlib.sha256(f"{FORMAT}\n{table}\n{folder}\n".encode())
    for key, digest in zip(keys, digests, strict=True):
        made.update(f"{key}\0{digest}\n".encode())
    return made.hexdigest()[:16]


def write_contents(lake: str, file: ManifestFile, entries: pa.Table) -> None:
    """
    Write which entries are in a file that is complete.

    Raises:
        StoreError, ObjectStoreError: it cannot be written.
    """
    known = {_FILE: json.dumps(asdict(file)).encode()}
    table = entries.select(ENTRIES.names).cast(ENTRIES).replace_schema_metadata(known)
    put(join(lake, name_of(file.path).contents), lambda name: _fill(name, table))


def _fill(name: str, table: pa.Table) -> None:
    # A writer that fails to close its file keeps it open.
    with open(name, "wb") as file:
        pq.write_table(
            table, file, compression="zstd", write_page_checksum=True, use_dictionary=["place"]
        )


def find_written(lake: str, path: str) -> ManifestFile | None:
    """
    Return a file that was written before, if it is whole: its contents are written after it.

    Raises:
        ObjectStoreError: the store cannot be reached, or says no.
    """
    contents = join(lake, name_of(path).contents)
    try:
        if not exists(contents):
            return None
        with pq.ParquetFile(pa.BufferReader(read_bytes(contents))) as file:
            known = json.loads(file.schema_arrow.metadata[_FILE])
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None
    found = ManifestFile(**known | {"columns": tuple(map(tuple, known["columns"]))})
    there = look_at(join(lake, path))
    is_whole = there is not None and there.size == found.size
    return found if found.path == path and is_whole else None


def read_held(lake: str, files: Sequence[ManifestFile]) -> pa.Table:
    """
    Return all entries of some files, with the path and the folder of the file that each is in.

    Raises:
        LakeError: what says which entries are in a file is gone or damaged.
        ObjectStoreError: the store cannot be reached, or says no.
    """
    paths = [one.path for one in files]
    if is_url(lake):
        tables = list(objects.many_at_once(lambda path: _read_one(lake, path), paths))
    else:
        tables = [_read_one(lake, path) for path in paths]
    return pa.concat_tables([_HELD.empty_table(), *tables])


def _read_one(lake: str, path: str) -> pa.Table:
    named = name_of(path)
    place = join(lake, named.contents)
    try:
        data = read_bytes(place)
        with pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True) as file:
            table = file.read(use_threads=False).replace_schema_metadata(None)
    except (OSError, pa.ArrowException) as error:
        raise LakeError(
            f"{place} is gone or damaged, and says what is in a file of the lake: {error}",
            hint="Restore it; or publish all from this catalog anew, under another name: "
            "--writer with 12 hex digits",
        ) from error
    for name, text in (("file", path), ("folder", named.folder)):
        values = pa.repeat(pa.scalar(text, pa.string()), table.num_rows)
        table = table.append_column(name, values)
    return table.cast(_HELD)
