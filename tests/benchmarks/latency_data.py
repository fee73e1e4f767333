"""A catalog of very many strategies: some are registered, and SQL multiplies their rows."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import numpy as np
from measure import say

from catalog import Catalog
from catalog.store.database import writing
from catalog.store.parameters import count_parameters
from catalog.store.paths import catalog_root
from catalog.store.views import refresh_views
from catalog.traces.signals import write_signals

BARS = 2
TYPES = ("bollinger_bands", "rsi_bands", "sma_cross", "breakout", "momentum")
# How many rows become strategies at a time.
AT_ONCE = 250

# A block is the run `sweep_0` once more, under another number and with other configurations;
# eight of them would be registered together.
MULTIPLIED = {
    "directory": """
        select
            d.directory_id + n.n * 100 as directory_id,
            d.root_id,
            replace(d.prefix, '/sweep_0/', '/sweep_' || n.n || '/') as prefix,
            d.is_relative,
            d.is_linked
        from numbers as n cross join seed_directory as d
        order by n.n, d.directory_id
    """,
    "run": """
        select r.* replace (
            'sweep_' || n.n as run_id,
            'sweep_' || n.n as name,
            r.directory_id + n.n * 100 as directory_id
        )
        from numbers as n cross join seed_run as r
        order by n.n
    """,
    "run_folder": """
        select r.* replace (
            'sweep_' || n.n as run_id,
            r.directory_id + n.n * 100 as directory_id
        )
        from numbers as n cross join seed_run_folder as r
        order by n.n
    """,
    "strategy": """
        select * exclude (n, place, digest) replace (
            digest[:12] as strategy_key,
            digest[:12] as strategy_hash,
            digest as config_digest,
            digest[:32] as config_key,
            digest[:12] as claimed_hash,
            n as param_block,
            registered_at + to_seconds(n // 8) as registered_at
        )
        from multiplied
        order by n, place
    """,
    "trace_file": """
        select t.* replace (
            sha256(t.trace_id || m.n)[:16] as trace_id,
            'sweep_' || m.n as run_id,
            t.directory_id + m.n * 100 as directory_id,
            t.strategy_id || '_' || m.n as strategy_id,
            replace(t.run_path, '.parquet', '_' || m.n || '.parquet') as run_path,
            replace(t.file_name, '.parquet', '_' || m.n || '.parquet') as file_name,
            m.digest[:12] as strategy_key,
            m.digest[:12] as strategy_hash,
            m.digest[:32] as latest_key,
            m.digest[:12] as claimed_hash,
            sha256(t.rows_digest || m.n) as rows_digest,
            sha256(t.content_digest || m.n) as content_digest,
            sha256(t.file_digest || m.n) as file_digest,
            t.registered_at + to_seconds(m.n // 8) as registered_at
        )
        from multiplied as m join seed_trace_file as t on t.strategy_key = m.strategy_key
        order by m.n, t.directory_id, t.file_name
    """,
}
MULTIPLY = """
    create or replace temp table multiplied as
    select * replace (replace(config, '"block":0,', '"block":' || n || ',')::json as config),
        sha256(replace(config, '"block":0,', '"block":' || n || ',')) as digest
    from (select n.n, s.rowid as place, s.* from numbers as n cross join seed_strategy as s)
"""


def make_many(folder: Path, strategies: int, *, seeds: int = 1_000) -> Path:
    """
    Make a catalog of strategies with a trace each, and return its path.

    The first `seeds` are written and registered. The others are rows as those would have left
    them, in the same order; there are no files to them, which neither find nor show opens.
    """
    catalog = folder / "catalog.duckdb"
    if catalog.exists():
        return catalog
    folder.mkdir(parents=True, exist_ok=True)
    say(f"registering {seeds:,} strategies, and making them {strategies:,}")
    configs = {f"strategy_{number}": _config(number) for number in range(seeds)}
    write_signals(
        folder / "runs" / "sweep_0", np.ones((BARS, seeds)), configs=configs, symbol="SPY",
        timeframe="1m", ts=np.datetime64("2024-01-02T14:30", "us") + 60_000_000 * np.arange(BARS),
    )  # fmt: skip
    unfinished = folder / "unfinished.duckdb"
    unfinished.unlink(missing_ok=True)
    Catalog(unfinished).register(folder / "runs")
    with writing(unfinished) as con:
        _multiply(con, -(-strategies // seeds))
        count_parameters(con)
        refresh_views(con, catalog_root(unfinished))
        con.execute("checkpoint")
    unfinished.rename(catalog)
    shutil.rmtree(folder / "unfinished.d", ignore_errors=True)
    return catalog


def _multiply(con: duckdb.DuckDBPyConnection, blocks: int) -> None:
    for table in MULTIPLIED:
        con.execute(f"create temp table seed_{table} as from internal.{table}")
    for first in range(1, blocks, AT_ONCE):
        last = min(first + AT_ONCE, blocks)
        con.execute(
            "create or replace temp table numbers as select * from range($1, $2) as r(n)",
            [first, last],
        )
        con.execute(MULTIPLY)
        for table, query in MULTIPLIED.items():
            con.execute(f"insert into internal.{table} by name {query}")


def _config(number: int) -> dict[str, object]:
    """Return one of 1,000 configurations: 5 types, each with 4 common parameters and 5 own."""
    kind, place = TYPES[number % len(TYPES)], number // len(TYPES)
    parameters: dict[str, object] = {
        "block": 0,
        "period": 5 + place % 20,
        "std_dev": 1 + 0.25 * (place // 20 % 10),
        "stop": round(0.001 * (place % 7), 4),
    }
    parameters |= {f"{kind[:4]}_{own}": (place * (own + 3)) % 11 for own in range(4)}
    parameters[f"{kind[:4]}_mode"] = ("fast", "slow")[place % 2]
    return {"type": kind, "parameters": parameters}
