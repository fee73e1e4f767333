"""Compute the figures of a catalog that is made anew, of all that they were computed of before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from catalog.errors import CatalogError
from catalog.metrics.compute import compute_metrics
from catalog.metrics.sets import MetricSet
from catalog.metrics.terms import Terms
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.facts import facts_of


def measure_again(catalog: Path, progress: Callable[[int, int], None]) -> list[str]:
    """
    Compute the figures of all metric sets that were ever computed.

    Returns:
        What could not be computed, each with the reason.

    Raises:
        StoreError: the catalog cannot be used.
    """
    with reading(catalog) as con:
        rows = con.sql(statement("select_metric_sets")).to_arrow_table().to_pylist()
    by_id = {row["set_id"]: row for row in rows}
    lost = []
    # In the order in which they were asked for: a condition may be one on figures.
    for asked in facts_of(catalog, "computations").values():
        set_id, by_regime, condition = asked["set_id"], asked["by_regime"], asked["condition"]
        if (row := by_id.get(set_id)) is not None:
            wanted = MetricSet(
                Terms(row["cost_bps"], row["fill"]),
                row["range_start"],
                row["range_end"],
                row["last_days"],
                row["split"],
                row["folds"],
            )
            try:
                compute_metrics(
                    catalog, wanted, where=condition, by_regime=by_regime, progress=progress
                )
            except CatalogError as error:
                what = f"metrics of set {set_id}"
                what += f" where {condition}" if condition else ""
                what += f" by regime {by_regime}" if by_regime else ""
                lost.append(f"{what}: {error}")
    return lost
