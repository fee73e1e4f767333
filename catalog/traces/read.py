"""Read what the catalog holds of a trace file, whichever generation wrote it."""

from __future__ import annotations

import json

from catalog.errors import TraceFileError
from catalog.objects import StoredObject, is_url
from catalog.traces import format as layout
from catalog.traces.changes import Rows
from catalog.traces.columns import check_columns, check_is_trace, kind_of, struct_layout
from catalog.traces.content import content_digest
from catalog.traces.footer import Footer, read_footer
from catalog.traces.rows import read_events, read_values
from catalog.traces.source import (
    UNREADABLE,
    Source,
    close_source,
    open_source,
    trace_file_error,
)
from catalog.traces.spacing import bar_spacing, spacing_of
from catalog.traces.table import Table
from catalog.traces.trace_file import TraceFile

__all__ = ["bar_spacing", "read_open", "read_trace_file"]


def read_trace_file(
    path: str, *, kind_hint: str | None = None, listed: StoredObject | None = None
) -> TraceFile:
    """
    Read one trace file, of this machine or of a store.

    The bytes are read once, and the digest is of the very bytes that were parsed; only a file
    beyond 64 MB is read a second time, piece by piece, so that memory stays bounded.

    Args:
        kind_hint: the kind that the file's folder stands for. Our own footer overrides it, and
            without either text in `val` makes a classifier and numbers make a signal.
        listed: what the store said of an object, if it was asked: a request less.

    Raises:
        NotATraceError: a readable Parquet file that was never meant to be a trace.
        TraceFileError: anything else that keeps the file from being registered.
        ObjectStoreError: the store cannot be reached, or says no to more than this object.
    """
    file_stem = path.rpartition("/")[2].removesuffix(".parquet")
    try:
        source = open_source(path, listed=listed)
        try:
            table = Table(source.reader)
            trace = read_open(source, table, file_stem, kind_hint)
            if is_url(path) and _shows_spacing(trace):
                # It would take the same bytes again to look into it later.
                trace = trace._replace(spacing=spacing_of(table))
            return trace
        finally:
            close_source(source)
    except UNREADABLE as error:
        raise trace_file_error(path, error) from error


def read_open(source: Source, table: Table, file_stem: str, kind_hint: str | None) -> TraceFile:
    """
    Read what `read_trace_file` reads from a file that is open.

    Raises:
        UNREADABLE: see `catalog.traces.source`.
    """
    check_is_trace(table.columns)
    generation = layout.generation_of(table.types, table.footer)
    footer = read_footer(table.footer, generation=generation, file_stem=file_stem)
    expected = footer.kind or kind_hint
    is_event = expected in layout.EVENT_KINDS
    check_columns(table, is_event=is_event)
    kind = str(expected) if is_event else kind_of(table.types["val"], expected)

    if is_event:
        rows = read_events(table, generation)
    else:
        rows = read_values(table, kind, generation)
        _check_content(footer, kind, rows)
        _check_range(footer, rows)
    if rows.row_count != table.row_count:
        raise TraceFileError("damaged file", "it does not have as many rows as it says")
    times = (rows.first_ts, rows.last_ts) if rows.row_count else (footer.first_ts, footer.last_ts)
    is_signal = kind == layout.SIGNAL
    last_value = rows.last_value
    return TraceFile(
        kind=kind,
        generation=generation,
        struct_layout=struct_layout(table.types) if is_event else None,
        strategy_id=None if is_event else footer.strategy_id or _label(rows, "strat") or file_stem,
        strategy_type=footer.strategy_type,
        event_strategies=tuple(sorted(rows.labels.get("strategy_id", ()))),
        claimed_hash=footer.claimed_hash,
        footer_config=footer.config,
        symbol_raw=footer.symbol or _label(rows, "sym", is_event=is_event),
        timeframe_raw=footer.timeframe or _label(rows, "tf"),
        recorded_run_id=footer.run_id,
        created_at=footer.created_at,
        row_count=rows.row_count,
        change_count=None if is_event else rows.change_count,
        first_change_bar=rows.first_bar,
        last_change_bar=rows.last_bar,
        first_change_ts=rows.first_ts,
        last_change_ts=rows.last_ts,
        knows_bar_times=None not in times and not is_timed_by_number(table, footer),
        last_val=last_value if isinstance(last_value, float) else None,
        last_state=last_value if isinstance(last_value, str) else None,
        bars_long=rows.bars_long if is_signal else None,
        bars_short=rows.bars_short if is_signal else None,
        is_flat=rows.is_flat if is_signal else None,
        first_bar=footer.first_bar,
        last_bar=footer.last_bar,
        first_ts=footer.first_ts,
        last_ts=footer.last_ts,
        data_digest=footer.data_digest,
        code_digest=footer.code_digest,
        config_digest=footer.config_digest,
        rows_digest=rows.digest or source.digest,
        file_digest=source.digest,
        size=source.size,
        mtime_ns=source.mtime_ns,
    )


def _shows_spacing(trace: TraceFile) -> bool:
    return trace.generation != layout.OURS and trace.knows_bar_times and trace.row_count > 1


def is_timed_by_number(table: Table, footer: Footer) -> bool:
    """
    Say whether an upgrade looked up all times by bar numbers, and compared nothing with prices.

    What it compared has the digest of the prices.
    """
    said = table.footer.get(layout.UPGRADED_FROM_KEY)
    if said is None or footer.data_digest is not None:
        return False
    try:
        origin = json.loads(said)
    except ValueError:
        return False
    return isinstance(origin, dict) and origin.get("times") == "prices"


def _label(rows: Rows, name: str, *, is_event: bool = False) -> str | None:
    """Return the one text that a column holds in every row, or None if there is no such text."""
    texts = sorted(rows.labels.get(name, ()))
    if len(texts) > 1 and not is_event:
        raise TraceFileError(
            "several traces in one file", f"{name} holds {texts[0]!r} and {texts[1]!r}"
        )
    return texts[0] if len(texts) == 1 else None


def _check_range(footer: Footer, rows: Rows) -> None:
    ordered = [footer.first_bar, rows.first_bar, rows.last_bar, footer.last_bar]
    known = [bar for bar in ordered if bar is not None]
    if known != sorted(known):
        raise TraceFileError(
            "rows beyond the range",
            f"its rows go from bar {rows.first_bar} to {rows.last_bar}, and its footer says that "
            f"bars {footer.first_bar} to {footer.last_bar} were evaluated",
            hint="It was changed after it was written; write it again",
        )


def _check_content(footer: Footer, kind: str, rows: Rows) -> None:
    if footer.content_digest is None or rows.digest is None:
        return
    if footer.content_digest != content_digest(footer.symbol, footer.timeframe, kind, rows.digest):
        raise TraceFileError(
            "content does not match its digest",
            "its rows are not those that its footer has the digest of",
            hint="It was changed after it was written; write it again",
        )
