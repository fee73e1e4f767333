"""
Watch a backtest: every signal, state, order, fill and position of its event stream.

    on_event  ->  Pending (changes, in memory)  ->  Spool (beyond a bound)
    finalize  ->  Sink (one file a strategy)    ->  on_finalized (all paths, once)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from catalog.errors import CatalogError, UsageError
from catalog.traces import format as layout
from catalog.traces.block import FinalizedAtEnd
from catalog.traces.code import code_digests
from catalog.traces.completion import write_files
from catalog.traces.event_rows import EventRows
from catalog.traces.payloads import (
    DIRECTIONS,
    bar_of,
    check_is_same,
    close_of,
    config_of,
    position_of,
    required,
    state_of,
    time_of,
)
from catalog.traces.pending import NO_TIME, Pending, Spool
from catalog.traces.run_metadata import write_run_metadata
from catalog.traces.series import Series
from catalog.traces.sink import make_header
from catalog.traces.summary import TraceSummary
from catalog.traces.target import Target, name_of, place_of

MOST_HELD: Final = 1 << 18
"""Changes of all traces together that are held in memory; more go to a spool."""

_BAR, _SIGNAL, _STATE, _ORDER, _FILL, _OPEN, _CLOSE, _OTHER = range(8)
_EVENTS: Final = {
    "BAR": _BAR, "SIGNAL": _SIGNAL, "CLASSIFICATION": _STATE, "ORDER": _ORDER, "FILL": _FILL,
    "POSITION_OPEN": _OPEN, "POSITION_CLOSE": _CLOSE,
}  # fmt: skip
_ROWS_OF: Final = {
    _ORDER: layout.ORDER, _FILL: layout.FILL, _OPEN: layout.POSITION, _CLOSE: layout.POSITION,
}  # fmt: skip

OnFinalized = Callable[[Sequence[Target]], None]


class Tracer(FinalizedAtEnd):
    """
    An observer of a backtest's event stream, which writes one trace file a strategy.

        with Tracer("runs/r1") as tracer:
            for event in backtest:
                tracer.on_event(event)

    An event is an object or a mapping with `event_type`, `timestamp` and `payload`:

    - BAR: `symbol`, `close` (or `bar` with a `close`), perhaps `bar_index` and `timeframe`;
    - SIGNAL: `strategy_id`, `symbol`, `direction` (long, short, flat or a number), and in the
      first one the configuration: `strategy_config`, or `strategy_type`, `parameters` and
      perhaps `constraints` and `threshold`;
    - CLASSIFICATION: `classifier_id`, `symbol`, `regime`, and its configuration likewise;
    - ORDER, FILL, POSITION_OPEN, POSITION_CLOSE: the columns of those tables.

    Others are passed over. Files appear, whole, when the block ends or `finalize` is called; a
    block that raises leaves nothing.

    Args:
        run_directory: the files are below it, in `traces/`; a folder, or a URL such as
            `s3://bucket/run`.
        run_id: the name of the directory unless given.
        code: the function, class or module of the strategies, or one for each strategy type.
        on_finalized: called once with the paths of all finalized files.

    Raises:
        UsageError: the source of `code` cannot be read.
    """

    def __init__(
        self,
        run_directory: str | os.PathLike[str],
        *,
        run_id: str | None = None,
        code: Any = None,
        on_finalized: OnFinalized | None = None,
    ) -> None:
        self._run_directory = place_of(run_directory)
        self._run_id = run_id or name_of(self._run_directory)
        self._code_of = code_digests(code)
        self._on_finalized = on_finalized
        self._kinds: dict[Any, int] = dict(_EVENTS)
        self._series: dict[str, Series] = {}
        self._signals: dict[str, Pending] = {}
        self._states: dict[str, Pending] = {}
        self._rows: dict[str, EventRows] = {}
        self._spool = Spool(self._run_directory)
        self._counts = [0] * (_OTHER + 1)
        self._held = 0
        self._summary: TraceSummary | None = None
        self._is_registered = False
        self._problem: CatalogError | None = None
        self._is_open = True

    def on_event(self, event: Any) -> None:
        """
        Take in one event.

        Raises:
            ConfigurationError, UsageError: the event lacks something, or says what cannot be;
                nothing was kept of it.
            CatalogError: the disk is full, or the like.
        """
        # This is called for every signal of every strategy on every bar, so it is one function,
        # and looks up as little as it can.
        if type(event) is dict:
            kind, payload = event["event_type"], event["payload"]
        else:
            kind, payload = event.event_type, event.payload
        number = self._kinds.get(kind)
        if number == _SIGNAL:
            try:
                pending = self._signals[payload["strategy_id"]]
                direction = payload["direction"]
            except KeyError:
                pass  # The first of its strategy, or it lacks something.
            else:
                value = DIRECTIONS.get(direction, direction)
                if value != pending.value and (value := position_of(value)) != pending.value:
                    self._change(pending, value, event, payload)
                self._counts[_SIGNAL] += 1
                return
        self._take(event, kind, payload)

    def finalize(self) -> TraceSummary:
        """
        Complete every file, register all of them, and return what the run came to.

        Where files are complete and cannot be registered, once more tries that again.

        Raises:
            CatalogError: a file cannot be written, or not be registered. Those that have their
                names by then are whole, and `catalog register` finds them.
        """
        if self._summary is None:
            self._summary = self._complete()
        if not self._is_registered:
            if self._on_finalized is not None and self._summary.paths:
                self._on_finalized(self._summary.paths)
            self._is_registered = True
        if self._problem is not None:
            problem, self._problem = self._problem, None
            raise problem
        return self._summary

    def _complete(self) -> TraceSummary:
        """Write all files, and metadata.json: before they are registered, for it is read then."""
        self._require_open()
        pending = [*self._signals.values(), *self._states.values()]
        try:
            paths, changes = write_files(pending, self._spool, self._rows.values())
        except BaseException:
            self.discard()
            raise
        self._is_open = False
        self._spool.close()
        counts = self._counts
        summary = TraceSummary(
            bars=counts[_BAR],
            signals=counts[_SIGNAL],
            classifications=counts[_STATE],
            orders=counts[_ORDER],
            fills=counts[_FILL],
            positions=counts[_OPEN],
            traces=len(pending),
            changes=changes,
            paths=paths,
        )
        if paths:
            try:
                write_run_metadata(
                    self._run_directory, self._run_id, summary, pending, self._series.values()
                )
            except CatalogError as error:
                # The traces are there and shall be registered: this is said after that.
                self._problem = error
        return summary

    def discard(self) -> None:
        """Give the run up and leave nothing behind. Files that have their names stay."""
        self._is_open = False
        self._signals, self._states = {}, {}
        self._spool.close()
        for rows in self._rows.values():
            rows.discard()

    def _take(self, event: Any, kind: Any, payload: Any) -> None:
        self._require_open()
        number = self._kinds.get(kind)
        if number is None:
            # An enumeration's member, or lower case: said in full once, and looked up from then.
            name = getattr(kind, "name", None) or getattr(kind, "value", kind)
            number = self._kinds[kind] = _EVENTS.get(str(name).upper(), _OTHER)
            if number == _SIGNAL:
                self.on_event(event)
                return
        if number == _BAR:
            self._bar(event, payload)
        elif number in (_SIGNAL, _STATE):
            self._begin(event, payload, number)
        elif number != _OTHER:
            self._event(event, payload, number)
        self._counts[number] += 1

    def _bar(self, event: Any, payload: Mapping[str, Any]) -> None:
        symbol = required(payload, "symbol", "BAR")
        series = self._series_of(symbol)
        series.timeframe = series.timeframe or payload.get("timeframe")
        bar, ts = payload.get("bar_index"), time_of(event)
        bar = series.bar + 1 if bar is None else int(bar)
        if ts is None:
            raise UsageError(f"Bar {bar} of {symbol} has no timestamp")
        if bar <= series.bar or (series.ts is not None and ts <= series.ts):
            raise UsageError(f"Bar {bar} of {symbol} is not after bar {series.bar}, or not later")
        series.advance(bar, ts, close_of(payload))

    def _series_of(self, symbol: str) -> Series:
        series = self._series.get(symbol)
        if series is None:
            series = self._series[symbol] = Series(symbol)
        return series

    def _begin(self, event: Any, payload: Mapping[str, Any], number: int) -> None:
        """Take a state, or the first signal of a strategy, which says its configuration."""
        value: float | str
        if number == _SIGNAL:
            known, name = self._signals, required(payload, "strategy_id", "SIGNAL")
            value = position_of(payload.get("direction", payload.get("value")))
        else:
            known, name = self._states, payload.get("classifier_id")
            name = name or required(payload, "strategy_id", "CLASSIFICATION")
            value = state_of(payload, name)
        pending = known.get(name)
        if pending is None:
            pending = self._open(payload, name, number)
        if value != pending.value:
            self._change(pending, value, event, payload)
        known[name] = pending

    def _open(self, payload: Mapping[str, Any], name: str, number: int) -> Pending:
        symbol = required(payload, "symbol", "SIGNAL")
        series, config = self._series_of(symbol), config_of(payload, name)
        header = make_header(
            self._run_directory,
            config=config,
            strategy_id=name,
            symbol=symbol,
            timeframe=payload.get("timeframe") or series.timeframe,
            kind=layout.SIGNAL if number == _SIGNAL else layout.CLASSIFIER,
            run_id=self._run_id,
            code_digest=self._code_of(config.get("type")),
        )
        return Pending(header, series, config)

    def _change(self, pending: Pending, value: Any, event: Any, payload: Mapping[str, Any]) -> None:
        self._require_open()
        series = pending.series
        name = pending.header.strategy_id
        check_is_same(payload, name, series.symbol, pending.config)
        bar, ts, price = series.bar, series.ts, series.price
        if bar < 0:
            # There are no BAR events: the signal itself says where it is.
            bar = bar_of(payload, series, f"A signal of {name}", series.symbol)
            ts, price = time_of(event), close_of({"close": payload.get("price")})
        if len(pending) and bar < pending.bars[-1]:
            raise UsageError(f"{name}: bar {bar} comes after bar {pending.bars[-1]}")
        pending.add(bar, NO_TIME if ts is None else ts, value, price)
        self._held += 1
        if self._held >= max(MOST_HELD, 2 * (len(self._signals) + len(self._states))):
            self._held = self._spool.spill_all([*self._signals.values(), *self._states.values()])

    def _event(self, event: Any, payload: Mapping[str, Any], number: int) -> None:
        kind = _ROWS_OF[number]
        symbol = required(payload, "symbol", kind.upper())
        bar = bar_of(payload, self._series.get(symbol), f"A {kind}", symbol)
        rows = self._rows.get(kind)
        if rows is None:
            rows = self._rows[kind] = EventRows(self._run_directory, kind, self._run_id)
        if number in (_OPEN, _CLOSE):
            payload = {**payload, "event": "open" if number == _OPEN else "close"}
        rows.add(bar, time_of(event), symbol, payload)

    def _require_open(self) -> None:
        if not self._is_open:
            raise UsageError(f"The run {self._run_id} is finalized, and takes no more events")
