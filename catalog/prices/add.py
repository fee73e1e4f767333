"""
Add a price series to the catalog, or a newer version of one.

Its file appears first, then the catalog knows it, in one transaction with all that depends on it;
then the file that it replaces goes. Whoever is killed at any moment leaves the catalog as it was
before, or as it is after; what is left over goes with the next series that is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.errors import StoreError
from catalog.prices.bars import OPEN, Bars
from catalog.prices.checks import Finding, missing_bars
from catalog.prices.files import (
    full_path,
    holds,
    paths_in_use,
    read_bars,
    remove_orphans,
    stored_path,
    write_bars,
)
from catalog.prices.numbering import (
    Numbering,
    Origin,
    find_moved,
    first_numbering,
    next_numbering,
)
from catalog.prices.prepare import prepare, terms_of
from catalog.prices.source import read_source
from catalog.statements import statement
from catalog.store.database import writing
from catalog.store.facts import noting
from catalog.store.paths import catalog_root
from catalog.store.registered import registered
from catalog.store.transactions import transaction
from catalog.store.views import refresh_views


@dataclass(frozen=True)
class PricesAdded:
    """
    A series as the catalog knows it now, and what is odd about it.

    `state` is added, replaced or unchanged. `missing_bars` lie between others in the regular
    hours of a session. `prepended_bars` is 0 as long as bar numbers mean what they meant when
    the series was first added, or last renumbered. `warnings` are all that is odd,
    `needs_attention` says whether one of them should be looked at before numbers are relied on.
    """

    state: str
    symbol: str
    timeframe: str
    time_zone: str
    bar_label: str
    regular_hours: str | None
    bars: int
    sessions: int
    first_ts: datetime
    last_ts: datetime
    first_session: date
    last_session: date
    sessions_per_year: float
    bars_per_year: float
    bars_without_price: int
    missing_bars: int
    prepended_bars: int
    path: Path
    warnings: tuple[str, ...]
    needs_attention: bool


@dataclass(frozen=True, eq=False)
class _Series:
    """A series that was read and checked, and what is to be known of it beside its bars."""

    bars: Bars
    source_path: str
    adjustment: str | None
    found: list[Finding]
    renumber: bool


@dataclass(frozen=True)
class _Known:
    """The version of a series that the catalog has, as `select_known_prices` returns it."""

    price_path: str
    digest: str
    adjustment: str | None
    regular_hours: str | None
    prepended_bars: int
    origin_bars: int
    origin_ts: int
    origin_digest: str

    @property
    def numbering(self) -> Numbering:
        origin = Origin(self.origin_bars, self.origin_ts, self.origin_digest)
        return Numbering(origin, self.prepended_bars)


def add_prices(
    catalog: Path,
    source: Any,
    *,
    symbol: str,
    timeframe: str,
    tz: str | None = None,
    label: str = OPEN,
    adjustment: str | None = None,
    columns: Mapping[str, str] | None = None,
    regular_hours: str | None = None,
    renumber: bool = False,
) -> PricesAdded:
    """
    Check a series of bars and let the catalog know it; see `Catalog.add_prices`.

    Raises:
        UsageError: an option is wrong, or there is no such file.
        PriceFileError: the file cannot be read, or its bars make no series.
        StoreError: the catalog cannot be used.
    """
    terms = terms_of(symbol, timeframe, tz=tz, label=label, regular_hours=regular_hours)
    raw = read_source(source, columns)
    bars, found = prepare(raw, terms, tz=tz)
    series = _Series(bars, raw.path, adjustment, found, renumber)
    with writing(catalog) as con:
        return _record(con, catalog, series)


def _record(con: DuckDBPyConnection, catalog: Path, series: _Series) -> PricesAdded:
    terms = series.bars.terms
    remove_orphans(catalog, paths_in_use(con, catalog))
    values = {"symbol": terms.symbol, "timeframe": terms.timeframe}
    row = con.execute(statement("select_known_prices"), values).fetchone()
    known = None if row is None else _Known(*row)
    before = None if known is None else _times(full_path(catalog, known.price_path))
    numbering, moved = _number(series, known, before)
    path = None if known is None else full_path(catalog, known.price_path)
    if path is not None and (before is None or not holds(path, series.bars)):
        path = None
    state = "added" if known is None else "replaced"
    if path is not None and known is not None and _says_the_same(known, series, numbering):
        state = "unchanged"
    else:
        if path is None:
            path = write_bars(catalog, series.bars)
        price_path = stored_path(catalog, path)
        try:
            with _views_errors(), transaction(con), noting(con, "prices"):
                _store(con, series, price_path, numbering)
                _forget(con, series, known, numbering)
                refresh_views(con, catalog_root(catalog))
        finally:
            # The file that was replaced; or the new one, if the catalog does not know it.
            with suppress(duckdb.Error, OSError):
                remove_orphans(catalog, paths_in_use(con, catalog))
    return _added(state, series, path, numbering, [*series.found, *moved])


def _number(series: _Series, known: _Known | None, before: Any) -> tuple[Numbering, list[Finding]]:
    ts = series.bars.ts
    if known is None or series.renumber:
        return first_numbering(ts), []
    numbering = next_numbering(ts, known.numbering, before)
    return numbering, find_moved(ts, numbering, known.numbering, before)


def _forget(
    con: DuckDBPyConnection, series: _Series, known: _Known | None, numbering: Numbering
) -> None:
    """Forget what was computed from other prices, or from bars that traces do not mean."""
    terms = series.bars.terms
    values = {"symbol": terms.symbol, "timeframe": terms.timeframe}
    is_other = known is None or known.digest != series.bars.digest
    if is_other or (known is not None and known.prepended_bars != numbering.prepended_bars):
        con.execute(statement("delete_stale_metrics"), values)
        con.execute(statement("delete_stale_returns"), values)
    if is_other:
        con.execute(statement("delete_stale_trials"), values)


def _says_the_same(known: _Known, series: _Series, numbering: Numbering) -> bool:
    said = (known.adjustment, known.regular_hours, known.numbering)
    return said == (series.adjustment, series.bars.terms.regular_hours, numbering)


def _times(path: Path) -> Any:
    """Return the times of the version that there is, None where its file is gone or damaged."""
    try:
        # All of its columns: what is damaged is written anew.
        return read_bars(path).column("ts").to_numpy().astype(np.int64)
    except StoreError:
        return None


def _store(con: DuckDBPyConnection, series: _Series, price_path: str, numbering: Numbering) -> None:
    bars, terms, origin = series.bars, series.bars.terms, numbering.origin
    row = {
        "symbol": terms.symbol,
        "timeframe": terms.timeframe,
        "time_zone": terms.zone,
        "bar_label": terms.label,
        "adjustment": series.adjustment,
        "regular_hours": terms.regular_hours,
        "price_path": price_path,
        "source_path": series.source_path,
        "digest": bars.digest,
        "bar_count": len(bars),
        "first_ts": _moment(bars.ts[0]),
        "last_ts": _moment(bars.ts[-1]),
        "session_count": bars.session_count,
        "sessions_per_year": bars.sessions_per_year,
        "bars_per_year": bars.bars_per_year,
        "bars_without_price": bars.without_price,
        "prepended_bars": numbering.prepended_bars,
        "origin_bars": origin.bars,
        "origin_ts": _moment(origin.first_ts),
        "origin_digest": origin.digest,
        "added_at": datetime.now(UTC),
    }
    incoming = pa.table({name: pa.array([value]) for name, value in row.items()})
    values = {"symbol": terms.symbol, "timeframe": terms.timeframe}
    con.execute(statement("delete_price_series"), values)
    with registered(con, incoming_prices=incoming):
        con.execute(statement("insert_price_series"))


def _moment(ts: int) -> datetime:
    return datetime.fromtimestamp(int(ts) / 1e6, UTC)


@contextmanager
def _views_errors() -> Iterator[None]:
    """Say which file it is that keeps DuckDB from making a view: that of another series."""
    try:
        yield
    except duckdb.Error as error:
        if ".d/prices/" not in str(error):
            raise
        raise StoreError(
            f"The file of another price series is damaged: {str(error).splitlines()[0]}",
            hint="Add that series again with: catalog prices add FILE",
        ) from error


def _added(
    state: str, series: _Series, path: Path, numbering: Numbering, found: list[Finding]
) -> PricesAdded:
    bars, terms = series.bars, series.bars.terms
    return PricesAdded(
        state,
        terms.symbol,
        terms.timeframe,
        terms.zone,
        terms.label,
        terms.regular_hours,
        bars=len(bars),
        sessions=bars.session_count,
        first_ts=_moment(bars.ts[0]),
        last_ts=_moment(bars.ts[-1]),
        first_session=bars.session_date[0].item(),
        last_session=bars.session_date[-1].item(),
        sessions_per_year=bars.sessions_per_year,
        bars_per_year=bars.bars_per_year,
        bars_without_price=bars.without_price,
        missing_bars=missing_bars(bars),
        prepended_bars=numbering.prepended_bars,
        path=path,
        warnings=tuple(one.text for one in found),
        needs_attention=any(one.needs_attention for one in found),
    )
