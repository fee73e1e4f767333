"""Compare a sweep with the catalog: the state of each configuration, place by place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from duckdb import DuckDBPyConnection

from catalog.prices.files import full_path, read_bars
from catalog.prices.series import load_series
from catalog.statements import statement
from catalog.store.database import reading
from catalog.sweeps.composites import Composites
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
        for group in _groups(key_batches(self.sweep.grids)):
            kind = group[0][0].kind
            together = [key for _, _, keys in group for key in keys]
            looks = [known[kind].look_up(together) for known in self.known]
            begin = 0
            for grid, numbers, keys in group:
                own = slice(begin, begin := begin + len(keys))
                for place, known, (states, reasons) in zip(
                    self.places, self.known, looks, strict=True
                ):
                    texts = known[kind].texts
                    yield Compared(place, grid, numbers, keys, states[own], reasons[own], texts)


_TOGETHER: Final = 20_000
"""Keys of small entries that are looked up at once: what is known is hashed for every time."""

_Batch = tuple[Grid, Numbers, list[str]]


def _groups(batches: Iterable[_Batch]) -> Iterator[list[_Batch]]:
    """Yield neighbouring batches of one kind together, as long as these are small."""
    group: list[_Batch] = []
    count = 0
    for batch in batches:
        if group and (batch[0].kind != group[0][0].kind or count + len(batch[2]) > _TOGETHER):
            yield group
            group, count = [], 0
        group.append(batch)
        count += len(batch[2])
    if group:
        yield group


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
    composites = Composites(sweep.grids)
    with reading(catalog) as con:
        looks = [
            look(
                con,
                catalog,
                name,
                wanted=wanted,
                types=sorted({grid.type for grid in sweep.grids}),
                composites=composites,
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
    composites: Composites | None = None,
    codes: Mapping[str, Sequence[str]],
    noted: Noted,
) -> tuple[Place, Any, dict[tuple[str, str], str]]:
    """
    Return a place, the best trace of each configuration there, and what changed in components.

    Args:
        name: symbol and timeframe.
        types: only strategies of these types; all where it is None.
        composites: in which those are looked for whose components changed.
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
    if composites is not None and composites.grids:
        found = con.execute(statement("sweep_composites"), {**values, "types": types}).fetchall()
        changed = composites.changed([row[:2] for row in found])
    return place, traces, changed
