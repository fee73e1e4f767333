"""Where the files of price series lie, how they are written and read, and which are left over."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from catalog.errors import StoreError
from catalog.prices.bars import Bars
from catalog.statements import statement
from catalog.store.facts import facts_of
from catalog.store.paths import catalog_root, side_folder
from catalog.traces.finalize import short_digest, write_whole
from catalog.traces.format import unfinished

_ODD: Final = re.compile(r"[^A-Za-z0-9.^=-]+")
_OURS: Final = re.compile(r".+_[0-9a-f]{16}\.parquet")
_ROWS: Final = 122_880
"""In one row group, as DuckDB cuts them."""


def prices_folder(catalog: Path) -> Path:
    """Return the folder of the price series, beside the catalog."""
    return side_folder(catalog) / "prices"


def holds(path: Path, bars: Bars) -> bool:
    """Say whether the file of a series holds these bars, by its name, and is undamaged."""
    return path.name.startswith(_stem(bars)) and is_whole(path) is not False


def is_whole(path: Path) -> bool | None:
    """Say whether the bytes of a series' file are those that were written; None if it is old."""
    parts = path.stem.split("_")
    if len(parts) < 4:  # Of older files only the bars have a digest in the name.
        return None
    try:
        return parts[-1] == short_digest(path)
    except OSError:
        return False


def stored_path(catalog: Path, path: Path) -> str:
    """Return the path of a series as the catalog keeps it, relative to its folder."""
    return os.path.relpath(path, catalog_root(catalog))


def _stem(bars: Bars) -> str:
    symbol = _ODD.sub("-", bars.terms.symbol)[:64].lstrip(".")
    return f"{symbol}_{bars.terms.timeframe}_{bars.file_digest}"


def full_path(catalog: Path, price_path: str) -> Path:
    """Return the path of a series that the catalog knows."""
    return Path(catalog_root(catalog)) / price_path


def write_bars(catalog: Path, bars: Bars) -> Path:
    """
    Write the file of a series, which appears whole and is on the disk then; return its path.

    Its name ends in digests of the bars, by which a series that is there is known, and of the
    bytes, by which a damaged file is.

    Raises:
        CatalogError: it cannot be written.
    """
    table = bars.to_arrow()
    return write_whole(
        prices_folder(catalog) / _stem(bars),
        lambda temporary: pq.write_table(
            table,
            temporary,
            compression="zstd",
            row_group_size=_ROWS,
            write_page_checksum=True,
        ),
        name=lambda temporary: f"{_stem(bars)}_{short_digest(temporary)}.parquet",
    )


def read_bars(path: Path, columns: list[str] | None = None) -> Any:
    """
    Read columns of a series' file, all unless given, and the checksums of their pages.

    Raises:
        StoreError: it is gone or damaged.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read(columns)
    except (OSError, pa.ArrowException) as error:
        gone = isinstance(error, FileNotFoundError)
        raise StoreError(
            f"The file of a price series is {'gone' if gone else 'damaged'}: {path}",
            hint="Add the prices again with: catalog prices add FILE",
        ) from error


def paths_in_use(con: DuckDBPyConnection, catalog: Path) -> list[str]:
    """
    Return the files that are in use: also those that a catalog that was lost used.

    Raises:
        StoreError: the facts beside the catalog cannot be read.
    """
    kept = [str(fact.get("price_path")) for fact in facts_of(catalog, "prices").values()]
    return kept + [path for (path,) in con.execute(statement("select_price_paths")).fetchall()]


def remove_orphans(catalog: Path, known: Collection[str]) -> None:
    """
    Delete what was left by those who were killed while adding. Only who holds the lock may.

    Args:
        known: the paths of series that the catalog knows, relative to its folder.
    """
    folder = prices_folder(catalog)
    if not folder.is_dir():
        return
    names = {os.path.basename(path) for path in known}
    for path in folder.iterdir():
        is_ours = unfinished(path.name) or _OURS.fullmatch(path.name) is not None
        if is_ours and path.name not in names:
            path.unlink(missing_ok=True)
