"""
Measure how fast traces are written and register themselves, beside bare loops that do less.

    python tests/benchmarks/write.py
    python tests/benchmarks/write.py --only events --events 1000000

README.md beside this file says what is measured, and what of it is not equal work.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

from environment import environment
from measure import say
from report import print_part
from write_parts import PARTS, Settings


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that are asked for, print them, and leave nothing behind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    add = parser.add_argument
    add("--only", choices=PARTS, action="append", help="this part; may be given many times")
    add("--work", type=Path, help="where the temporary directory is made")
    add("--json", type=Path, help="write every single run there")
    add("--repetitions", type=int, default=5, help="of every side")
    add("--events", type=int, default=1_000_000, help="in events, and ten times as many")
    add("--strategies", type=int, default=1_000, help="columns in signals")
    add("--bars", type=int, default=100_000, help="rows in signals")
    add("--traces", type=int, default=500, help="of each process in processes")
    options = parser.parse_args(arguments)
    settings = Settings(**{one.name: getattr(options, one.name) for one in fields(Settings)})
    # Ended from outside, clean up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    about = environment()
    print(json.dumps(about))
    parts = []
    for name in options.only or PARTS:
        with TemporaryDirectory(prefix="bench-write-", dir=options.work) as work:
            say(f"{name}: {PARTS[name].__doc__}")
            parts.append(PARTS[name](settings, Path(work)))
        print_part(parts[-1])
        if options.json:
            found = {"environment": about, "parts": [part.as_dict() for part in parts]}
            options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
