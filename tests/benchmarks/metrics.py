"""
Measure how fast figures are computed from traces, beside dense NumPy and vectorbt.

    python tests/benchmarks/metrics.py
    python tests/benchmarks/metrics.py --quick
    python tests/benchmarks/metrics.py --only sizes --home DIR --json FILE

README.md beside this file says what is measured, and what of it is not equal work. The
probability of overfitting beside ffn's is in overfitting.py.
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

import metrics_answers
import metrics_parts
from environment import environment
from measure import say
from metrics_data import Home
from metrics_parts import Settings
from query_parts import Asked, print_asked
from report import print_part

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
PARTS = metrics_parts.PARTS | metrics_answers.PARTS
SLOW = ("survival",)
QUICK = {
    "strategies": [100, 500],
    "repetitions": 1,
    "vectorbt": 100,
    "curve": 100,
    "curve_bars": [25_000, 100_000],
    "curve_permille": [2, 20],
}


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that are asked for, print them, and keep only what --home names."""
    options, settings = _parse(arguments)
    # Ended from outside, clean up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    about = environment()
    print(json.dumps(about))
    parts: list[dict[str, object]] = []
    kept = nullcontext(options.home)
    with kept if options.home else TemporaryDirectory(dir=options.work) as folder:
        home = Home(Path(folder).resolve())
        home.folder.mkdir(parents=True, exist_ok=True)
        for name in options.only:
            say(f"{name}: {PARTS[name].__doc__}")
            for part in PARTS[name](settings, home):
                print_asked(part) if isinstance(part, Asked) else print_part(part)
                parts.append({**asdict(part), "load_after": os.getloadavg()})
            if options.json:
                found = {"environment": about, "parts": parts}
                options.json.write_text(json.dumps(found, indent=1) + "\n")


def _parse(arguments: list[str] | None) -> tuple[argparse.Namespace, Settings]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    add = parser.add_argument
    add("--only", choices=PARTS, action="append", help="this part; may be given many times")
    add("--quick", action="store_true", help="few of everything, once: to see that all runs")
    add("--home", type=Path, help="make the data there, keep them, and use them the next time")
    add("--work", type=Path, help="where the temporary directory is made, without --home")
    add("--json", type=Path, help="write every single run there")
    add("--data", type=Path, default=DATA, help="the folder that has old_traces/ and prices/")
    add("--repetitions", type=int, default=3, help="of every side, but once for survival")
    add("--strategies", type=int, nargs="+", default=[200, 1_000, 10_000], help="in sizes")
    add("--bars", type=int, default=100_000, help="of every strategy, but in bars")
    add("--vectorbt", type=int, default=200, help="the most strategies that vectorbt is given")
    add("--curve", type=int, default=1_000, help="strategies in bars and changes")
    add("--curve-bars", type=int, nargs="+", default=[25_000, 50_000, 100_000, 200_000, 400_000])
    add("--curve-permille", type=int, nargs="+", default=[1, 2, 10, 20, 50])
    options = parser.parse_args(arguments)
    options.only = options.only or [
        name for name in PARTS if not options.quick or name != "survival"
    ]
    if options.quick:
        vars(options).update(QUICK)
    return options, Settings(**{one.name: getattr(options, one.name) for one in fields(Settings)})


if __name__ == "__main__":
    main()
