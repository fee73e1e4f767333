"""A file's bytes, read once: opened, measured, digested, and known to be Parquet at both ends."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from io import BufferedReader
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import TraceFileError

LARGEST_HELD: Final = 64 << 20
"""Larger files are read from the disk piece by piece, so that memory stays bounded."""

LARGEST_FOOTER: Final = 16 << 20
_BUFFER: Final = 1 << 20
_MAGIC: Final = b"PAR1"
_MAGIC_ENCRYPTED: Final = b"PARE"
_SMALLEST: Final = 12


UNREADABLE: Final = (TraceFileError, MemoryError, pa.ArrowException, OSError, UnicodeDecodeError)
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


def open_source(path: str) -> Source:
    """
    Open a Parquet file and digest its bytes. Pages that carry a checksum are checked.

    Raises:
        UNREADABLE: it cannot be read, or is not Parquet; see `trace_file_error`.
    """
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
    _check_ends(len(data), data[:4], data[-8:])
    reader = pq.ParquetReader()
    reader.open(pa.BufferReader(data), pre_buffer=False, page_checksum_verification=True)
    digest = hashlib.sha256(data).hexdigest()
    return Source(reader, len(data), status.st_mtime_ns, digest, file=None)


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
    if (status.st_size, status.st_mtime_ns) != (source.size, source.mtime_ns):
        raise _changed()


def trace_file_error(path: str, error: BaseException) -> TraceFileError:
    """Turn what reading a file raised into an error that names the file and the reason."""
    if isinstance(error, TraceFileError):
        return type(error)(error.reason, f"{path}: {error}", hint=error.hint)
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
        raise TraceFileError(
            "vanished while it was read", "it was listed, but is not there any more"
        ) from None
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
        raise TraceFileError("empty file", "it has no bytes")


def _stream(file: BufferedReader, status: os.stat_result) -> Source:
    size, descriptor = status.st_size, file.fileno()
    _check_ends(size, os.pread(descriptor, 4, 0), os.pread(descriptor, 8, size - 8))
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


def _check_ends(size: int, head: bytes, tail: bytes) -> None:
    """Look at the first four and last eight bytes, before any parser sees the file."""
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


def _changed() -> TraceFileError:
    return TraceFileError(
        "changed while it was read",
        "it was written to while it was read",
        hint="Register again when its writer has finished",
    )
