"""Read what the catalog holds of a trace file, whichever generation wrote it."""

from __future__ import annotations

import os
from typing import Any

from catalog.errors import TraceFileError
from catalog.traces import format as layout
from catalog.traces.columns import check_columns, check_is_trace, is_text, kind_of, struct_layout
from catalog.traces.constants import texts_in
from catalog.traces.content import content_digest
from catalog.traces.footer import Footer, read_footer
from catalog.traces.rows import Rows, event_rows
from catalog.traces.source import Source, open_source
from catalog.traces.tally import value_rows
from catalog.traces.times import bar_time
from catalog.traces.trace_file import TraceFile


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

    knows_bar_times = generation != layout.G2 or _knows_bar_times(parquet)
    first_index = layout.first_index(generation, knows_bar_times=knows_bar_times)
    if is_event:
        rows = event_rows(parquet, first_index)
    else:
        rows = value_rows(parquet, kind, first_index)
        _check_content(footer, kind, rows)
    if rows.row_count != metadata.num_rows:
        raise TraceFileError("damaged file", "it does not have as many rows as it says")

    labels = _labels(parquet, types, columns, footer, is_event=is_event)
    is_signal = kind == layout.SIGNAL
    return TraceFile(
        kind=kind,
        generation=generation,
        columns=columns,
        struct_layout=struct_layout(types) if is_event else None,
        strategy_id=None if is_event else labels.get("strat") or file_stem,
        strategy_type=footer.strategy_type,
        claimed_hash=footer.claimed_hash,
        footer_config=footer.config,
        symbol_raw=labels.get("sym"),
        timeframe_raw=labels.get("tf"),
        recorded_run_id=footer.run_id,
        created_at=footer.created_at,
        row_count=rows.row_count,
        change_count=None if is_event else rows.change_count,
        first_change_bar=rows.first_bar,
        last_change_bar=rows.last_bar,
        first_change_ts=rows.first_ts,
        last_change_ts=rows.last_ts,
        knows_bar_times=_both(rows.first_ts, rows.last_ts)
        or (not rows.row_count and _both(footer.first_ts, footer.last_ts)),
        last_val=rows.last_value if isinstance(rows.last_value, float) else None,
        last_state=rows.last_value if isinstance(rows.last_value, str) else None,
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


def _both(first: int | None, last: int | None) -> bool:
    return first is not None and last is not None


def _knows_bar_times(parquet: Any) -> bool:
    for batch in parquet.iter_batches(batch_size=1, columns=["ts"], use_threads=False):
        return bar_time(batch.column(0), 0) is not None
    return False


def _labels(
    parquet: Any, types: dict[str, Any], columns: tuple[str, ...], footer: Footer, *, is_event: bool
) -> dict[str, str | None]:
    """Return what the file calls its strategy, symbol and timeframe: the footer knows best."""
    labels = {"sym": footer.symbol, "strat": footer.strategy_id, "tf": footer.timeframe}
    wanted = [name for name, text in labels.items() if text is None and name in types]
    if "tf" in wanted and not is_text(types["tf"]):
        wanted.remove("tf")
    for name, texts in zip(wanted, texts_in(parquet, columns, wanted), strict=True):
        if len(texts) > 1 and not is_event:
            raise TraceFileError(
                "several traces in one file", f"{name} holds {texts[0]!r} and {texts[1]!r}"
            )
        labels[name] = texts[0] if len(texts) == 1 else None
    return labels


def _check_content(footer: Footer, kind: str, rows: Rows) -> None:
    if footer.content_digest is None:
        return
    if footer.content_digest != content_digest(
        footer.symbol, footer.timeframe, kind, rows.digest or ""
    ):
        raise TraceFileError(
            "content does not match its digest",
            "its rows are not those that its footer has the digest of",
            hint="It was changed after it was written; write it again",
        )
