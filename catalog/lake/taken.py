"""The rows that a catalog takes in from elsewhere, the same from a lake and from a catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import Any, Final

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.register.columns import trace_id
from catalog.statements import statement

Series = tuple[str, str]
"""Symbol and timeframe."""

TIME: Final = pa.timestamp("us", "UTC")
_KEYED: Final = ("strategy_key", "latest_key")
_OWN: Final = ("metrics", "others", "returns", "tags", "events", "strategies", "traces", "runs")


@dataclass(frozen=True, eq=False)
class Taken:
    """
    What comes, a table each, in columns of the catalog's own tables.

    Folders are absolute, in `folder`, with a slash at the end; those of traces that a lake alone
    holds begin with `lake:`. `returns` says which traces have session returns, with the number
    and the pack that they have where they come from.
    """

    strategies: pa.Table
    components: pa.Table
    runs: pa.Table
    traces: pa.Table
    events: pa.Table
    others: pa.Table
    sets: pa.Table
    metrics: pa.Table
    trials: pa.Table
    figures: pa.Table
    ranges: pa.Table
    prices: pa.Table
    returns: pa.Table
    tags: pa.Table

    def with_run_names(self, names: Mapping[str, str]) -> Taken:
        """Return the same with other ids of runs, and so of their traces and unknown strategies."""
        names = {old: new for old, new in names.items() if old != new}
        if not names:
            return self
        ids = _renamed_traces(self.traces, names)
        changed = {name: _renamed(getattr(self, name), names, ids) for name in _OWN}
        return replace(self, **changed)

    def without_series(self, prices: set[Series], figures: set[Series]) -> Taken:
        """Return the same without the prices of some series, and what trials earned on others."""
        return replace(
            self,
            prices=_without(self.prices, prices),
            figures=_without(self.figures, figures),
            ranges=_without(self.ranges, figures),
        )

    def without_splits(self, sets: set[int]) -> Taken:
        """Return the same without figures by split or fold of some metric sets."""
        pairs = zip(*(self.metrics[one].to_pylist() for one in ("set_id", "period")), strict=True)
        kept = [period == "all" or number not in sets for number, period in pairs]
        return replace(self, metrics=self.metrics.filter(pa.array(kept, pa.bool_())))

    def with_sets(self, numbers: Mapping[int, int]) -> Taken:
        """Return the same with the numbers that metric sets have here."""
        changed = {
            name: _mapped(getattr(self, name), "set_id", numbers)
            for name in ("metrics", "figures", "ranges")
        }
        return replace(self, **changed)


def run_script(
    con: DuckDBPyConnection, name: str, values: Mapping[str, object] | None = None
) -> None:
    """Run the statements of a file in sql/, each with those of some values that it names."""
    for part in con.extract_statements(statement(name)):
        own = {key: value for key, value in (values or {}).items() if f"${key}" in part.query}
        con.execute(part, own or None)


def nothing(schema: Mapping[str, pa.DataType]) -> pa.Table:
    """Return a table without rows."""
    return pa.schema(list(schema.items())).empty_table()


def column_of(table: pa.Table, name: str, values: Sequence[Any]) -> pa.Table:
    """Return a table with other values in one of its columns."""
    place = table.schema.get_field_index(name)
    field = table.schema.field(place)
    return table.set_column(place, field, pa.array(values, field.type))


def table_names() -> tuple[str, ...]:
    """Return the names of the tables."""
    return tuple(field.name for field in fields(Taken))


def _renamed_traces(traces: pa.Table, names: Mapping[str, str]) -> dict[str, str]:
    columns = ("trace_id", "run_id", "run_path", "content_digest")
    return {
        old: trace_id(names[run], path, content)
        for old, run, path, content in zip(
            *(traces[name].to_pylist() for name in columns), strict=True
        )
        if run in names
    }


def _renamed(table: pa.Table, names: Mapping[str, str], ids: Mapping[str, str]) -> pa.Table:
    for column, new in (("run_id", names), ("trace_id", ids)):
        if column in table.column_names:
            own = [new.get(one, one) for one in table[column].to_pylist()]
            table = column_of(table, column, own)
    for column in _KEYED:
        if column in table.column_names:
            own = [_renamed_key(one, names) for one in table[column].to_pylist()]
            table = column_of(table, column, own)
    return table


def _renamed_key(key: str | None, names: Mapping[str, str]) -> str | None:
    """Return the key of an unknown strategy, which begins with the id of its run."""
    if key is None or "/" not in key:
        return key
    run = next((old for old in names if key.startswith(f"{old}/")), None)
    return key if run is None else names[run] + key[len(run) :]


def _without(table: pa.Table, refused: set[Series]) -> pa.Table:
    pairs = zip(table["symbol"].to_pylist(), table["timeframe"].to_pylist(), strict=True)
    return table.filter(pa.array([pair not in refused for pair in pairs], pa.bool_()))


def _mapped(table: pa.Table, column: str, numbers: Mapping[int, int]) -> pa.Table:
    return column_of(table, column, [numbers[one] for one in table[column].to_pylist()])


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text, 64 hex digits."""
    return sha256(text.encode()).hexdigest()
