"""Verifying a catalog, and the bare loops over its files that this is measured beside."""

from __future__ import annotations

import os
from collections.abc import Callable

import catalog.verify.verify  # noqa: F401 - loaded before anything is measured
from catalog.catalog import Catalog

Call = Callable[[], int]


def verify(catalog: str, fast: bool) -> Call:
    """Verify a catalog in which nothing may be wrong."""

    def call() -> int:
        report = Catalog(catalog).verify(fast=fast)
        assert not report.findings and not report.touched, report.findings[:3]
        assert report.read == (0 if fast else report.files)
        return report.files

    return call


def stat_each(catalog: str) -> Call:
    """Ask for the size and time of each file, by its path."""
    paths = _paths(catalog)

    def call() -> int:
        for path in paths:
            os.stat(path)
        return len(paths)

    return call


def read_each(catalog: str) -> Call:
    """Read the bytes of each file with one call, and do nothing with them."""
    paths = _paths(catalog)

    def call() -> int:
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY)
            os.read(descriptor, os.fstat(descriptor).st_size)
            os.close(descriptor)
        return len(paths)

    return call


def read_buffered(catalog: str) -> Call:
    """Read them as Python usually does."""
    paths = _paths(catalog)

    def call() -> int:
        for path in paths:
            with open(path, "rb") as file:
                file.read()
        return len(paths)

    return call


def _paths(catalog: str) -> list[str]:
    query = "select path from trace_files order by path"
    return [path for (path,) in Catalog(catalog).sql(query).fetchall()]
