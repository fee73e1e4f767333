"""Compare a sweep with the catalog: the state of each configuration, place by place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from catalog.prices.files import full_path, read_bars
from catalog.prices.series import load_series
from catalog.statements import statement
from catalog.store.database import reading
from catalog.sweeps.composites import changed_components, composite_grids
from catalog.sweeps.failures import last_failures
from catalog.sweeps.grid import Grid, Sweep
from catalog.sweeps.known import Known, Reasons, States, known_by_kind, read_known
from catalog.sweeps.members import Numbers, key_batches
from catalog.sweeps.places import Place, Wanted, make_place, names_of
from catalog.sweeps.versions import Noted, read_noted


@dataclass(frozen=True, eq=False)
class Compared:
    """
    Some members of a grid at a place: their numbers, keys, states, and why they are in them.

    See `Known` for states and reasons; `texts` are what reasons are places in.
    """

    place: Place
    grid: Grid
    numbers: Numbers
    keys: list[str]
    states: States
    reasons: Reasons
    texts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """
    A sweep beside what the catalog knew of it at one moment.

    Nothing of the sweep is held: its members are made, and looked up, as they are asked for.
    """

    sweep: Sweep
    places: tuple[Place, ...]
    known: tuple[dict[str, Known], ...]

    def batches(self) -> Iterator[Compared]:
        """Yield all members, entry by entry, and each batch of them place by place."""
        for grid, numbers, keys in key_batches(self.sweep.grids):
            for place, known in zip(self.places, self.known, strict=True):
                of_kind = known[grid.kind]
                states, reasons = of_kind.look_up(keys)
                yield Compared(place, grid, numbers, keys, states, reasons, of_kind.texts)


def compare_sweep(
    catalog: Path,
    sweep: Sweep,
    *,
    symbols: Sequence[str] = (),
    timeframes: Sequence[str] = (),
    wanted: Wanted,
    codes: Mapping[str, Sequence[str]],
) -> Comparison:
    """
    Look up what the catalog knows of a sweep.

    Args:
        symbols: instead of those that the sweep says.
        timeframes: likewise.
        wanted: the range that configurations are to be computed over.
        codes: the digests of the code that strategies have now, by their type.

    Raises:
        UsageError: the sweep says no symbol or timeframe, or there are neither prices nor a range.
        StoreError: the catalog cannot be used.
    """
    names = names_of(sweep, symbols, timeframes)
    if not catalog.exists():
        # Nothing was computed yet, which is an answer where a range is given.
        places = tuple(make_place(*name, wanted, None) for name in names)
        return Comparison(sweep, places, (known_by_kind(None, {}, {}),) * len(places))
    noted = read_noted(catalog, names)
    with reading(catalog) as con:
        looks = [
            look(
                con,
                catalog,
                name,
                wanted=wanted,
                types=sorted({grid.type for grid in sweep.grids}),
                grids=sweep.grids,
                codes=codes,
                noted=noted[name],
            )
            for name in names
        ]
    places = tuple(place for place, _, _ in looks)
    failures = last_failures(catalog, places, noted)
    known = (
        known_by_kind(traces, failed, changed)
        for (_, traces, changed), failed in zip(looks, failures, strict=True)
    )
    return Comparison(sweep, places, tuple(known))


def look(
    con: DuckDBPyConnection,
    catalog: Path,
    name: tuple[str, str],
    *,
    wanted: Wanted,
    types: Sequence[str] | None,
    grids: tuple[Grid, ...] = (),
    codes: Mapping[str, Sequence[str]],
    noted: Noted,
) -> tuple[Place, Any, dict[tuple[str, str], str]]:
    """
    Return a place, the best trace of each configuration there, and what changed in components.

    Args:
        name: symbol and timeframe.
        types: only strategies of these types; all where it is None.
        grids: in which composites are looked for whose components changed.
        noted: of its prices.
    """
    series = load_series(con, catalog, {name}).get(name)
    place = make_place(*name, wanted, series)
    values = {"symbol": place.symbol, "timeframe": place.timeframe}

    def bars() -> Any:
        ((price_path,),) = con.execute(statement("sweep_prices"), values).fetchall()
        return read_bars(full_path(catalog, price_path))

    traces = read_known(con, place, series, types=types, codes=codes, noted=noted, bars=bars)
    changed: dict[tuple[str, str], str] = {}
    if composites := composite_grids(grids):
        found = con.execute(statement("sweep_composites"), {**values, "types": types}).fetchall()
        changed = changed_components(composites, [row[:2] for row in found])
    return place, traces, changed
