"""
Time what compares strategies and runs in a catalog of very many traces, beside counting them.

    python tests/benchmarks/comparing.py
    python tests/benchmarks/comparing.py --strategies 500000

Half of the traces are the other half once more, in a run of their own: of every hundred one has
other content. Their files do not exist; what reads files (`diff`, and likeness in behaviour) is
timed on `--files` real ones, loose and in packs.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from latency_data import make_many
from measure import say

from catalog import Catalog
from catalog.store.database import writing
from catalog.traces.signals import write_signals

BARS = 5_000
CHANGES = 100
AGAIN = """
    insert into run
    select * replace ('again' as run_id, 'again' as name) from run where run_id = 'sweep_0';

    insert into trace_file
    select * replace (
        sha256(trace_id)[:16] as trace_id,
        'again' as run_id,
        case when hash(trace_id) % 100 = 0 then sha256(content_digest) else content_digest end
            as content_digest
    )
    from trace_file;

    checkpoint;
"""


def main() -> None:
    """Make the catalogs in a folder that vanishes, time each call, and print medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--strategies", type=int, default=50_000, help="with two traces each")
    parser.add_argument("--files", type=int, default=20_000, help="real ones")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--work", type=Path, help="where the temporary directory is made")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="bench-comparing-", dir=options.work) as work:
        _time_rows(Path(work) / "rows", options.strategies, options.repetitions)
        if options.files:
            _time_files(Path(work) / "files", options.files, options.repetitions)


def _time_rows(folder: Path, strategies: int, repetitions: int) -> None:
    path = folder / "twice.duckdb"
    shutil.copy(make_many(folder, strategies), path)
    with writing(path) as con:
        con.execute(AGAIN)
    catalog = Catalog(path)
    ((some,),) = catalog.sql("select list(strategy_hash)[:2] from strategies").fetchall()
    changed = catalog.changed().pairs.table.num_rows
    if not 0.008 < changed / strategies < 0.012:
        raise SystemExit(f"{changed:,} of {strategies:,} traces have changed, and not one of 100")
    print(f"{2 * strategies:,} traces of {strategies:,} strategies")
    _print(
        repetitions,
        {
            "count": lambda: catalog.sql("select count(distinct content_digest) from trace_files"),
            "duplicates": catalog.duplicates,
            "changed": catalog.changed,
            "runs": catalog.runs,
            "diff_runs": lambda: catalog.diff_runs("sweep_1", "again"),
            "like, by parameters": lambda: catalog.like(some[0], by="parameters"),
            "tag": lambda: catalog.tag(some, "good"),
            "tags": catalog.tags,
            "find tag=good": lambda: catalog.find("tag=good", limit=10),
        },
    )


def _time_files(folder: Path, count: int, repetitions: int) -> None:
    say(f"writing {count:,} traces")
    random = np.random.default_rng(0)
    signals = {}
    for number in range(count):
        bars = np.unique(random.integers(0, BARS, CHANGES))
        signals[f"s{number}"] = bars, random.integers(-1, 2, len(bars)).astype(float)
    configs = {name: {"type": "t", "parameters": {"name": name}} for name in signals}
    write_signals(
        folder / "run", signals, configs=configs, symbol="SPY", timeframe="1m",
        bar_index=np.arange(BARS),
    )  # fmt: skip
    catalog = Catalog(folder / "catalog.duckdb")
    catalog.register(folder / "run")
    for how in ("loose", "packed"):
        if how == "packed":
            catalog.compact()
        print(f"\n{count:,} traces of {BARS:,} bars, {how}")
        _print(
            repetitions,
            {
                "count": lambda: catalog.sql("select count(*) from signals"),
                "like, by behaviour": lambda: catalog.like("s0", by="behaviour"),
                "diff": lambda: catalog.diff("s0", "s1"),
            },
        )


def _print(repetitions: int, calls: dict[str, Callable[[], object]]) -> None:
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repetitions):
        for name, call in calls.items():
            before = perf_counter()
            call()
            taken[name].append(perf_counter() - before)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    for name, seconds in medians.items():
        print(f"  {name:24}{seconds:8.3f} s{seconds / medians['count']:8.2f} times count")


if __name__ == "__main__":
    main()
