"""
Verify: are the files, the packs and the catalog still true to each other?

    rows (SQL)  ->  files: size, time, digest  ->  walk: names  ->  judge: look again
                ->  packs, prices, returns, sweep files         ->  views

A file whose bytes have the digest that they had when it was registered has the pages, the rows and
the configuration that registration checked. So bytes are read once, and only what differs is read
as a trace; `deep` reads everything as one.
"""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import UsageError
from catalog.store.database import reading
from catalog.store.inbox import read_notes, waiting_notes
from catalog.store.paths import side_folder
from catalog.upkeep.packs import Known as Packed
from catalog.verify.deep import read_deeply
from catalog.verify.digests import Compared
from catalog.verify.files import look_at, paths_of
from catalog.verify.finding import NOTE, Finding, Progress, Verification, found
from catalog.verify.folders import beside, walk_roots
from catalog.verify.journals import check_journals
from catalog.verify.judge import details_of, judge
from catalog.verify.known import Known, Scope, load_known, scope_of
from catalog.verify.lakes import LakeFile, check_lake_files, load_lake_files
from catalog.verify.remote import Listing, list_roots
from catalog.verify.repair import repair
from catalog.verify.rows import check_rows
from catalog.verify.stores import (
    Stores,
    check_presence,
    check_store,
    check_sweeps,
    load_packed,
    load_stores,
    size_of,
)
from catalog.verify.views import check_views

_ROUNDS = 3
"""Mending brings other things to light: the file of a row that was dropped is a stranger."""


@dataclass(frozen=True)
class How:
    """How closely to look: at no bytes, at those of some files, at all, or at what they say."""

    fast: bool = False
    deep: bool = False
    sample: float | None = None
    seed: int | None = None

    @property
    def name(self) -> str:
        """The closest that was looked."""
        if self.fast:
            return "fast"
        if self.deep:
            return "deep"
        return "full" if self.sample is None else "sample"


def verify(
    catalog: Path,
    paths: Sequence[str | os.PathLike[str]] = (),
    *,
    how: How,
    mend: bool = False,
    progress: Progress = lambda done, total: None,
) -> Verification:
    """
    Look at everything that the catalog knows, or at some files and folders.

    Args:
        mend: also mend what needs no trace file to be touched; otherwise nothing is changed.

    Raises:
        UsageError: nothing is known of a path, or the sample is none.
        StoreError: the catalog cannot be used.
    """
    _check(how)
    started = time.monotonic()
    scope = scope_of(paths)
    with _without_garbage():
        report = _look(catalog, scope, how, None, progress)
    if mend:
        _mend(catalog, scope, how, report)
    report.seconds = time.monotonic() - started
    return report


