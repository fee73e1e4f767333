"""A file's bytes, read once: opened, measured, digested, and known to be Parquet at both ends."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass, replace
from io import BufferedReader
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import ObjectError, TraceFileError
from catalog.objects import PIECE, StoredObject, is_url, look_at, read, read_into

LARGEST_HELD: Final = 64 << 20
"""Larger files are read from the disk piece by piece, so that memory stays bounded."""

LARGEST_FOOTER: Final = 16 << 20
VANISHED: Final = "vanished while it was read"
_BUFFER: Final = 1 << 20
_MAGIC: Final = b"PAR1"
_MAGIC_ENCRYPTED: Final = b"PARE"
_SMALLEST: Final = 12


UNREADABLE: Final = (
    TraceFileError,
    ObjectError,
    MemoryError,
    pa.ArrowException,
    OSError,
    UnicodeDecodeError,
)
"""What reading a file may raise on account of the file; anything else is a bug."""


@dataclass(frozen=True, slots=True)
class Source:
    """An open Parquet file and what is known of its bytes."""

    reader: Any
    size: int
    mtime_ns: int
    digest: str
    file: BufferedReader | None
    """The file on the disk, if it is too large to be held in memory."""
    is_copy: bool = False
    """Whether that is a temporary one, which nobody else writes to."""


def open_source(path: str, *, listed: StoredObject | None = None) -> Source:
    """
    Open a Parquet file and digest its bytes. Pages that carry a checksum are checked.

    Args:
        listed: what the store said of an object, if it was asked: a request less.

    Raises:
        UNREADABLE: it cannot be read, or is not Parquet; see `trace_file_error`.
        ObjectStoreError: the store cannot be reached, or says no to more than this object.
    """
    if is_url(path):
        try:
            return _open_object(path, listed)
        except FileNotFoundError:
            raise _vanished() from None
    descriptor = _open(path)
    try:
        status = os.fstat(descriptor)
        _check_is_file(status)
        if status.st_size > LARGEST_HELD:
            file = os.fdopen(os.dup(descriptor), "rb")
            try:
                return _stream(file, status)
            except BaseException:
                file.close()
                raise
        data = os.read(descriptor, status.st_size + 1)
        if len(data) != status.st_size or os.fstat(descriptor).st_mtime_ns != status.st_mtime_ns:
            raise _changed()
    finally:
        os.close(descriptor)
    return _hold(data, status.st_mtime_ns)


def _hold(data: bytes, mtime_ns: int) -> Source:
    check_ends(len(data), data[:4], data[-8:])
    reader = pq.ParquetReader()
    reader.open(pa.BufferReader(data), pre_buffer=False, page_checksum_verification=True)
    return Source(reader, len(data), mtime_ns, hashlib.sha256(data).hexdigest(), file=None)


def _open_object(url: str, listed: StoredObject | None) -> Source:
    """Fetch an object: in one request, unless it is large."""
    stored = listed or look_at(url)
    if stored is None:
        raise FileNotFoundError(url)
    if stored.size == 0:
        raise _empty()
    try:
        if stored.size > PIECE:
            return _fetch(stored)
        data = read(url, size=stored.size)
    except ObjectError:
        # Shorter than it was listed is also what was written anew since.
        if look_at(url) not in (stored, None):
            raise _changed() from None
        raise
    if len(data) != stored.size:
        raise _changed()
    return _hold(data, stored.mtime_ns)


def _fetch(stored: StoredObject) -> Source:
    """Fetch a large object into a temporary file, so that memory stays bounded."""
    with tempfile.TemporaryFile(prefix="catalog-") as file:
        read_into(stored.url, file, stored.size)
        file.flush()
        copy = os.fdopen(os.dup(file.fileno()), "rb")
    try:
        copy.seek(0)
        source = _stream(copy, os.fstat(copy.fileno()))
    except BaseException:
        copy.close()
        raise
    return replace(source, mtime_ns=stored.mtime_ns, is_copy=True)


def close_source(source: Source) -> None:
    """
    Close a file, unless it was held in memory.

    Raises:
        TraceFileError: it was written to since it was opened.
    """
    if source.file is None:
        return
    with source.file as file:
        status = os.fstat(file.fileno())
    if source.is_copy:
        return
    if (status.st_size, status.st_mtime_ns) != (source.size, source.mtime_ns):
        raise _changed()


def trace_file_error(path: str, error: BaseException) -> TraceFileError:
    """Turn what reading a file raised into an error that names the file and the reason."""
    if isinstance(error, TraceFileError):
        return type(error)(error.reason, f"{path}: {error}", hint=error.hint)
    if isinstance(error, ObjectError):
        return TraceFileError(error.reason, str(error), hint=error.hint)
    if isinstance(error, MemoryError):
        return TraceFileError("too little memory", f"{path}: memory ran out")
    if "crypt" in str(error):
        return trace_file_error(path, _encrypted())
    return TraceFileError("damaged file", f"{path}: it cannot be read as Parquet: {error}")


def _open(path: str) -> int:
    try:
        # A pipe that nobody writes to would otherwise make this wait forever.
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise _vanished() from None
    except PermissionError:
        raise TraceFileError(
            "no permission",
            "this user may not read it",
            hint="Change its permissions, and register again",
        ) from None
    except OSError as error:
        raise TraceFileError("cannot be opened", f"{error.strerror}") from error


def _check_is_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        if stat.S_ISDIR(status.st_mode):
            raise TraceFileError("a directory", "it is a directory, not a file")
        raise TraceFileError("not a regular file", "it is a pipe, a socket or a device")
    if status.st_size == 0:
        raise _empty()


def _stream(file: BufferedReader, status: os.stat_result) -> Source:
    size, descriptor = status.st_size, file.fileno()
    check_ends(size, os.pread(descriptor, 4, 0), os.pread(descriptor, 8, size - 8))
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    reader = pq.ParquetReader()
    # Without a buffer size, or with reading ahead, whole columns would be held in memory.
    reader.open(
        pa.PythonFile(file, mode="r"),
        buffer_size=_BUFFER,
        pre_buffer=False,
        page_checksum_verification=True,
    )
    return Source(reader, size, status.st_mtime_ns, digest, file)


def check_ends(size: int, head: bytes, tail: bytes) -> None:
    """
    Look at the first four and last eight bytes, before any parser sees the file.

    Raises:
        TraceFileError: it is not Parquet, is encrypted, or has a footer of more than 16 MB.
    """
    if head == _MAGIC_ENCRYPTED or tail[4:] == _MAGIC_ENCRYPTED:
        raise _encrypted()
    if head != _MAGIC:
        raise TraceFileError(
            "not a Parquet file", f"it does not begin as a Parquet file does, but with {head!r}"
        )
    footer = int.from_bytes(tail[:4], "little")
    if size < _SMALLEST or tail[4:] != _MAGIC or footer > size - _SMALLEST:
        raise TraceFileError(
            "not a Parquet file",
            "it begins as a Parquet file, but its end is missing: it is truncated",
        )
    if footer > LARGEST_FOOTER:
        raise TraceFileError(
            "footer too large",
            f"its footer has {footer:,} bytes, and {LARGEST_FOOTER:,} are read at most",
        )


def _encrypted() -> TraceFileError:
    return TraceFileError("encrypted", "it is encrypted, and the catalog holds no keys")


def _empty() -> TraceFileError:
    return TraceFileError("empty file", "it has no bytes")


def _vanished() -> TraceFileError:
    return TraceFileError(VANISHED, "it was listed, but is not there any more")


def _changed() -> TraceFileError:
    return TraceFileError(
        "changed while it was read",
        "it was written to while it was read",
        hint="Register again when its writer has finished",
    )
