"""The strategies that the rows of a file of orders, fills or positions name."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

# Older tracers keep the id in a nested column, at one of two depths.
_PATHS: Final = (
    ("strategy_id",),
    ("metadata", "strategy_id"),
    ("metadata", "metadata", "strategy_id"),
)


def strategy_ids(batch: Any) -> set[str]:
    """Return the distinct strategy ids in some rows of orders, fills or positions."""
    found: set[str] = set()
    for path in _PATHS:
        ids = _column(batch, path)
        if ids is not None:
            found.update(text for text in pc.unique(ids.cast(pa.string())).to_pylist() if text)
    return found


def _column(batch: Any, path: tuple[str, ...]) -> Any | None:
    name, *steps = path
    if name not in batch.schema.names:
        return None
    column = batch.column(name)
    for step in steps:
        if not pa.types.is_struct(column.type) or column.type.get_field_index(step) < 0:
            return None
        column = pc.struct_field(column, step)
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column if is_text else None
