"""A file's bytes, read once: opened, measured, digested, and known to be Parquet at both ends."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Source:
    """An open Parquet file and what is known of its bytes."""

    parquet: Any
    size: int
    mtime_ns: int
    digest: str


@contextmanager
def open_source(path: str) -> Iterator[Source]:
    """
    Open a Parquet file and digest its bytes. Pages that carry a checksum are checked.

    Raises:
        TraceFileError: it cannot be read, is not Parquet, is damaged, or changed meanwhile.
    """
    try:
        descriptor = _open(path)
        try:
            before = os.fstat(descriptor)
            _check_is_file(before)
            if before.st_size <= LARGEST_HELD:
                yield _hold(descriptor, before)
            else:
                yield _stream(descriptor, before)
            after = os.fstat(descriptor)
            if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                raise _changed()
        finally:
            os.close(descriptor)
    except TraceFileError as error:
        raise type(error)(error.reason, f"{path}: {error}", hint=error.hint) from error.__cause__
    except MemoryError as error:
        raise TraceFileError("too little memory", f"{path}: memory ran out") from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _of_pyarrow(path, error) from error


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
    if stat.S_ISDIR(status.st_mode):
        raise TraceFileError("a directory", "it is a directory, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise TraceFileError("not a regular file", "it is a pipe, a socket or a device")
    if status.st_size == 0:
        raise TraceFileError("empty file", "it has no bytes")


def _hold(descriptor: int, status: os.stat_result) -> Source:
    data = os.read(descriptor, status.st_size + 1)
    if len(data) != status.st_size:
        raise _changed()
    _check_ends(len(data), data[:4], data[-8:])
    parquet = pq.ParquetFile(
        pa.BufferReader(data), pre_buffer=False, page_checksum_verification=True
    )
    return Source(parquet, len(data), status.st_mtime_ns, hashlib.sha256(data).hexdigest())


def _stream(descriptor: int, status: os.stat_result) -> Source:
    size = status.st_size
    _check_ends(size, os.pread(descriptor, 4, 0), os.pread(descriptor, 8, size - 8))
    file = os.fdopen(descriptor, "rb", closefd=False)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    # Reading ahead would hold whole columns in memory.
    parquet = pq.ParquetFile(
        file, pre_buffer=False, buffer_size=_BUFFER, page_checksum_verification=True
    )
    return Source(parquet, size, status.st_mtime_ns, digest)


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


def _of_pyarrow(path: str, error: Exception) -> TraceFileError:
    """Translate what the bytes of a file did to pyarrow."""
    if "crypt" in str(error):
        return TraceFileError("encrypted", f"{path}: {_encrypted()}")
    return TraceFileError("damaged file", f"{path}: it cannot be read as Parquet: {error}")


def _encrypted() -> TraceFileError:
    return TraceFileError("encrypted", "it is encrypted, and the catalog holds no keys")


def _changed() -> TraceFileError:
    return TraceFileError(
        "changed while it was read",
        "it was written to while it was read",
        hint="Register again when its writer has finished",
    )
