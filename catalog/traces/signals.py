"""Write the traces of many strategies at once, from arrays of bars × strategies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from catalog.errors import UsageError
from catalog.traces.arrays import bars_array, prices_array, times_array
from catalog.traces.content import prices_digest
from catalog.traces.sink import Range, Sink, finalize_all, make_header
from catalog.traces.target import Target
from catalog.traces.write import changes_in

Floats = NDArray[np.float64]
Changes = tuple[NDArray[np.int64], Floats, bool]
"""Where a strategy's values change, by position or else by bar, and to what."""

# Columns that are compared together: a row of them is a few lines of a processor's cache.
_BLOCK = 64


@dataclass(frozen=True)
class Bars:
    """The bars that all strategies were evaluated on: index, time and price of each."""

    index: NDArray[np.int64]
    times: Any
    prices: Any

    def range(self, data_digest: str | None) -> Range:
        """Return the range that they are."""
        if not len(self.index):
            return Range()
        first, last = (None if self.times is None else self.times[row].value for row in (0, -1))
        return Range(int(self.index[0]), int(self.index[-1]), first, last, data_digest)


def write_signals(
    run_directory: str | os.PathLike[str],
    values: Any,
    *,
    configs: Sequence[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]],
    symbol: str,
    timeframe: str | None = None,
    strategy_ids: Sequence[str] | None = None,
    ts: Any = None,
    prices: ArrayLike | None = None,
    bar_index: ArrayLike | None = None,
    run_id: str | None = None,
    data_digest: str | None = None,
    code_digest: str | None = None,
    on_finalized: Callable[[Sequence[Target]], None] | None = None,
) -> list[Target]:
    """
    Write one trace a strategy, and return the paths in the order of the strategies.

    Args:
        run_directory: a folder, or a URL such as `s3://bucket/run`.
        values: the positions, as fractions of equity. Dense: bars × strategies, as a numpy
            array, an Arrow table, or a pandas or polars frame with a column a strategy. Sparse:
            a mapping of strategy ids to (bar_index, values), with a row where a value changes.
        configs: the full configuration of each strategy, in order or by strategy id.
        strategy_ids: unless the columns or the configurations are named.
        ts: the time of each bar: numpy datetime64 in UTC or datetimes that know their zone. The
            index of a pandas frame is taken unless this is given.
        prices: a price of each bar.
        bar_index: 0-based, ascending; 0, 1, 2, … unless given.
        data_digest: of the prices; made from `ts` and `prices` where both are given.
        on_finalized: called with all paths once all files are finalized.

    Raises:
        ConfigurationError: a configuration cannot be hashed.
        UsageError: shapes do not match, a value is NaN, an id is there twice or no file's name.
        CatalogError: a file cannot be written, or not be registered. Those that have their names
            by then are whole, and `catalog register` finds them.
    """
    ids, columns, count, length, index = _columns(values, strategy_ids)
    ts = index if ts is None else ts
    length = len(np.asarray(bar_index)) if bar_index is not None else length
    if length is None:
        raise UsageError(
            "Sparse values do not say how many bars there are",
            hint="Give bar_index, such as range(len(bars))",
        )
    bars = _bars(length, bar_index, ts, prices)
    ids, by_strategy = _match(ids, configs)
    if len(ids) != count:
        raise UsageError(f"There are {len(ids):,} strategies, and values has {count:,} columns")
    if data_digest is None and bars.times is not None and bars.prices is not None:
        data_digest = prices_digest(bars.times, bars.prices)
    evaluated = bars.range(data_digest)
    sinks: list[Sink] = []
    try:
        for strategy_id, config, column in zip(ids, by_strategy, columns, strict=True):
            header = make_header(
                run_directory,
                config=config,
                strategy_id=strategy_id,
                symbol=symbol,
                timeframe=timeframe,
                run_id=run_id,
                code_digest=code_digest,
            )
            sinks.append(Sink(header))
            _write(sinks[-1], strategy_id, column, bars)
            sinks[-1].complete(evaluated)
        paths = finalize_all(sinks)
    except BaseException:
        for sink in sinks:
            sink.discard()
        raise
    if on_finalized is not None:
        on_finalized(paths)
    return paths


def _write(sink: Sink, strategy_id: str, column: Changes, bars: Bars) -> None:
    index, values, is_position = column
    # NaN is never what it was before, and an infinity is a change once: all of them are here.
    if not np.isfinite(values).all():
        raise UsageError(
            f"The values of {strategy_id} have NaN or an infinity in them",
            hint="Write 0 where there is no position, as with fillna(0)",
        )
    if not len(values):
        return
    kept = index
    if not is_position:
        kept = np.searchsorted(bars.index, index)
        if kept[-1] >= len(bars.index) or not np.array_equal(bars.index[kept], index):
            raise UsageError(f"{strategy_id} has a bar that is none of bar_index")
    at = pa.array(kept)
    sink.write(
        bars.index[kept],
        None if bars.times is None else bars.times.take(at),
        values + 0.0,  # which turns -0.0, which no reader should meet, into 0.0
        None if bars.prices is None else bars.prices.take(at),
    )


