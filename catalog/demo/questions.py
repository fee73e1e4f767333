"""What the demo asks its catalog, and what a reader might ask next."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from catalog.catalog import Catalog
from catalog.statements import statement

# Title, and the name of the statement in sql/.
QUESTIONS = (
    (
        "Changes of position a year, by width and period of the Bollinger bands",
        "demo_changes_by_band",
    ),
    ("What the strategies hold after the last bar", "demo_last_positions"),
    ("How many different behaviours were tried", "demo_behaviours"),
)

NEXT_QUERIES = (
    (
        "one parameter combination on every stock",
        "select * from strategy_index where strategy_type = 'bollinger_bands'"
        " and param_period = 20 and param_std_dev = 2.0",
    ),
    (
        "every change of one strategy's signal",
        "select ts, val, px from signals"
        " where strategy_id = 'AAPL_bollinger_bands_20_2.0' order by bar_index",
    ),
    (
        "the positions that have been held longest",
        "select symbol, position, from_ts, bars from holdings"
        " where is_last and position <> 0 order by bars desc limit 10",
    ),
)


@dataclass(frozen=True)
class Answer:
    """A question's title, its SQL and the rows that came back."""

    title: str
    sql: str
    table: pa.Table


def ask(catalog: Catalog) -> tuple[Answer, ...]:
    """Put each of the demo's questions to the catalog."""
    return tuple(
        Answer(title, sql, catalog.sql(sql).arrow())
        for title, sql in ((title, statement(name)) for title, name in QUESTIONS)
    )
