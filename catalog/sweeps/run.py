"""Run what of a sweep is missing, over processes; killed at any moment, run it again to go on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from catalog.errors import StoreError, UsageError
from catalog.prices.files import full_path
from catalog.register.register import register
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.paths import catalog_root
from catalog.sweeps.code import Code, Codes, load_code
from catalog.sweeps.compare import Comparison
from catalog.sweeps.compute import Chunk, Done, Job, place_bars
from catalog.sweeps.crew import compute_beside, compute_here, default_workers
from catalog.sweeps.failures import drop_superseded
from catalog.sweeps.grid import Sweep
from catalog.sweeps.inputs import Handed, bars_digest, note_handed
from catalog.sweeps.names import StrategyNames
from catalog.sweeps.places import Place, no_prices
from catalog.sweeps.ranges import FAILED, MISSING, STALE, STATES
from catalog.sweeps.record import write_record

_STAMPED = r"_\d{8}T\d{6}(-\d+)?"
_ODD = re.compile(r"[^A-Za-z0-9.+=^@-]+")
Progress = Callable[[int, int], None]


@dataclass
class SweepRun:
    """
    What running a sweep came to.

    `wanted` counts, by state, what was to be computed, `computed` the traces that were written to
    `run_directory` and registered, `waiting` those of them that the next writer registers, for the
    catalog was in use. `errors` has the first errors by strategy id, `failed` counts all.
    `recovered` traces had been written by an earlier run, which was killed before it registered
    them.
    """

    run_directory: Path
    places: tuple[Place, ...] = ()
    wanted: dict[str, int] = field(default_factory=dict)
    computed: int = 0
    waiting: int = 0
    failed: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    recovered: int = 0
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """How many configurations were to be computed."""
        return sum(self.wanted.values())


MOST_ERRORS = 20


def run_sweep(
    catalog: Path,
    sweep: Sweep,
    codes: Codes,
    *,
    compare: Callable[[], Comparison],
    states: Collection[str] = (MISSING, STALE, FAILED),
    runs: Path | None = None,
    workers: int | None = None,
    progress: Progress = lambda done, total: None,
) -> SweepRun:
    """
    Compute the configurations of a sweep that are in some states; see `Catalog.run_sweep`.

    Args:
        compare: returns the sweep beside what the catalog knows now.
        runs: the folder in which the run's own is made; `runs` beside the catalog unless given.
        workers: processes; with 1, all is computed in this one.
    """
    begun = time.monotonic()
    if workers is not None and workers < 1:
        raise UsageError(f"There cannot be {workers} workers", hint="Give 1 or more")
    code_of = _codes_of(sweep, codes)
    runs = Path(catalog_root(catalog)) / "runs" if runs is None else runs
    name = _ODD.sub("-", sweep.name).strip(".-")[:80] or "sweep"
    recovered = _recover(catalog, runs, name)
    drop_superseded(catalog)
    comparison = compare()
    for place in comparison.places:
        if not place.has_prices:
            raise no_prices(place.symbol, place.timeframe)
    tasks, wanted = _tasks(comparison, states)
    is_any = any(wanted.values())
    count = min(workers or default_workers(), sum(wanted.values()))
    # Other processes must find the functions: that is known before there is a folder.
    names = {kind: _importable(code) for kind, code in code_of.items()} if count > 1 else {}
    folder = _new_folder(runs, name, make=is_any)
    report = SweepRun(folder, comparison.places, wanted, recovered=recovered)
    if is_any:
        try:
            _compute(catalog, comparison, tasks, code_of, names, report, progress, workers=count)
        finally:
            if not report.computed:
                _remove_empty(folder)
    report.seconds = time.monotonic() - begun
    return report


def _compute(
    catalog: Path,
    comparison: Comparison,
    tasks: list[Chunk],
    code_of: dict[str, Code],
    names: dict[str, str],
    report: SweepRun,
    progress: Progress,
    *,
    workers: int,
) -> None:
    """Compute chunks in this process or in others, and let the report know."""
    sweep, places, folder = comparison.sweep, comparison.places, report.run_directory
    prices = tuple(_price_files(catalog, places))
    job = Job(catalog, sweep, places, prices, StrategyNames(sweep, places), folder)
    # Before there is a trace: what is killed in between is known to be of these bars too.
    handed = list(map(partial(_handed, folder.name), places, prices))
    note_handed(catalog, handed)
    write_record(folder, sweep, places, handed)

    def note(done: Done) -> None:
        report.computed += done.computed
        report.waiting += done.waiting
        report.failed += len(done.failed)
        for strategy_id, error in done.failed[: MOST_ERRORS - len(report.errors)]:
            report.errors[strategy_id] = error
        progress(report.computed + report.failed, report.total)

    progress(0, report.total)
    if workers == 1:
        report.interrupted = compute_here(job, code_of, tasks, note)
    else:
        report.interrupted = compute_beside(job, names, tasks, note, workers=workers)


def _remove_empty(folder: Path) -> None:
    """Remove the folder of a run of which there is no trace."""
    with suppress(OSError):
        if [path.name for path in folder.iterdir()] == ["metadata.json"]:
            (folder / "metadata.json").unlink()
        folder.rmdir()


def _codes_of(sweep: Sweep, codes: Codes) -> dict[str, Code]:
    found = {}
    for grid in sweep.grids:
        code = codes.of(grid.type)
        if code is None:
            raise UsageError(
                f"There is no function for the strategy type {grid.type}",
                hint=f"Add --strategy {grid.type}=module:function, or one for all types",
            )
        found[grid.type] = code
    return found


def _importable(code: Code) -> str:
    """Return the name of a function under which another process finds it."""
    try:
        if not code.name.startswith("__main__:") and load_code(code.name).function is code.function:
            return code.name
    except UsageError:
        pass
    raise UsageError(
        f"Other processes cannot import the function {code.name}",
        hint="Put it into a module of its own, or compute in this process: workers=1",
    )


def _recover(catalog: Path, runs: Path, name: str) -> int:
    """Register what earlier runs of the sweep wrote and, killed, did not register."""
    if not catalog.exists():
        return 0
    is_ours = re.compile(re.escape(name) + _STAMPED).fullmatch
    folders = [one for one in runs.glob(f"{name}_*") if is_ours(one.name) and one.is_dir()]
    return register(catalog, sorted(folders)).kinds.total() if folders else 0


def _tasks(comparison: Comparison, states: Collection[str]) -> tuple[list[Chunk], dict[str, int]]:
    chosen = [state for state in STATES if state in states]
    is_wanted = np.isin(np.arange(len(STATES)), [STATES.index(state) for state in chosen])
    grid_of = {id(grid): number for number, grid in enumerate(comparison.sweep.grids)}
    place_of = {place: number for number, place in enumerate(comparison.places)}
    tasks: list[Chunk] = []
    counts = dict.fromkeys(chosen, 0)
    for one in comparison.batches():
        numbers = one.numbers[is_wanted[one.states]]
        if len(numbers):
            tasks.append(Chunk(place_of[one.place], grid_of[id(one.grid)], numbers))
        for state in chosen:
            counts[state] += int(np.count_nonzero(one.states == STATES.index(state)))
    return tasks, counts


def _handed(run_id: str, place: Place, prices: Path) -> Handed:
    bars = place_bars(place, prices)
    assert place.from_us is not None and place.to_us is not None  # noqa: S101 - has prices
    ends = place.from_us, place.to_us
    return Handed(run_id, place.symbol, place.timeframe, *ends, bars_digest(bars))


def _price_files(catalog: Path, places: Iterable[Place]) -> Iterable[Path]:
    with reading(catalog) as con:
        for place in places:
            values = {"symbol": place.symbol, "timeframe": place.timeframe}
            row = con.execute(statement("sweep_prices"), values).fetchone()
            if row is None:
                raise no_prices(place.symbol, place.timeframe)
            yield full_path(catalog, row[0])


def _new_folder(runs: Path, name: str, *, make: bool) -> Path:
    """
    Return where a new run is to be: a trace that there is, is never written over.

    Args:
        make: so that no other run that begins in this second takes it.

    Raises:
        StoreError: it cannot be made.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    folder, number = runs / f"{name}_{stamp}", 1
    while not _is_claimed(folder) if make else folder.exists():
        number += 1
        folder = runs / f"{name}_{stamp}-{number}"
    return folder


def _is_claimed(folder: Path) -> bool:
    """Make a folder, and say whether it was not there."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if folder.parent.is_dir():
            return False
        raise StoreError(
            f"Cannot make {folder}: {folder.parent} is no folder", hint="Choose another: --runs"
        ) from None
    except OSError as error:
        raise StoreError(
            f"Cannot make {folder}: {error.strerror}",
            hint="Choose another folder for runs: --runs FOLDER",
        ) from error
    return True
