"""The parts of the benchmark of scale: what is done with ever more traces, and what it took."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

# Beside these benchmarks: the cluster that the tests of Spark start.
sys.path.append(str(Path(__file__).resolve().parents[1] / "spark"))

from cluster import started
from latency import CATALOG, timed
from measure import measure, say
from query_questions import HASHES, PATHS
from scale_data import CHANGES, IN_A_RUN, make_runs, write_runs
from scale_sides import bytes_below

MORE = 80_000
"""The number of the first run that comes later; of more digits than five a file has no room."""
SUMS = "select count(*), sum(val) from"

Found = dict[str, float]


@dataclass(frozen=True)
class Home:
    """Where everything of one size is, in a folder that may be kept for another time."""

    folder: Path
    traces: int
    repetitions: int
    spark_python: str | None = None
    """One that has Apache Spark, where that is to be asked too."""

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def loose(self) -> Path:
        """The catalog whose traces are in files."""
        return self.folder / "catalog.duckdb"

    @property
    def packed(self) -> Path:
        """The catalog of the same files with packs, and with metrics behind them."""
        return self.folder / "packed.duckdb"

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    @property
    def block(self) -> int:
        """The number of a run in the middle."""
        return self.traces // IN_A_RUN // 2


def register(home: Home) -> Found:
    """Write the traces, and register them into a catalog that is not there yet."""
    make_runs(home.folder, home.traces)
    _remove(home.loose)
    run = _do("registered", home, home.loose, folder=home.runs)
    return {
        "trace files": home.traces,
        "rows": home.traces * CHANGES,
        "MB of files": bytes_below(home.runs) / 1e6,
        "register, s": run["seconds"],
        "register, CPU s": run["cpu_seconds"],
        "register, MB at its peak": run["peak_bytes"] / 1e6,
        "catalog, MB": home.loose.stat().st_size / 1e6,
        "catalog, bytes a trace": home.loose.stat().st_size / home.traces,
    }


def more(home: Home) -> Found:
    """Register 1,000 traces more, in a folder of their own."""
    seconds, cpu = [], []
    for repetition in range(home.repetitions):
        folder = home.folder / f"more_{repetition}"
        if not folder.exists():
            write_runs(folder, [MORE + repetition])
        fresh = _copy(home.loose, home.folder / "more.duckdb")
        run = _do("registered", home, fresh, folder=folder, expect=IN_A_RUN)
        seconds.append(run["seconds"])
        cpu.append(run["cpu_seconds"])
        _remove(fresh)
    return {
        "1,000 more, s": statistics.median(seconds),
        "1,000 more, CPU s": statistics.median(cpu),
    }


def find(home: Home) -> Found:
    """Find by two parameters, each as a command beside the imports that it needs."""
    words = {
        "find, few, ms beyond imports": [f"block={home.block}", "period=20"],
        "find, many, ms beyond imports": ["period=20", "std_dev=2"],
    }
    imports = timed([sys.executable, "-c", "import duckdb, click"], "")
    asked = {
        name: timed([CATALOG, "find", *conditions, "--catalog", str(home.loose)], "found ")
        for name, conditions in words.items()
    }
    took: dict[str, list[float]] = {name: [] for name in ("", *asked)}
    for _ in range(3 * home.repetitions):
        took[""].append(imports()["seconds"])
        for name, ask in asked.items():
            took[name].append(ask()["seconds"])
    base = statistics.median(took.pop(""))
    return {name: 1e3 * (statistics.median(seconds) - base) for name, seconds in took.items()}


def query(home: Home) -> Found:
    """Ask for traces in files: the planner, and the same files as a list without it."""
    asked = {
        side: _ask(home, home.loose, side) for side in ("whole", "planned", "planning", "listed")
    }
    found = {
        f"{name}, Catalog.sql, ms": milliseconds for name, milliseconds in asked["whole"].items()
    }
    for name in ("1 trace", "20 traces"):
        found[f"{name}, planning, ms"] = asked["planning"][name]
        found[f"{name}, planner beyond a list, ms"] = asked["planned"][name] - asked["listed"][name]
    return found


def compact(home: Home) -> Found:
    """Write all traces into packs."""
    _remove(home.packed)
    run = _do("compacted", home, _copy(home.loose, home.packed))
    packs = bytes_below(home.packed.with_suffix(".d") / "packs")
    return {
        "compact, s": run["seconds"],
        "compact, CPU s": run["cpu_seconds"],
        "packs, bytes a trace": packs / home.traces,
    }


def packs(home: Home) -> Found:
    """Ask for the same traces in packs, and for the rows of all."""
    return {
        f"{name}, packed, ms": milliseconds
        for name, milliseconds in _ask(home, home.packed, "whole", every=True).items()
    }


def metrics(home: Home) -> Found:
    """Compute what all strategies earned, from packs."""
    fresh = _copy(home.packed, home.folder / "measured.duckdb")
    run = _do("measured", home, fresh)
    found = {
        "metrics, s": run["seconds"],
        "metrics, CPU s": run["cpu_seconds"],
        "rows of daily_returns": run["rows"],
        "catalog with metrics, MB": fresh.stat().st_size / 1e6,
    }
    _remove(fresh)
    return found


def lake(home: Home) -> Found:
    """Publish the packed catalog to a lake, and ask Spark there: Sail, and Apache where it is."""
    shutil.rmtree(home.lake, ignore_errors=True)
    run = _do("published", home, home.packed, lake=home.lake)
    found = {
        "publish, s": run["seconds"],
        "publish, CPU s": run["cpu_seconds"],
        "lake, bytes a trace": bytes_below(home.lake) / home.traces,
    }
    for engine, remote in _engines(home):
        answers = _ask(home, home.packed, "spark", every=True, lake=home.lake, remote=remote)
        found |= {f"{name}, {engine}, ms": took for name, took in answers.items()}
    return found


def _engines(home: Home) -> Iterator[tuple[str, str]]:
    """Yield the engines that are there, each with the address of its server while it runs."""
    yield "Sail", ""
    if home.spark_python is not None:
        with TemporaryDirectory() as scratch, started(home.spark_python, Path(scratch)) as cluster:
            yield "Spark", cluster.remote


PARTS: dict[str, Callable[[Home], Found]] = {
    part.__name__: part for part in (register, more, find, query, compact, packs, metrics, lake)
}


def _do(side: str, home: Home, catalog: Path, *, expect: int | None = None, **more: Any) -> Any:
    os.sync()
    run = measure(f"scale_sides:{side}", expect=expect or home.traces, catalog=catalog, **more)
    say(f"  {side}: {run['seconds']:.2f} s, CPU {run['cpu_seconds']:.2f} s")
    return run


def _ask(home: Home, catalog: Path, side: str, *, every: bool = False, **more: Any) -> Found:
    """Return the milliseconds that each question took one side."""
    module = "scale_sides" if side == "spark" else "query_sides"
    if side != "spark":
        more["catalog"] = catalog
    questions = _questions(home)
    if every:
        average = "select strategy_type, count(*), avg(val) from signals group by all"
        questions["rows of all"] = {"catalog": average}
    with TemporaryDirectory() as scratch:
        written = Path(scratch) / "questions.json"
        written.write_text(json.dumps(questions))
        run = measure(
            f"{module}:{side}", expect=home.traces, files=home.traces, questions=written,
            repetitions=2 * home.repetitions + 1, **more,
        )  # fmt: skip
    return {
        name: 1e3 * statistics.median(answer["seconds"]) for name, answer in run["answers"].items()
    }


def _questions(home: Home) -> dict[str, Any]:
    """Return what is asked: of one trace, of 20, of what two parameters choose, of the index."""
    chosen = f"param_block = {home.block} and param_period = 20"
    index = (
        "select strategy_type, count(*), avg(change_count) from strategy_index "
        "where param_period = 20 and param_std_dev = 2.0 group by all"
    )
    with duckdb.connect(str(home.loose), read_only=True) as con:

        def about(count: int) -> dict[str, Any]:
            hashes = _column(con, HASHES, count=count)
            where = f"where strategy_hash in ({', '.join(map(repr, hashes))})"
            return {
                "catalog": f"{SUMS} signals {where}",
                "list": f"{SUMS} read_parquet($files)",
                "files": _column(con, PATHS, hashes=hashes),
            }

        return {
            "1 trace": about(1),
            "20 traces": about(20),
            "50 by two parameters": {
                "catalog": f"{SUMS} signals join strategies as s using (strategy_hash) "
                f"where s.{chosen.replace('and ', 'and s.')}"
            },
            "index by two parameters": {"catalog": index},
        }


def _column(con: duckdb.DuckDBPyConnection, query: str, **values: object) -> list[str]:
    return [value for (value,) in con.execute(query, values).fetchall()]


def _copy(catalog: Path, target: Path) -> Path:
    """Copy a catalog with all that lies beside it; packs are linked, for nobody changes one."""
    _remove(target)
    shutil.copyfile(catalog, target)
    if catalog.with_suffix(".d").exists():
        shutil.copytree(
            catalog.with_suffix(".d"), target.with_suffix(".d"), copy_function=_link_pack
        )
    return target


def _link_pack(source: str, target: str) -> None:
    (os.link if "/packs/" in source else shutil.copyfile)(source, target)


def _remove(catalog: Path) -> None:
    catalog.unlink(missing_ok=True)
    shutil.rmtree(catalog.with_suffix(".d"), ignore_errors=True)
