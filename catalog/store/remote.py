"""
How DuckDB reads URLs: through its own httpfs, or through a file system of ours. Decided here.

Its own is taken where it is installed on this machine, knows the scheme, and nobody named another
file system for it. None of this is loaded where no URL is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import duckdb
from duckdb import DuckDBPyConnection

from catalog.errors import CatalogError
from catalog.filesystems import is_given
from catalog.objects import is_url

if TYPE_CHECKING:
    from catalog.store.object_files import ObjectFiles

# What httpfs reads of what we write and list.
_OWN = frozenset({"s3"})
# By connection and scheme; None where DuckDB's own reads it.
_reached: WeakKeyDictionary[DuckDBPyConnection, dict[str, ObjectFiles | None]] = WeakKeyDictionary()


def load_own(con: DuckDBPyConnection, places: Iterable[str]) -> None:
    """
    Let DuckDB read URLs through its own httpfs, where that can be. Nothing is downloaded.

    It must be before what a connection reaches is restricted; without it `reach` does it.
    """
    for scheme in _schemes(places):
        if scheme in _OWN and not is_given(scheme) and _has_own(con):
            _reached.setdefault(con, {})[scheme] = None


def reach(con: DuckDBPyConnection, sizes: Mapping[str, int | None]) -> None:
    """
    Let a connection read some URLs; what is no URL is passed over.

    Args:
        sizes: bytes by place, None where they are not known.

    Raises:
        UsageError: no library that is installed knows the scheme of one.
    """
    for scheme in _schemes(sizes):
        known = _reached.setdefault(con, {})
        if scheme not in known:
            known[scheme] = _register(con, scheme)
        files = known[scheme]
        if files is not None:
            own = (pair for pair in sizes.items() if pair[0].startswith(f"{scheme}://"))
            files.expect({url: size for url, size in own if size is not None})


@contextmanager
def unlisted(con: DuckDBPyConnection, places: Iterable[str]) -> Iterator[None]:
    """
    Let views be made over patterns of URLs, and ask no store what these meet.

    Of what is registered it is known, and DuckDB only wants to hear that there is something.
    """
    reach(con, dict.fromkeys(places))
    ours = [files for files in _reached.get(con, {}).values() if files is not None]
    for files in ours:
        files.is_listing = False
    try:
        yield
    except duckdb.Error as error:
        problem = problem_of(con)
        if problem is None:
            raise
        # What could not be read before may be there when it is tried again.
        for files in ours:
            files.problem = None
        raise problem from error
    finally:
        for files in ours:
            files.is_listing = True


def problem_of(con: DuckDBPyConnection) -> CatalogError | None:
    """Return what went wrong with an object that a connection read, None where nothing did."""
    found = (files.problem for files in _reached.get(con, {}).values() if files is not None)
    return next((problem for problem in found if problem is not None), None)


def release(con: DuckDBPyConnection) -> None:
    """Fetch nothing any more for a connection that is closed, and keep nothing of it."""
    for files in _reached.pop(con, {}).values():
        if files is not None:
            files.close()


def _schemes(places: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(one.partition("://")[0] for one in places if is_url(one)))


def _register(con: DuckDBPyConnection, scheme: str) -> ObjectFiles:
    from catalog.objects import filesystem

    # Says it clearly where fsspec, or what knows the scheme, is not installed.
    filesystem(f"{scheme}://")
    from catalog.store.object_files import ObjectFiles

    files = ObjectFiles(scheme)
    con.register_filesystem(files)
    return files


def _has_own(con: DuckDBPyConnection) -> bool:
    try:
        con.execute("load httpfs")
    except duckdb.Error:
        return False
    for name, value in _credentials().items():
        con.execute(f"set {name} = $value", {"value": value})
    return True


def _credentials() -> dict[str, Any]:
    """Return how httpfs is told what s3fs finds out by itself; it knows fewer places to look."""
    env = os.environ
    found: dict[str, Any] = {"s3_region": env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")}
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
    if endpoint:
        scheme, _, address = endpoint.partition("://")
        found |= {
            "s3_endpoint": address.rstrip("/"),
            "s3_use_ssl": scheme == "https",
            "s3_url_style": "path",
        }
    with suppress(ImportError):
        from botocore.session import Session

        session = Session()
        credentials = session.get_credentials()
        if credentials is not None:
            frozen = credentials.get_frozen_credentials()
            found |= {
                "s3_access_key_id": frozen.access_key,
                "s3_secret_access_key": frozen.secret_key,
                "s3_session_token": frozen.token,
            }
        found["s3_region"] = found["s3_region"] or session.get_config_variable("region")
    return {name: value for name, value in found.items() if value is not None}
