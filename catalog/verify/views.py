"""Views that do not open, and macros that are gone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from catalog.errors import ObjectStoreError
from catalog.objects import is_url
from catalog.query.sandbox import readable_folders
from catalog.statements import statement
from catalog.store.macros import MACROS, PREFIX
from catalog.store.remote import unlisted
from catalog.store.views import EVENT_KINDS, TRACE_KINDS, VIEWS
from catalog.verify.finding import BROKEN_VIEW, Finding, found

OVER_FILES = (*TRACE_KINDS, *EVENT_KINDS, "bars", "daily_returns", "daily_returns_next_open")
"""The views that a file which is gone may break."""


def check_views(con: DuckDBPyConnection, catalog: Path, *, fast: bool) -> Iterator[Finding]:
    """
    Yield the views that are not there, or that DuckDB cannot make sense of.

    Args:
        fast: open only those that read files, and of the others see whether they are there.
    """
    own = os.path.abspath(catalog)
    elsewhere = [path for path in readable_folders(con, catalog) if is_url(path)]
    there = {name for (name,) in con.execute(statement("verify_views")).fetchall()}
    signed = {name for name, _ in con.execute(statement("select_view_signatures")).fetchall()}
    wanted = {name for name in signed if not name.startswith(PREFIX)} | set(VIEWS)
    for name in sorted(wanted - there):
        yield found(BROKEN_VIEW, own, f"view {name}: it is gone", key=f"view {name}")
    for name in sorted(there.intersection(OVER_FILES) if fast else there):
        try:
            # Binding it finds its tables and the first of its files; nothing is read.
            with unlisted(con, elsewhere):
                con.view(name)
        except ObjectStoreError:
            continue  # It is said of the store, or of the object.
        except (duckdb.Error, UnicodeDecodeError) as error:
            # A damaged file may have names that are no text, and so have errors about them.
            detail = f"view {name}: {str(error).splitlines()[0]}"
            yield found(BROKEN_VIEW, own, detail, key=f"view {name}")
    macros = {name for (name,) in con.execute(statement("verify_macros")).fetchall()}
    for name in sorted(set(MACROS) - macros):
        yield found(BROKEN_VIEW, own, f"macro {name}: it is gone", key=f"macro {name}")
