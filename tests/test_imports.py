"""Modules import only from modules on the same or a lower line of the house."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "catalog"

# From the ground up. What stands on one line may import from it and from those below.
LINES = [
    {"abandoned", "errors", "disk", "filesystems", "objects", "places", "tries"},
    {"statements", "canonical", "strategy", "components"},
    {"store", "traces"},
    {
        *("register", "query", "prices", "metrics", "compare", "sweeps", "upgrade", "upkeep"),
        *("export", "tags", "verify", "lake", "spark", "plots", "reports"),
    },
    {"facade"},
    {"catalog", "writing"},
    {"adapters", "demo", "web"},
    {"cli", "__main__"},
]
LINE_OF = {name: number for number, line in enumerate(LINES) for name in line}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def part(module: str) -> str:
    """Return the room that a module of the package is in."""
    return module.split(".")[1]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            # `from catalog import X` is what users write; inside it hides where X is from.
            assert node.module != "catalog", f"{path} imports from the package itself"
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return {name for name in names if name.startswith("catalog.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path):
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]

    for name in imported(path):
        assert LINE_OF[part(name)] <= LINE_OF[own], f"{own} imports {name}, which stands above it"


def test_traces_know_no_duckdb_and_the_store_reads_no_trace_file():
    for path in (PACKAGE / "traces").rglob("*.py"):
        assert "duckdb" not in path.read_text().lower().split("import ", 1)[-1].split("\n\n\n")[0]
    for path in (PACKAGE / "store").rglob("*.py"):
        assert not any(name.startswith("catalog.traces") for name in imported(path)), path


def test_hashing_a_strategy_loads_neither_duckdb_nor_pyarrow():
    import subprocess
    import sys

    code = "import sys, catalog; catalog.strategy_hash({}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"duckdb", "pyarrow", "numpy", "sqlglot"} & set(done.stdout.split())


def test_nothing_that_reads_urls_is_loaded_before_one_is_named(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys, catalog; from catalog.cli import main\n"
        f"catalog.Catalog({str(tmp_path / 'c.duckdb')!r}).register({str(tmp_path)!r})\n"
        "main(['--help'], standalone_mode=False)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"fsspec", "s3fs", "botocore", "aiohttp", "pyspark"} & set(done.stdout.split())
