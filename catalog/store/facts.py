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
from pathlib import Path

from duckdb import DuckDBPyConnection

from catalog.statements import statement
from catalog.store.fact_kinds import KINDS, Key, Kind
from catalog.store.journal import (
    Fact,
    append_facts,
    facts_in,
    journal_path,
    read_facts,
    read_lines,
)


@contextmanager
def noting(con: DuckDBPyConnection, *names: str) -> Iterator[None]:
    """
    Note what the block changes of these facts. It belongs in a transaction, around the changes.

    The facts are on the disk before the transaction is committed. One that is not after all
    leaves facts that the tables do not have, which a catalog that is made anew has: harmless.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    before = {name: _texts(con, name) for name in names}
    yield
    for name, old in before.items():
        _note(con, name, old, _texts(con, name))


def write_missing(con: DuckDBPyConnection, catalog: Path) -> dict[str, int]:
    """
    Add to the journals what only the tables say, as of a catalog that had none of them.

    Nothing is taken away: the catalog may be older than the journals, or one that was made in the
    place of one that was lost.

    Returns:
        How many facts of each name the tables lack, none where that is none.

    Raises:
        StoreError: the folder beside the catalog cannot be written.
    """
    lacking: dict[str, int] = {}
    for name, kind in KINDS.items():
        if has_table(con, kind.table):
            held = facts_of(catalog, name)
            now = {kind.key_of(fact): fact for fact in _facts(_texts(con, name))}
            append_facts(catalog, name, _missing(catalog, name, now))
            if count := len(held.keys() - now.keys()) if not kind.only_grows else 0:
                lacking[name] = count
    return lacking


def missing_facts(con: DuckDBPyConnection, catalog: Path) -> dict[str, list[Fact]]:
    """
    Return by name what `write_missing` would write: facts that only the tables say.

    Raises:
        StoreError: a journal cannot be read.
    """
    found = {
        name: _missing(catalog, name, {kind.key_of(one): one for one in _facts(_texts(con, name))})
        for name, kind in KINDS.items()
        if has_table(con, kind.table)
    }
    return {name: facts for name, facts in found.items() if facts}


def _missing(catalog: Path, name: str, now: dict[Key, Fact]) -> list[Fact]:
    known = _known(catalog, name)
    # A fact is in its journal before the tables have it: that has the last word.
    if KINDS[name].only_grows:
        first = {key[0] for key in known}
        return [one for key, one in now.items() if key[0] not in first]
    return [one for key, one in now.items() if key not in known]


def facts_of(catalog: Path, name: str) -> dict[Key, Fact]:
    """
    Return the facts of a name that hold, by their keys, in the order in which they came.

    What does not say all that such a fact says is passed over.

    Raises:
        StoreError: they cannot be read.
    """
    kind, held = KINDS[name], dict[Key, Fact]()
    for fact in filter(kind.says, read_facts(catalog, name)):
        key = kind.key_of(fact)
        if fact.get("gone"):
            held.pop(key, None)
        else:
            held[key] = fact
    return held


def damaged_facts(catalog: Path) -> list[str]:
    """
    Return the lines of journals that are no facts, such as `…/runs.jsonl, line 3`.

    Half a line, as of one who was killed while writing it, was never a fact.

    Raises:
        StoreError: a journal cannot be read.
    """
    found = []
    for name, kind in KINDS.items():
        lines = read_lines(catalog, name)
        for number, line in enumerate(lines, 1):
            if line and not any(map(kind.says, facts_in([line]))) and not _is_half(line):
                found.append(f"{journal_path(catalog, name)}, line {number:,}")
    return found


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
    before = {kind.key_of(one): one for one in _facts([text for text in old if text not in has])}
    now = {kind.key_of(one): one for one in _facts([text for text in new if text not in had])}
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


def _known(catalog: Path, name: str) -> set[Key]:
    """Return the keys of all facts of a name, also of those that hold no more."""
    kind = KINDS[name]
    return {kind.key_of(fact) for fact in read_facts(catalog, name) if kind.says(fact)}


def _is_half(line: bytes) -> bool:
    return line.startswith(b"{") and not line.rstrip().endswith(b"}")


def _said(kind: Kind, fact: Fact) -> Fact:
    return {name: value for name, value in fact.items() if name not in kind.beside}
