"""
What people say about strategies, and about single traces of them: tags, each with a note.

Every tag is a fact in the journal `catalog.d/tags.jsonl` before it is a row in the catalog, so
that it outlives catalog.duckdb. Of several facts about one tag the last one counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.errors import QueryError, UsageError
from catalog.query.referred import Referred, refer
from catalog.query.result import Result
from catalog.query.run import execute
from catalog.query.show import find_strategy
from catalog.statements import statement
from catalog.store.database import reading, writing
from catalog.store.journal import append_facts, read_facts
from catalog.store.registered import registered
from catalog.store.transactions import transaction

JOURNAL = "tags"
MOST_CHARACTERS = 100
MOST_OF_A_NOTE = 10_000

_ROWS = pa.schema(
    {
        "strategy_key": pa.string(),
        "trace_id": pa.string(),
        "tag": pa.string(),
        "note": pa.string(),
        "tagged_at": pa.timestamp("us", "UTC"),
    }
)
Row = dict[str, Any]
# What is tagged, a trace by its id or a strategy by its key, and the tag.
Key = tuple[str | None, str | None, str]


@dataclass(frozen=True)
class Tagged:
    """How many strategies, and how many single traces, got a tag or lost it."""

    strategies: int
    traces: int


def add_tag(
    catalog: Path, references: Sequence[str], tag: str, *, note: str | None = None
) -> Tagged:
    """
    Give a tag to strategies and traces; those that have it get the new note, if there is one.

    Args:
        references: as for `show`; a trace id or the path of a file tags that trace only, any
            other name the strategy.

    Raises:
        UsageError: the tag or the note cannot be one.
        QueryError: nothing, or more than one thing, goes by a reference; then nothing is tagged.
        StoreError: the catalog cannot be used.
    """
    _check_tag(tag)
    _check_note(note)
    at = datetime.now(UTC)
    with _changing(catalog) as (con, known):
        meant = _refer(con, references)
        facts = []
        for one in meant:
            told = _as_told(con, known, one, tag)
            kept = known[_key(told, tag)]["note"] if note is None and told else note
            if told not in (None, one):
                facts.append(_fact(told, tag, at, removed=True))
            facts.append(_fact(one, tag, at, note=kept))
        append_facts(catalog, JOURNAL, facts)
        with transaction(con):
            replay_tags(con, catalog)
    return _count(meant)


def remove_tag(catalog: Path, references: Sequence[str], tag: str) -> Tagged:
    """
    Take a tag off strategies and traces. What does not have it is left as it is.

    Args:
        references: as for `add_tag`.

    Returns:
        How many had it.

    Raises:
        QueryError: none of them has the tag, or nothing goes by a reference.
        StoreError: the catalog cannot be used.
    """
    _check_tag(tag)
    at = datetime.now(UTC)
    with _changing(catalog) as (con, known):
        gone = {one for row in known.values() for one in (row["strategy_key"], row["trace_id"])}
        meant = [
            told
            for one in _refer(con, references, or_else=gone)
            if (told := _as_told(con, known, one, tag)) is not None
        ]
        if not meant:
            what = references[0] if len(references) == 1 else "None of these"
            raise QueryError(
                f"{what} {'has no' if len(references) == 1 else 'has a'} tag {tag!r}",
                hint="See the tags with: catalog tag",
            )
        append_facts(catalog, JOURNAL, [_fact(one, tag, at, removed=True) for one in meant])
        with transaction(con):
            replay_tags(con, catalog)
    return _count(meant)


def list_tags(catalog: Path, reference: str | None = None) -> Result:
    """
    Return the rows of the view `tags`, those of one strategy where one is named.

    Raises:
        QueryError: nothing, or more than one strategy, goes by that name.
        StoreError: the catalog cannot be used.
    """
    with reading(catalog) as con:
        key = None if reference is None else find_strategy(con, reference)
        return execute(con, statement("select_tags"), {"strategy_key": key})


def replay_tags(con: DuckDBPyConnection, catalog: Path) -> int:
    """
    Make the table of tags say what the journal says. Belongs in a transaction.

    Returns:
        How many tags there are.
    """
    tags: dict[Key, Row] = {}
    for fact in read_facts(catalog, JOURNAL):
        row = _row(fact)
        if row is None:
            continue
        key = _key(_meant(row), row["tag"])
        if fact.get("removed"):
            tags.pop(key, None)
        else:
            tags[key] = row
    con.execute(statement("delete_tags"))
    with registered(con, incoming_tag=pa.Table.from_pylist(list(tags.values()), _ROWS)):
        con.execute(statement("insert_tags"))
    return len(tags)


@contextmanager
def _changing(catalog: Path) -> Iterator[tuple[DuckDBPyConnection, dict[Key, Row]]]:
    """Open the catalog for writing, and see that the journal has every tag that it has."""
    with writing(catalog) as con:
        rows = con.sql(statement("select_tag_rows")).to_arrow_table().to_pylist()
        known = {_key(_meant(row), row["tag"]): row for row in rows}
        told = {
            _key(_meant(row), row["tag"])
            for fact in read_facts(catalog, JOURNAL)
            if (row := _row(fact)) is not None
        }
        # Somebody may have copied catalog.duckdb without what lies beside it.
        untold = [row for key, row in known.items() if key not in told]
        append_facts(
            catalog,
            JOURNAL,
            [
                _fact(
                    _meant(row),
                    row["tag"],
                    row["tagged_at"],
                    note=row["note"],
                )
                for row in untold
            ],
        )
        yield con, known


def _refer(
    con: DuckDBPyConnection, references: Sequence[str], *, or_else: Collection[str | None] = ()
) -> list[Referred]:
    """Return what is meant; what only has tags by now goes by its key in `or_else`."""
    if not references:
        raise UsageError(
            "Say what the tag is for", hint="Name a strategy or a trace, as for catalog show"
        )
    meant = []
    for reference in references:
        try:
            meant.append(refer(con, reference))
        except QueryError:
            if reference not in or_else:
                raise
            meant += [Referred(reference), Referred(reference, reference)]
    return list(dict.fromkeys(meant))


def _as_told(
    con: DuckDBPyConnection, known: Mapping[Key, Row], meant: Referred, tag: str
) -> Referred | None:
    """Return what has the tag: what is meant, or that strategy while it was unknown."""
    if _key(meant, tag) in known:
        return meant
    if meant.trace_id is not None:
        return None
    values = {"strategy_key": meant.strategy_key}
    for (key,) in con.execute(statement("select_former_keys"), values).fetchall():
        if _key(Referred(key), tag) in known:
            return Referred(key)
    return None


def _count(meant: Iterable[Referred]) -> Tagged:
    traces = [one.trace_id is not None for one in meant]
    return Tagged(len(traces) - sum(traces), sum(traces))


def _meant(row: Row) -> Referred:
    return Referred(row["strategy_key"], row["trace_id"])


def _key(meant: Referred, tag: str) -> Key:
    # A trace is what it is, whichever strategy it turned out to be of.
    if meant.trace_id is not None:
        return None, meant.trace_id, tag
    return meant.strategy_key, None, tag


def _fact(
    meant: Referred, tag: str, at: datetime, *, note: str | None = None, removed: bool = False
) -> Row:
    fact: Row = {"strategy_key": meant.strategy_key, "trace_id": meant.trace_id, "tag": tag}
    fact |= {"note": note, "tagged_at": at.astimezone(UTC).isoformat()}
    return fact | ({"removed": True} if removed else {})


def _row(fact: Row) -> Row | None:
    """Return a fact as a row, or None where it is none of ours."""
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
    return {
        "strategy_key": key, "trace_id": trace_id, "tag": tag, "note": note, "tagged_at": at,
    }  # fmt: skip


def _check_tag(tag: str) -> None:
    wrong = None
    if not tag:
        wrong = "it is empty"
    elif tag != tag.strip():
        wrong = "it begins or ends with a blank"
    elif len(tag) > MOST_CHARACTERS:
        wrong = f"it has {len(tag):,} characters, and {MOST_CHARACTERS} are the most"
    elif not tag.isprintable():
        wrong = "it holds characters that cannot be printed"
    if wrong is not None:
        raise UsageError(
            f"This is no tag: {tag[:MOST_CHARACTERS]!r}: {wrong}",
            hint="Use a short word such as good-in-march, and a note for what is longer",
        )


def _check_note(note: str | None) -> None:
    if note is not None and len(note) > MOST_OF_A_NOTE:
        raise UsageError(
            f"This note has {len(note):,} characters, and {MOST_OF_A_NOTE:,} are the most",
            hint="Keep it in a file, and note the file's name",
        )
    if note is not None:
        try:
            note.encode()
        except UnicodeEncodeError as error:
            raise UsageError("This note is no text in UTF-8") from error
