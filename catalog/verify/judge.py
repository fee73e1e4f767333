"""What it means that a file is not as its row says, once nobody is at work on it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from duckdb import DuckDBPyConnection

from catalog.objects import is_url
from catalog.register.plan import kind_of_path
from catalog.statements import statement
from catalog.store.database import reading
from catalog.store.inbox import read_notes
from catalog.store.lock import WAIT_SECONDS
from catalog.store.paths import catalog_root
from catalog.verify.deep import Details, differing
from catalog.verify.describe import Described, describe_all
from catalog.verify.digests import digest_of
from catalog.verify.finding import (
    CHANGED,
    DAMAGED,
    MISSING,
    UNREADABLE,
    UNREGISTERED,
    Finding,
    found,
)
from catalog.verify.known import Known, Row, Scope, load_known
from catalog.verify.remote import ObjectNow, fetched, objects_now, stored_now

SETTLED = WAIT_SECONDS + 2.0
"""After so many seconds a file that was finalized is registered, or named by a note."""
_PAUSE = 0.5


@dataclass
class Judged:
    """What is wrong, and which files have nothing but another time of change."""

    findings: list[Finding] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)


def judge(
    catalog: Path, suspects: Sequence[str], strangers: Mapping[str, str], scope: Scope
) -> Judged:
    """
    Look again at files that are not as their rows say, and at files that have no row.

    Others may have been writing: the rows are asked for anew, and what was written a moment ago is
    waited for.

    Args:
        strangers: paths without a row, each with why it may not be read, or an empty text.
    """
    judged = Judged()
    paths = [*dict.fromkeys((*suspects, *strangers))]
    while paths:
        with reading(catalog) as con:
            known = load_known(con, catalog, scope)
            noted = {file for note in read_notes(catalog) for file in note.files}
        paths = [
            path
            for path in paths
            # What has a name that cannot be written is not found by it either.
            if path not in noted and (strangers.get(path) or _is_odd(path, known.row(path)))
        ]
        if young := _seconds_to_wait(paths):
            time.sleep(min(young, _PAUSE))
            continue
        # Without the lock: there may be many.
        wrong, judged.touched = _wrong_bytes(paths, known)
        with reading(catalog) as con:
            now = load_known(con, catalog, scope) if wrong else known
            if all(now.row(path) == known.row(path) for path in wrong):
                details = details_of(con, catalog, wrong)
                break
    else:
        return judged
    _describe(wrong, known, details, strangers, judged)
    return judged


def details_of(
    con: DuckDBPyConnection, catalog: Path, paths: Iterable[str] | None
) -> dict[str, Details]:
    """Return all that rows say of their files, by path; of all files, or of some."""
    wanted = None if paths is None else set(paths)
    if wanted is not None and not wanted:
        return {}
    values = {"root": catalog_root(catalog)}
    table = con.sql(statement("verify_details"), params=values).to_arrow_table()
    places = table["path"].to_pylist()
    if wanted is not None:
        kept = [place for place, path in enumerate(places) if path in wanted]
        table = table.take(pa.array(kept, pa.int64()))
    return {row["path"]: row for row in table.to_pylist()}


def _is_odd(path: str, row: Row | None) -> bool:
    if row is None or row.is_missing:
        return is_url(path) or os.path.lexists(path)  # What is in a store was listed just now.
    return row.is_expected


def _seconds_to_wait(paths: Sequence[str]) -> float:
    """Return how long to wait until none of some files was renamed or written just now."""
    now, longest = time.time(), 0.0
    stored = stored_now([path for path in paths if is_url(path)])
    for path in paths:
        try:
            changed_at = stored[path].mtime_ns / 1e9 if is_url(path) else os.stat(path).st_ctime
        except (OSError, KeyError):
            continue
        age = now - changed_at
        if 0 <= age < SETTLED:
            longest = max(longest, SETTLED - age)
    return longest


def _wrong_bytes(paths: Sequence[str], known: Known) -> tuple[list[str], list[str]]:
    """Return the files that have no row, no bytes or others, and those with another time only."""
    wrong, touched = [], []
    objects = objects_now(path for path in paths if is_url(path))
    for path in paths:
        row = known.row(path)
        try:
            stamp, digest = _stamp_and_digest(path, objects)
        except OSError:
            wrong.append(path)
            continue
        if row is None or row.is_missing or digest != row.digest:
            wrong.append(path)
        elif stamp != (row.size, row.mtime_ns):
            touched.append(path)
    return wrong, touched


def _stamp_and_digest(
    path: str, objects: Mapping[str, ObjectNow]
) -> tuple[tuple[int, int], str | None]:
    if not is_url(path):
        return digest_of(path)
    if path not in objects:
        raise FileNotFoundError(path)
    now = objects[path]
    return (now.stored.size, now.stored.mtime_ns), now.digest


def _describe(
    paths: Sequence[str],
    known: Known,
    details: Mapping[str, Details],
    strangers: Mapping[str, str],
    judged: Judged,
) -> None:
    readable: list[str] = []
    objects = objects_now(path for path in paths if is_url(path))
    for path in paths:
        row = known.row(path)
        if row is None or row.is_missing:
            usual = "no scan has seen it" if row is None else "it is known as gone, and is back"
            detail = strangers.get(path) or usual
            judged.findings.append(found(UNREGISTERED, path, detail))
            continue
        try:
            _open(path, objects)
            readable.append(path)
        except FileNotFoundError:
            judged.findings.append(found(MISSING, path, "it is registered, and not there"))
        except OSError as error:
            judged.findings.append(found(UNREADABLE, path, error.strerror or str(error)))
    with ExitStack() as here:
        described = describe_all(
            (_on_disk(path, objects, here), kind_of_path(os.path.dirname(path)))
            for path in readable
        )
        for path, one in zip(readable, described, strict=True):
            row = known.row(path)
            stamp = _stamp(path, objects)
            finding = None if row is None else _finding(path, row, stamp, details.get(path), one)
            if finding is not None:
                judged.findings.append(finding)


def _open(path: str, objects: Mapping[str, ObjectNow]) -> None:
    """
    See whether a file can be read.

    Raises:
        OSError: it cannot be.
    """
    if not is_url(path):
        with open(path, "rb"):
            return
    if path not in objects:
        raise FileNotFoundError(path)
    if objects[path].digest is None:
        raise OSError(objects[path].reason)


def _on_disk(path: str, objects: Mapping[str, ObjectNow], here: ExitStack) -> str:
    """Return a file as it can be read by another process; the one before it is not any more."""
    if not is_url(path):
        return path
    here.close()
    return here.enter_context(fetched(path, objects[path].stored.size))


def _stamp(path: str, objects: Mapping[str, ObjectNow]) -> tuple[int, int]:
    if is_url(path):
        return objects[path].stored.size, objects[path].stored.mtime_ns
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def _finding(
    path: str, row: Row, stamp: tuple[int, int], details: Details | None, one: Described
) -> Finding | None:
    size = "" if row.size == stamp[0] else f", in {stamp[0]:,} bytes"
    if one.trace is None:
        hint = None
        if details is not None and details["is_packed"]:
            trace_id = details["trace_id"]
            hint = f"Remove it, and write it again from its pack: catalog unpack {trace_id}"
        return found(DAMAGED, path, f"{one.detail}{size}", what_to_do=hint)
    is_as_old = row.mtime_ns == stamp[1]
    if details is None and is_as_old:
        return None  # A copy may say the same in other bytes.
    columns = [] if details is None else differing(one.trace, details)
    said = f"it says other {', '.join(columns)}" if columns else "it says the same in other bytes"
    return found(DAMAGED if is_as_old else CHANGED, path, said + size)
