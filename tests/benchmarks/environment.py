"""What the absolute seconds of a benchmark depend on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = (
    "strategy-trace-catalog", "duckdb", "pyarrow", "numpy", "pandas", "pyiceberg", "deltalake",
)  # fmt: skip


def environment() -> dict[str, Any]:
    """Return the machine and the versions."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg(),
        "versions": {package: _version(package) for package in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
