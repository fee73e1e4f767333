"""
Measure how much faster objects are registered many at a time than one at a time.

    python tests/benchmarks/object_storage.py
    python tests/benchmarks/object_storage.py --files 500 --only lean --latency 0.05

Both sides are the same code on the same objects, which servers on 127.0.0.1 serve. README.md beside
this file says what is measured, and what limits it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from environment import environment
from files import copy_runs
from measure import alternate, measure, say
from register import DATA
from report import Figure, Part, Run, median, print_part

SERVER = Path(__file__).resolve().with_name("object_server.py")
MANY = 32
SERVERS = ("moto", "lean")
TICKS = os.sysconf("SC_CLK_TCK")


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and leave nothing behind."""
    options = _parse(arguments)
    about = environment()
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    print(f"Python {about['python']}, {versions}; {about['cores']} cores, {about['system']}")
    print(f"load before: {about['load_before']}")
    parts = []
    with TemporaryDirectory(prefix="bench-objects-", dir=options.work) as work:
        folder = Path(work)
        copy_runs(options.data / "old_traces", folder / "bucket" / "runs", options.files)
        for which in options.only or SERVERS:
            for latency in (0.0, options.latency):
                parts.append(registered(options, folder, which, latency))
                print_part(parts[-1])
    if options.json:
        found = {"environment": about, "parts": [part.as_dict() for part in parts]}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def registered(options: argparse.Namespace, folder: Path, which: str, latency: float) -> Part:
    """Register the objects of one server, one and many at a time."""
    files = sum(1 for _ in (folder / "bucket" / "runs").rglob("*.parquet"))
    with served(which, latency, folder) as (endpoint, pid):
        say(f"{which}, {1e3 * latency:.0f} ms")
        about = credentials(endpoint)
        if which == "moto":
            upload(folder / "bucket", about)

        def side(at_once: int) -> Callable[[], Run]:
            def call() -> Run:
                before = cpu_seconds(pid)
                run = measure(
                    "object_sides:register",
                    expect=files,
                    url="s3://bucket/runs",
                    environment=about,
                    at_once=at_once,
                )
                run["server_cpu_seconds"] = cpu_seconds(pid) - before
                return run

            return call

        sides = alternate(
            options.repetitions, {"one at a time": side(1), f"{MANY} at a time": side(MANY)}
        )
    one, many = sides.values()
    figures = [
        Figure("one / many", median(one) / median(many), least=5 if latency else None),
        Figure("many: CPU of the client / seconds", _share(many, "cpu_seconds")),
        Figure("many: CPU of the server / seconds", _share(many, "server_cpu_seconds")),
        Figure("one: CPU of client and server / seconds", _share(one, "cpu_seconds")
               + _share(one, "server_cpu_seconds")),
    ]  # fmt: skip
    return Part(f"{which}, {1e3 * latency:.0f} ms", f"{files:,} objects", sides, figures)


def _share(runs: list[Run], key: str) -> float:
    return median(runs, key) / median(runs)


@contextmanager
def served(which: str, latency: float, folder: Path) -> Iterator[tuple[str, int]]:
    """Give the address and the process of a server for as long as a block lasts."""
    command = [sys.executable, str(SERVER), which, str(latency), str(folder)]
    if which == "moto":
        command.pop()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid
        process.stdin.close()


def credentials(endpoint: str) -> dict[str, str]:
    """Return the environment in which a server is S3."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def upload(folder: Path, about: dict[str, str]) -> None:
    """Put all files of a folder into the bucket of its name."""
    from catalog import filesystems, objects

    os.environ.update(about)
    filesystems._filesystems.clear()
    filesystems.filesystem("s3://").mkdir(folder.name)
    paths = [path for path in folder.rglob("*") if path.is_file()]
    urls = {path: f"s3://{folder.name}/{path.relative_to(folder).as_posix()}" for path in paths}
    list(objects.many_at_once(lambda path: objects.write_file(urls[path], path), paths))


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, default=DATA, help="the folder that has old_traces/")
    add("--work", type=Path, help="where the temporary directory is made")
    add("--json", type=Path, help="write every single run there")
    add("--only", nargs="*", choices=SERVERS, help="the servers to measure with")
    add("--latency", type=float, default=0.02, help="seconds before each answer of the slow ones")
    add("--repetitions", type=int, default=3, help="of every side")
    add("--files", type=int, default=2_000, help="objects")
    options = parser.parse_args(arguments)
    if not (options.data / "old_traces").is_dir():
        parser.error(f"there are no real traces in {options.data}: name them with --data")
    return options


if __name__ == "__main__":
    main()
