"""Registering the objects of a store, so many at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from catalog import objects
from catalog.catalog import Catalog
from catalog.register import reading

Call = Callable[[], int]


def register(url: str, environment: dict[str, str], at_once: int) -> Call:
    """Register what lies below a URL into a new catalog."""
    os.environ.update(environment)
    objects.AT_ONCE = at_once
    if at_once == 1:
        reading.OBJECTS_WORTHWHILE = sys.maxsize  # nor by more than one process
    if objects.is_url(url):
        objects.look_at(f"{url}/warm")  # s3fs and botocore are loaded, and a connection is there

    def call() -> int:
        with TemporaryDirectory() as folder:
            report = Catalog(Path(folder) / "catalog.duckdb").register(url)
        assert not report.quarantined, report.quarantined[:3]
        return report.registered + len(report.copies) + report.ignored.total()

    return call
