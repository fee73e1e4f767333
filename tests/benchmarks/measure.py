"""Run sides in fresh processes, in turn, in folders that vanish."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from report import Run
from resident import watched

CHILD = Path(__file__).resolve().with_name("child.py")


def measure(
    side: str,
    *,
    expect: int,
    resident: bool = False,
    python: str = sys.executable,
    **arguments: Any,
) -> Run:
    """
    Run one side in a fresh process, and return what child.py measured in it.

    Args:
        side: MODULE:FUNCTION, which `arguments` are given to.
        expect: how many files it has to deal with; anything else ends the benchmark.
        resident: watch the memory that the process and its own hold together, which slows them.
        python: the interpreter, for a side that cannot be in this one's environment.
    """
    command = [python, str(CHILD), side, json.dumps(arguments, default=str)]
    before = perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        with watched(process.pid) if resident else nullcontext([0]) as peak:
            answer, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{side} failed: see above")
    run: Run = json.loads(answer)
    run["process_seconds"] = perf_counter() - before
    run["resident_bytes"] = peak[0]
    if run["files"] != expect:
        raise SystemExit(f"{side} dealt with {run['files']:,} files instead of {expect:,}")
    return run


def alternate(repetitions: int, sides: dict[str, Callable[[], Run]]) -> dict[str, list[Run]]:
    """Measure all sides in turn, every other time in reverse, and return the runs of each."""
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for repetition in range(repetitions):
        for name in list(sides) if repetition % 2 == 0 else reversed(sides):
            runs[name].append(sides[name]())
            say(f"{repetition + 1} of {repetitions}: {name}, {runs[name][-1]['seconds']:.2f} s")
    return runs


@contextmanager
def scratch(work: Path) -> Iterator[Path]:
    """Give a new folder for as long as a block lasts."""
    with TemporaryDirectory(dir=work) as folder:
        yield Path(folder)


@contextmanager
def restored(folder: Path) -> Iterator[None]:
    """Bring a folder back to what it was before a block, under the same path."""
    kept = folder.with_name(f"{folder.name}.kept")
    if not kept.exists():
        shutil.copytree(folder, kept)
    yield
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)


def say(text: str) -> None:
    """Print progress, on stderr."""
    print(text, file=sys.stderr, flush=True)
