"""A trace file of ours while it is written: row groups go out as they come, the footer last."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.canonical import encode, plain_config
from catalog.errors import UsageError
from catalog.traces import format as layout
from catalog.traces.content import RowsDigest, content_digest
from catalog.traces.finalize import appear, make_folder, writing_errors
from catalog.traces.footer import Footer, footer_keys
from catalog.traces.names import check_name
from catalog.traces.target import (
    Target,
    below,
    folder_of,
    name_of,
    place_of,
    refuse_another_type,
    temporary_path,
)

ROW_GROUP = 1 << 15
"""Changes in a row group: so many are held in memory before they go to the disk."""

SCHEMA = {
    kind: pa.schema(
        {
            "idx": pa.int64(),
            "ts": pa.timestamp("us", "UTC"),
            "sym": pa.string(),
            "val": pa.float64() if kind == layout.SIGNAL else pa.string(),
            "strat": pa.string(),
            "px": pa.float64(),
            "metadata": pa.string(),
            "strategy_hash": pa.string(),
        }
    )
    for kind in (layout.SIGNAL, layout.CLASSIFIER)
}
"""Of our own files, by kind."""


@dataclass(frozen=True)
class Header:
    """
    What is known of a trace before its first row.

    `canonical` is the JSON of the configuration, `digest` its 64 hex digits; `path` is where
    the file will be, a URL as text.
    """

    path: Target
    kind: str
    strategy_id: str
    strategy_type: str
    canonical: str
    digest: str
    symbol: str
    timeframe: str | None
    run_id: str | None
    code_digest: str | None

    @property
    def hash(self) -> str:
        """The first 12 hex digits of the digest."""
        return self.digest[:12]


@dataclass(frozen=True)
class Range:
    """
    The bars that a strategy was evaluated on, whether or not its signal changed there.

    Bars are 0-based, times microseconds since 1970 in UTC; `data_digest` is of the prices. What
    nobody said is None.
    """

    first_bar: int | None = None
    last_bar: int | None = None
    first_ts: int | None = None
    last_ts: int | None = None
    data_digest: str | None = None


def make_header(
    run_directory: str | os.PathLike[str],
    *,
    config: Mapping[str, Any],
    strategy_id: str,
    symbol: str,
    timeframe: str | None = None,
    kind: str = layout.SIGNAL,
    run_id: str | None = None,
    code_digest: str | None = None,
) -> Header:
    """
    Check what a trace says of itself, and return it.

    Raises:
        ConfigurationError: the configuration cannot be hashed.
        UsageError: it has no type, or the type or the id cannot name a folder or a file.
    """
    if kind not in (layout.SIGNAL, layout.CLASSIFIER):
        raise UsageError(f"A trace is a signal or a classifier, and not {kind!r}")
    plain = plain_config(config)
    canonical = encode(plain)
    strategy_type = plain.get("type")
    if not isinstance(strategy_type, str):
        raise UsageError("The configuration has no type", hint='Add "type": "…" to it')
    check_name("strategy type", strategy_type)
    check_name("strategy id", strategy_id)
    if not isinstance(symbol, str) or not symbol:
        raise UsageError(f"The symbol of {strategy_id} is {symbol!r}, which is no symbol")
    of_kind = below(place_of(run_directory), "traces", layout.FOLDER_OF_KIND[kind])
    if isinstance(of_kind, Path):
        # A store is asked later, of many at once.
        refuse_another_type(of_kind, [(strategy_type, strategy_id)])
    return Header(
        path=below(of_kind, strategy_type, f"{strategy_id}.parquet"),
        kind=kind,
        strategy_id=strategy_id,
        strategy_type=strategy_type,
        canonical=canonical.decode(),
        digest=sha256(canonical).hexdigest(),
        symbol=symbol,
        timeframe=timeframe,
        run_id=run_id,
        code_digest=code_digest,
    )


class Sink:
    """
    One trace file that is being written under a temporary name.

    It takes changes only, in bar order; what it was given is on its way to the disk and not in
    memory. `complete` or `discard` ends its life.
    """

    def __init__(self, header: Header) -> None:
        self._header = header
        self._writer: Any = None
        self._digest = RowsDigest(header.kind)
        self._temporary = temporary_path(header.path)

    def write(self, bars: Any, ts: Any, values: Any, prices: Any) -> None:
        """
        Write some changes as a row group.

        Args:
            bars: int64, behind those that were written before.
            ts: an Arrow array of timestamps in UTC, or None.
            values: float64, or an Arrow array of text.
            prices: an Arrow array of float64, or None.

        Raises:
            CatalogError: the file cannot be written.
        """
        header, count, first = self._header, len(bars), self._writer is None
        schema = SCHEMA[header.kind]
        metadata = pa.nulls(count, pa.string())
        if first and count:
            text = pa.array([header.canonical], pa.string())
            metadata = pa.concat_arrays([text, metadata.slice(1)])
        columns = [
            pa.array(bars, pa.int64()),
            pa.nulls(count, schema.field("ts").type) if ts is None else ts,
            pa.repeat(header.symbol, count),
            pa.array(values, pa.float64()) if header.kind == layout.SIGNAL else values,
            pa.repeat(header.strategy_id, count),
            pa.nulls(count, pa.float64()) if prices is None else prices,
            metadata,
            pa.repeat(header.hash, count),
        ]
        if header.kind == layout.SIGNAL:
            self._digest.add_arrays(np.asarray(bars, np.int64), np.asarray(values, np.float64))
        else:
            self._digest.add_states(list(map(int, bars)), values.to_pylist())
        with writing_errors(header.path):
            if first:
                self._open(schema)
            self._writer.write_table(pa.table(columns, schema=schema))

    def complete(self, evaluated: Range) -> None:
        """
        Write the footer and bring the file to the disk, still under its temporary name.

        Raises:
            CatalogError: the file cannot be written.
        """
        header = self._header
        digest = self._digest.hexdigest()
        footer = Footer(
            kind=header.kind,
            strategy_id=header.strategy_id,
            strategy_type=header.strategy_type,
            claimed_hash=header.hash,
            run_id=header.run_id,
            symbol=header.symbol,
            timeframe=header.timeframe,
            created_at=datetime.now(UTC).isoformat(),
            first_bar=evaluated.first_bar,
            last_bar=evaluated.last_bar,
            first_ts=evaluated.first_ts,
            last_ts=evaluated.last_ts,
            data_digest=evaluated.data_digest,
            code_digest=header.code_digest,
            config_digest=header.digest,
            content_digest=content_digest(header.symbol, header.timeframe, header.kind, digest),
        )
        with writing_errors(header.path):
            if self._writer is None:
                self._open(SCHEMA[header.kind])
            # Beside the schema, not in it: the schema's own would be stored a second time.
            self._writer.add_key_value_metadata(footer_keys(footer, header.canonical))
            self._writer.close()
        # A closed writer still holds what it wrote with, and there may be very many of them.
        self._writer = None

    @property
    def finished(self) -> tuple[Path, Target]:
        """The temporary name that it has, and the one that it is to have."""
        return self._temporary, self._header.path

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException):
                self._writer.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def _open(self, schema: Any) -> None:
        make_folder(self._temporary.parent)
        self._writer = open_writer(self._temporary, schema)


def open_writer(path: Path, schema: pa.Schema) -> Any:
    """Open a Parquet file for rows of signals or classifiers, as ours are written."""
    return pq.ParquetWriter(
        str(path),
        schema,
        compression="zstd",
        use_dictionary=["sym", "val", "strat", "strategy_hash"],
        # Those of the metadata would put the whole configuration into the footer twice more.
        write_statistics=[name for name in layout.COLUMNS if name != "metadata"],
        write_page_checksum=True,
        store_schema=False,
    )


def finalize_all(sinks: Iterable[Sink]) -> list[Target]:
    """
    Give completed files their names, so that they survive a crash, and return them.

    Raises:
        UsageError: the run has a trace of one of the strategies already, of another type.
        CatalogError: one cannot be; those before it have their names.
    """
    finished = [sink.finished for sink in sinks]
    by_kind: dict[Target, list[tuple[str, str]]] = {}
    for _, url in finished:
        if isinstance(url, str):
            folder, name = folder_of(url), name_of(url)
            strategy = name_of(folder), name.removesuffix(".parquet")
            by_kind.setdefault(folder_of(folder), []).append(strategy)
    for of_kind, strategies in by_kind.items():
        refuse_another_type(of_kind, strategies)
    return appear(finished)
