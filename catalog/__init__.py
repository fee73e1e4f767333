"""
The strategy-trace catalog.

    from catalog import Catalog, Strategy, strategy_hash, CatalogError

    catalog = Catalog("catalog.duckdb")
    catalog.register("old_runs", sweeps=["grid.yaml"])
    catalog.sql("from strategies limit 5")
    catalog.export_strategy_index("strategy_index.parquet")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from catalog.errors import CatalogError

if TYPE_CHECKING:
    from catalog.catalog import Catalog
    from catalog.filesystems import use_filesystem
    from catalog.spark.views import spark_views
    from catalog.strategy import Strategy, strategy_hash
    from catalog.sweeps.grid import Sweep
    from catalog.writing import Tracer, TraceWriter, write_signals

__all__ = [
    "Catalog",
    "CatalogError",
    "Strategy",
    "Sweep",
    "TraceWriter",
    "Tracer",
    "spark_views",
    "strategy_hash",
    "use_filesystem",
    "write_signals",
]

_HOMES = {
    "Catalog": "catalog.catalog",
    "Strategy": "catalog.strategy",
    "Sweep": "catalog.sweeps.grid",
    "TraceWriter": "catalog.writing",
    "Tracer": "catalog.writing",
    "spark_views": "catalog.spark.views",
    "strategy_hash": "catalog.strategy",
    "use_filesystem": "catalog.filesystems",
    "write_signals": "catalog.writing",
}


def __getattr__(name: str) -> Any:
    # DuckDB and pyarrow are loaded when the catalog is used, not when a strategy is hashed.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found
