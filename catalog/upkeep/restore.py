"""Bring the facts that lie beside a catalog into the tables of one that is made anew."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.facts import facts_of
from catalog.store.journal import Fact
from catalog.store.paths import Prefix, absolute_prefix, catalog_root, stored_prefix
from catalog.store.registered import registered
from catalog.store.trials import restore_trials


@dataclass(frozen=True)
class KnownPlaces:
    """
    What is known of folders: the roots, and those of runs in the order in which they came.

    All are absolute, without a slash at the end.
    """

    roots: tuple[str, ...]
    runs: tuple[str, ...]


def restore_places(con: DuckDBPyConnection, catalog: Path) -> KnownPlaces:
    """Bring back the roots, and which run lies in which folder. Belongs in a transaction."""
    root = catalog_root(catalog)
    runs = list(facts_of(catalog, "runs").values())
    run_paths = [_path(fact, root) for fact in runs]
    roots = _outermost([_path(fact, root) for fact in facts_of(catalog, "roots").values()])
    # A run that lies in no root was one itself, and the fact that says so is gone.
    known = frozenset(roots)
    roots += [path for path in _outermost(run_paths) if not _above(path, known)]
    places = dict.fromkeys([*roots, *run_paths])
    numbers = {path: number for number, path in enumerate(places, 1)}
    root_ids = {path: number for number, path in enumerate(roots, 1)}
    # Of several facts of one run the one that says where it is at home counts.
    homes: dict[str, tuple[str, Fact]] = {}
    for path, fact in zip(run_paths, runs, strict=True):
        if fact["run_id"] not in homes or fact.get("is_home"):
            homes[fact["run_id"]] = path, fact
    tables = {
        "root": [{"root_id": root_ids[path], **_prefix(path, root)} for path in roots],
        "directory": [
            {
                "directory_id": number,
                "root_id": root_ids.get(_above(path, root_ids) or "", 1),
                "is_linked": False,
                **_prefix(path, root),
            }
            for path, number in numbers.items()
        ],
        "run_folder": [
            # Whatever lies beside the traces is to be read.
            fact | {"directory_id": numbers[path], "records_stamp": ""}
            for path, fact in zip(run_paths, runs, strict=True)
        ],
        "run": [fact | {"directory_id": numbers[path]} for path, fact in homes.values()],
    }
    arrow = {f"incoming_{name}": _table(con, name, facts) for name, facts in tables.items()}
    with registered(con, **arrow):
        for part in con.extract_statements(statement("restore_places")):
            con.execute(part)
    return KnownPlaces(
        tuple(path.rstrip("/") or "/" for path in roots),
        tuple(path.rstrip("/") or "/" for path in run_paths),
    )


def restore_prices(con: DuckDBPyConnection, catalog: Path) -> list[Path]:
    """Bring back the price series, and return the files that are gone. Belongs in a transaction."""
    root = Path(catalog_root(catalog))
    facts = list(facts_of(catalog, "prices").values())
    there = [fact for fact in facts if (root / fact["price_path"]).is_file()]
    with registered(con, incoming_prices=_table(con, "price_series", there)):
        con.execute(statement("insert_price_series"))
    return [root / fact["price_path"] for fact in facts if fact not in there]


def restore_metric_sets(con: DuckDBPyConnection, catalog: Path) -> list[Path]:
    """
    Bring back the metric sets and the ledger of trials. Belongs in a transaction.

    Returns:
        The files of the ledger that are damaged.
    """
    facts = list(facts_of(catalog, "metric_sets").values())
    with registered(con, incoming_set=_table(con, "metric_set", facts)):
        for part in con.extract_statements(statement("restore_metric_sets")):
            con.execute(part)
    return restore_trials(con, catalog)


def _table(con: DuckDBPyConnection, name: str, facts: Sequence[Fact]) -> pa.Table:
    """Return facts as rows of a table of the catalog; what of them it has no column for goes."""
    columns = [
        row[0] for row in con.execute(statement("select_columns"), {"table": name}).fetchall()
    ]
    rows = [{column: _text(fact.get(column)) for column in columns} for fact in facts]
    return pa.Table.from_pylist(rows, pa.schema([(column, pa.string()) for column in columns]))


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _path(fact: Fact, root: str) -> str:
    return absolute_prefix(Prefix(fact["prefix"], fact["is_relative"]), root)


def _prefix(path: str, root: str) -> Fact:
    return stored_prefix(path, root)._asdict()


def _outermost(paths: Sequence[str]) -> list[str]:
    """Return paths without those that lie below another one, in their order."""
    kept: list[str] = []
    # Sorted, what lies below a path comes right behind it.
    for path in sorted(set(paths)):
        if not kept or not path.startswith(kept[-1]):
            kept.append(path)
    outer = set(kept)
    return [path for path in dict.fromkeys(paths) if path in outer]


def _above(path: str, roots: Collection[str]) -> str | None:
    """Return the root that a path lies in, else one that lies in it, as it may of a run."""
    place = path
    while place and place not in roots:
        place = place[: place.rstrip("/").rfind("/") + 1]
    return place or next((one for one in roots if one.startswith(path)), None)
