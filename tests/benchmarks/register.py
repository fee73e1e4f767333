"""
Measure how fast trace files are registered, beside bare loops and two table formats.

    python tests/benchmarks/register.py
    python tests/benchmarks/register.py --only cold --files 2000

README.md beside this file says what is measured, and what of it is not equal work.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from environment import environment
from measure import say
from parts import PARTS, Settings
from report import print_part

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that are asked for, print them, and leave nothing behind."""
    options, settings = _parse(arguments)
    # Ended from outside, clean up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    about = environment()
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    print(f"Python {about['python']}, {versions}; {about['cores']} cores, {about['system']}")
    parts = []
    for name in options.only:
        with TemporaryDirectory(prefix="bench-register-", dir=options.work) as work:
            say(f"{name}: {PARTS[name].__doc__}")
            part = PARTS[name](settings, Path(work))
        print_part(part)
        parts.append({**part.as_dict(), "load_after": os.getloadavg()})
        if options.json:
            found = {"environment": about, "parts": parts}
            options.json.write_text(json.dumps(found, indent=1) + "\n")


def _parse(arguments: list[str] | None) -> tuple[argparse.Namespace, Settings]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    add = parser.add_argument
    add("--only", choices=PARTS, action="append", help="this part; may be given many times")
    add("--data", type=Path, default=DATA, help="the folder that has old_traces/ and sweeps/")
    add("--work", type=Path, help="where the temporary directory is made")
    add("--json", type=Path, help="write every single run there")
    add("--repetitions", type=int, default=5, help="of every side, but once for memory")
    add("--files", type=int, default=40_000, help="new files in cold")
    add("--peer-files", type=int, default=10_000, help="new files in peers")
    add("--again-files", type=int, default=10_000, help="unchanged files in again")
    add("--registered", type=int, default=200_000, help="files that are there before in onto")
    add("--memory-files", type=int, default=100_000, help="new files in memory")
    options = parser.parse_args(arguments)
    options.traces = options.data / "old_traces"
    options.sweeps = sorted((options.data / "sweeps").glob("*.yaml"))
    if not options.traces.is_dir():
        parser.error(f"there are no real traces in {options.traces}: name them with --data")
    absent = [name for name in ("pyiceberg", "deltalake") if find_spec(name) is None]
    if absent and (options.only is None or "peers" in options.only):
        parser.error(f"{' and '.join(absent)} not installed: pip install -e '.[bench]'")
    options.only = options.only or list(PARTS)
    return options, Settings(**{one.name: getattr(options, one.name) for one in fields(Settings)})


if __name__ == "__main__":
    main()
