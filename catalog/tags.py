"""
What people say about strategies, and about single traces of them: tags, each with a note.

Every tag is a fact in the journal `catalog.d/tags.jsonl` before it is a row in the catalog, so
that it outlives catalog.duckdb. Of several facts about one tag the last one counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from catalog.errors import QueryError, UsageError
from catalog.query.referred import Referred, refer
from catalog.query.result import Result
from catalog.query.run import execute
from catalog.query.show import find_strategy
from catalog.statements import statement
from catalog.store.database import reading, writing
from catalog.store.journal import journal_path
from catalog.store.tagged import (
    JOURNAL,
    Key,
    Row,
    add_facts,
    count_facts,
    key_of,
    known_tags,
    replay_tags,
    tell_untold,
    write_rows,
)
from catalog.store.transactions import transaction

MOST_CHARACTERS = 100
MOST_OF_A_NOTE = 10_000
_HASH = re.compile(r"[0-9a-f]{12}")
_TRACE_ID = re.compile(r"[0-9a-f]{16}")


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
        UsageError: the tag or the note cannot be one, or the tag is the name of a strategy.
        QueryError: nothing, or more than one thing, goes by a reference; then nothing is tagged.
        StoreError: the catalog cannot be used.
    """
    _check_tag(tag)
    _check_note(note)
    at = datetime.now(UTC)
    meant = _refer(catalog, references, tag=tag)
    with _changing(catalog) as (con, known):
        changes = []
        for one in meant:
            told = _as_told(con, known, one, tag)
            kept = known[_key(told, tag)]["note"] if note is None and told else note
            if told not in (None, one):
                changes.append(_change(told, tag, at, removed=True))
            changes.append(_change(one, tag, at, note=kept))
        _write(con, catalog, changes)
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
    asked = _refer(catalog, references, or_else=True)
    with _changing(catalog) as (con, known):
        meant = [told for one in asked if (told := _as_told(con, known, one, tag)) is not None]
        if not meant:
            what = references[0] if len(references) == 1 else "None of these"
            raise QueryError(
                f"{what} {'has no' if len(references) == 1 else 'has a'} tag {tag!r}",
                hint="See the tags with: catalog tag",
            )
        _write(con, catalog, [_change(one, tag, at, removed=True) for one in meant])
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


def settle_tags(catalog: Path) -> None:
    """
    Let the table say what the journal says, of what is registered by now; see `replay_tags`.

    Raises:
        StoreError: the catalog cannot be used.
    """
    if not journal_path(catalog, JOURNAL).exists():
        return
    with writing(catalog) as con:
        tell_untold(con, catalog, known_tags(con))
        with transaction(con):
            replay_tags(con, catalog)


@contextmanager
def _changing(catalog: Path) -> Iterator[tuple[DuckDBPyConnection, dict[Key, Row]]]:
    """Open the catalog for writing, and see that table and journal have the tags of each other."""
    with writing(catalog) as con:
        known = known_tags(con)
        facts = count_facts(catalog)
        # Somebody may have copied catalog.duckdb without what lies beside it,
        if facts < len(known):
            tell_untold(con, catalog, known)
        # or deleted it, and nothing else.
        elif facts and not known:
            with transaction(con):
                replay_tags(con, catalog)
            known = known_tags(con)
        yield con, known


def _write(con: DuckDBPyConnection, catalog: Path, changes: list[Row]) -> None:
    add_facts(con, catalog, changes)
    with transaction(con):
        write_rows(con, changes)


def _refer(
    catalog: Path, references: Sequence[str], *, tag: str | None = None, or_else: bool = False
) -> list[Referred]:
    """
    Return what is meant, which is looked up before others are kept from writing.

    Args:
        tag: which must not be the name of a strategy or trace itself.
        or_else: what only has tags by now goes by its key.
    """
    if not references:
        raise UsageError(
            "Say what the tag is for", hint="Name a strategy or a trace, as for catalog show"
        )
    with reading(catalog) as con:
        if tag is not None and con.execute(statement("select_is_name"), {"name": tag}).fetchall():
            raise UsageError(
                f"{tag!r} is the name of a strategy or a trace, and the tag is missing",
                hint="Name the tag last: catalog tag REFERENCE REFERENCE TAG",
            )
        gone: Collection[str | None] = ()
        if or_else:
            rows = known_tags(con).values()
            gone = {one for row in rows for one in (row["strategy_key"], row["trace_id"])}
        full = _refer_full(con, references)
        meant = []
        for reference in references:
            if reference in full:
                meant.append(full[reference])
                continue
            try:
                meant.append(refer(con, reference))
            except QueryError:
                if reference not in gone:
                    raise
                meant += [Referred(reference), Referred(reference, reference)]
    return list(dict.fromkeys(meant))


def _refer_full(con: DuckDBPyConnection, references: Sequence[str]) -> dict[str, Referred]:
    """Return what goes by full hashes and trace ids, which takes one look for all of them."""
    values = {
        "hashes": [one for one in references if _HASH.fullmatch(one)],
        "trace_ids": [one for one in references if _TRACE_ID.fullmatch(one)],
    }
    if not any(values.values()):
        return {}
    rows = con.execute(statement("select_referred"), values).fetchall()
    return {trace_id or key: Referred(key, trace_id) for key, trace_id in rows}


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


def _key(meant: Referred, tag: str) -> Key:
    return key_of({"strategy_key": meant.strategy_key, "trace_id": meant.trace_id, "tag": tag})


def _change(
    meant: Referred, tag: str, at: datetime, *, note: str | None = None, removed: bool = False
) -> Row:
    row = {"strategy_key": meant.strategy_key, "trace_id": meant.trace_id, "tag": tag}
    return row | {"note": note, "tagged_at": at, "removed": removed}


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
