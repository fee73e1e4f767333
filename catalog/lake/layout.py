"""
What a lake consists of, and where in it each thing lies.

    LAKE/_manifests/<writer>.json      what a writer's part is: replaced whole, and written last
    LAKE/_contents/<table>/<writer>-<digest>.parquet     which entries are in a file of that name
    LAKE/strategies/<writer>-<digest>.parquet     likewise runs, trace_files, components, metrics, …
    LAKE/signals/<SYMBOL>/<TIMEFRAME>/<writer>-<digest>.parquet    likewise the rows of every kind

Folders have no `key=value` names, from which engines would guess types. A file's digest is told
from the entries that it is to hold, so that one which was written before is known again.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

FORMAT = 1
"""Of manifests and files; a reader refuses a later one."""
MANIFESTS = "_manifests"
CONTENTS = "_contents"
UNKNOWN = "unknown"
"""The folder of a symbol or a timeframe that is not known."""


@dataclass(frozen=True)
class Table:
    """
    A table of a lake.

    `keys` are the columns that tell its entries apart: an entry is written, and replaced, with all
    of its rows. `order` is what the rows of a file are sorted by. `kind` is that of the traces
    whose rows it holds. A table that `has_folders` lies in one a symbol and timeframe.
    """

    name: str
    keys: tuple[str, ...]
    order: tuple[str, ...]
    kind: str | None = None
    has_folders: bool = False


_SIGNALS = ("strategy_hash", "trace_id", "bar_index", "idx", "ts_raw", "val")
_EVENTS = ("strategy_hash", "trace_id", "bar_index", "position_id")
_TRIED = ("symbol", "timeframe", "content_digest")
_SET = ("cost_bps", "fill", "range_start", "range_end", "last_days")
_RETURNS = ("strategy_hash", "trace_id", "session_date")

TABLES = {
    one.name: one
    for one in (
        Table("strategies", ("strategy_key",), ("strategy_type", "strategy_key")),
        Table("runs", ("run_id",), ("run_id",)),
        Table("trace_files", ("trace_id",), ("strategy_hash", "trace_id")),
        Table("components", ("parent",), ("parent", "position")),
        Table("metrics", ("trace_id",), ("trace_id", "set_id", "period", "classifier", "regime")),
        Table("trials", _TRIED, (*_TRIED, "from_ts", "to_ts")),
        Table("trial_figures", _TRIED, (*_TRIED, "from_ts", "to_ts", *_SET)),
        Table("metric_ranges", ("symbol", "timeframe"), ("symbol", "timeframe", *_SET)),
        Table("price_series", ("symbol", "timeframe"), ("symbol", "timeframe")),
        Table("tags", ("strategy_key", "trace_id"), ("strategy_key", "trace_id", "tag")),
        Table("signals", ("trace_id",), _SIGNALS, "signal", True),
        Table("classifications", ("trace_id",), _SIGNALS, "classifier", True),
        Table("orders", ("trace_id",), (*_EVENTS, "order_id"), "order", True),
        Table("fills", ("trace_id",), (*_EVENTS, "fill_id"), "fill", True),
        Table("positions", ("trace_id",), (*_EVENTS, "event"), "position", True),
        Table("daily_returns", ("trace_id",), _RETURNS, None, True),
        Table("daily_returns_next_open", ("trace_id",), _RETURNS, None, True),
        Table("bars", ("symbol", "timeframe"), ("symbol", "timeframe", "bar_index"), None, True),
    )
}
"""The tables that are written. What follows from them (holdings, trades, …) readers make."""


def folder_name(text: str | None) -> str:
    """Return a symbol or a timeframe as the name of a folder, the same in every store."""
    if text is None:
        return UNKNOWN
    name = quote(text, safe="") or "%"
    # What begins otherwise is hidden, from Spark or from a shell, and `..` leads elsewhere.
    return f"%{ord(name[0]):02X}{name[1:]}" if name[0] in "._" else name


def manifest_path(writer: str) -> str:
    """Return the path of a writer's manifest, below the lake."""
    return f"{MANIFESTS}/{writer}.json"


def file_path(table: str, folder: str, writer: str, digest: str) -> str:
    """
    Return the path of a file, below the lake.

    Args:
        folder: `SYMBOL/TIMEFRAME` as `folder_name` writes them, empty for a table without.
        digest: 16 hex digits.
    """
    return "/".join(part for part in (table, folder, f"{writer}-{digest}.parquet") if part)


def contents_path(table: str, writer: str, digest: str) -> str:
    """Return the path of what says which keys are in a file, below the lake."""
    return f"{CONTENTS}/{table}/{writer}-{digest}.parquet"
