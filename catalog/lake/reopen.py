"""Open the lakes again that a catalog was open over, when it is made anew."""

from __future__ import annotations

from pathlib import Path

from catalog.errors import CatalogError
from catalog.lake.open import open_lake
from catalog.places import join
from catalog.store.facts import facts_of
from catalog.store.paths import catalog_root


def reopen_lakes(catalog: Path) -> list[str]:
    """Open the lakes that facts beside a catalog name, and return those that cannot be, and why."""
    lost = []
    for fact in facts_of(catalog, "lakes").values():
        place = fact["place"]
        if fact["is_relative"]:
            place = join(catalog_root(catalog), place)
        try:
            report = open_lake(catalog, place)
        except CatalogError as error:
            lost.append(f"{place}: the lake cannot be opened again: {error}")
        else:
            lost += report.lost
    return lost
