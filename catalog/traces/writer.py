"""Write the trace of one strategy bar by bar, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import pyarrow as pa

from catalog.errors import UsageError
from catalog.traces import format as layout
from catalog.traces.block import FinalizedAtEnd
from catalog.traces.moments import microseconds_of
from catalog.traces.sink import ROW_GROUP, Header, Range, Sink, finalize_all, make_header
from catalog.traces.target import Target

OnFinalized = Callable[[Sequence[Target]], None]


class TraceWriter(FinalizedAtEnd):
    """
    The trace of one strategy or classifier: one file.

        with TraceWriter("runs/r1", config=config, strategy_id="s1", symbol="SPY") as trace:
            for bar, (time, price) in enumerate(bars):
                trace.append(bar, time, position, price)

    A row is kept only where the value changes. The file appears under its name, whole, when the
    block ends or `finalize` is called; a block that raises leaves nothing.

    Args:
        run_directory: the file is below it, in `traces/signals/<type>/<strategy_id>.parquet`;
            a folder, or a URL such as `s3://bucket/run`.
        config: the full configuration of the strategy, with its `type`.
        strategy_id: unique in the run.
        timeframe: the length of a bar, such as 5m.
        kind: `signal`, or `classifier` for values that are text.
        on_finalized: called with the path of the finalized file.

    Raises:
        ConfigurationError: the configuration cannot be hashed.
        UsageError: it has no type, or the type or the id cannot name a folder or a file.
    """

    def __init__(
        self,
        run_directory: str | os.PathLike[str],
        *,
        config: Mapping[str, Any],
        strategy_id: str,
        symbol: str,
        timeframe: str | None = None,
        kind: str = layout.SIGNAL,
        run_id: str | None = None,
        data_digest: str | None = None,
        code_digest: str | None = None,
        on_finalized: OnFinalized | None = None,
    ) -> None:
        self._header: Header = make_header(
            run_directory,
            config=config,
            strategy_id=strategy_id,
            symbol=symbol,
            timeframe=timeframe,
            kind=kind,
            run_id=run_id,
            code_digest=code_digest,
        )
        self._sink = Sink(self._header)
        self._data_digest = data_digest
        self._on_finalized = on_finalized
        self._rows: list[tuple[int, int | None, Any, float | None]] = []
        self._first: tuple[int, int | None] | None = None
        self._last: tuple[int, int | None] | None = None
        self._value: Any = None
        self._is_open = True
        self._is_complete = self._is_registered = False

    @property
    def path(self) -> Target:
        """Where the file will be; a URL as text."""
        return self._header.path

    @property
    def strategy_hash(self) -> str:
        """The hash of the configuration, 12 hex digits."""
        return self._header.hash

    def append(self, bar_index: int, ts: Any, val: Any, px: float | None = None) -> None:
        """
        Say what the value is from a bar on.

        Args:
            bar_index: 0-based, above that of the call before.
            ts: the bar's time: a datetime that knows its zone, a numpy datetime64 in UTC, ISO
                text with an offset, or None where it is not known.
            val: the position as a fraction of equity; a classifier's state as text.
            px: the price; None and NaN are no price.

        Raises:
            UsageError: the bar is not behind the one before, the time knows no zone or does not
                ascend, the value is NaN or of the wrong type, or the file is finalized already.
            CatalogError: the file cannot be written.
        """
        if not self._is_open:
            raise UsageError(f"{self.path} is finalized, and takes no more rows")
        value = self._checked(val)
        instant = None if ts is None else microseconds_of(ts)
        price = _price(px)
        bar = self._advance(bar_index, instant)
        if value == self._value:
            return
        self._value = value
        self._rows.append((bar, instant, value, price))
        if len(self._rows) >= ROW_GROUP:
            self._flush()

    def finalize(
        self,
        *,
        first_bar: int | None = None,
        last_bar: int | None = None,
        first_ts: Any = None,
        last_ts: Any = None,
    ) -> Target:
        """
        Complete the file, and return its path. Once more does nothing, but try to register again
        what could not be.

        Args:
            first_bar: the range that was evaluated begins here; with the first row unless given.
            last_bar: it ends here; with the last call of `append` unless given.

        Raises:
            UsageError: rows lie beyond the range, or no row says what it is.
            CatalogError: the file cannot be written, or not be registered.
        """
        if not self._is_open:
            self._register()
            return self.path
        evaluated = self._range(first_bar, last_bar, first_ts, last_ts)
        try:
            self._flush()
            self._sink.complete(evaluated)
            finalize_all([self._sink])
        except BaseException:
            self.discard()
            raise
        self._is_open = False
        self._is_complete = True
        self._register()
        return self.path

    def _register(self) -> None:
        if self._is_complete and not self._is_registered and self._on_finalized is not None:
            self._on_finalized([self.path])
            self._is_registered = True

    def discard(self) -> None:
        """Give the trace up and leave nothing behind. What is finalized stays."""
        if self._is_open:
            self._is_open = False
            self._rows = []
            self._sink.discard()

    def _checked(self, val: Any) -> Any:
        if self._header.kind == layout.CLASSIFIER:
            if not isinstance(val, str):
                raise UsageError(
                    f"A classifier's state is text, and {val!r} is a {type(val).__name__}"
                )
            return val
        try:
            # Adding zero turns -0.0, which no reader should meet, into 0.0.
            value = float(val) + 0.0
        except (TypeError, ValueError):
            raise UsageError(f"A signal's value is a number, and {val!r} is none") from None
        if isinstance(val, str) or not isfinite(value):
            raise UsageError(
                f"A signal's value is a number, and {val!r} is none",
                hint="Write 0 where there is no position",
            )
        return value

    def _advance(self, bar_index: Any, instant: int | None) -> int:
        bar = _bar(bar_index)
        if self._last is None:
            self._first = (bar, instant)
        else:
            last_bar, last_instant = self._last
            if bar <= last_bar:
                raise UsageError(
                    f"Bar {bar} comes after bar {last_bar}",
                    hint="Append the bars of a trace in their order, each once",
                )
            if (instant is None) != (last_instant is None):
                raise UsageError("Some bars have a time and some have none")
            if instant is not None and last_instant is not None and instant <= last_instant:
                raise UsageError(f"The time of bar {bar} is not after that of bar {last_bar}")
        self._last = (bar, instant)
        return bar

    def _range(
        self, first_bar: int | None, last_bar: int | None, first_ts: Any, last_ts: Any
    ) -> Range:
        first, last = self._first or (None, None), self._last or (None, None)
        begin = first[0] if first_bar is None else _bar(first_bar)
        end = last[0] if last_bar is None else _bar(last_bar)
        ordered = [bar for bar in (begin, first[0], last[0], end) if bar is not None]
        if ordered != sorted(ordered):
            raise UsageError(
                f"The range from bar {begin} to bar {end} does not hold the rows, "
                f"which go from bar {first[0]} to bar {last[0]}"
            )
        begin_ts = microseconds_of(first_ts) if first_ts is not None else None
        end_ts = microseconds_of(last_ts) if last_ts is not None else None
        if begin_ts is None and begin == first[0]:
            begin_ts = first[1]
        if end_ts is None and end == last[0]:
            end_ts = last[1]
        if begin_ts is not None and end_ts is not None and begin_ts > end_ts:
            raise UsageError("The range ends before it begins: first_ts is after last_ts")
        return Range(begin, end, begin_ts, end_ts, self._data_digest)

    def _flush(self) -> None:
        if not self._rows:
            return
        bars, instants, values, prices = zip(*self._rows, strict=True)
        self._rows = []
        times = pa.array(instants, pa.timestamp("us", "UTC"))
        is_text = self._header.kind == layout.CLASSIFIER
        self._sink.write(
            bars, times, pa.array(values, pa.string()) if is_text else values,
            pa.array(prices, pa.float64()),
        )  # fmt: skip


def _bar(bar_index: Any) -> int:
    """Return a bar as Python's int: numpy's, and 7.0 as rows of a frame have it, are bars too."""
    try:
        bar = int(bar_index)
    except (TypeError, ValueError, OverflowError):
        bar = -1
    if bar < 0 or bar != bar_index:
        raise UsageError(f"{bar_index!r} is no bar: they are counted from 0")
    return bar


def _price(px: Any) -> float | None:
    try:
        price = None if px is None else float(px)
    except (TypeError, ValueError):
        raise UsageError(f"The price is {px!r}, which is no number") from None
    return None if price is None or price != price else price
