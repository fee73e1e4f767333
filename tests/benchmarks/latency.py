"""
Measure how long a person waits for a command that answers at once, beside the imports it needs.

    python tests/benchmarks/latency.py
    python tests/benchmarks/latency.py --strategies 1000000 --home DIR --repetitions 11

Every side is a process of its own, from its start to its end, and the sides take turns. Beside
commands that open the catalog stands `python -c "import duckdb, click"`, beside the others
`python -c "import click"`. The catalog is in the page cache, the process's own caches are empty.
What is not equal work: the imports open no database, which alone takes DuckDB a quarter of the
time that is allowed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from time import perf_counter

from environment import environment
from latency_data import make_many
from measure import alternate, say
from report import Figure, Part, Run, median, print_part

from catalog import Catalog

CATALOG = str(Path(sys.executable).with_name("catalog"))
MOST_MS = 100
MOST_TIMES = 2


@dataclass(frozen=True)
class Settings:
    """What the command line asks for."""

    repetitions: int
    strategies: int


def start(settings: Settings, catalog: Path) -> Part:
    """Say what commands there are, and what is wrong."""
    base = 'python -c "import click"'
    nowhere = catalog.with_name("nowhere.duckdb")
    sides = {
        base: timed([sys.executable, "-c", "import click"], ""),
        "catalog --help": timed([CATALOG, "--help"], "Commands:"),
        "catalog find --help": timed([CATALOG, "find", "--help"], "Example"),
        "catalog --version": timed([CATALOG, "--version"], "catalog, version"),
        "catalog nonsense": timed([CATALOG, "nonsense"], "No such command", status=2),
        "catalog info, no catalog": timed(
            [CATALOG, "info", "--catalog", str(nowhere)], "There is no catalog", status=1
        ),
    }
    runs = alternate(settings.repetitions, sides)
    figures = [
        Figure(
            f"{side} ÷ {base}",
            median(runs[side]) / median(runs[base]),
            most=MOST_TIMES if side == "catalog --help" else None,
        )
        for side in list(sides)[1:]
    ]
    return Part("start", "processes", runs, figures)


def ask(settings: Settings, catalog: Path) -> Part:
    """Find and show among very many strategies."""
    base = 'python -c "import duckdb, click"'
    sides = {base: timed([sys.executable, "-c", "import duckdb, click"], "")}
    for words, expected in _questions(catalog):
        command = [CATALOG, *words, "--catalog", str(catalog)]
        sides[_short(words)] = timed(command, expected)
    runs = alternate(settings.repetitions, sides)
    figures = [
        Figure(
            f"{side} beyond {base}, ms",
            1e3 * (median(runs[side]) - median(runs[base])),
            most=MOST_MS if side.startswith(("find", "show")) else None,
        )
        for side in list(sides)[1:]
    ]
    return Part("ask", f"{settings.strategies:,} strategies", runs, figures)


def _questions(catalog: Path) -> list[tuple[list[str], str]]:
    """Return what is asked, and what each answer has to say."""
    ((key, trace_id, strategy_id, path, block),) = (
        Catalog(catalog)
        .sql(
            """
            select strategy_key, trace_id, strategy_id, path, param_block
            from trace_files
            join strategies using (strategy_key)
            order by run_id, trace_id
            limit 1 offset (select count(*) // 2 from trace_files)
            """
        )
        .fetchall()
    )
    shown = f"strategy   {key}"
    selective = ["find", "--type", "momentum", f"block={block}", "period>=20"]
    return [
        (selective, "found      50 strategies"),
        (["find", f"block={block}", "period=20"], "found      50 strategies"),
        (["find", "period=20"], "found "),
        (["find"], "found "),
        (["show", key], shown),
        (["show", key[:9]], shown),
        (["show", strategy_id], shown),
        (["show", trace_id], shown),
        (["show", path], shown),
        (["info"], "strategies"),
        (["lineage", key], key),
    ]


def _short(words: list[str]) -> str:
    """Return a question without the folders of a path."""
    return " ".join("…/" + word.rpartition("/")[2] if "/" in word else word for word in words)


def timed(command: list[str], expected: str, *, status: int = 0) -> Callable[[], Run]:
    """Return what runs a command, from its start to its end, and looks at what it says."""

    def run() -> Run:
        before = perf_counter()
        with subprocess.Popen(
            command, env=_as_installed(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as one:
            assert one.stdout is not None
            said = one.stdout.read().decode()
            _, ended, used = os.wait4(one.pid, 0)
            one.returncode = os.waitstatus_to_exitcode(ended)
        seconds = perf_counter() - before
        if one.returncode != status or expected not in said:
            raise SystemExit(f"{' '.join(command)} ended with {one.returncode}:\n{said}")
        return {
            "files": 0,
            "seconds": seconds,
            "cpu_seconds": used.ru_utime + used.ru_stime,
            # What a process was forked from counts as its own: memory is not measured here.
            "peak_bytes": 0,
        }

    return run


def _as_installed() -> dict[str, str]:
    """Return an environment in which Python compiles a module once, as it does for its users."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(Path(gettempdir()) / "latency_bytecode")}


PARTS = {part.__name__: part for part in (start, ask)}


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that are asked for, and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    add = parser.add_argument
    add("--only", choices=PARTS, action="append", help="this part; may be given many times")
    add("--home", type=Path, help="make the data there, keep them, and use them the next time")
    add("--json", type=Path, help="write every single run there")
    add("--repetitions", type=int, default=7, help="of every side")
    add("--strategies", type=int, default=100_000, help="in the catalog, in thousands")
    options = parser.parse_args(arguments)
    settings = Settings(**{one.name: getattr(options, one.name) for one in fields(Settings)})
    # Ended from outside, clean up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    about = environment()
    print(json.dumps(about))
    parts = []
    with TemporaryDirectory() as scratch:
        home = (options.home or Path(scratch)).resolve()
        catalog = make_many(home / f"latency_{settings.strategies}", settings.strategies)
        for name in options.only or PARTS:
            say(f"{name}: {PARTS[name].__doc__}")
            parts.append(PARTS[name](settings, catalog))
            print_part(parts[-1])
            if options.json:
                found = {"environment": about, "parts": [part.as_dict() for part in parts]}
                found["load_after"] = os.getloadavg()
                options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
