"""Read what the catalog holds of a trace file, whichever generation wrote it."""

from __future__ import annotations

import os
from typing import Any

from catalog.errors import TraceFileError
from catalog.traces import format as layout
from catalog.traces.changes import read_changes
from catalog.traces.columns import check_columns, check_is_trace, is_text, kind_of, struct_layout
from catalog.traces.content import content_digest
from catalog.traces.footer import Footer, read_footer
from catalog.traces.rows import Rows, event_rows, read_extent, texts_in
from catalog.traces.source import Source, open_source
from catalog.traces.spacing import bar_spacing
from catalog.traces.statistics import ColumnStatistics
from catalog.traces.times import stated_times
from catalog.traces.trace_file import TraceFile

__all__ = ["bar_spacing", "read_trace_file"]


def read_trace_file(path: str, *, kind_hint: str | None = None) -> TraceFile:
    """
    Read one trace file.

    The bytes are read once, and the digest is of the very bytes that were parsed; only a file
    beyond 64 MB is read a second time, piece by piece, so that memory stays bounded.

    Args:
        kind_hint: the kind that the file's folder stands for. Our own footer overrides it, and
            without either text in `val` makes a classifier and numbers make a signal.

    Raises:
        NotATraceError: a readable Parquet file that was never meant to be a trace.
        TraceFileError: anything else that keeps the file from being registered.
    """
    with open_source(path) as source:
        return _read(source, path.rpartition(os.sep)[2].removesuffix(".parquet"), kind_hint)


def _read(source: Source, file_stem: str, kind_hint: str | None) -> TraceFile:
    parquet, metadata = source.parquet, source.parquet.metadata
    schema, keys = parquet.schema_arrow, metadata.metadata or {}
    columns = tuple(schema.names)
    types = dict(zip(columns, schema.types, strict=True))
    check_is_trace(columns)
    generation = layout.generation_of(types, keys)
    footer = read_footer(keys, generation=generation, file_stem=file_stem)
    expected = footer.kind or kind_hint
    is_event = expected in layout.EVENT_KINDS
    check_columns(types, columns, is_event=is_event)
    kind = str(expected) if is_event else kind_of(types["val"], expected)

    statistics = ColumnStatistics(parquet, columns)
    times = None if is_event else stated_times(statistics, types["ts"])
    if times is None:
        extent = read_extent(parquet)
        times = extent.first_ts, extent.last_ts
    first_index = layout.first_index(generation, knows_bar_times=None not in times)
    if is_event:
        rows = event_rows(extent, first_index)
    else:
        rows = read_changes(parquet, kind, first_index)
        _check_content(footer, kind, rows)
    if rows.row_count != metadata.num_rows:
        raise TraceFileError("damaged file", "it does not have as many rows as it says")
    if not rows.row_count:
        times = footer.first_ts, footer.last_ts

    def label(name: str) -> str | None:
        return _label(name, parquet, types, statistics, is_event=is_event)

    is_signal = kind == layout.SIGNAL
    last_value = rows.last_value
    return TraceFile(
        kind=kind,
        generation=generation,
        columns=columns,
        struct_layout=struct_layout(types) if is_event else None,
        strategy_id=None if is_event else footer.strategy_id or label("strat") or file_stem,
        strategy_type=footer.strategy_type,
        claimed_hash=footer.claimed_hash,
        footer_config=footer.config,
        symbol_raw=footer.symbol or label("sym"),
        timeframe_raw=footer.timeframe or label("tf"),
        recorded_run_id=footer.run_id,
        created_at=footer.created_at,
        row_count=rows.row_count,
        change_count=None if is_event else rows.change_count,
        first_change_bar=rows.first_bar,
        last_change_bar=rows.last_bar,
        first_change_ts=times[0] if rows.row_count else None,
        last_change_ts=times[1] if rows.row_count else None,
        knows_bar_times=None not in times,
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


def _label(
    name: str,
    parquet: Any,
    types: dict[str, Any],
    statistics: ColumnStatistics,
    *,
    is_event: bool,
) -> str | None:
    """Return the one text that a column holds in every row, or None if there is no such text."""
    if name not in types or not is_text(types[name]):
        return None
    stated = statistics.extremes(name)
    if stated is not None and stated[0] == stated[1]:
        return str(stated[0])
    texts = texts_in(parquet, name)
    if len(texts) > 1 and not is_event:
        raise TraceFileError(
            "several traces in one file", f"{name} holds {texts[0]!r} and {texts[1]!r}"
        )
    return texts[0] if len(texts) == 1 else None


def _check_content(footer: Footer, kind: str, rows: Rows) -> None:
    if footer.content_digest is None or rows.digest is None:
        return
    if footer.content_digest != content_digest(footer.symbol, footer.timeframe, kind, rows.digest):
        raise TraceFileError(
            "content does not match its digest",
            "its rows are not those that its footer has the digest of",
            hint="It was changed after it was written; write it again",
        )
