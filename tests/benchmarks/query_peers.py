"""Make the same files a DuckLake and an Iceberg table, where they are none yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
from measure import measure, say
from query_data import Home

LAKE_PACKAGES = ("duckdb==1.5.5", "duckdb-extension-ducklake==1.5.5")
STRATEGIES = """
copy (
    select
        strategy_hash,
        strategy_type,
        change_count,
        param_period,
        param_std_dev,
        param_block
    from strategy_index
) to '{path}'
"""


def make_lake_python(folder: Path) -> str:
    """Return the interpreter of an environment with DuckLake, which is made where it is none."""
    python = folder / "bin" / "python"
    if not python.exists():
        say(f"installing {' '.join(LAKE_PACKAGES)}")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *LAKE_PACKAGES], check=True)
    return str(python)


def make_lake(home: Home, python: str, glob: str, files: int) -> dict[str, Any]:
    """Return what the side of DuckLake is asked with; its table is made where it is none."""
    lake = home.peers / "lake" / "lake.ducklake"
    if not lake.exists():
        say(f"adding {files:,} files to DuckLake")
        lake.parent.mkdir(parents=True)
        strategies = home.peers / "strategies.parquet"
        with duckdb.connect(str(home.loose), read_only=True) as con:
            con.execute(STRATEGIES.format(path=strategies))
        made = measure(
            "query_lake:make", expect=files, python=python,
            lake=lake, glob=glob, strategies=strategies,
        )  # fmt: skip
        say(f"that took {made['adding_seconds']:.0f} s")
    return {"lake": lake, "python": python}


def make_iceberg(home: Home, files: int) -> dict[str, Any]:
    """Return what the side of Iceberg is asked with; its table is made where it is none."""
    warehouse = home.peers / "iceberg"
    if not (warehouse / "catalog.db").exists():
        say(f"adding {files:,} files to Iceberg")
        warehouse.mkdir(parents=True, exist_ok=True)
        made = measure("query_iceberg:make", expect=files, warehouse=warehouse, folder=home.runs)
        say(f"that took {made['seconds']:.0f} s")
    return {"warehouse": warehouse}
