"""The parts of the benchmark of metrics: what is measured beside what, and the figures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from measure import alternate, measure, say
from metrics_data import Home, Shape, make_catalog, make_market
from report import Figure, Part, Run, median

CORES = 2
MANY = 10_000
"""Strategies of which something is promised."""
VECTORBT_CHUNK = 20
"""So many strategies at once vectorbt is quickest with."""
TOLERANCE = 1e-9
LIMIT_GB = 12
"""Of vectorbt's address space where it is given ever more strategies at once."""

Side = Callable[[], Run]


@dataclass(frozen=True)
class Settings:
    """What the command line asks for."""

    strategies: list[int]
    bars: int
    repetitions: int
    vectorbt: int
    curve: int
    curve_bars: list[int]
    curve_permille: list[int]
    data: Path


def sizes(settings: Settings, home: Home) -> list[Part]:
    """Compute ever more strategies with 2 % changes, beside dense NumPy and vectorbt."""
    made = {}
    for strategies in settings.strategies:
        shape = Shape(strategies, settings.bars, settings.bars // 50)
        made[strategies] = _beside(settings, home, shape, dense_times=3.0)
    parts = list(made.values())
    few, many = made[min(made)], made[max(made)]
    parts[-1].figures.extend(_beside_vectorbt(made))
    if max(made) == MANY:
        whole = many.sides["Catalog.metrics"]
        parts[-1].figures.append(Figure("Catalog.metrics, seconds", median(whole), most=12))
        peak = median(whole, "peak_bytes") / 1e6
        parts[-1].figures.append(Figure("Catalog.metrics, MB at its peak", peak, most=3_000))
    parts[-1].figures.extend(
        Figure(f"{max(made) / min(made):g} times the strategies: {side}, times the time", ratio)
        for side in ("Catalog.metrics", "computing", "dense")
        for ratio in (median(many.sides[side]) / median(few.sides[side]),)
    )
    return parts


def sparse(settings: Settings, home: Home) -> list[Part]:
    """Compute strategies with 0.2 % changes, beside dense NumPy."""
    shape = Shape(max(settings.strategies), settings.bars, settings.bars // 500)
    return [_beside(settings, home, shape, dense_times=20.0, with_vectorbt=False)]


def survival(settings: Settings, home: Home) -> list[Part]:
    """Give vectorbt ever more strategies at once, until a share of the memory is not enough."""
    runs: dict[str, list[Run]] = {}
    strategies = min(settings.strategies)
    while strategies <= max(settings.strategies):
        shape = Shape(strategies, settings.bars, settings.bars // 50)
        side = _side("vectorbt", home, shape, chunk=strategies, limit=LIMIT_GB << 30)
        try:
            runs[f"vectorbt, {strategies:,} at once"] = [side()]
        except SystemExit:
            if not runs:
                raise
            say(f"vectorbt does not survive {strategies:,} strategies in {LIMIT_GB} GB")
            break
        strategies *= 2
    _check(runs)
    about = f"{settings.bars:,} bars, at most {LIMIT_GB} GB of address space; a file is a strategy"
    peaks = [Figure(f"{side}, GB", runs[side][0]["peak_bytes"] / 1e9) for side in runs]
    return [Part("survival", about, runs, peaks)]


def bars(settings: Settings, home: Home) -> list[Part]:
    """Compute the same number of changes over ever more bars."""
    changes = settings.bars // 50
    shapes = [Shape(settings.curve, one, changes) for one in settings.curve_bars]
    return [_curve("bars", settings, home, shapes, lambda shape: f"{shape.bars:,} bars")]


def changes(settings: Settings, home: Home) -> list[Part]:
    """Compute ever more changes over the same bars."""
    shapes = [
        Shape(settings.curve, settings.bars, settings.bars * one // 1_000)
        for one in settings.curve_permille
    ]
    return [_curve("changes", settings, home, shapes, lambda shape: f"{shape.changes:,} changes")]


def _beside(
    settings: Settings, home: Home, shape: Shape, *, dense_times: float, with_vectorbt: bool = True
) -> Part:
    """Measure a shape in every way, and see that all ways come to the same."""
    catalog = make_catalog(home, shape)
    sides: dict[str, Side] = {
        "Catalog.metrics": lambda: measure(
            "metrics_sides:whole", expect=shape.strategies, catalog=catalog,
            strategies=shape.strategies, workers=CORES,
        ),
        "computing": _side("computed", home, shape, workers=CORES),
        "computing, 1 thread": _side("computed", home, shape, workers=1),
        "dense": _side("dense", home, shape, workers=CORES),
        "dense, 1 thread": _side("dense", home, shape, workers=1),
    }  # fmt: skip
    if with_vectorbt and shape.strategies <= settings.vectorbt:
        sides["vectorbt, all at once"] = _side("vectorbt", home, shape, chunk=shape.strategies)
        sides[f"vectorbt, {VECTORBT_CHUNK} at once"] = _side(
            "vectorbt", home, shape, chunk=VECTORBT_CHUNK
        )
    runs = alternate(settings.repetitions, sides)
    _check(runs)
    return Part(
        f"{shape.strategies:,} × {100 * shape.changes / shape.bars:g} %",
        f"{shape}; a file is a strategy",
        runs,
        [
            Figure(
                "1 thread: dense / computing",
                _ratio(runs, "dense, 1 thread", "computing, 1 thread"),
                least=dense_times if shape.strategies == MANY else None,
            ),
            Figure(
                "the same in CPU time",
                _ratio(runs, "dense, 1 thread", "computing, 1 thread", key="cpu_seconds"),
            ),
            Figure("dense / computing", _ratio(runs, "dense", "computing")),
            Figure("dense / Catalog.metrics", _ratio(runs, "dense", "Catalog.metrics")),
            *(
                Figure(f"{peer} / {side}", _ratio(runs, peer, side))
                for peer in runs
                if peer.startswith("vectorbt")
                for side in ("Catalog.metrics", "computing, 1 thread")
            ),
        ],
    )


def _curve(
    name: str, settings: Settings, home: Home, shapes: list[Shape], label: Callable[[Shape], str]
) -> Part:
    sides = {
        f"{label(shape)}: {side}": _side(function, home, shape, workers=1)
        for shape in shapes
        for side, function in {"computing": "computed", "dense": "dense"}.items()
    }
    runs = alternate(settings.repetitions, sides)
    for shape in shapes:
        _check({side: made for side, made in runs.items() if side.startswith(f"{label(shape)}:")})
    least, most = label(shapes[0]), label(shapes[-1])
    return Part(
        name,
        f"{settings.curve:,} strategies in one thread; a file is a strategy",
        runs,
        [
            Figure(
                f"{side}, {what}: {most} / {least}",
                _ratio(runs, f"{most}: {side}", f"{least}: {side}", key=key),
            )
            for side in ("computing", "dense")
            for what, key in {"wall": "seconds", "CPU": "cpu_seconds"}.items()
        ],
    )


def _side(function: str, home: Home, shape: Shape, **more: int) -> Side:
    prices = make_market(home, shape.bars)
    return lambda: measure(
        f"metrics_sides:{function}", expect=shape.strategies, prices=prices,
        strategies=shape.strategies, bars=shape.bars, changes=shape.changes, **more,
    )  # fmt: skip


def _check(runs: dict[str, list[Run]]) -> None:
    """See that the figures of the first strategies are the same, whoever made them."""
    right: dict[str, list[float]] = {}
    for side, made in runs.items():
        for run in made:
            for name, values in run.pop("sample", {}).items():
                for one, other in zip(right.setdefault(name, values), values, strict=True):
                    if not math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
                        raise SystemExit(f"{side} has {name} {other} where others have {one}")


def _ratio(runs: dict[str, list[Run]], above: str, below: str, key: str = "seconds") -> float:
    return median(runs[above], key) / median(runs[below], key)


def _beside_vectorbt(made: dict[int, Part]) -> list[Figure]:
    """Compare what a strategy takes, at the most strategies that each side was measured with."""
    survived = [one for one, part in made.items() if "vectorbt, all at once" in part.sides]
    if not survived:
        return []
    least, most = max(survived), max(made)
    theirs, ours = made[least].sides, made[most].sides
    return [
        Figure(
            f"a strategy, {what}: {peer} ({least:,}) / {side} ({most:,})",
            median(theirs[peer], key) / least / (median(ours[side], key) / most),
            least=100 if most == MANY and key == "seconds" else None,
        )
        for peer in theirs
        if peer.startswith("vectorbt")
        for side in ("Catalog.metrics", "computing, 1 thread")
        for what, key in {"wall": "seconds", "CPU": "cpu_seconds"}.items()
    ]


PARTS = {part.__name__: part for part in (sizes, sparse, survival, bars, changes)}
