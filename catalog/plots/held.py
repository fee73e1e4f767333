"""The price under a strategy, and the position that it held: what a ribbon over the price shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog.plots.thin import thin
from catalog.query.run import run_query
from catalog.statements import statement


def read_held(
    catalog: Path, trace_id: str, *, points: int
) -> tuple[pa.Table | None, pa.Table | None]:
    """
    Return the price (ts, price) and what a trace held (from_ts, to_ts, position).

    Times are the market's own. None for what is not known.

    Args:
        points: so many of either at most; where there are more stretches, some that follow each
            other become one with their mean position.

    Raises:
        QueryError: a trace file is gone or damaged.
        StoreError: the catalog cannot be used.
    """
    place = run_query(catalog, statement("plot_place"), {"trace_id": trace_id}).table.to_pylist()
    if not place:
        return None, None
    (where,) = place
    shift = {"trace_id": trace_id, "shift": where.pop("shift")}
    held = run_query(catalog, statement("plot_held"), shift).table
    price = run_query(catalog, statement("plot_price"), where).table
    if price.num_rows:
        price = price.take(pa.array(thin(points, price["price"].to_numpy())))
    lacks = held["from_ts"].null_count + held["to_ts"].null_count
    has_times = held.num_rows and not lacks
    return price if price.num_rows else None, _fewer(held, points) if has_times else None


def _fewer(held: pa.Table, points: int) -> pa.Table:
    count = held.num_rows
    if count <= points:
        return held
    starts = np.unique(np.linspace(0, count, points, endpoint=False).astype(np.int64))
    begin, end = (held[name].to_numpy().astype("datetime64[us]") for name in ("from_ts", "to_ts"))
    length = (end - begin).astype(np.float64)
    total = np.add.reduceat(length, starts)
    position = np.add.reduceat(held["position"].to_numpy() * length, starts)
    lasts = np.append(starts[1:], count) - 1
    return pa.table(
        {
            "from_ts": held["from_ts"].take(pa.array(starts)),
            "to_ts": held["to_ts"].take(pa.array(lasts)),
            "position": np.divide(position, total, out=np.zeros(len(total)), where=total > 0),
        }
    )