def _bars(length: int, bar_index: ArrayLike | None, ts: Any, prices: ArrayLike | None) -> Bars:
    index = np.arange(length) if bar_index is None else np.asarray(bar_index)
    first, last = (int(index.min()), int(index.max())) if len(index) else (0, 0)
    return Bars(
        bars_array(index, first_bar=first, last_bar=last),
        None if ts is None else times_array(ts, length=length),
        None if prices is None else prices_array(prices, length=length),
    )


def _columns(
    values: Any, strategy_ids: Sequence[str] | None
) -> tuple[Sequence[str] | None, Iterator[Changes], int, int | None, Any]:
    """Return ids where columns are named, the columns, how many, how many bars, and their times."""
    if isinstance(values, Mapping):
        columns = (_sparse(name, *pair) for name, pair in values.items())
        return list(values), columns, len(values), None, None
    names, index = strategy_ids, None
    if getattr(values, "ndim", None) == 1 and hasattr(values, "to_frame"):  # pandas
        values = values.to_frame(name="0" if values.name is None else values.name)
    elif hasattr(values, "to_frame") and not hasattr(values, "columns"):  # polars
        values = values.to_frame()
    if hasattr(values, "column_names"):  # Arrow
        names = names or values.column_names
        dense: Iterator[Any] = (column.to_numpy() for column in values.columns)
        return names, map(_dense, dense), values.num_columns, values.num_rows, None
    if hasattr(values, "iter_columns"):  # polars
        names = names or values.columns
        dense = (column.to_numpy() for column in values.iter_columns())
        return names, map(_dense, dense), values.width, values.height, None
    if hasattr(values, "to_numpy"):  # pandas
        names = names or [_name(label) for label in values.columns]
        if getattr(values.index, "dtype", None) is not None and values.index.dtype.kind == "M":
            index = _in_utc(values.index)
        values = values.to_numpy()
    array = np.asarray(values)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise UsageError(f"Values are bars × strategies, and not of {array.ndim} dimensions")
    return names, _blocks(array), array.shape[1], len(array), index


def _blocks(array: NDArray[Any]) -> Iterator[Changes]:
    """
    Yield the changes of each column of a row-major array.

    A column is spread over the whole array: many are compared at once, row by row, and only
    where they change is written down column by column, an eighth of what the values would be.
    """
    for begin in range(0, array.shape[1], _BLOCK):
        block = _floats(array[:, begin : begin + _BLOCK])
        changed = np.empty(block.shape, np.bool_)
        changed[:1] = True
        np.not_equal(block[1:], block[:-1], out=changed[1:])
        for number, column in enumerate(np.ascontiguousarray(changed.T)):
            kept = np.flatnonzero(column)
            yield kept, block[kept, number], True


def _dense(column: NDArray[Any]) -> Changes:
    values = _floats(column)
    kept = changes_in(values)
    return kept, values[kept], True


def _sparse(strategy_id: str, bars: Any, values: Any) -> Changes:
    index = np.asarray(bars)
    column = _floats(np.asarray(values))
    if len(index) != len(column):
        raise UsageError(f"{strategy_id} has {len(index):,} bars and {len(column):,} values")
    last = int(index[-1]) if len(index) else 0
    index = bars_array(index, first_bar=0, last_bar=max(last, 0))
    kept = changes_in(column)
    return index[kept], column[kept], False


def _floats(array: NDArray[Any]) -> Floats:
    try:
        return np.asarray(array, np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"Values are numbers: {error}") from error


def _match(
    ids: Sequence[str] | None,
    configs: Sequence[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]],
) -> tuple[list[str], list[Mapping[str, Any]]]:
    if isinstance(configs, Mapping):
        names = list(configs) if ids is None else list(ids)
        missing = [name for name in names if name not in configs]
        if missing:
            raise UsageError(f"configs has none for {missing[0]!r}")
        matched = [configs[name] for name in names]
    else:
        if ids is None:
            raise UsageError("The strategies have no names", hint="Give strategy_ids")
        names, matched = list(ids), list(configs)
    if len(names) != len(matched):
        raise UsageError(f"There are {len(names):,} strategy ids and {len(matched):,} configs")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"The strategy id {twice!r} is there twice")
    return names, matched


def _name(label: Any) -> str:
    """Return a column's label as text; those of several levels joined, as vectorbt has them."""
    return "_".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _in_utc(index: Any) -> Any:
    if index.tz is None:
        raise UsageError(
            "The times of the frame's index know no zone",
            hint="Use index.tz_localize('America/New_York') or whatever zone they are in",
        )
    return index.tz_convert("UTC").tz_localize(None).to_numpy()
