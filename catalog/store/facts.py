"""
What the tables know and no trace file says, kept beside the catalog as facts too.

Each name has a statement `sql/facts_NAME.sql`, whose rows are the facts as they are now, and a
journal `catalog.d/NAME.jsonl`, which gains what changes. The last fact of a key holds; one that
is `gone` takes it away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.journal import Fact, append_facts, read_facts

Key = tuple[object, ...]


@dataclass(frozen=True)
class _Kind:
    """
    What tells the facts of a name apart, and what of a fact does not make it another.

    `table` is the one without which an older catalog has none of them. What `only_grows` is
    written where nothing is known of its first key.
    """

    key: tuple[str, ...]
    table: str
    beside: frozenset[str] = frozenset()
    only_grows: bool = False


_FOLDER = ("prefix", "is_relative")
KINDS: Final = {
    "roots": _Kind(_FOLDER, "root"),
    "runs": _Kind(_FOLDER, "run_folder", frozenset({"registered_at"})),
    "prices": _Kind(("symbol", "timeframe"), "price_series"),
    "metric_sets": _Kind(("set_id",), "metric_set"),
    "computations": _Kind(("set_id", "by_regime", "condition"), "metric", only_grows=True),
}


@contextmanager
def noting(con: DuckDBPyConnection, *names: str) -> Iterator[None]:
    """
    Note what the block changes of these facts. It belongs in a transaction, around the changes.

    The facts are on the disk before the transaction is committed. One that is not after all
    leaves facts that the tables do not have; `write_missing` takes them back.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    before = {name: _texts(con, name) for name in names}
    yield
    for name, old in before.items():
        _note(con, name, old, _texts(con, name))


def write_missing(con: DuckDBPyConnection, catalog: Path) -> None:
    """
    Bring the journals to what the tables say, as for a catalog that had none.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    for name, kind in KINDS.items():
        if has_table(con, kind.table):
            before = facts_of(catalog, name)
            now = {_key(kind, fact): fact for fact in _facts(_texts(con, name))}
            if kind.only_grows:
                known = {key[0] for key in before}
                now = before | {key: one for key, one in now.items() if key[0] not in known}
            _append(catalog, name, before, now)


def facts_of(catalog: Path, name: str) -> dict[Key, Fact]:
    """
    Return the facts of a name that hold, by their keys, in the order in which they came.

    Raises:
        StoreError: they cannot be read.
    """
    kind, held = KINDS[name], dict[Key, Fact]()
    for fact in read_facts(catalog, name):
        if any(part not in fact for part in kind.key):
            continue
        key = _key(kind, fact)
        if fact.get("gone"):
            held.pop(key, None)
        else:
            held[key] = fact
    return held


def catalog_of(con: DuckDBPyConnection) -> Path:
    """Return the path of the catalog that a connection has open."""
    ((path,),) = con.execute(statement("select_catalog_path")).fetchall()
    return Path(path)


def has_table(con: DuckDBPyConnection, table: str) -> bool:
    """Say whether the catalog has a table: one that an older program made may not."""
    return (table,) in con.execute(statement("select_tables")).fetchall()


def _texts(con: DuckDBPyConnection, name: str) -> list[str]:
    return [text for (text,) in con.execute(statement(f"facts_{name}")).fetchall()]


def _facts(texts: list[str]) -> list[Fact]:
    return [json.loads(text) for text in texts]


def _note(con: DuckDBPyConnection, name: str, old: list[str], new: list[str]) -> None:
    if old == new:
        return
    kind, had, has = KINDS[name], set(old), set(new)
    before = {_key(kind, one): one for one in _facts([text for text in old if text not in has])}
    now = {_key(kind, one): one for one in _facts([text for text in new if text not in had])}
    _append(catalog_of(con), name, before, now)


def _append(catalog: Path, name: str, before: dict[Key, Fact], now: dict[Key, Fact]) -> None:
    """Add what differs: facts that are new or other ones, and those that hold no more."""
    kind = KINDS[name]
    facts = [
        dict(zip(kind.key, key, strict=True)) | {"gone": True} for key in before.keys() - now.keys()
    ]
    facts += [
        fact
        for key, fact in now.items()
        if key not in before or _said(kind, fact) != _said(kind, before[key])
    ]
    append_facts(catalog, name, facts)


def _said(kind: _Kind, fact: Fact) -> Fact:
    return {name: value for name, value in fact.items() if name not in kind.beside}


def _key(kind: _Kind, fact: Fact) -> Key:
    return tuple(fact[part] for part in kind.key)
