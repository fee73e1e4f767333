"""What follows from other columns: parameters, types, and which trace is the latest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.parameters import expected_parameters
from catalog.store.paths import catalog_root
from catalog.strategy import leaf_parameters

_AT_ONCE: Final = 10_000
"""Strategies: there may be five hundred columns of each."""


def wrong_derived(con: DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    """Yield the keys of strategies that say something else than their configuration, and why."""
    table = con.sql(statement("verify_parameters")).to_arrow_table()
    for start in range(0, table.num_rows, _AT_ONCE):
        yield from _compare(con, table.slice(start, _AT_ONCE))
    for (key,) in con.execute(statement("verify_types")).fetchall():
        yield key, "its traces say another strategy_type"


def _compare(con: DuckDBPyConnection, table: pa.Table) -> Iterator[tuple[str, str]]:
    keys = table["strategy_key"].to_pylist()
    configs = [_read(text) for text in table["config"].to_pylist()]
    wrong: dict[int, list[str]] = {}
    for row, (config, said) in enumerate(
        zip(configs, table["strategy_type"].to_pylist(), strict=True)
    ):
        kind = config.get("type")
        # A component that is not named by a text is called by what it is.
        if said != (kind if isinstance(kind, str) else None) and (
            kind is None or said != str(kind)
        ):
            wrong.setdefault(row, []).append("strategy_type")
    expected, odd = expected_parameters(con, [leaf_parameters(config) for config in configs])
    for row in odd:
        wrong.setdefault(row, []).append("columns of parameters")
    there = set(table.column_names)
    for name, values in expected.items():
        if name not in there:
            continue
        for row in _differing(table[name].combine_chunks(), values):
            wrong.setdefault(row, []).append(name)
    for row, names in sorted(wrong.items()):
        yield keys[row], f"its configuration says other {', '.join(names)}"


def _differing(has: Any, wanted: Any) -> list[int]:
    if isinstance(has, pa.ChunkedArray):  # Some versions of pyarrow return one.
        has = has.chunk(0) if has.num_chunks else pa.nulls(0, has.type)
    if has.type != wanted.type:
        return list(range(len(wanted)))
    same = pc.fill_null(pc.equal(has, wanted), False)
    alike = pc.or_(same, pc.and_(pc.is_null(has), pc.is_null(wanted)))
    return [int(row) for row in pc.indices_nonzero(pc.invert(alike)).to_pylist()]


def _read(text: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except ValueError:
        return {}  # That is a finding of its own.
    return config if isinstance(config, dict) else {}


def wrong_latest(con: DuckDBPyConnection, catalog: Path) -> list[tuple[str, str, bool]]:
    """Return the path and id of traces that are said to be the latest or not, and should not."""
    try:
        # The rule itself, on a copy that takes the place of the table meanwhile.
        for part in con.extract_statements(statement("verify_latest")):
            con.execute(part)
        con.execute(statement("finish_latest"))
        values = {"root": catalog_root(catalog)}
        return con.execute(statement("select_wrong_latest"), values).fetchall()
    finally:
        con.execute("drop table if exists temp.trace_file")


def settle_latest(con: DuckDBPyConnection) -> None:
    """Say anew of all traces which are the latest. In a transaction."""
    for name in ("clear_latest", "touch_all_latest", "finish_latest"):
        con.execute(statement(name))
