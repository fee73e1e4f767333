"""Write a whole trace at once, in our own format."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from catalog.errors import UsageError
from catalog.strategy import canonical_json, config_digest
from catalog.traces import format as layout
from catalog.traces.arrays import bars_array, instant, prices_array, times_array, values_array
from catalog.traces.content import RowsDigest, content_digest
from catalog.traces.finalize import write_whole
from catalog.traces.names import check_name
from catalog.traces.times import iso


def write_trace(
    run_directory: str | Path,
    *,
    config: Mapping[str, Any],
    strategy_id: str,
    symbol: str,
    timeframe: str,
    bar_index: ArrayLike,
    ts: Any,
    values: Any,
    prices: ArrayLike | None,
    first_bar: int,
    last_bar: int,
    first_ts: datetime | np.datetime64 | None = None,
    last_ts: datetime | np.datetime64 | None = None,
    kind: str = layout.SIGNAL,
    run_id: str | None = None,
    data_digest: str | None = None,
    code_digest: str | None = None,
) -> Path:
    """
    Write the trace of one strategy or classifier, and return its path.

    Only the rows at which the value changes are kept, so dense and sparse arrays give the same
    rows. The file appears under its name whole; a failure leaves nothing.

    Args:
        config: the full configuration, whose `type` names the folder.
        bar_index: 0-based bars, ascending.
        ts: bar times: numpy datetime64 in UTC, or datetimes that know their zone; or None.
        values: a position per bar, as a fraction of equity; a classifier's states as text.
        prices: a price per bar, or None.
        first_bar: the range evaluated begins here, whether or not the value changed.
        last_bar: it ends here, and this bar belongs to it.
        first_ts: the time of `first_bar`; where it is in the arrays it need not be given.
        last_ts: the time of `last_bar`, likewise.

    Raises:
        ConfigurationError: the configuration cannot be hashed.
        UsageError: an id cannot be a file's name, or the arrays do not make a trace.
        CatalogError: the file cannot be written.
    """
    if kind not in (layout.SIGNAL, layout.CLASSIFIER):
        raise UsageError(f"A trace is a signal or a classifier, and not {kind!r}")
    text, digest = canonical_json(config), config_digest(config)
    strategy_type = config.get("type")
    if not isinstance(strategy_type, str):
        raise UsageError("The configuration has no type", hint='Add "type": "…" to it')
    check_name("strategy type", strategy_type)
    check_name("strategy id", strategy_id)

    bars = bars_array(bar_index, first_bar=first_bar, last_bar=last_bar)
    length = len(bars)
    val = values_array(kind, values, length=length)
    times = times_array(ts, length=length)
    px = prices_array(prices, length=length)
    first, last = instant("first_ts", first_ts), instant("last_ts", last_ts)
    if length and ts is not None:
        if first is None and bars[0] == first_bar:
            first = times[0].value
        if last is None and bars[-1] == last_bar:
            last = times[-1].value
    kept = _changes(kind, val)
    count = len(kept)
    bars, val = bars[kept], val.take(pa.array(kept))
    rows_digest = _rows_digest(kind, bars, val)

    table = pa.table(
        {
            "idx": pa.array(bars, pa.int64()),
            "ts": times.take(pa.array(kept)),
            "sym": _repeat(symbol, count),
            "val": val,
            "strat": _repeat(strategy_id, count),
            "px": px.take(pa.array(kept)),
            "metadata": pa.array([text, *[None] * count][:count], pa.string()),
            "strategy_hash": _repeat(digest[:12], count),
        }
    )
    footer = {
        layout.VERSION_KEY: str(layout.FORMAT_VERSION),
        layout.KIND_KEY: kind,
        layout.STRATEGY_ID_KEY: strategy_id,
        layout.STRATEGY_TYPE_KEY: strategy_type,
        layout.STRATEGY_HASH_KEY: digest[:12],
        layout.STRATEGY_CONFIG_KEY: text,
        layout.CONFIG_DIGEST_KEY: digest,
        layout.CREATION_TIME_KEY: datetime.now(UTC).isoformat(),
        layout.RUN_ID_KEY: run_id,
        layout.SYMBOL_KEY: symbol,
        layout.TIMEFRAME_KEY: timeframe,
        layout.FIRST_BAR_KEY: str(first_bar),
        layout.LAST_BAR_KEY: str(last_bar),
        layout.FIRST_TS_KEY: None if first is None else iso(first),
        layout.LAST_TS_KEY: None if last is None else iso(last),
        layout.DATA_DIGEST_KEY: data_digest,
        layout.CODE_DIGEST_KEY: code_digest,
        layout.CONTENT_DIGEST_KEY: content_digest(symbol, timeframe, kind, rows_digest),
    }
    folder = Path(run_directory) / "traces" / layout.FOLDER_OF_KIND[kind] / strategy_type
    path = folder / f"{strategy_id}.parquet"
    write_whole(path, lambda temporary: _write_parquet(temporary, table, footer))
    return path


def _changes(kind: str, val: Any) -> NDArray[np.int64]:
    """Return the positions at which a value differs from the one before; the first one does."""
    values = val.to_numpy() if kind == layout.SIGNAL else val.dictionary_encode().indices.to_numpy()
    return np.flatnonzero(np.concatenate((values[:1] == values[:1], values[1:] != values[:-1])))


def _rows_digest(kind: str, bars: NDArray[np.int64], val: Any) -> str:
    digest = RowsDigest(kind)
    if kind == layout.SIGNAL:
        digest.add_arrays(bars, val.to_numpy())
    else:
        digest.add_states(bars.tolist(), val.to_pylist())
    return digest.hexdigest()


def _write_parquet(path: str, table: Any, footer: Mapping[bytes, str | None]) -> None:
    # Statistics of the metadata would put the whole configuration into the footer twice more.
    stated = [name for name in layout.COLUMNS if name != "metadata"]
    with pq.ParquetWriter(
        path,
        table.schema,
        compression="zstd",
        use_dictionary=["sym", "val", "strat", "strategy_hash"],
        write_statistics=stated,
        write_page_checksum=True,
        store_schema=False,
    ) as writer:
        writer.write_table(table)
        # Beside the schema, not in it: the schema's own would be stored a second time.
        writer.add_key_value_metadata(
            {key: value for key, value in footer.items() if value is not None}
        )


def _repeat(text: str, count: int) -> Any:
    return pa.array([text] * count, pa.string())
