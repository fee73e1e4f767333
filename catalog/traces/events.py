"""The strategies that a file of orders, fills or positions names."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_PATHS = (("strategy_id",), ("metadata", "strategy_id"), ("metadata", "metadata", "strategy_id"))


def event_strategy_ids(path: str) -> set[str]:
    """
    Return the distinct strategy ids in a file of orders, fills or positions.

    Older tracers keep them in a nested column, at one of two depths.
    """
    found: set[str] = set()
    with pq.ParquetFile(path) as parquet:
        for steps in _PATHS:
            if ".".join(steps) not in {column.path for column in _leaves(parquet)}:
                continue
            table = parquet.read(columns=[".".join(steps)])
            column = table.column(0)
            for step in steps[1:]:
                column = pc.struct_field(column, step)
            values = pc.unique(column.cast(pa.string())).to_pylist()
            found.update(value for value in values if value)
    return found


def _leaves(parquet: pq.ParquetFile) -> list[pq.ColumnSchema]:
    schema = parquet.schema
    return [schema.column(index) for index in range(len(schema))]
