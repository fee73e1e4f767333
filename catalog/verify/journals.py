"""Facts beside the catalog: the journals and the ledger of trials, from which it is made anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from duckdb import DuckDBPyConnection

from catalog.errors import StoreError
from catalog.store.fact_kinds import KINDS
from catalog.store.facts import damaged_facts, missing_facts
from catalog.store.journal import facts_in, journal_path, read_lines
from catalog.store.kept import read_kept
from catalog.store.paths import side_folder
from catalog.store.trials import trial_files
from catalog.verify.finding import DAMAGED_LEDGER, DAMAGED_LINE, LACKING_FACTS, Finding, found

_FIRST_SET: Final = {
    "set_id": 1, "cost_bps": 0.0, "fill": "close", "range_start": None, "range_end": None,
    "last_days": None, "split": None, "folds": None, "is_default": True,
}  # fmt: skip
"""Every catalog has it from the beginning, and so has one that is made anew."""


def check_journals(con: DuckDBPyConnection, catalog: Path, *, fast: bool) -> Iterator[Finding]:
    """
    Yield facts that are damaged, and what the tables know and no fact says.

    Args:
        fast: leave the ledger of trials unread.
    """
    try:
        for line in damaged_facts(catalog):
            yield _damaged(*line.rsplit(", line ", 1))
        for name in _other_names(catalog):
            for number, text in enumerate(read_lines(catalog, name), 1):
                # Half a line, as of one who was killed while writing it, was never a fact.
                half = text.startswith(b"{") and not text.rstrip().endswith(b"}")
                if text.strip() and not half and not any(True for _ in facts_in([text])):
                    yield _damaged(str(journal_path(catalog, name)), f"{number:,}")
        for name, facts in missing_facts(con, catalog).items():
            path = os.path.abspath(journal_path(catalog, name))
            if all(name == "metric_sets" and one == _FIRST_SET for one in facts):
                continue
            yield found(LACKING_FACTS, path, f"facts lack {len(facts):,} {name} of the catalog")
    except StoreError as error:
        yield found(DAMAGED_LINE, os.path.abspath(side_folder(catalog)), str(error))
    if not fast:
        for kept in trial_files(catalog):
            if read_kept(kept) is None:
                detail = "it cannot be read, and counts trials that are nowhere else beside"
                yield found(DAMAGED_LEDGER, os.path.abspath(kept), detail)


def _damaged(path: str, number: str) -> Finding:
    return found(DAMAGED_LINE, os.path.abspath(path), f"line {number} says nothing that is known")


def _other_names(catalog: Path) -> list[str]:
    stems = sorted(path.stem for path in side_folder(catalog).glob("*.jsonl"))
    return [name for name in stems if name not in KINDS]
