"""
The strategy-trace catalog.

    from catalog import Catalog, Strategy, strategy_hash, CatalogError

    catalog = Catalog("catalog.duckdb")
    catalog.register("old_runs", sweeps=["grid.yaml"])
    catalog.sql("from strategies limit 5")
    catalog.export_strategy_index("strategy_index.parquet")
"""

from typing import TYPE_CHECKING, Any

from catalog.errors import CatalogError
from catalog.strategy import Strategy, strategy_hash

if TYPE_CHECKING:
    from catalog.catalog import Catalog
    from catalog.writing import Tracer, TraceWriter, write_signals

__all__ = [
    "Catalog",
    "CatalogError",
    "Strategy",
    "TraceWriter",
    "Tracer",
    "strategy_hash",
    "write_signals",
]


def __getattr__(name: str) -> Any:
    # DuckDB and pyarrow are loaded when the catalog is used, not when a strategy is hashed.
    if name == "Catalog":
        from catalog.catalog import Catalog

        return Catalog
    if name in ("TraceWriter", "Tracer", "write_signals"):
        from catalog import writing

        return getattr(writing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
