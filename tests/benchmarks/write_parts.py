"""The parts of the benchmark of writing: what is measured beside what, and the figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from measure import alternate, measure, scratch
from report import Figure, Part, Run, median

PROCESSES = (1, 4, 16)


@dataclass(frozen=True)
class Settings:
    """What the command line asks for."""

    repetitions: int
    events: int
    strategies: int
    bars: int
    traces: int


def events(settings: Settings, work: Path) -> Part:
    """Take in the events of a backtest, beside a bare loop that looks up the same."""

    def run(side: str, count: int) -> Run:
        with scratch(work) as folder:
            return measure(f"write_sides:{side}", expect=count, folder=folder, count=count)

    few, many = settings.events, 10 * settings.events
    sides = alternate(
        settings.repetitions,
        {
            "Tracer.on_event": lambda: run("on_event", few),
            "bare loop, the same look-ups": lambda: run("bare_loop", few),
        },
    )
    long = run("on_event", many)
    sides[f"Tracer.on_event, {many:,}"] = [long]
    tracer, bare = sides["Tracer.on_event"], sides["bare loop, the same look-ups"]
    before = median(tracer, "peak_bytes")
    return Part(
        "events",
        f"{few:,} events of 1,000 strategies, of which one in twenty changes",
        sides,
        [
            Figure("million events a second", few / median(tracer) / 1e6, least=1),
            Figure("… of ten times as many", many / long["seconds"] / 1e6, least=1),
            Figure("on_event / bare loop", median(tracer) / median(bare)),
            Figure("MB more for ten times as many", (long["peak_bytes"] - before) / 1e6),
        ],
    )


def signals(settings: Settings, work: Path) -> Part:
    """Write the signals of many strategies, beside writing the same changed rows plainly."""
    shape = {"strategies": settings.strategies, "bars": settings.bars}

    def run(side: str) -> Run:
        with scratch(work) as folder:
            return measure(
                f"write_sides:{side}", expect=settings.strategies, folder=folder, **shape
            )

    sides = alternate(
        settings.repetitions,
        {
            "write_signals": lambda: run("write_dense"),
            "floor: write_table, fsync, rename": lambda: run("write_floor"),
            "write_signals and register": lambda: run("write_and_register"),
            "pandas to_parquet, dense": lambda: run("write_pandas"),
        },
    )
    ours, floor, registered, dense = sides.values()
    return Part(
        "signals",
        f"{settings.strategies:,} strategies × {settings.bars:,} bars, 2 % of them changes",
        sides,
        [
            Figure("write_signals / floor", median(ours) / median(floor), most=1.5),
            Figure("… with registering / floor", median(registered) / median(floor)),
            Figure("pandas / write_signals", median(dense) / median(ours)),
            Figure("bytes of dense / ours", median(dense, "bytes") / median(ours, "bytes")),
            Figure("bytes of ours / floor", median(ours, "bytes") / median(floor, "bytes")),
        ],
    )


def processes(settings: Settings, work: Path) -> Part:
    """Finalize and register the traces of several processes in one catalog."""

    def run(count: int) -> Run:
        with scratch(work) as folder:
            expect = count * settings.traces
            return measure(
                "write_sides:many_processes", expect=expect, folder=folder,
                processes=count, traces=settings.traces,
            )  # fmt: skip

    sides = {
        f"{count} processes": [run(count) for _ in range(min(settings.repetitions, 3))]
        for count in PROCESSES
    }
    rates = {name: runs[0]["files"] / median(runs) for name, runs in sides.items()}
    return Part(
        "processes",
        f"{settings.traces:,} traces each, a Tracer each, one catalog",
        sides,
        [
            Figure(f"registrations a second, {name}", rate, least=400 if name[:2] == "16" else None)
            for name, rate in rates.items()
        ],
    )


PARTS = {part.__name__: part for part in (events, signals, processes)}
