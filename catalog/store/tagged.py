"""
Tags as facts beside the catalog and as rows of its table.

A strategy whose configuration is unknown goes by its run and its name there, and a trace by its
run and its file; in a catalog that is made anew, or once a folder has another name, the run may
have another id. So a fact about them has an anchor: what the trace was called and what was in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.errors import StoreError
from catalog.statements import statement
from catalog.store.journal import append_facts, journal_path, read_facts
from catalog.store.registered import registered

JOURNAL = "tags"
Row = dict[str, Any]
# What is tagged, a trace by its id or a strategy by its key, and the tag.
Key = tuple[str | None, str | None, str]

_ROWS = pa.schema(
    {
        "strategy_key": pa.string(),
        "trace_id": pa.string(),
        "tag": pa.string(),
        "note": pa.string(),
        "tagged_at": pa.timestamp("us", "UTC"),
    }
)
_ANCHOR = ("name", "path", "content", "run")
_ANCHORS = pa.schema(
    [("place", pa.int64()), ("strategy_key", pa.string()), ("trace_id", pa.string())]
    + [(name, pa.string()) for name in _ANCHOR]
)


def key_of(row: Mapping[str, Any]) -> Key:
    """Return what a row or a fact is about."""
    # A trace is what it is, whichever strategy it turned out to be of.
    if row["trace_id"] is not None:
        return None, row["trace_id"], row["tag"]
    return row["strategy_key"], None, row["tag"]


def known_tags(con: DuckDBPyConnection) -> dict[Key, Row]:
    """Return the rows of the table."""
    rows = con.sql(statement("select_tag_rows")).to_arrow_table().to_pylist()
    return {key_of(row): row for row in rows}


def add_facts(con: DuckDBPyConnection, catalog: Path, rows: Sequence[Row]) -> None:
    """Write rows to the journal, those with `removed` as tags that are taken off, with anchors."""
    anchors = _anchors(con, [row for row in rows if not row.get("removed")])
    append_facts(catalog, JOURNAL, (_fact(row, anchors.get(key_of(row)[:2])) for row in rows))


def tags_of_lake(catalog: Path, lake: str) -> set[Key]:
    """
    Return what is tagged as a lake said, and as nobody said since.

    Args:
        lake: its place as the catalog stores it.
    """
    last: dict[Key, object] = {}
    for fact in read_facts(catalog, JOURNAL):
        row = _row(fact)
        if row is not None:
            last[key_of(row)] = fact.get("lake")
    return {key for key, said_by in last.items() if said_by == lake}


def write_rows(con: DuckDBPyConnection, rows: Sequence[Row]) -> None:
    """Let the table say what rows say; of several about one tag the last one counts."""
    latest = {key_of(row): row for row in rows}
    gone = pa.Table.from_pylist(list(latest.values()), _ROWS)
    kept = pa.Table.from_pylist([row for row in latest.values() if not row.get("removed")], _ROWS)
    with registered(con, incoming_gone_tag=gone):
        con.execute(statement("delete_some_tags"))
    with registered(con, incoming_tag=kept):
        con.execute(statement("insert_tags"))


def tell_untold(con: DuckDBPyConnection, catalog: Path, known: Mapping[Key, Row]) -> None:
    """Write what only the table knows to the journal, which somebody may have left elsewhere."""
    told = {key_of(row) for fact in read_facts(catalog, JOURNAL) if (row := _row(fact)) is not None}
    add_facts(con, catalog, [row for key, row in known.items() if key not in told])


def count_facts(catalog: Path) -> int:
    """Return how many lines the journal has, without a look at what these say."""
    path = journal_path(catalog, JOURNAL)
    try:
        return path.read_bytes().count(b"\n") if path.exists() else 0
    except OSError as error:
        raise StoreError(
            f"Cannot read {path}: {error.strerror}", hint="Check its permissions"
        ) from error


def replay_tags(con: DuckDBPyConnection, catalog: Path) -> int:
    """
    Make the table of tags say what the journal says. Belongs in a transaction.

    A tag whose anchor lies at another strategy or trace by now goes there, which the journal is
    told too. Where the key belongs to another strategy and the anchor is nowhere, the tag waits in
    the journal.

    Returns:
        How many tags there are.
    """
    tags: dict[Key, Row] = {}
    for fact in read_facts(catalog, JOURNAL):
        row = _row(fact)
        if row is None:
            continue
        if fact.get("removed"):
            tags.pop(key_of(row), None)
        else:
            tags[key_of(row)] = row
    rows, moved = _settled(con, list(tags.values()))
    add_facts(con, catalog, moved)
    settled = {key_of(row): row for row in rows}
    if settled != known_tags(con):
        con.execute(statement("delete_tags"))
        with registered(con, incoming_tag=_table(settled.values())):
            con.execute(statement("insert_tags"))
    return len(settled)


def _settled(con: DuckDBPyConnection, tags: list[Row]) -> tuple[list[Row], list[Row]]:
    """Return the tags where they belong, and the facts that say which have moved."""
    anchored = [
        {"place": place, "strategy_key": row["strategy_key"], "trace_id": row["trace_id"]} | anchor
        for place, row in enumerate(tags)
        if (anchor := row.pop("anchor")) is not None
    ]
    found: dict[int, dict[tuple[str | None, str | None], int]] = {}
    if anchored:
        with registered(con, incoming_anchor=pa.Table.from_pylist(anchored, _ANCHORS)):
            rows = con.execute(statement("select_anchored")).fetchall()
        for place, key, trace_id, score in rows:
            at = found.setdefault(place, {})
            at[key, trace_id] = max(score, at.get((key, trace_id), 0))
    settled: list[Row] = []
    moved: list[Row] = []
    for place, row in enumerate(tags):
        at = found.get(place, {})
        best = max(at.values(), default=0)
        targets = [target for target, score in at.items() if score == best]
        own = next((target for target in at if key_of(_at(row, target)) == key_of(row)), None)
        if own in targets and best:
            settled.append(row)
        elif best and len(targets) == 1:
            there = _at(row, targets[0])
            moved += [row | {"removed": True}, there]
            settled.append(there)
        elif own is None:
            settled.append(row)
    return settled, moved


def _at(row: Row, target: tuple[str | None, str | None]) -> Row:
    key, trace_id = target
    return row | {"strategy_key": key, "trace_id": trace_id}


def _anchors(
    con: DuckDBPyConnection, rows: Iterable[Row]
) -> dict[tuple[str | None, str | None], Row]:
    """Return the anchors of traces and of strategies of unknown configuration."""
    rows = list(rows)
    trace_ids = [row["trace_id"] for row in rows if row["trace_id"] is not None]
    # The key of what is known is its hash.
    keys = [row["strategy_key"] for row in rows if row["trace_id"] is None]
    keys = [key for key in keys if key is not None and "/" in key]
    if not trace_ids and not keys:
        return {}
    names = [key[at + 1 :] for key in keys for at, one in enumerate(key) if one == "/"]
    values = {"trace_ids": trace_ids, "keys": keys, "names": names}
    found: dict[tuple[str | None, str | None], Row] = {}
    for trace_id, key, *anchor in con.execute(statement("select_anchors"), values).fetchall():
        named = dict(zip(_ANCHOR, anchor, strict=True))
        if trace_id is not None:
            found[None, trace_id] = named
        if key is not None:
            found[key, None] = named
    return found


def _table(rows: Iterable[Row]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), _ROWS)


def _fact(row: Row, anchor: Row | None) -> Row:
    fact = {name: row[name] for name in ("strategy_key", "trace_id", "tag", "note")}
    fact["tagged_at"] = row["tagged_at"].astimezone(UTC).isoformat()
    if row.get("removed"):
        return fact | {"removed": True}
    if row.get("lake") is not None:
        fact["lake"] = row["lake"]
    return fact if anchor is None else fact | {"anchor": anchor}


def _row(fact: Row) -> Row | None:
    """Return a fact as a row with its anchor, or None where it is none of ours."""
    texts = [fact.get(name) for name in ("strategy_key", "trace_id", "tag", "note")]
    if not all(text is None or isinstance(text, str) for text in texts):
        return None
    key, trace_id, tag, note = texts
    try:
        at = datetime.fromisoformat(str(fact.get("tagged_at")))
    except ValueError:
        return None
    if tag is None or key is trace_id is None or at.tzinfo is None:
        return None
    anchor = fact.get("anchor")
    if not isinstance(anchor, dict) or any(
        not isinstance(anchor.get(name), str | None) for name in _ANCHOR
    ):
        anchor = None
    return {
        "strategy_key": key, "trace_id": trace_id, "tag": tag, "note": note, "tagged_at": at,
        "anchor": anchor and {name: anchor.get(name) for name in _ANCHOR},
    }  # fmt: skip
