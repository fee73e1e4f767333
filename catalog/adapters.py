"""
From the libraries that people backtest with to traces that register themselves.

    trace_portfolio   a vectorbt Portfolio
    trace_entries     entries and exits, as vectorbt and others have them
    trace_backtest    what backtesting.py's Backtest.run() returns

A pandas or polars frame of positions needs no adapter: `write_signals` takes it. Nothing here
imports one of those libraries: it is their objects that are asked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from catalog.errors import UsageError
from catalog.traces.target import Target
from catalog.writing import write_signals

PathLike = str | os.PathLike[str]
Configs = Sequence[Mapping[str, Any]] | Mapping[str, Mapping[str, Any]]


def trace_portfolio(
    run_directory: PathLike, portfolio: Any, *, configs: Configs, symbol: str, **options: Any
) -> list[Target]:
    """
    Write a trace for each column of a vectorbt Portfolio: 1 while it is long, -1 while short.

    vectorbt fills an order at the close of its own bar, which is when our signals are filled.

    Args:
        configs: the configuration of each column, in order or by the column's name.
        options: as for `write_signals`; `ts` and `prices` are the portfolio's own.

    Raises:
        UsageError: it has no time index that knows its zone, or columns and configs differ.
    """
    assets, close = portfolio.assets(), portfolio.close
    if getattr(assets, "ndim", 2) == 1:
        assets = assets.to_frame(name=assets.name if assets.name is not None else symbol)
    prices = close.to_numpy().reshape(len(close), -1)
    # It has the prices once a column.
    if not np.array_equal(prices, np.broadcast_to(prices[:, :1], prices.shape), equal_nan=True):
        raise UsageError(
            "The columns of the portfolio have different prices",
            hint="Trace the columns of one symbol at a time, as in portfolio[columns]",
        )
    options.setdefault("prices", prices[:, 0])
    return write_signals(run_directory, np.sign(assets), configs=configs, symbol=symbol, **options)


def trace_entries(
    run_directory: PathLike,
    entries: Any,
    exits: Any,
    *,
    configs: Configs,
    symbol: str,
    short_entries: Any = None,
    short_exits: Any = None,
    **options: Any,
) -> list[Target]:
    """
    Write a trace for each column of entries and exits: bars × strategies of truth values.

    A position begins on a bar with an entry and ends on the next one with an exit; on a bar that
    has both, none begins. An entry the other way turns it round.

    Args:
        options: as for `write_signals`; the index of a pandas frame is the bars' time.

    Raises:
        UsageError: the frames are not of one shape.
    """
    enter, leave = _truths(entries), _truths(exits)
    turn = np.zeros_like(enter) if short_entries is None else _truths(short_entries)
    cover = np.zeros_like(enter) if short_exits is None else _truths(short_exits)
    if not enter.shape == leave.shape == turn.shape == cover.shape:
        shapes = ", ".join(str(one.shape) for one in (enter, leave, turn, cover))
        raise UsageError(f"Entries and exits are not of one shape: {shapes}")
    # An entry the other way ends a position as well.
    long, short = _held(enter & ~leave, leave | turn), _held(turn & ~cover, cover | enter)
    values: Any = np.where(short > long, -1.0, np.where(long > 0, 1.0, 0.0))
    if hasattr(entries, "iloc"):
        frame = entries.to_frame() if entries.ndim == 1 else entries
        values = frame.astype(float) * 0 + values.reshape(frame.shape)
    return write_signals(run_directory, values, configs=configs, symbol=symbol, **options)


def trace_backtest(
    run_directory: PathLike,
    stats: Any,
    *,
    config: Mapping[str, Any],
    strategy_id: str,
    symbol: str,
    **options: Any,
) -> Target:
    """
    Write the trace of one backtesting.py run: 1 while it is long, -1 while short.

    backtesting.py fills an order at the next bar's open: the signal is the bar before its trade.
    With `trade_on_close` it fills it at the close of the signal's own bar.

    Args:
        stats: what `Backtest.run()` returned.
        options: as for `write_signals`; `ts` is the index of the run's equity curve.

    Raises:
        UsageError: its index knows no zone, or it is no result of backtesting.py.
    """
    try:
        trades, index = stats["_trades"], stats["_equity_curve"].index
        stats["_strategy"]
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError("This is not what Backtest.run() of backtesting.py returns") from error
    last = len(index) - 1
    broker = getattr(stats["_strategy"], "_broker", None)
    later = 0 if getattr(broker, "_trade_on_close", False) else 1
    closed = zip(trades["Size"], trades["EntryBar"], trades["ExitBar"], strict=True)
    still_open = getattr(stats["_strategy"], "trades", ())
    held = [*closed, *((trade.size, trade.entry_bar, last) for trade in still_open)]
    changes = np.zeros(len(index) + 1)
    for size, begin, end in held:
        # What is open to the end is closed there by the library, if at all, not by the strategy.
        changes[max(begin - later, 0)] += np.sign(size)
        changes[last + 1 if end >= last else end - later] -= np.sign(size)
    positions = np.sign(np.cumsum(changes)[:-1])
    if "ts" not in options and getattr(index, "tz", None) is not None:
        options["ts"] = index.tz_convert("UTC").tz_localize(None).to_numpy()
    return write_signals(
        run_directory, positions, configs=[config], strategy_ids=[strategy_id], symbol=symbol,
        **options,
    )[0]  # fmt: skip


def _truths(frame: Any) -> Any:
    return np.asarray(frame, np.bool_)


def _held(enter: Any, leave: Any) -> Any:
    """Return, for each bar, the last bar with an entry if no exit came since, else 0."""
    bars = np.arange(1, len(enter) + 1).reshape(-1, *[1] * (enter.ndim - 1))
    entered = np.maximum.accumulate(np.where(enter, bars, 0), axis=0)
    left = np.maximum.accumulate(np.where(leave, bars, 0), axis=0)
    return np.where(entered > left, entered, 0).astype(np.float64)
