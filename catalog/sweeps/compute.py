"""Compute some configurations of a sweep, and write and register their traces."""

from __future__ import annotations

import time
import traceback
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from catalog.canonical import encode
from catalog.prices.files import read_bars
from catalog.register.written import register_finalized
from catalog.strategy import config_key
from catalog.sweeps.code import Code
from catalog.sweeps.failures import Failure, clean, record_failures
from catalog.sweeps.grid import Grid, Sweep
from catalog.sweeps.members import Numbers, words
from catalog.sweeps.names import StrategyNames
from catalog.sweeps.places import Place
from catalog.traces.content import prices_digest
from catalog.traces.signals import write_signals
from catalog.traces.target import Target
from catalog.traces.write import changes_in, write_trace

_LONGEST_ERROR: Final = 500
_SECONDS: Final = 10.0
"""That a chunk may take to compute: so much is lost at most when everything is killed."""


@dataclass(frozen=True, eq=False)
class Job:
    """What every process of a run knows: `prices` are the files of the series of the places."""

    catalog: Path
    sweep: Sweep
    places: tuple[Place, ...]
    prices: tuple[Path, ...]
    names: StrategyNames
    run_directory: Path


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some combinations of one grid at one place, by their numbers."""

    place: int
    grid: int
    numbers: Numbers


@dataclass
class Done:
    """
    What a chunk came to: how many traces are written, which strategies failed and why.

    `left` are the numbers of those that were not begun, for it took long enough, or the run is
    being stopped. `waiting` traces are complete, and will be registered by the next who writes,
    for the catalog was in use.
    """

    computed: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    waiting: int = 0
    left: Numbers | None = None


@dataclass(frozen=True)
class Broken:
    """What comes of a chunk instead where computing it went wrong in no strategy that is known."""

    why: str


class Computer:
    """Computes chunks of a job, one after the other. `is_stopping` lets it end within one."""

    def __init__(self, job: Job, codes: dict[str, Code]) -> None:
        self._job = job
        self._codes = codes
        self._bars: tuple[int, _PlaceBars] | None = None
        self.is_stopping = False

    def compute(self, chunk: Chunk) -> Done:
        """
        Compute a chunk, or for about ten seconds; all traces are registered in one transaction.

        A strategy that raises, or does not return what it should, is recorded as failed.

        Raises:
            CatalogError: a file cannot be written, or the catalog cannot be used.
        """
        begun = time.monotonic()
        job, done = self._job, Done()
        place, grid = job.places[chunk.place], job.sweep.grids[chunk.grid]
        bars, code = self._bars_of(chunk.place), self._codes[grid.type]
        made: dict[str, tuple[dict[str, Any], Any]] = {}
        failures: list[Failure] = []
        begun_of = zip(chunk.numbers.tolist(), words(grid, chunk.numbers), strict=True)
        for number, own in begun_of:
            count = len(made) + len(failures)
            if self.is_stopping or (count and time.monotonic() - begun > _SECONDS):
                done.left = chunk.numbers[count:]
                break
            config = grid.member(number, None).config
            strategy_hash = sha256(encode(config)).hexdigest()[:12]
            strategy_id = job.names.name(place, chunk.grid, own, strategy_hash)
            try:
                # It may do with what it is given as it likes.
                said = code.function(deepcopy(config), bars.table)
                made[strategy_id] = config, _checked(said, grid.kind, len(bars.ts))
            except (Exception, SystemExit) as error:
                text = _text_of(error)
                done.failed.append((strategy_id, text))
                failures.append(failure_of(job, chunk, number, strategy_id, text))
        if made:
            paths = self._write(place, grid, made, bars, code.digest)
            done.computed = len(paths)
            if not register_finalized(job.catalog, paths):
                done.waiting = len(paths)
        record_failures(job.catalog, failures)
        return done

    def _write(
        self,
        place: Place,
        grid: Grid,
        made: dict[str, tuple[dict[str, Any], Any]],
        bars: _PlaceBars,
        code_digest: str | None,
    ) -> list[Target]:
        # All at once, and not as events: those would be told about every bar for every chunk.
        job = self._job
        about: dict[str, Any] = {
            "symbol": place.symbol,
            "timeframe": place.timeframe,
            "run_id": job.run_directory.name,
            "data_digest": bars.digest,
            "code_digest": code_digest,
        }
        if grid.kind == "signal":
            return write_signals(
                job.run_directory,
                {name: (bars.index[kept], values) for name, (_, (kept, values)) in made.items()},
                configs={name: config for name, (config, _) in made.items()},
                ts=bars.ts,
                prices=bars.close,
                bar_index=bars.index,
                **about,
            )
        return [
            write_trace(
                job.run_directory,
                config=config,
                strategy_id=name,
                bar_index=bars.index[kept],
                ts=bars.ts[kept],
                values=states,
                prices=bars.close[kept],
                first_bar=int(bars.index[0]),
                last_bar=int(bars.index[-1]),
                first_ts=bars.ts[0],
                last_ts=bars.ts[-1],
                kind="classifier",
                **about,
            )
            for name, (config, (kept, states)) in made.items()
        ]

    def _bars_of(self, number: int) -> _PlaceBars:
        if self._bars is None or self._bars[0] != number:
            place, path = self._job.places[number], self._job.prices[number]
            self._bars = number, _PlaceBars(place_bars(place, path))
        return self._bars[1]


def place_bars(place: Place, prices: Path) -> Any:
    """Return the bars of a place's range with all columns, an Arrow table."""
    assert place.first is not None and place.last is not None  # noqa: S101 - has prices
    return read_bars(prices).slice(place.first, place.last - place.first + 1).combine_chunks()


