"""Whether two catalogs say the same, and what they may say otherwise."""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from catalog import Catalog
from catalog.statements import statement

Rows = list[str]
_known: dict[tuple[object, ...], dict[str, Rows]] = {}
_VIEWS = """
select view_name from duckdb_views() where schema_name = 'main' and not internal order by all
"""
ELSEWHERE = {
    # Where files are, which is another place for everybody.
    "path", "root", "trace_path", "source_path", "pack_path", "trace_number", "has_original",
    # The time of a file's change, told in microseconds, is that of the file it is in.
    "modified_at",
}  # fmt: skip
NUMBERED = {"set_id"}
"""Metric sets have numbers in the order in which a catalog comes to know them."""
NOT_PUBLISHED = {"other_files", "quarantine", "missing_files"}
"""What scans met and did not register is no part of a lake."""


def contents(catalog: Catalog, *views: str, besides: set[str] = ELSEWHERE) -> dict[str, Rows]:
    """Return the rows of public views as any client reads them, all of them where none is named."""
    found = {}
    with duckdb.connect(str(catalog.path), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        con.execute("set variable catalog_root = $root", {"root": str(catalog.path.parent)})
        names = views or [name for (name,) in con.execute(_VIEWS).fetchall()]
        for view in names:
            table = con.sql(f'from "{view}"').to_arrow_table()
            own = sorted(name for name in table.column_names if name not in besides)
            columns = [[_plain(one) for one in table[name].to_pylist()] for name in own]
            found[view] = [repr(own), *sorted(map(repr, zip(*columns, strict=True)))]
    return found


def differing(
    one: Catalog,
    other: Catalog,
    *,
    besides: set[str] = ELSEWHERE,
    without: Collection[str] = (),
) -> dict[str, tuple[Rows, Rows]]:
    """Return by view the rows that only one of two catalogs has."""
    a, b = _as_it_is(one, besides), contents(other, besides=besides)
    assert a.keys() == b.keys()
    return {
        view: (sorted(set(a[view]) - set(b[view]))[:3], sorted(set(b[view]) - set(a[view]))[:3])
        for view in a
        if view not in without and a[view] != b[view]
    }


def _as_it_is(catalog: Catalog, besides: set[str]) -> dict[str, Rows]:
    """Return the contents of a catalog that many tests compare others with, read once."""
    status = catalog.path.stat()
    key = (str(catalog.path), status.st_mtime_ns, status.st_size, frozenset(besides))
    if key not in _known:
        _known[key] = contents(catalog, besides=besides)
    return _known[key]


def analysis(catalog: Catalog, name: str, **values: object) -> Rows:
    """Return the rows of an analysis in sql/, as the planner runs it."""
    found = catalog.sql(statement(f"analysis_{name}"), values).table.to_pylist()
    return sorted(repr([_plain(one) for one in row.values()]) for row in found)


def _plain(value: object) -> object:
    """Return a number as it is to seven digits: sums may be added up in another order."""
    return float(f"{value:.7g}") if isinstance(value, float) else value
