"""Fixtures are verbs: they make a run directory, a trace, a catalog."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog import Catalog
from catalog.store import database
from catalog.store.database import writing
from catalog.store.replace import keep_aside, say_if_lost
from s3 import bucket, s3_endpoint, store
from web_catalog import browser_page, chromium, client, web_address, web_catalog

__all__ = ["bucket", "s3_endpoint", "store"]
__all__ += ["browser_page", "chromium", "client", "web_address", "web_catalog"]

# Tests start hundreds of processes, which need not compile this package again and again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# To compile vectorbt for a few hundred bars takes longer than to run it as it is written.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"
OPEN = datetime(2024, 3, 26, 13, 30, tzinfo=UTC)
COMMENTED = {"test_clients.py", "test_migrations.py", "test_upgrades.py", "test_vacuum.py"}
"""Files of tests whose catalogs have the comments of views, as people's have."""
CREATE = database._create


@pytest.fixture(scope="module", autouse=True)
def uncommented(request: pytest.FixtureRequest) -> Iterator[None]:
    """
    Leave views without comments where no test looks at one.

    A new catalog has 460 of them, a statement each, and they take a third of what making it takes.
    """
    with pytest.MonkeyPatch.context() as patch:
        if request.path.name not in COMMENTED:
            patch.setattr("catalog.store.views.comment_view", lambda *_: None)
            empty = request.getfixturevalue("empty")
            patch.setattr("catalog.store.database._create", lambda path: move_in(empty, path))
        yield


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty catalog, which is also one in another folder: its views know where they are."""
    path = tmp_path_factory.mktemp("empty") / "catalog.duckdb"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("catalog.store.views.comment_view", lambda *_: None)
        with writing(path):
            pass
    return path


def move_in(empty: Path, path: Path) -> None:
    """Make a new catalog as the program does, from an empty one and not from its migrations."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        shutil.copyfile(empty, unfinished)
    except OSError:
        unfinished.unlink(missing_ok=True)
        CREATE(path)
        return
    keep_aside(path)
    unfinished.replace(path)
    say_if_lost(path)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """A catalog that does not exist yet, in a folder of its own."""
    (tmp_path / "home").mkdir()
    return Catalog(tmp_path / "home" / "catalog.duckdb")


@pytest.fixture
def shared() -> Path:
    """The real data beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("the real data is not beside this repository")
    return SHARED / "data"


def old_trace(
    path: Path,
    values: Sequence[object],
    *,
    bars: Sequence[int] | None = None,
    symbol: str = "SPY",
    timeframe: str = "1m",
    wall_clock: bool = False,
) -> Path:
    """
    Write a trace file as the oldest tracer did: bars count from one, px is 0.

    Args:
        bars: 0-based bars of the values; every third bar unless given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    bars = [3 * i for i in range(len(values))] if bars is None else bars
    if wall_clock:
        ts = [f"2025-06-13T15:43:58.{bar:06d}" for bar in bars]
    else:
        ts = [(OPEN + timedelta(minutes=bar)).isoformat() for bar in bars]
    count = len(values)
    kind = pa.string() if values and isinstance(values[0], str) else pa.int64()
    table = pa.table(
        {
            "idx": pa.array([bar + 1 for bar in bars], pa.int64()),
            "ts": pa.array(ts, pa.string()),
            "sym": pa.array([symbol] * count, pa.string()),
            "val": pa.array(values, kind),
            "strat": pa.array([path.stem] * count, pa.string()),
            "px": pa.array([0.0] * count, pa.float64()),
            "tf": pa.array([timeframe] * count, pa.string()),
            "src_file": pa.array(["./data/SPY_1m.csv"] * count, pa.string()),
            "src_type": pa.array(["file"] * count, pa.string()),
        }
    )
    keys = {"run_id": path.stem, "total_bars": str(bars[-1] + 1 if bars else 0)}
    pq.write_table(table.replace_schema_metadata(keys), path)
    return path


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """Make a run directory of the oldest tracer from values by strategy id."""

    def write(
        name: str = "run_a",
        traces: dict[str, Sequence[object]] | None = None,
        *,
        kind: str = "signals",
        grid: str = "sma_grid",
        metadata: object = None,
        root: Path | None = None,
    ) -> Path:
        run = (root or tmp_path / "runs") / name
        traces = {"SPY_sma_grid_5_20": [1, 0, -1]} if traces is None else traces
        for strategy_id, values in traces.items():
            old_trace(run / "traces" / "SPY_1m" / kind / grid / f"{strategy_id}.parquet", values)
        if metadata is not None:
            (run / "metadata.json").write_text(json.dumps(metadata))
        return run

    return write


@pytest.fixture
def write_sweep(tmp_path: Path) -> Callable[..., Path]:
    """Write a sweep file of one grid."""

    def write(
        name: str = "grid.yaml",
        *,
        strategy_type: str = "sma_crossover",
        grid: str = "sma_grid",
        **parameters: object,
    ) -> Path:
        parameters = parameters or {"fast": [5, 10], "slow": [20, 50]}
        path = tmp_path / name
        path.write_text(
            json.dumps(
                {
                    "name": path.stem,
                    "symbols": ["SPY"],
                    "strategies": [{"type": strategy_type, "name": grid, "params": parameters}],
                }
            )
        )
        return path

    return write


def rows(catalog: Catalog, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    return catalog.sql(query).fetchall()


def touch_later(path: Path) -> None:
    """Move a file's time of change, as writing to it would."""
    status = os.stat(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