@contextmanager
def _without_garbage() -> Iterator[None]:
    """Look for no garbage: the rows of all files are none until the end, and are very many."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _mend(catalog: Path, scope: Scope, how: How, report: Verification) -> None:
    """Mend what was found, and what comes to light by that, and leave in the report what stays."""
    for _ in range(_ROUNDS):
        if not report.findings and not report.touched:
            return
        mended = repair(catalog, report.findings, report.touched)
        report.repairs += mended
        # Only what was wrong is read again.
        again = _look(catalog, scope, how, frozenset(one.path for one in report.findings))
        is_same = again.findings == report.findings
        report.findings, report.touched = again.findings, again.touched
        if is_same or not mended:
            return


def _look(
    catalog: Path,
    scope: Scope,
    how: How,
    only: frozenset[str] | None,
    progress: Progress = lambda done, total: None,
) -> Verification:
    """
    Look at everything in a scope.

    Args:
        only: read the bytes of these files only, where they are given.
    """
    seed = random.SystemRandom().randrange(1 << 32) if how.seed is None else how.seed
    report = Verification(sample=how.sample, seed=seed if how.sample is not None else None)
    stores, packed = Stores(), dict[str, list[Packed]]()
    in_lakes: dict[str, LakeFile] = {}
    with reading(catalog) as con:
        known = load_known(con, catalog, scope)
        report.findings += check_rows(con, catalog, scope, fast=how.fast, deep=how.deep)
        if not scope:
            stores, in_lakes = load_stores(con, catalog), load_lake_files(con)
            packed = load_packed(con, catalog, stores) if how.deep else {}
            report.findings += check_presence(stores, catalog)
            report.findings += check_views(con, catalog, fast=how.fast)
            report.findings += check_journals(con, catalog, fast=how.fast)
            report.findings += _notes(catalog)
    report.findings += check_lake_files(in_lakes)
    some = _choose(known, stores, how, seed) if only is None else only
    listing = list_roots(known)
    looked = look_at(known, listing, read=not how.fast, chosen=some, progress=progress)
    walked = walk_roots(known, listing, catalog, scope)
    report.findings += walked.findings
    judged = judge(catalog, looked.differing, walked.strangers, scope)
    report.findings += judged.findings
    report.touched = judged.touched
    if how.deep:
        report.findings += _deeply(catalog, known, listing, looked, some, progress)
    report.findings += listing.findings()
    report.files, report.read, report.size_bytes = looked.files, looked.read, looked.size_bytes
    if not scope:
        report.packs = len(stores.packs)
        report.findings += beside(catalog)
        if not how.fast:
            report.findings += check_sweeps(catalog)
            report.findings += _read_stores(catalog, stores, some, packed, report)
    return report


def _check(how: How) -> None:
    if how.sample is not None and not 0 < how.sample <= 1:
        raise UsageError(
            f"A sample of {how.sample:g} is none", hint="Give a share of the files, such as 5%"
        )
    if how.fast and (how.deep or how.sample is not None):
        raise UsageError(
            "Fast looks at no bytes, and deep and a sample do", hint="Leave out one of the two"
        )


def _choose(known: Known, stores: Stores, how: How, seed: int) -> frozenset[str] | None:
    """Return the files of a random sample, trace files and others alike; None for all."""
    if how.sample is None:
        return None
    paths = [*paths_of(known), *stores.paths()]
    count = max(1, round(how.sample * len(paths))) if paths else 0
    return frozenset(random.Random(seed).sample(paths, count))  # noqa: S311 - no secret


def _deeply(
    catalog: Path,
    known: Known,
    listing: Listing,
    looked: Compared,
    some: frozenset[str] | None,
    progress: Progress,
) -> list[Finding]:
    suspects = set(looked.differing)
    paths = [path for path in paths_of(known) if path not in suspects and listing.reaches(path)]
    if some is not None:
        paths = [path for path in paths if path in some]
    with reading(catalog) as con:
        details = details_of(con, catalog, None)
    findings = list(read_deeply(paths, listing, details, progress))
    if findings:
        with reading(catalog) as con:
            now = load_known(con, catalog, Scope())
        # What was registered anew meanwhile was read beside its old row.
        findings = [one for one in findings if now.row(one.path) == known.row(one.path)]
    return findings


def _read_stores(
    catalog: Path,
    stores: Stores,
    some: frozenset[str] | None,
    packed: Mapping[str, list[Packed]],
    report: Verification,
) -> list[Finding]:
    findings: list[Finding] = []
    for path in stores.paths():
        if some is not None and path not in some:
            continue
        report.read += 1
        report.size_bytes += size_of(path)
        findings += check_store(stores, path, packed.get(path))
    if not findings:
        return []
    with reading(catalog) as con:
        # What was written anew meanwhile took the place of what was read.
        there = {*load_stores(con, catalog).paths()}
    return [one for one in findings if one.path in there]


def _notes(catalog: Path) -> Iterator[Finding]:
    notes = read_notes(catalog)
    for note in notes:
        detail = f"{len(note.files):,} finalized files wait to be registered"
        yield found(NOTE, os.path.abspath(note.path), detail)
    if waiting_notes(catalog) > len(notes):
        readable = {note.path.name for note in notes}
        for path in sorted((side_folder(catalog) / "inbox").glob("*.json")):
            if path.name not in readable and not path.name.startswith("."):
                hint = "Register the folders that its writer wrote to, and remove it"
                yield found(NOTE, os.path.abspath(path), "it cannot be read", what_to_do=hint)
