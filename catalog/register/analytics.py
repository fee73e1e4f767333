"""What the analytics.duckdb of a run says about its strategies."""

from __future__ import annotations

import os
from typing import Any

import duckdb

from catalog.errors import ConfigurationError, TraceFileError
from catalog.statements import statement
from catalog.strategy import leaf_parameters, parse_config

Config = dict[str, Any]


def read_analytics(path: str) -> dict[str, Config]:
    """
    Return the configurations by strategy name; a name that is there twice is left out.

    The `config_hash` in it is an MD5 of the parameters, and no claim on a strategy hash.

    Raises:
        TraceFileError: it is no database that can be read, or another process holds it.
    """
    try:
        # A database that somebody hands over reads no other files.
        settings: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": False
        }
        with duckdb.connect(os.fspath(path), read_only=True, config=settings) as con:
            if con.execute(statement("select_has_analytics")).fetchall() == []:
                return {}
            rows = con.execute(statement("select_analytics_strategies")).fetchall()
    except (duckdb.Error, OSError) as error:
        raise TraceFileError(
            "unreadable analytics.duckdb",
            str(error).splitlines()[0],
            hint="Its run may lack configurations: repair the file, or close it elsewhere",
        ) from error
    found: dict[str, list[Config]] = {}
    for name, kind, parameters in rows:
        try:
            config = {"type": kind, "parameters": parse_config(parameters)}
        except ConfigurationError:
            continue
        if leaf_parameters(config):
            found.setdefault(name, []).append(config)
    return {name: configs[0] for name, configs in found.items() if len(configs) == 1}
