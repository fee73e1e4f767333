"""What a lake holds, read as anybody would read it, and catalogs that have a bit of everything."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog import Catalog, Tracer, write_signals
from catalog.lake.lake import Lake, read_lake
from catalog.lake.layout import TABLES
from catalog.objects import is_url
from catalog.places import list_files, read_bytes
from conftest import old_trace
from daily import measure_daily, walks

Rows = list[tuple[object, ...]]
ADDED = {
    "trace_files": ("run_path", "layout", "latest_key", "rows_digest", "mtime_ns",
                    "declared_first_bar", "declared_last_bar"),
    "metrics": ("inputs",),
    "price_series": ("origin_bars", "origin_ts", "origin_digest"),
    "daily_returns": ("strategy_hash",),
}  # fmt: skip
"""The columns that a lake has beside those of the view, and beside `writer`."""
_SET = "cost_bps, fill, range_start, range_end, last_days"
_TERMS = "join internal.metric_set using (set_id) join internal.price_series as p using"
LEDGER = {
    "trials": "select * from internal.trial",
    "trial_figures": f"select symbol, timeframe, from_ts, to_ts, content_digest, {_SET}, p.digest, "
    "is_flat, sharpe_session, drift_sharpe, measured_at "
    f"from internal.trial_figure {_TERMS} (symbol, timeframe)",
    "metric_ranges": f"select symbol, timeframe, {_SET}, p.digest, from_ts, to_ts "
    f"from internal.metric_range {_TERMS} (symbol, timeframe)",
}
"""The tables of a lake that no public view shows: the ledger of trials."""
ENSEMBLE = {
    "type": "ensemble",
    "strategies": [{"type": "rsi", "parameters": {"n": 14}, "weight": 0.5}],
}


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """What reads lakes: one for all tests, since to make one takes longer than to read a table."""
    con = duckdb.connect()
    con.execute("set enable_external_file_cache = false")
    return con


def lake_rows(place: object, table: str, columns: str = "* exclude (writer)") -> Rows:
    """Return the rows that the files of a table hold, of those that manifests name, in order."""
    lake = place if isinstance(place, Lake) else read_lake(place)
    paths = [file.place for file in lake.files(table)]
    if not paths:
        return []
    with _database().cursor() as con:
        con.execute("set timezone = 'UTC'")
        source, values = "read_parquet($paths, union_by_name = true)", {"paths": paths}
        if is_url(paths[0]):
            read = [pq.read_table(pa.BufferReader(read_bytes(path))) for path in paths]
            con.register("downloaded", pa.concat_tables(read, promote_options="permissive"))
            source, values = "downloaded", {}
        return con.execute(f"select {columns} from {source} order by all", values).fetchall()


def contents(place: object) -> dict[str, Rows]:
    """Return all rows of a lake at one moment, by table."""
    lake = read_lake(place)
    return {table: lake_rows(lake, table) for table in TABLES}


def view_rows(catalog: Catalog, table: str) -> Rows:
    """Return the rows of the view of that name, as a lake is to have them; or of the ledger."""
    if table in LEDGER:
        with duckdb.connect(str(catalog.path), read_only=True) as con:
            con.execute("set timezone = 'UTC'")
            return con.execute(f"select * from ({LEDGER[table]}) order by all").fetchall()
    query = f"select * from {table} order by all"
    if table == "trace_files":
        query = "select * replace (null::boolean as is_latest) from trace_files order by all"
    return catalog.sql(query).fetchall()


def files_of(place: object) -> dict[str, bytes]:
    """Return all files of a lake but for the manifests, by their path."""
    return {
        file.place: read_bytes(file.place)
        for file in list_files(str(place))
        if "/_manifests/" not in file.place
    }


def make_catalog(home: Path, *, seed: int = 1, traces: int = 6) -> Catalog:
    """
    A catalog of every kind of trace, of several symbols and generations, measured and tagged.

    Of another seed the traces, their runs and their strategies are others.
    """
    catalog = Catalog(home / "catalog.duckdb")
    grid = home / f"runs/old_{seed}/traces/SPY_1m"
    for n in range(traces):
        old_trace(grid / f"signals/sma_grid/SPY_sma_{seed}_{n}.parquet", [1, n, -1, seed])
    old_trace(grid / f"classifiers/trend/SPY_trend_{seed}.parquet", ["up", "down", f"{seed}"])
    clock = home / f"runs/clock_{seed}/traces/QQQ_5m/signals/old/QQQ_{seed}.parquet"
    old_trace(clock, [1, 0, seed], symbol="QQQ", timeframe="5m", wall_clock=True)
    components = {
        f"SPY_sma_{seed}_{n}": {"full_config": {"type": "sma", "parameters": {"n": n, "m": seed}}}
        for n in range(traces - 1)
    }
    about = {"run_id": f"old_{seed}", "components": components, "total_bars": 40}
    (home / f"runs/old_{seed}/metadata.json").write_text(json.dumps(about))
    catalog.register(home / "runs")
    trace_events(catalog, home / f"runs/events_{seed}", seed)
    write_signals(
        home / f"runs/made_{seed}", np.array([[1.0], [0.5 / seed]]),
        configs={"ensemble": ENSEMBLE}, symbol="BRK.B", timeframe="1m", catalog=catalog.path,
    )  # fmt: skip
    measure_daily(catalog, home / f"runs/daily_{seed}", walks(60, 4, seed=seed))
    key = catalog.sql("select min(strategy_hash) from strategies").fetchall()[0][0]
    catalog.tag(str(key), f"good_{seed}")
    return catalog


def trace_events(catalog: Catalog, run: Path, seed: int) -> None:
    """Trace a backtest that has orders, fills and positions."""

    def event(kind: str, number: int, **payload: object) -> SimpleNamespace:
        time = datetime(2024, 3, 26, 13, 30, tzinfo=UTC) + timedelta(minutes=number)
        return SimpleNamespace(event_type=kind, timestamp=time, payload=payload)

    config = {"type": "rsi", "parameters": {"period": 10 + seed}}
    ids = {"symbol": "SPY", "strategy_id": "s", "order_id": f"o{seed}", "position_id": "p1"}
    with Tracer(run, catalog=catalog.path) as tracer:
        take = tracer.on_event
        take(event("BAR", 0, symbol="SPY", close=500.0, timeframe="1m"))
        take(event("SIGNAL", 0, strategy_id="s", symbol="SPY", direction="long",
                   strategy_config=config))  # fmt: skip
        take(event("ORDER", 0, **ids, side="BUY", quantity=100, order_type="market", price=5))
        take(event("FILL", 0, **ids, fill_id="f1", side="BUY", quantity=100, price=5.1))
        take(event("POSITION_OPEN", 0, **ids, quantity=100, entry_price=5.1))
        take(event("BAR", 1, symbol="SPY", close=501.0, timeframe="1m"))
        take(event("POSITION_CLOSE", 1, **ids, exit_price=6, realized_pnl=90, exit_type="stop"))
