"""Columns of a registered trace, from its file or object, held to what was registered."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import ObjectError, TraceFileError
from catalog.objects import is_url, read
from catalog.places import look_at


def read_columns(
    path: str, names: Sequence[str], *, stamp: tuple[int, int] | None = None
) -> pa.Table:
    """
    Read columns of a trace, page checksums included.

    Args:
        stamp: the size and the time of change that it was registered with, to be held to them.

    Raises:
        TraceFileError: it is gone, has changed, or cannot be read.
        ObjectStoreError: its store cannot be reached, or says no to more than this object.
    """
    try:
        if stamp is not None:
            there = look_at(path)
            if there is None:
                raise TraceFileError("its file is gone")
            if (there.size, there.mtime_ns) != stamp:
                raise TraceFileError("its file has changed since it was registered")
        source = pa.BufferReader(read(path)) if is_url(path) else path
        with pq.ParquetFile(source, page_checksum_verification=True) as file:
            return file.read(list(names), use_threads=False)
    except FileNotFoundError:
        raise TraceFileError("its file is gone") from None
    except (OSError, pa.ArrowException, ObjectError) as error:
        raise TraceFileError(f"its file cannot be read: {error}") from error
