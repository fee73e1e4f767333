"""Record the strategies that traces were made with, and their parameters as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.canonical import encode
from catalog.components import components
from catalog.errors import HashCollisionError
from catalog.register.columns import strategy_key, strategy_type
from catalog.register.configs import Recovered
from catalog.register.entries import Entry, Sighting
from catalog.register.files import Problem
from catalog.register.identity import Identity
from catalog.statements import statement
from catalog.store.parameters import add_parameters, count_parameters
from catalog.store.registered import registered
from catalog.strategy import check_collision, config_key, is_composite, leaf_parameters
from catalog.traces.format import EVENT_KINDS

_EDGE = pa.schema(
    {
        "parent_key": pa.string(),
        "child_key": pa.string(),
        "position": pa.int32(),
        "role": pa.string(),
        "weight": pa.float64(),
    }
)


@dataclass(frozen=True)
class Strategies:
    """
    What recording some strategies came to.

    `latest_keys` tells by strategy key which traces compete for being the latest.
    """

    latest_keys: dict[str, str | None]
    altered: bool
    retyped: bool
    without_column: int


def sightings(entries: Sequence[Entry], identities: Mapping[str, Identity]) -> list[Sighting]:
    """Return the strategies of some traces; orders, fills and positions have none of their own."""
    return [
        Sighting(
            strategy_key(entry, identities[entry.run.folder].run_id),
            entry.trace.kind,
            strategy_type(entry),
            entry.recovered,
        )
        for entry in entries
        if entry.trace.kind not in EVENT_KINDS
    ]


def without_collisions(
    con: DuckDBPyConnection, entries: Sequence[Entry]
) -> tuple[list[Entry], list[Problem]]:
    """
    Set aside the traces whose hash another configuration has already.

    Two configurations that share twelve digits are never merged: the later is refused.
    """
    digests: dict[str, str] = {}
    for short, digest, _ in _known(con, {e.recovered.hash for e in entries if e.recovered.hash}):
        if digest is not None:
            digests[short] = digest
    kept: list[Entry] = []
    refused: list[Problem] = []
    for entry in entries:
        found = entry.recovered
        try:
            if found.hash is not None and found.digest is not None:
                check_collision(
                    found.hash, digests.setdefault(found.hash, found.digest), found.digest
                )
        except HashCollisionError as error:
            stamp = (entry.trace.size, entry.trace.mtime_ns)
            refused.append(Problem(entry.path, "hash collision", str(error), error.hint, stamp))
        else:
            kept.append(entry)
    return kept, refused


def record_strategies(
    con: DuckDBPyConnection, seen: Sequence[Sighting], now: datetime
) -> Strategies:
    """Record the strategies that the catalog does not know yet, or only by their hash."""
    best: dict[str, Sighting] = {}
    for sighting in seen:
        known = best.get(sighting.key)
        if known is None or (
            known.recovered.config is None and sighting.recovered.config is not None
        ):
            best[sighting.key] = sighting
    latest: dict[str, str | None] = {}
    for key, digest, known_key in _known(con, best.keys()):
        if digest is not None or best[key].recovered.config is None:
            latest[key] = known_key
            del best[key]
    new = list(best.values())
    if not new:
        con.execute(statement("complete_no_traces"))
        return Strategies(latest, altered=False, retyped=False, without_column=0)
    new, edges = _with_components(con, new)
    keys = [None if s.recovered.config is None else config_key(s.recovered.config) for s in new]
    latest.update((s.key, key) for s, key in zip(new, keys, strict=True))
    leaves = [leaf_parameters(s.recovered.config or {}) for s in new]
    columns = add_parameters(con, leaves, [s.type for s in new])
    table = pa.table(
        {
            "strategy_key": pa.array([s.key for s in new], pa.string()),
            "strategy_hash": pa.array([s.recovered.hash for s in new], pa.string()),
            "config_digest": pa.array([s.recovered.digest for s in new], pa.string()),
            "config_key": pa.array(keys, pa.string()),
            "kind": pa.array([s.kind for s in new], pa.string()),
            "strategy_type": pa.array([s.type for s in new], pa.string()),
            "config": pa.array([s.recovered.canonical for s in new], pa.string()),
            "constraints": pa.array([_constraints(s) for s in new], pa.string()),
            "config_source": pa.array([s.recovered.source for s in new], pa.string()),
            "claimed_hash": pa.array([s.recovered.claimed_hash for s in new], pa.string()),
            "is_composite": pa.array(
                [is_composite(s.recovered.config or {}) for s in new], pa.bool_()
            ),
            "registered_at": pa.array([now] * len(new), pa.timestamp("us", tz="UTC")),
            **columns.arrays,
        }
    )
    with registered(con, incoming_strategy=table):
        con.execute(statement("insert_strategies"))
        con.execute(statement("complete_traces"))
    with registered(con, incoming_component=edges):
        con.execute(statement("insert_components"))
    count_parameters(con)
    return Strategies(latest, columns.altered, columns.retyped, columns.without_column)


def _with_components(
    con: DuckDBPyConnection, seen: Sequence[Sighting]
) -> tuple[list[Sighting], pa.Table]:
    """Return some strategies with those that they are made of and nobody knew, and the edges."""
    found = {sighting.key: sighting for sighting in seen}
    edges: list[tuple[str, str, int, str, float | None]] = []
    waiting = list(seen)
    while waiting:
        parent = waiting.pop()
        for component in components(parent.recovered.config or {}):
            text = encode(component.config)
            digest = sha256(text).hexdigest()
            own = Recovered("component", component.config, text.decode(), digest, digest[:12], None)
            edges.append(
                (parent.key, digest[:12], component.position, component.role, component.weight)
            )
            if digest[:12] not in found:
                kind = str(component.config["type"])
                found[digest[:12]] = child = Sighting(digest[:12], "signal", kind, own)
                waiting.append(child)
    made = found.keys() - {sighting.key for sighting in seen}
    known = {key for key, digest, _ in _known(con, made) if digest is not None}
    columns = list(zip(*edges, strict=True)) or [()] * 5
    table = pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, _EDGE, strict=True)],
        schema=_EDGE,
    )
    return [sighting for key, sighting in found.items() if key not in known], table


def _known(
    con: DuckDBPyConnection, keys: Iterable[str]
) -> list[tuple[str, str | None, str | None]]:
    wanted = pa.table({"strategy_key": pa.array(list(keys), pa.string())})
    if not wanted.num_rows:
        return []
    with registered(con, incoming_key=wanted):
        return con.execute(statement("select_known_strategies")).fetchall()


def _constraints(sighting: Sighting) -> str | None:
    value = (sighting.recovered.config or {}).get("constraints")
    if value is None or isinstance(value, str):
        return value
    return str(value)
