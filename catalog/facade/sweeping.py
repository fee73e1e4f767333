"""Sweeps that do not repeat work: what of one is computed, what is not, and computing that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.strategy import Strategy
    from catalog.sweeps.code import Given
    from catalog.sweeps.compare import Comparison
    from catalog.sweeps.grid import Sweep
    from catalog.sweeps.places import Wanted
    from catalog.sweeps.rows import NotComputed
    from catalog.sweeps.run import SweepRun
    from catalog.sweeps.status import SweepStatus

Config = TypeVar("Config", bound="Mapping[str, Any] | Strategy")


class Sweeping(Located):
    """
    Sweeps that do not repeat work.

    Configurations are compared by what they mean (`config_key`), each on a symbol and timeframe
    and over a range: the one given, else all registered prices. Each is in one state:

    - done: there is a trace over the range. What nobody knows of it is not held against it.
    - behind: its trace is on unchanged prices up to their end of then; more were appended.
    - stale: the prices differ over the range of its trace, or the code, or a component.
    - failed: computing it failed, and no trace is newer.
    - missing: there is no trace over the range.
    """

    def missing(
        self,
        configs: Iterable[Config] | Sweep,
        *,
        symbol: str,
        timeframe: str,
        start: Any = None,
        end: Any = None,
        bars: tuple[int, int] | None = None,
        kind: str = "signal",
        strategy: Given = None,
        states: Collection[str] = ("missing", "stale", "failed"),
    ) -> list[Config]:
        """
        Return those of some configurations that are not computed, in their order.

            for config in catalog.missing(configs, symbol="SPY", timeframe="5m"):
                ...

        Of several that mean the same, the first is returned.

        Args:
            configs: mappings or Strategies; or a Sweep, whose configurations are returned.
            start: a date or moment: the first that is to be covered; all prices unless given.
            end: the last one.
            bars: instead of these, the first and the last 0-based bar.
            kind: `signal` or `classifier`.
            strategy: as for `run_sweep`, so that traces of other code are not taken for done.
            states: those that count as not computed.

        Raises:
            ConfigurationError: a configuration cannot be hashed.
            UsageError: there are neither prices nor a range, or no bars in it.
            StoreError: the catalog cannot be used.
        """
        from catalog.sweeps.code import load_codes
        from catalog.sweeps.grid import Sweep
        from catalog.sweeps.missing import missing
        from catalog.sweeps.places import Wanted, names_of

        _check_states(states)
        nothing = Sweep.declare(strategies={"type": "any"})
        return missing(
            self.path,
            configs,
            name=names_of(nothing, [symbol], [timeframe])[0],
            wanted=Wanted(start, end, bars),
            codes=load_codes(strategy),
            kind=kind,
            states=states,
        )

    def sweep_status(
        self,
        sweep: PathLike | Sweep,
        *,
        symbols: Sequence[str] = (),
        timeframes: Sequence[str] = (),
        start: Any = None,
        end: Any = None,
        bars: tuple[int, int] | None = None,
        strategy: Given = None,
    ) -> SweepStatus:
        """
        Count the configurations of a sweep by symbol, timeframe, strategy type and state.

        Args:
            sweep: a sweep file, or what `Sweep.declare` returned.
            symbols: instead of those that it says.
            timeframes: likewise.
            start: the first date or moment of the range; all registered prices unless given.
            end: the last one.
            bars: instead of these, the first and the last 0-based bar.
            strategy: as for `run_sweep`, so that traces of other code are stale.

        Raises:
            SweepFileError: the sweep file cannot be used.
            UsageError: no symbol or timeframe is said, or there are neither prices nor a range.
            StoreError: the catalog cannot be used.
        """
        from catalog.sweeps.places import Wanted
        from catalog.sweeps.status import count_states

        wanted = Wanted(start, end, bars)
        return count_states(self._compare(sweep, symbols, timeframes, wanted, strategy)())

    def sweep_missing(
        self,
        sweep: PathLike | Sweep,
        *,
        symbols: Sequence[str] = (),
        timeframes: Sequence[str] = (),
        start: Any = None,
        end: Any = None,
        bars: tuple[int, int] | None = None,
        strategy: Given = None,
        states: Collection[str] = ("missing", "stale", "failed"),
    ) -> NotComputed:
        """
        Return an iterator of Arrow tables of the configurations of a sweep in some states.

        A row has state, kind, strategy_type, strategy_id, symbol, timeframe, from, to,
        strategy_hash, config_key, config (JSON) and why. The arguments are those of
        `sweep_status`, and `states`. The catalog is looked at once, when this is called. Once all
        tables were taken, `counts` of what is returned says how many are in each state.

        Raises:
            as `sweep_status`.
        """
        from catalog.sweeps.places import Wanted
        from catalog.sweeps.rows import NotComputed

        _check_states(states)
        wanted = Wanted(start, end, bars)
        return NotComputed(self._compare(sweep, symbols, timeframes, wanted, strategy)(), states)

    def run_sweep(
        self,
        sweep: PathLike | Sweep,
        strategy: Given,
        *,
        symbols: Sequence[str] = (),
        timeframes: Sequence[str] = (),
        start: Any = None,
        end: Any = None,
        bars: tuple[int, int] | None = None,
        states: Collection[str] = ("missing", "stale", "failed"),
        runs: PathLike | None = None,
        workers: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> SweepRun:
        """
        Compute the configurations of a sweep that are not computed, and register their traces.

        Killed or interrupted at any moment, it goes on when it is called again: what was written
        is registered first, and only the rest is computed. Traces go into a new run directory
        each time, and nothing is written over.

        Args:
            strategy: `function(config, bars)`, or its name as `module:function`, or a mapping of
                strategy types to these. `config` is the configuration, a dict with `type` and
                `parameters`; `bars` is an Arrow table of the range, with ts, open, high, low,
                close, volume, session_date, bar_index and more, a row a bar. It returns the
                position at the close of each bar as a fraction of equity, for a classifier its
                state as text; an array, list or series as long as `bars`. What it raises is
                recorded as a failure of that configuration, and does not stop the others.
            states: those that are computed; `behind` may be added.
            runs: the folder in which the run's directory is made; `runs` beside the catalog
                unless given.
            workers: processes, one a core unless given; with 1 all is computed in this process.
            progress: called with how many configurations are done, and how many there are.

        Raises:
            SweepFileError: the sweep file cannot be used.
            UsageError: there is no such function, there are no prices, or a range without bars.
            StoreError: the catalog cannot be used.
            CatalogError: a trace cannot be written.
        """
        from catalog.sweeps.code import load_codes
        from catalog.sweeps.places import Wanted
        from catalog.sweeps.run import run_sweep

        _check_states(states)
        loaded, codes = _loaded(sweep), load_codes(strategy)
        wanted = Wanted(start, end, bars)
        return run_sweep(
            self.path,
            loaded,
            codes,
            compare=self._compare(loaded, symbols, timeframes, wanted, strategy),
            states=states,
            runs=None if runs is None else Path(runs),
            workers=workers,
            **({} if progress is None else {"progress": progress}),
        )

    def _compare(
        self,
        sweep: PathLike | Sweep,
        symbols: Sequence[str],
        timeframes: Sequence[str],
        wanted: Wanted,
        strategy: Given,
    ) -> Callable[[], Comparison]:
        from catalog.sweeps.code import load_codes
        from catalog.sweeps.compare import compare_sweep

        loaded, codes = _loaded(sweep), load_codes(strategy)
        digests: Mapping[str, Sequence[str]] = codes.digests({grid.type for grid in loaded.grids})
        return lambda: compare_sweep(
            self.path,
            loaded,
            symbols=symbols,
            timeframes=timeframes,
            wanted=wanted,
            codes=digests,
        )


def _loaded(sweep: PathLike | Sweep) -> Sweep:
    from catalog.sweeps.file import load_sweep
    from catalog.sweeps.grid import Sweep

    return sweep if isinstance(sweep, Sweep) else load_sweep(sweep)


def _check_states(states: Collection[str]) -> None:
    from catalog.errors import UsageError
    from catalog.sweeps.ranges import STATES

    for state in [states] if isinstance(states, str) else states:
        if state not in STATES or isinstance(states, str):
            there = ", ".join(STATES)
            raise UsageError(f"{state!r} is no list of states", hint=f"There are {there}")
