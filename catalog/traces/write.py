"""Write a whole trace at once, in our own format."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from catalog.traces import format as layout
from catalog.traces.arrays import bars_array, instant, prices_array, times_array, values_array
from catalog.traces.sink import Range, Sink, finalize_all, make_header
from catalog.traces.target import Target


def write_trace(
    run_directory: str | os.PathLike[str],
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
) -> Target:
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
    header = make_header(
        run_directory,
        config=config,
        strategy_id=strategy_id,
        symbol=symbol,
        timeframe=timeframe,
        kind=kind,
        run_id=run_id,
        code_digest=code_digest,
    )
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
    sink = Sink(header)
    try:
        if len(kept):
            rows = pa.array(kept)
            changed = val.take(rows)
            if kind == layout.SIGNAL:
                changed = changed.to_numpy()
            sink.write(bars[kept], times.take(rows), changed, px.take(rows))
        sink.complete(Range(first_bar, last_bar, first, last, data_digest))
        return finalize_all([sink])[0]
    except BaseException:
        sink.discard()
        raise


def _changes(kind: str, val: Any) -> NDArray[np.int64]:
    """Return the positions at which a value differs from the one before; the first one does."""
    values = val.to_numpy() if kind == layout.SIGNAL else val.dictionary_encode().indices.to_numpy()
    return changes_in(values)


def changes_in(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the positions at which a value differs from the one before; the first one does."""
    changed = np.empty(len(values), np.bool_)
    changed[:1] = True
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    return np.flatnonzero(changed)
