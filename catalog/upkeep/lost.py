"""Packs that are gone: their traces are read from their own files again, where these are there."""

from __future__ import annotations

from pathlib import Path

from catalog.errors import StoreError
from catalog.statements import statement
from catalog.store.database import reading, writing
from catalog.store.paths import catalog_root
from catalog.store.transactions import transaction
from catalog.store.views import refresh_views
from catalog.upkeep.packs import full_path


def release_lost(catalog: Path, *, even_lost: bool = True) -> int:
    """
    Take traces out of packs that are no more, and return how many are lost with them.

    A trace whose file is there is read from it again; the others are missing.

    Args:
        even_lost: where traces were in these packs only; otherwise nothing is changed then.

    Raises:
        StoreError: the catalog cannot be used, or traces are lost that may not be.
    """
    with reading(catalog) as con:
        known = [path for (path,) in con.execute(statement("select_packs")).fetchall()]
    gone = [path for path in known if not full_path(catalog, path).exists()]
    if not gone:
        return 0
    with writing(catalog) as con, transaction(con):
        ((lost,),) = con.execute(statement("count_lost"), {"gone": gone}).fetchall()
        if lost and not even_lost:
            raise StoreError(
                f"{lost:,} traces were only in packs that are gone, such as {gone[0]}",
                hint="Bring the packs back from a backup; or let these traces be missing with: "
                "catalog verify --repair",
            )
        for part in con.extract_statements(statement("release_packed")):
            con.execute(part, {"gone": gone})
        refresh_views(con, catalog_root(catalog))
    return int(lost)
