"""
Measure how long the probability of overfitting takes, beside ffn's on the same returns.

    python tests/benchmarks/overfitting.py
    python tests/benchmarks/overfitting.py --only many --trials 20000

Both sides cut 16 blocks, compare 12,870 combinations, and must give the same probability.
What is not equal work: ffn measures each half anew from its sessions with pandas, so that any
other measure could be given instead; ours knows the Sharpe ratio only, which sums give.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from environment import environment
from measure import alternate, measure, say
from report import Figure, Part, Run, median, print_part

PEER_TRIALS = 100
PEER_SESSIONS = 1_000
COMBINATIONS = 12_870


@dataclass(frozen=True)
class Settings:
    """What the command line asks for."""

    repetitions: int
    trials: int
    sessions: int


def ours(trials: int, sessions: int) -> Callable[[], dict[str, Any]]:
    """Estimate the probability with the catalog."""
    from catalog.compare.overfitting import probability_of_overfitting

    returns = _returns(trials, sessions)

    def call() -> dict[str, Any]:
        found = probability_of_overfitting(returns)
        assert found.combinations == COMBINATIONS
        return {"files": found.trials, "probability": found.probability}

    return call


def theirs(trials: int, sessions: int) -> Callable[[], dict[str, Any]]:
    """Estimate the probability with ffn."""
    import pandas
    from ffn.core import calc_prob_backtest_overfitting

    returns = pandas.DataFrame(_returns(trials, sessions))

    def call() -> dict[str, Any]:
        probability = calc_prob_backtest_overfitting(returns)
        return {"files": trials, "probability": float(probability)}

    return call


def nothing(trials: int, sessions: int) -> Callable[[], dict[str, Any]]:
    """Hold the returns and everything that is imported, for the memory that they take."""
    from catalog.compare import overfitting  # noqa: F401

    returns = _returns(trials, sessions)
    return lambda: {"files": returns.shape[1]}


def peer(settings: Settings) -> Part:
    """Estimate the probability for few trials, beside ffn."""
    shape = {"trials": PEER_TRIALS, "sessions": PEER_SESSIONS}
    sides = alternate(
        settings.repetitions,
        {"catalog": lambda: _run("ours", **shape), "ffn": lambda: _run("theirs", **shape)},
    )
    found = {run["probability"] for runs in sides.values() for run in runs}
    if len(found) != 1:
        raise SystemExit(f"The sides do not agree: {sorted(found)}")
    return Part(
        "peer",
        f"{PEER_TRIALS} trials × {PEER_SESSIONS:,} sessions",
        sides,
        [Figure("ffn / catalog", median(sides["ffn"]) / median(sides["catalog"]))],
    )


def many(settings: Settings) -> Part:
    """Estimate the probability for as many trials as a sweep has."""
    shape = {"trials": settings.trials, "sessions": settings.sessions}
    sides = alternate(
        settings.repetitions,
        {"catalog": lambda: _run("ours", **shape), "nothing": lambda: _run("nothing", **shape)},
    )
    peak, held = (median(runs, "peak_bytes") / 1e6 for runs in sides.values())
    return Part(
        "many",
        f"{settings.trials:,} trials × {settings.sessions:,} sessions",
        sides,
        [
            Figure("seconds", median(sides["catalog"]), most=20),
            Figure("MB beyond the returns and what is imported", peak - held, most=500),
        ],
    )


def _run(side: str, *, trials: int, sessions: int) -> Run:
    return measure(f"overfitting:{side}", expect=trials, trials=trials, sessions=sessions)


def _returns(trials: int, sessions: int) -> np.ndarray:
    return np.random.default_rng(8).normal(0, 0.01, (sessions, trials))


PARTS = {part.__name__: part for part in (peer, many)}


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts that are asked for, and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    add = parser.add_argument
    add("--only", choices=PARTS, action="append", help="this part; may be given many times")
    add("--json", type=Path, help="write every single run there")
    add("--repetitions", type=int, default=5, help="of every side")
    add("--trials", type=int, default=10_000, help="in many")
    add("--sessions", type=int, default=250, help="in many")
    options = parser.parse_args(arguments)
    settings = Settings(**{one.name: getattr(options, one.name) for one in fields(Settings)})
    # Ended from outside, clean up as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    about = environment()
    print(json.dumps(about))
    parts = []
    for name in options.only or PARTS:
        say(f"{name}: {PARTS[name].__doc__}")
        parts.append(PARTS[name](settings))
        print_part(parts[-1])
        if options.json:
            found = {"environment": about, "parts": [part.as_dict() for part in parts]}
            options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
