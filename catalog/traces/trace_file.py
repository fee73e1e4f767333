"""Everything the catalog holds of one trace file."""

from __future__ import annotations

from typing import Any, NamedTuple


# A tuple, since there are very many, they go from process to process, and a table is made of them.
class TraceFile(NamedTuple):
    """
    What one reading of a file found. Bars are 0-based, times microseconds since 1970 in UTC.

    `first_bar` to `last_ts` are the range that was evaluated, which only our own footer knows;
    `first_change_bar` to `last_change_ts` are the first and the last row. What a generation
    does not record, and what does not apply to a kind, is None.
    """

    kind: str
    generation: str
    struct_layout: str | None
    """The type of a nested `metadata` column, one line a leaf; None in a flat file."""

    strategy_id: str | None
    strategy_type: str | None
    event_strategies: tuple[str, ...]
    """The ids of the strategies that orders, fills and positions name."""
    claimed_hash: str | None
    """The hash that the file says its strategy has; nothing has checked it."""
    footer_config: dict[str, Any] | None
    """The strategy's configuration, only if it hashes to what the file claims."""
    symbol_raw: str | None
    timeframe_raw: str | None
    recorded_run_id: str | None
    created_at: str | None

    row_count: int
    change_count: int | None
    """Rows whose value differs from the row before, in bar order; the first row is one."""
    first_change_bar: int | None
    last_change_bar: int | None
    first_change_ts: int | None
    last_change_ts: int | None
    knows_bar_times: bool
    """False where `ts` is the wall clock of the run."""
    last_val: float | None
    last_state: str | None
    bars_long: int | None
    """Bars from the first row up to, and without, the last row's at which the value is above 0."""
    bars_short: int | None
    is_flat: bool | None
    """Whether a signal never leaves zero."""

    first_bar: int | None
    last_bar: int | None
    first_ts: int | None
    last_ts: int | None

    data_digest: str | None
    code_digest: str | None
    config_digest: str | None
    rows_digest: str
    file_digest: str
    size: int
    mtime_ns: int
    content_digest: str | None = None
    """What the footer of a file of ours states; only where its rows were not read."""
    spacing: float | None = None
    """Seconds from bar to bar, as `bar_spacing` says it; only of what was read from a store."""
