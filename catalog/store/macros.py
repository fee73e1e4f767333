"""The catalog's macros, which any DuckDB client has that opens it: sql/macro_<name>.sql each."""

from __future__ import annotations

import hashlib

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.registered import registered

MACROS = (
    "trace", "trace_paths", "holdings_at", "last_signals", "dense_signal", "agreement", "trades_at",
    "param_effect", "total_return", "annual_return", "volatility", "sharpe", "sortino",
    "hit_rate", "profit_factor",
)  # fmt: skip

# Their signatures lie beside those of the views.
PREFIX = "macro "


def macro_text(name: str) -> str:
    """Return the statement that makes a macro."""
    trades = statement("rows_trades").rstrip().removesuffix(";")
    trades = trades.replace("$cost", "(cost_bps / 1e4)")
    return statement(f"macro_{name}").replace("$trades", f"({trades})")


def refresh_macros(con: DuckDBPyConnection) -> None:
    """Make the macros anew that differ from what they were made with. Belongs in a transaction."""
    known = dict(con.execute(statement("select_view_signatures")).fetchall())
    texts = {name: macro_text(name) for name in MACROS}
    signatures = {
        PREFIX + name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()
    }
    changed = [name for name in MACROS if known.get(PREFIX + name) != signatures[PREFIX + name]]
    if not changed:
        return
    # By default they would be made in the first schema that has a place for them.
    for name in changed:
        con.execute(texts[name].replace(f"macro {name}(", f"macro main.{name}("))
    names = [PREFIX + name for name in changed]
    incoming = pa.table(
        {
            "view_name": pa.array(names, pa.string()),
            "signature": pa.array([signatures[name] for name in names], pa.string()),
        }
    )
    with registered(con, incoming_view=incoming):
        con.execute(statement("replace_view_signatures"))
