"""Orders, fills and positions as flat typed columns: one file a kind, written as it fills."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import UsageError
from catalog.traces import format as layout
from catalog.traces.finalize import make_folder, writing_errors
from catalog.traces.target import Target, below, temporary_path

_ROW_GROUP: Final = 1 << 13

_TEXT, _NUMBER = pa.string(), pa.float64()
_COLUMNS: Final = {
    layout.ORDER: {
        "order_id": _TEXT, "position_id": _TEXT, "side": _TEXT, "quantity": _NUMBER,
        "order_type": _TEXT, "price": _NUMBER, "order_created_at": _TEXT,
    },
    layout.FILL: {
        "fill_id": _TEXT, "order_id": _TEXT, "position_id": _TEXT, "side": _TEXT,
        "quantity": _NUMBER, "price": _NUMBER, "commission": _NUMBER,
    },
    layout.POSITION: {
        "event": _TEXT, "position_id": _TEXT, "quantity": _NUMBER, "entry_price": _NUMBER,
        "exit_price": _NUMBER, "realized_pnl": _NUMBER, "exit_type": _TEXT, "exit_reason": _TEXT,
    },
}  # fmt: skip
SCHEMA: Final = {
    kind: pa.schema(
        {"idx": pa.int64(), "ts": pa.timestamp("us", "UTC"), "sym": _TEXT, "strategy_id": _TEXT}
        | columns
    )
    for kind, columns in _COLUMNS.items()
}
"""Of our own files, by kind."""


class EventRows:
    """
    The orders, fills or positions of a run, in a file that many strategies share.

    Several processes may write one run: each has a file that is named by the strategies that are
    its own, and which the same process replaces when it is run again.
    """

    def __init__(self, run_directory: Target, kind: str, run_id: str | None) -> None:
        self._kind = kind
        self._run_id = run_id
        self._name = layout.FOLDER_OF_KIND[kind]
        self.path = below(run_directory, "traces", self._name)
        self._temporary = temporary_path(below(self.path, f"{self._name}.parquet"))
        self._rows: list[tuple[Any, ...]] = []
        self._writer: Any = None

    def add(self, bar: int | None, ts: int | None, symbol: str, payload: Mapping[str, Any]) -> None:
        """
        Keep one event.

        Raises:
            UsageError: a quantity or a price is no number.
        """
        values = [_value(payload, name, kind) for name, kind in _COLUMNS[self._kind].items()]
        strategy = payload.get("strategy_id")
        self._rows.append((bar, ts, symbol, None if strategy is None else str(strategy), *values))
        if len(self._rows) >= _ROW_GROUP:
            self._flush()

    def complete(self, owner: str) -> tuple[Path, Target] | None:
        """Bring the rows to the disk; return the temporary name and the one to have, if any."""
        self._flush()
        if self._writer is None:
            return None
        footer = {
            layout.VERSION_KEY: str(layout.FORMAT_VERSION),
            layout.KIND_KEY: self._kind,
            layout.RUN_ID_KEY: self._run_id,
        }
        with writing_errors(self.path):
            self._writer.add_key_value_metadata({k: v for k, v in footer.items() if v is not None})
            self._writer.close()
        return self._temporary, below(self.path, f"{self._name}-{owner}.parquet")

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException):
                self._writer.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._rows:
            return
        schema = SCHEMA[self._kind]
        columns = zip(*self._rows, strict=True)
        arrays = [
            pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)
        ]
        self._rows = []
        with writing_errors(self.path):
            if self._writer is None:
                make_folder(self._temporary.parent)
                self._writer = open_writer(self._temporary, schema)
            self._writer.write_table(pa.table(arrays, schema=schema))


def open_writer(path: Path, schema: pa.Schema) -> Any:
    """Open a Parquet file for events, as ours are written."""
    return pq.ParquetWriter(
        str(path), schema, compression="zstd", write_page_checksum=True, store_schema=False
    )


def _value(payload: Mapping[str, Any], name: str, kind: Any) -> Any:
    found = payload.get(name)
    if found is None and name == "order_created_at":
        found = payload.get("created_at")
    if found is None:
        return None
    if kind == _TEXT:
        return str(getattr(found, "value", found))
    try:
        return float(found)
    except (TypeError, ValueError):
        raise UsageError(f"The {name} of an event is {found!r}, which is no number") from None


def names_digest(names: Iterable[str]) -> str:
    """Return 8 hex digits that stand for some strategy ids."""
    return hashlib.sha256("\0".join(sorted(names)).encode()).hexdigest()[:8]
