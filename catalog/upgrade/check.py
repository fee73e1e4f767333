"""A new file against its source: read back from the disk, and compared row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalog.canonical import encode
from catalog.errors import TraceFileError
from catalog.traces import format as layout
from catalog.traces.content import content_digest
from catalog.traces.footer import Footer, read_footer
from catalog.traces.read import read_open
from catalog.traces.source import UNREADABLE, close_source, open_source
from catalog.traces.table import Table
from catalog.traces.times import bar_time
from catalog.upgrade.task import FILE, PRICES, Bars, Task


@dataclass(frozen=True, slots=True)
class SourceRows:
    """
    The rows of a source as they lie in it, one Arrow array a column.

    `order` sorts them by bar, None where they are sorted.
    """

    index: Any
    ts: Any
    values: Any
    prices: Any
    order: Any


def check(task: Task, rows: SourceRows, footer: Footer, path: Path, bars: Bars | None) -> None:
    """
    Read a file that was just written, and compare it with the source that it was made from.

    Args:
        footer: what the file is to say.
        bars: the prices that it has its times from, if any.

    Raises:
        TraceFileError: they do not say the same, or the file cannot be read.
    """
    try:
        source = open_source(str(path))
        try:
            table = Table(source.reader)
            found = read_open(source, table, task.file_stem, None)
            new = table.whole(list(layout.COLUMNS))
        finally:
            close_source(source)
        said = read_footer(table.footer, generation=layout.OURS, file_stem=task.file_stem)
    except UNREADABLE as error:
        raise _differs(task, f"it cannot be read back: {error}") from error
    digest = content_digest(footer.symbol, footer.timeframe, str(footer.kind), found.rows_digest)
    if digest != task.footer.content_digest:
        raise _differs(task, "their content digests differ")
    if replace(said, config=None) != footer or _text(said) != task.config:
        raise _differs(task, "its footer does not say what was written")
    wanted = _wanted(task, rows, footer, bars)
    for name, column in wanted.items():
        got = new[name].cast("int64").to_pylist() if name == "ts" else new[name].to_pylist()
        if name == "px":
            got, column = _comparable(got), _comparable(column)
        if got != column:
            row = _first_difference(got, column)
            raise _differs(task, f"the column {name} differs in row {row}")


def _wanted(
    task: Task, rows: SourceRows, footer: Footer, bars: Bars | None
) -> dict[str, list[Any]]:
    """Return what the new columns must hold, value by value from those of the source."""
    order = range(len(rows.index)) if rows.order is None else rows.order.to_pylist()
    count = len(rows.index)
    index, values = rows.index.to_pylist(), rows.values.to_pylist()
    prices: list[Any] = [None] * count if rows.prices is None else rows.prices.to_pylist()
    numbered = [index[row] - task.source_index for row in order]
    if task.times == FILE:
        times: list[int | None] = [bar_time(rows.ts, row) for row in order]
    elif task.times == PRICES and bars is not None:
        times = [int(bars.ts[bar]) for bar in numbered]
    else:
        times = [None] * count
    is_number = footer.kind == layout.SIGNAL
    return {
        "idx": numbered,
        "ts": times,
        "sym": [footer.symbol] * count,
        "val": [float(values[row]) if is_number else values[row] for row in order],
        "strat": [footer.strategy_id] * count,
        "px": [None if prices[row] is None else float(prices[row]) for row in order],
        "metadata": [task.config, *[None] * (count - 1)][:count],
        "strategy_hash": [footer.claimed_hash] * count,
    }


def _comparable(prices: list[float | None]) -> list[object]:
    """Return prices so that NaN equals itself."""
    return [price if price == price else "NaN" for price in prices]


def _text(footer: Footer) -> str | None:
    return None if footer.config is None else encode(footer.config).decode()


def _first_difference(left: Sequence[Any], right: Sequence[Any]) -> int:
    if len(left) != len(right):
        return min(len(left), len(right))
    return next(n for n, (a, b) in enumerate(zip(left, right, strict=True)) if a != b)


def _differs(task: Task, how: str) -> TraceFileError:
    return TraceFileError(
        "the new file differs",
        f"{task.target} is not what {task.source} is: {how}",
        hint="The new file was not kept; this is a bug: please report it with the source",
    )