@dataclass(frozen=True, eq=False)
class _PlaceBars:
    """The bars of a place's range: as strategies are given them, and as traces need them."""

    table: Any

    @cached_property
    def index(self) -> NDArray[np.int64]:
        return np.array(self.table["bar_index"].to_numpy(), np.int64)

    @cached_property
    def ts(self) -> Any:
        return self.table["ts"].to_numpy().astype("datetime64[us]")

    @cached_property
    def close(self) -> NDArray[np.float64]:
        return np.array(self.table["close"].to_numpy(), np.float64)

    @cached_property
    def digest(self) -> str:
        return prices_digest(
            self.table["ts"].combine_chunks(), self.table["close"].combine_chunks()
        )


def id_of(job: Job, chunk: Chunk, number: int) -> str:
    """Return the id of a strategy in the run."""
    place, grid = job.places[chunk.place], job.sweep.grids[chunk.grid]
    (own,) = words(grid, np.array([number]))
    strategy_hash = sha256(encode(grid.member(number, None).config)).hexdigest()[:12]
    return job.names.name(place, chunk.grid, own, strategy_hash)


def failure_of(job: Job, chunk: Chunk, number: int, strategy_id: str, error: str) -> Failure:
    """Return the record of a strategy that failed just now."""
    place, grid = job.places[chunk.place], job.sweep.grids[chunk.grid]
    assert place.from_us is not None and place.to_us is not None  # noqa: S101 - has prices
    return Failure(
        config_key=config_key(grid.member(number, None).config),
        kind=grid.kind,
        symbol=place.symbol,
        timeframe=place.timeframe,
        from_us=place.from_us,
        to_us=place.to_us,
        failed_us=time.time_ns() // 1_000,
        error=error,
        run_id=job.run_directory.name,
        strategy_id=strategy_id,
    )


class _WrongResultError(Exception):
    """A strategy returned what is no position or state of every bar."""


def _checked(said: Any, kind: str, bars: int) -> tuple[NDArray[np.int64], Any]:
    """Return where what a strategy returned changes, and to what."""
    if kind == "classifier":
        return _states(said, bars)
    try:
        values = np.asarray(said, np.float64)
    except (TypeError, ValueError):
        raise _WrongResultError(
            f"it returned {_described(said)}, and not a number for each of {bars:,} bars"
        ) from None
    if values.shape != (bars,):
        raise _WrongResultError(
            f"it returned {_described(said)}, and not a number for each of {bars:,} bars"
        )
    if not (is_finite := np.isfinite(values)).all():
        bar = int(np.flatnonzero(~is_finite)[0])
        raise _WrongResultError(
            f"it returned {values[bar]} for bar {bar:,} of {bars:,}: 0 is no position"
        )
    kept = changes_in(values)
    return kept, values[kept]


def _states(said: Any, bars: int) -> tuple[NDArray[np.int64], Any]:
    try:
        states = np.array([*said], object)
    except TypeError:
        states = np.array([], object)
    if states.shape != (bars,) or not all(isinstance(one, str) and one for one in states):
        raise _WrongResultError(
            f"it returned {_described(said)}, and not a text for each of {bars:,} bars"
        )
    kept = changes_in(states)
    return kept, [str(one) for one in states[kept]]


def _described(said: Any) -> str:
    shape = getattr(said, "shape", None)
    if shape is None:
        try:
            shape = (len(said),)
        except TypeError:
            return "nothing" if said is None else f"a {type(said).__name__}"
    return f"a {type(said).__name__} of shape {tuple(shape)}"


def _text_of(error: BaseException) -> str:
    if isinstance(error, _WrongResultError):
        return clean(str(error))
    # Where it was raised, seen from the strategy and not from what that calls.
    frames = traceback.extract_tb(error.__traceback__)[1:2]
    where = f" ({Path(frames[0].filename).name}:{frames[0].lineno})" if frames else ""
    try:
        said = f": {error}"
    except Exception:  # It is a strategy's own, and so is what it says.
        said = ""
    return clean(f"{type(error).__name__}{said}"[:_LONGEST_ERROR] + where)
