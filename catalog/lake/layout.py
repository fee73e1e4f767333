"""
What a lake consists of, and where in it each thing lies.

    LAKE/_manifests/<writer>.json                what a writer's lake is: replaced whole, written last
    LAKE/_contents/<table>/<writer>-<digest>.parquet       which keys are in a file of that name
    LAKE/strategies/<writer>-<digest>.parquet    likewise runs, trace_files, components, metrics, …
    LAKE/signals/<SYMBOL>/<TIMEFRAME>/<writer>-<digest>.parquet    likewise the rows of every kind

Folders have no `key=value` names, from which engines would guess types. A file's digest is told
from the keys that it is to hold and what each of them is worth, so that one which was written
before is known again.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

FORMAT = 1
"""Of manifests and files; a reader refuses a later one."""
MANIFESTS = "_manifests"
CONTENTS = "_contents"
UNKNOWN = "_"
"""The folder of a symbol or a timeframe that is not known."""


@dataclass(frozen=True)
class Table:
    """
    A table of a lake.

    `keys` are the columns that tell its entries apart: what of one entry changes is written anew.
    `kind` is that of the traces whose rows it holds. A table that `has_folders` lies in one a
    symbol and timeframe.
    """

    name: str
    keys: tuple[str, ...]
    kind: str | None = None
    has_folders: bool = False


TABLES = {
    one.name: one
    for one in (
        Table("strategies", ("strategy_key",)),
        Table("runs", ("run_id",)),
        Table("trace_files", ("trace_id",)),
        Table("components", ("parent",)),
        Table("metrics", ("trace_id",)),
        Table("price_series", ("symbol", "timeframe")),
        Table("tags", ("strategy_key", "trace_id")),
        Table("signals", ("trace_id",), "signal", True),
        Table("classifications", ("trace_id",), "classifier", True),
        Table("orders", ("trace_id",), "order", True),
        Table("fills", ("trace_id",), "fill", True),
        Table("positions", ("trace_id",), "position", True),
        Table("daily_returns", ("trace_id",), None, True),
        Table("daily_returns_next_open", ("trace_id",), None, True),
        Table("bars", ("symbol", "timeframe"), None, True),
    )
}
"""The tables that are written. What follows from them (holdings, trades, …) readers make."""


def folder_name(text: str | None) -> str:
    """Return a symbol or a timeframe as the name of a folder, the same in every store."""
    return UNKNOWN if text is None else quote(text, safe="").replace(".", "%2E") or "%"


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
