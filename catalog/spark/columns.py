"""The columns of a lake's tables as Spark has them: names, types, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from catalog.store.view_queries import view_columns

_TYPES = {
    name: kind
    for kind, names in {
        "boolean": (
            "has_original is_composite is_default is_flat is_latest is_open is_overnight "
            "knows_bar_times"
        ),
        "tinyint": "idx_base",
        "int": "bars_held depth folds last_days position set_id",
        "bigint": (
            "bar_count bar_index bars_long bars_short bars_without_price change_count classifiers "
            "drawdown_bars file_size_bytes first_bar first_change_bar idx last_bar "
            "last_change_bar mtime_ns prepended_bars row_count session_count sessions signals "
            "start_bar total_bars trace_number traces trades unknown_configs"
        ),
        "double": (
            "alpha annual_return bars_per_year benchmark_return benchmark_sharpe beta "
            "breakeven_cost_bps calmar close commission correlation cost_bps deflated_sharpe "
            "deflated_sharpe_no_drift drift_sharpe entry_price exit_price exposure high hit_rate "
            "kurtosis last_val low max_drawdown mean_holding net_exposure open overnight_share "
            "price profit_factor px quantity realized_pnl ret_gross ret_overnight "
            "sessions_per_year sharpe sharpe_bar sharpe_session skew sortino time_in_market "
            "total_return turnover volatility volume weight"
        ),
        "date": "range_end range_start session_date split",
        "timestamp": (
            "added_at computed_at created_at first_change_ts first_ts from_ts known_at "
            "last_change_ts last_ts modified_at registered_at tagged_at to_ts ts"
        ),
        "timestamp_ntz": "ts_local",
    }.items()
    for name in names.split()
}
"""The types of columns that are no text, by name; `val` alone differs between tables."""

_OF_ARROW = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.string(): "string",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp_ntz",
    pa.timestamp("us", "UTC"): "timestamp",
}


def quoted(name: str) -> str:
    """Return a name as it stands in Spark's SQL."""
    return "`" + name.replace("`", "``") + "`"


def spark_type(kind: pa.DataType) -> str:
    """Return what Spark calls a type of a lake's columns."""
    return _OF_ARROW[kind]


def spark_schema(schema: pa.Schema) -> str:
    """Return the columns of a file as Spark is told them, so that it need not look."""
    return ", ".join(f"{quoted(field.name)} {spark_type(field.type)}" for field in schema)


def type_of(table: str, column: str) -> str:
    """Return the type of a public column of a table that no file says."""
    if column == "val":
        return "double" if table == "signals" else "string"
    return _TYPES.get(column, "string")


def public_columns(table: str, schema: pa.Schema) -> list[str]:
    """Return the columns that a table has for users, in the order in which DuckDB has them."""
    columns = list(view_columns(table))
    if table == "strategies":
        place = columns.index("strategy_type") + 1
        columns[place:place] = parameter_columns(schema)
    return columns


def parameter_columns(schema: pa.Schema) -> list[str]:
    """Return the parameter columns of the strategies of a lake."""
    return [name for name in schema.names if name.startswith("param_")]


def selected(table: str, columns: Iterable[str], have: pa.Schema, want: pa.Schema) -> Sequence[str]:
    """
    Return the expressions that make a table's columns of those that some files have.

    Args:
        have: the columns of the files.
        want: the columns of all files of the table, with the types that they shall have.
    """
    made = []
    for name in columns:
        known = want.get_field_index(name) >= 0
        kind = spark_type(want.field(name).type) if known else type_of(table, name)
        value = quoted(name) if have.get_field_index(name) >= 0 else "null"
        made.append(f"cast({value} as {kind}) as {quoted(name)}")
    return made
