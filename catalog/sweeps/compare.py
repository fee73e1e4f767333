"""Compare a sweep with the catalog: the state of each configuration, place by place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.statements import statement
from catalog.store.database import reading
from catalog.sweeps.composites import changed_components, composite_grids
from catalog.sweeps.failures import last_failures
from catalog.sweeps.grid import Grid, Sweep
from catalog.sweeps.known import Known, Reasons, States, known_by_kind, read_known
from catalog.sweeps.members import Numbers, key_batches
from catalog.sweeps.places import Place, Wanted, find_places, names_of, place_without_prices


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
    types = {grid.type for grid in sweep.grids}
    if not catalog.exists():
        # Nothing was computed yet, which is an answer where a range is given.
        places = [place_without_prices(*name, wanted) for name in names]
        nothing = known_by_kind(None, {}, {})
        return Comparison(sweep, tuple(places), (nothing,) * len(places))
    composites = composite_grids(sweep.grids)
    with reading(catalog) as con:
        places = find_places(con, catalog, names, wanted)
        traces = [read_known(con, place, types=types, codes=codes) for place in places]
        values = [
            {"symbol": p.symbol, "timeframe": p.timeframe, "types": sorted(types)} for p in places
        ]
        found = [
            con.execute(statement("sweep_composites"), value).fetchall() if composites else []
            for value in values
        ]
    changed = [changed_components(composites, [row[:2] for row in rows]) for rows in found]
    failures = last_failures(catalog, places)
    known = map(known_by_kind, traces, failures, changed)
    return Comparison(sweep, tuple(places), tuple(known))
