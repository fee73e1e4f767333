"""What facts there are beside a catalog: what tells them apart, and what each has to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from catalog.store.journal import Fact

Key = tuple[object, ...]


@dataclass(frozen=True)
class Kind:
    """
    What tells the facts of a name apart, and what of a fact does not make it another.

    `table` is the one without which an older catalog has none of them. What `only_grows` is
    written where nothing is known of its first key. A fact has all `fields`, and may have `more`.
    """

    key: tuple[str, ...]
    table: str
    fields: Mapping[str, type]
    more: Mapping[str, type] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()
    only_grows: bool = False

    def key_of(self, fact: Fact) -> Key:
        """Return what tells a fact from the others of its name."""
        return tuple(fact[part] for part in self.key)

    def says(self, fact: Fact) -> bool:
        """Say whether a line is such a fact: it says all that it has to, as what it is."""
        known = {**self.fields, **self.more}
        wanted = self.key if fact.get("gone") else (*self.key, *self.fields)
        return all(name in fact for name in wanted) and all(
            _is(value, known[name]) or (value is None and name in self.more)
            for name, value in fact.items()
            if name in known
        )


def _is(value: object, kind: type) -> bool:
    if kind is float:
        return type(value) in (int, float)
    if kind not in (date, datetime):
        return type(value) is kind
    try:
        return isinstance(value, str) and bool(kind.fromisoformat(value))
    except ValueError:
        return False


_FOLDER: Final = {"prefix": str, "is_relative": bool}
_LAKE: Final = {"place": str, "is_relative": bool}
KINDS: Final = {
    "roots": Kind(tuple(_FOLDER), "root", _FOLDER),
    "runs": Kind(
        tuple(_FOLDER),
        "run_folder",
        {**_FOLDER, "run_id": str, "name": str, "registered_at": datetime},
        {
            "sweep_digest": str,
            "is_home": bool,
            "recorded_id": str,
            "created_at": datetime,
            "data_source": str,
            "symbol": str,
            "timeframe": str,
            "total_bars": int,
        },
        beside=frozenset({"registered_at"}),
    ),
    "lakes": Kind(tuple(_LAKE), "lake", _LAKE),
    "prices": Kind(
        ("symbol", "timeframe"),
        "price_series",
        {
            "symbol": str,
            "timeframe": str,
            "time_zone": str,
            "bar_label": str,
            "price_path": str,
            "source_path": str,
            "digest": str,
            "bar_count": int,
            "first_ts": datetime,
            "last_ts": datetime,
            "session_count": int,
            "sessions_per_year": float,
            "bars_per_year": float,
            "bars_without_price": int,
            "prepended_bars": int,
            "origin_bars": int,
            "origin_ts": datetime,
            "origin_digest": str,
            "added_at": datetime,
        },
        {"adjustment": str, "regular_hours": str},
    ),
    "metric_sets": Kind(
        ("set_id",),
        "metric_set",
        {"set_id": int, "cost_bps": float, "fill": str, "is_default": bool},
        {
            "range_start": date,
            "range_end": date,
            "last_days": int,
            "split": date,
            "folds": int,
        },
    ),
    "computations": Kind(
        ("set_id", "by_regime", "condition"),
        "metric",
        {"set_id": int},
        {"by_regime": str, "condition": str},
        only_grows=True,
    ),
}
