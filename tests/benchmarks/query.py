"""
Measure how fast questions are answered, beside a glob, a bound list of files and two formats.

    python tests/benchmarks/query.py
    python tests/benchmarks/query.py --only traces --files 100000 --home DIR

README.md beside this file says what is measured, and what of it is not equal work.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from contextlib import nullcontext
from dataclasses import asdict, fields
from pathlib import Path
from tempfile import TemporaryDirectory

from environment import environment
from measure import say
from query_data import Home
from query_parts import PARTS, Settings, print_asked


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that are asked for, print them, and keep only what --home names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    add = parser.add_argument
    add("--only", choices=PARTS, action="append", help="this part; may be given many times")
    add("--home", type=Path, help="make the data there, keep them, and use them the next time")
    add("--work", type=Path, help="where the temporary directory is made, without --home")
    add("--json", type=Path, help="write every single run there")
    add("--files", type=int, default=10_000, help="traces in traces, of which home has as many")
    add("--rounds", type=int, default=3, help="processes of every side")
    add("--repetitions", type=int, default=7, help="of every question in a process")
    add("--strategies", type=int, default=100_000, help="in wide")
    add("--parameters", type=int, default=50, help="of each strategy in wide, at most 50")
    add("--lake-python", type=Path, help="an environment with DuckLake, or where to make it")
    add("--without", choices=("ducklake", "iceberg"), action="append", default=[])
    options = parser.parse_args(arguments)
    settings = Settings(**{one.name: getattr(options, one.name) for one in fields(Settings)})
    # Ended from outside, clean up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    about = environment()
    print(json.dumps(about))
    parts = []
    kept = nullcontext(options.home)
    with kept if options.home else TemporaryDirectory(dir=options.work) as folder:
        home = Home(Path(folder).resolve())
        home.folder.mkdir(parents=True, exist_ok=True)
        for name in options.only or PARTS:
            say(f"{name}: {PARTS[name].__doc__}")
            parts.append(PARTS[name](settings, home))
            print_asked(parts[-1])
            if options.json:
                found = {"environment": about, "load_after": os.getloadavg()}
                found["parts"] = [asdict(part) for part in parts]
                options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
