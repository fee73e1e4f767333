"""The price under a strategy, and the position that it held: what a ribbon over the price shows."""

from __future__ import annotations

from pathlib import Path

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
        points: so many of the price at most.

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
    has_times = held.num_rows and not held["from_ts"].null_count
    return price if price.num_rows else None, held if has_times else None
