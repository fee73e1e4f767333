"""What a file says, beside what the catalog says of it: every column that was read from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, Final

import pyarrow.parquet as pq

from catalog.objects import is_url, read
from catalog.register.files import FileToRead, Problem
from catalog.register.plan import kind_of_path
from catalog.register.reading import read_files
from catalog.strategy import strategy_hash
from catalog.traces.content import content_digest
from catalog.traces.format import EVENT_KINDS, OURS
from catalog.traces.trace_file import TraceFile
from catalog.verify.finding import DAMAGED, WRONG_CONFIG, WRONG_ROW, Finding, Progress, found
from catalog.verify.remote import Listing

COLUMNS: Final = (
    "kind", "generation", "row_count", "change_count", "first_change_bar", "last_change_bar",
    "first_change_ts", "last_change_ts", "knows_bar_times", "last_val", "last_state", "bars_long",
    "bars_short", "is_flat", "symbol_raw", "timeframe_raw", "data_digest", "code_digest",
    "rows_digest", "struct_layout",
)  # fmt: skip
"""Of the table `trace_file`, under the names that reading a file gives them."""

Details = Mapping[str, Any]
"""A row of sql/verify_details.sql."""


def read_deeply(
    paths: Sequence[str], listing: Listing, details: Mapping[str, Details], progress: Progress
) -> Iterator[Finding]:
    """
    Read files whose bytes are those that were registered, and yield how their rows differ.

    Args:
        paths: absolute paths.
        listing: what is there of those that are objects of a store.
        details: the rows by path; a file that has none is a copy of another one.
    """
    files = [
        FileToRead(folder, name, kind_of_path(folder), listing.stamp(f"{folder}/{name}"))
        for folder, _, name in (path.rpartition("/") for path in paths)
    ]
    there = sum(map(is_url, paths))
    outcomes = read_files(files, here=len(files) - there, there=there)
    progress(0, len(paths))
    for done, (path, outcome) in enumerate(zip(paths, outcomes, strict=True)):
        if isinstance(outcome, Problem):
            yield found(DAMAGED, path, outcome.reason)
        elif outcome is not None and path in details:
            yield from _compare(path, outcome, details[path])
        if done % 64 == 0:
            progress(done, len(paths))


def differing(trace: TraceFile, row: Details) -> list[str]:
    """Return the columns in which a row says something else than the file."""
    columns = [name for name in COLUMNS if getattr(trace, name) != row[name]]
    columns += [name for name, value in _stated(trace, row).items() if value != row[name]]
    said = content_digest(row["symbol"], row["timeframe"], trace.kind, trace.rows_digest)
    return columns + (["content_digest"] if said != row["content_digest"] else [])


def _stated(trace: TraceFile, row: Details) -> dict[str, object]:
    """Return what a file says in columns that others may decide, where it does."""
    if trace.kind in EVENT_KINDS:
        return {}
    stem = row["path"].rpartition("/")[2].removesuffix(".parquet")
    stated: dict[str, object] = {"strategy_id": trace.strategy_id or stem}
    if not row["has_config"]:
        stated["strategy_type"] = trace.strategy_type
    elif trace.footer_config is not None and row["config_source"] == "footer":
        kind = trace.footer_config.get("type")
        stated["strategy_type"] = kind if isinstance(kind, str) else None
    if row["range_source"] == "footer" and trace.last_bar is not None:
        names = ("last_bar", "first_ts", "last_ts")
        stated |= {name: getattr(trace, name) for name in names}
        if trace.first_bar is not None:
            stated["first_bar"] = trace.first_bar
    return stated


def _compare(path: str, trace: TraceFile, row: Details) -> Iterator[Finding]:
    if columns := differing(trace, row):
        other = f"trace {row['trace_id']}: it says other {', '.join(columns)}"
        yield found(WRONG_ROW, path, other, key=row["trace_id"])
    config = trace.footer_config if row["config_source"] == "footer" else None
    if config is not None and strategy_hash(config) != row["strategy_hash"]:
        other = f"trace {row['trace_id']}: it says other strategy_hash"
        yield found(WRONG_ROW, path, other, key=row["trace_id"])
    is_ours = trace.generation == OURS and trace.kind not in EVENT_KINDS
    if is_ours and (why := _wrong_hash(path, trace)) is not None:
        hint = "Write it again; what made it wrote a hash that is not its own"
        yield found(WRONG_CONFIG, path, why, what_to_do=hint)


def _wrong_hash(path: str, trace: TraceFile) -> str | None:
    """Say whether a file of ours carries another hash than that of its configuration."""
    with pq.ParquetFile(BytesIO(read(path)) if is_url(path) else path) as file:
        keys = file.metadata.metadata or {}
        column = file.read(["strategy_hash"], use_threads=False)["strategy_hash"]
    if trace.footer_config is None and keys.get(b"strategy_config"):
        return "its configuration does not hash to the strategy_hash in its footer"
    if {one.as_py() for one in column.unique()} - {trace.claimed_hash}:
        return "its rows say another strategy_hash than its footer"
    return None
