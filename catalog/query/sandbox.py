"""A connection that users' SQL runs on: it reads the catalog's files, and reaches nothing else."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from catalog.errors import UsageError
from catalog.objects import is_url
from catalog.query.files import Allowed
from catalog.statements import statement
from catalog.store.paths import side_folder
from catalog.store.patterns import escape

_MEMORY = re.compile(r"\s*\d+(\.\d+)?\s*(%|[KMGT]i?B)\s*", re.IGNORECASE)

# What of the folder beside the catalog queries may read.
_BESIDE = ("packs", "prices", "returns")


@dataclass(frozen=True)
class Limits:
    """
    How much a query may take.

    `timeout` is in seconds, None for no end; `memory` is text such as `4GB`; None for
    `memory` or `threads` is what DuckDB takes by itself.
    """

    timeout: float | None = 300.0
    memory: str | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.timeout is not None and not 0 < self.timeout < 1e9:
            raise UsageError(f"The timeout is {self.timeout}, which is no number of seconds")
        if self.memory is not None and not _MEMORY.fullmatch(self.memory):
            raise UsageError(
                f"The memory limit {self.memory!r} is no amount of memory", hint="Write it as 4GB"
            )
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"{self.threads} threads can run no query")


def readable_folders(con: DuckDBPyConnection, catalog: Path) -> list[str]:
    """Return the folders of the catalog's own traces, packs, prices and returns, absolute."""
    rows = con.execute(statement("select_readable_folders")).fetchall()
    beside = os.path.abspath(side_folder(catalog))
    return [*(path for (path,) in rows), *(f"{beside}/{name}" for name in _BESIDE)]


def restrict(
    con: DuckDBPyConnection, folders: Sequence[str], allowed: Allowed, limits: Limits
) -> None:
    """
    Let a connection read some folders and files, within limits, and do nothing else any more.

    Raises:
        UsageError: DuckDB does not accept a limit.
    """
    # DuckDB asks for the folder that a link leads to.
    real = [folder if is_url(folder) else os.path.realpath(folder) for folder in folders]
    written = [*folders, *real]
    # Where a name holds the signs of a pattern, DuckDB compares what the pattern escapes it to.
    written += [escape(folder) for folder in written]
    directories = dict.fromkeys(folder.rstrip("/") + "/" for folder in written)
    settings: dict[str, object] = {
        "python_enable_replacements": False,
        "allowed_directories": [*directories, *allowed.directories],
        "allowed_paths": list(allowed.paths),
        # Made only where a query does not fit into memory, and gone with the connection.
        "temp_directory": os.path.join(tempfile.gettempdir(), f"catalog-{os.getpid()}.tmp"),
    }
    if limits.memory is not None:
        settings["memory_limit"] = limits.memory
    if limits.threads is not None:
        settings["threads"] = limits.threads
    if limits.timeout is not None:
        settings["max_execution_time"] = max(1, round(limits.timeout * 1000))
    try:
        for name, value in settings.items():
            con.execute(f"set {name} = $value", {"value": value})
    except duckdb.Error as error:
        raise UsageError(f"A limit cannot be kept: {str(error).splitlines()[0]}") from error
    # The order matters: what is behind these two cannot be set any more.
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
