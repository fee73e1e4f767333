"""What the demo asks its catalog."""

from __future__ import annotations

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


def ask(catalog: Catalog) -> tuple[tuple[str, pa.Table], ...]:
    """Put each of the demo's questions to the catalog, and return its title and the answer."""
    return tuple((title, catalog.sql(statement(name)).arrow()) for title, name in QUESTIONS)
