"""The columns of a file of prices, or of a table in memory, as Arrow and numpy arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.errors import PriceFileError, UsageError
from catalog.prices.columns import FIELDS, Chosen, choose_columns

_PARQUET: Final = b"PAR1"

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RawBars:
    """
    Rows as they were given: `ts` as its own type, numbers as float64, NaN where there is none.

    `numbers` has close, and those of open, high, low and volume that there are.
    """

    path: str
    ts: Any
    numbers: Mapping[str, Floats]
    notes: tuple[str, ...]


def read_source(source: Any, columns: Mapping[str, str] | None = None) -> RawBars:
    """
    Read the columns of bars.

    Args:
        source: the path of a Parquet or CSV file, or what Arrow takes as a table.
        columns: names of columns by ts, open, high, low, close or volume.

    Raises:
        UsageError: there is no such file, or no such column.
        PriceFileError: it cannot be read, or has no bars in it.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if not path.is_file():
            raise UsageError(f"There is no file {path}", hint="Name a Parquet or CSV file")
        table, name = _read(path), os.path.abspath(path)
    else:
        table, name = _in_memory(source), f"a {type(source).__name__} in memory"
    chosen = choose_columns(table.column_names, columns)
    if not table.num_rows:
        raise PriceFileError(f"There are no bars in {name}", hint="Name a file with rows in it")
    return _raw(table, name, chosen)


def _raw(table: Any, name: str, chosen: Chosen) -> RawBars:
    # By number: two columns may have one name.
    place = {field: table.column_names.index(column) for field, column in chosen.columns.items()}
    numbers = {
        field: _floats(table.column(place[field]), chosen.columns[field])
        for field in FIELDS
        if field in place and field != "ts"
    }
    ts = table.column(place["ts"])
    ts = ts.combine_chunks() if isinstance(ts, pa.ChunkedArray) else ts
    if pa.types.is_dictionary(ts.type):
        ts = ts.dictionary_decode()
    return RawBars(name, ts, numbers, chosen.notes)


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == _PARQUET
        if is_parquet:
            import pyarrow.parquet as pq

            return pq.ParquetFile(path, page_checksum_verification=True).read()
        import pyarrow.csv

        return pyarrow.csv.read_csv(path)
    except (OSError, pa.ArrowException) as error:
        text = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise PriceFileError(
            f"Cannot read {path}: {text}", hint="Prices are a Parquet file, or CSV with a header"
        ) from error


def _in_memory(source: Any) -> Any:
    try:
        return pa.table(source)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UsageError(
            f"A {type(source).__name__} is no table of prices: {error}",
            hint="Pass a path, or a pandas, polars or Arrow table",
        ) from error


def _floats(column: Any, name: str) -> Floats:
    """Return numbers as float64, with NaN for what is null."""
    try:
        numbers = pc.cast(column, pa.float64(), safe=False)
    except (pa.ArrowException, TypeError) as error:
        raise PriceFileError(
            f"The column {name} holds no numbers: {str(error).splitlines()[0]}",
            hint="Write numbers without signs of thousands or currencies",
        ) from error
    return np.array(numbers.to_numpy(), dtype=np.float64)
