"""Mend what can be mended without touching a trace file, and name each repair."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from catalog.metrics.returns import remove_orphans as remove_returns
from catalog.objects import is_url
from catalog.places import exists
from catalog.prices.files import paths_in_use
from catalog.prices.files import remove_orphans as remove_prices
from catalog.register.folders import SeenFolder, record_folders
from catalog.register.record import Batch, record
from catalog.register.register import register
from catalog.register.written import take_in
from catalog.statements import statement
from catalog.store.database import writing
from catalog.store.facts import missing_facts, write_missing
from catalog.store.inbox import read_notes
from catalog.store.kept import write_missing_pack_facts
from catalog.store.paths import catalog_root
from catalog.store.transactions import transaction
from catalog.store.views import refresh_views
from catalog.upkeep.forgotten import forget_again
from catalog.upkeep.lost import release_lost
from catalog.upkeep.packs import remove_orphans as remove_packs
from catalog.verify import finding as f
from catalog.verify.derived import settle_latest
from catalog.verify.digests import digest_of
from catalog.verify.finding import Finding, Repair
from catalog.verify.folders import is_beside, is_left
from catalog.verify.remote import objects_now, stored_now
from catalog.verify.rows import orphans, wrong_strategies, wrong_traces


def repair(catalog: Path, findings: Sequence[Finding], touched: Sequence[str]) -> list[Repair]:
    """
    Mend what was found, as far as that needs no trace file to be written, moved or deleted.

    What is damaged stays so: its bytes are somewhere else, or nowhere. Everything is looked at
    again with the catalog's lock before it is mended.

    Raises:
        StoreError: the catalog cannot be written.
    """
    by_finding: dict[str, list[Finding]] = {}
    for one in findings:
        by_finding.setdefault(one.finding, []).append(one)
    mended: list[Repair] = []
    for phrases, mend in _MENDS:
        concerned = [one for phrase in phrases for one in by_finding.get(phrase, ())]
        if concerned:
            mended += mend(catalog, concerned)
    # At the end: the registration of what is here may take what was dropped above.
    changed = [one.path for one in by_finding.get(f.CHANGED, ())]
    strange = [one.path for one in by_finding.get(f.UNREGISTERED, ())]
    mended += _register(catalog, [*changed, *strange, *touched])
    return mended


def _take_in_notes(catalog: Path, findings: Sequence[Finding]) -> list[Repair]:
    take_in(catalog)
    forget_again(catalog)
    waiting = {os.path.abspath(note.path) for note in read_notes(catalog)}
    return [
        Repair(one.path, "taken in")
        for one in findings
        if one.path not in waiting and not os.path.exists(one.path)
    ]


def _remove_unfinished(catalog: Path, findings: Sequence[Finding]) -> list[Repair]:
    removed = []
    for one in findings:
        if not is_left(one.path, is_ours=is_beside(catalog, one.path)):
            continue
        with suppress(OSError):
            os.unlink(one.path)
            removed.append(Repair(one.path, "removed"))
    return removed


def _remove_left_over(catalog: Path, findings: Sequence[Finding]) -> list[Repair]:
    with writing(catalog) as con:
        remove_packs(catalog, con)
        remove_returns(con, catalog)
        remove_prices(catalog, paths_in_use(con, catalog))
    return [Repair(one.path, "removed") for one in findings if not os.path.exists(one.path)]


def _write_facts(catalog: Path, findings: Sequence[Finding]) -> list[Repair]:
    with writing(catalog) as con:
        for one in findings:
            Path(one.path).unlink(missing_ok=True)
        write_missing_pack_facts(con, catalog)
    return [Repair(one.path, "written again") for one in findings if os.path.exists(one.path)]


def _write_lacking(catalog: Path, findings: Sequence[Finding]) -> list[Repair]:
    with writing(catalog) as con:
        write_missing(con, catalog)
        left = missing_facts(con, catalog)
    return [
        Repair(one.path, "written from the catalog")
        for one in findings
        if Path(one.path).stem not in left
    ]


def _release_packs(catalog: Path, findings: Sequence[Finding]) -> list[Repair]:
    release_lost(catalog)
    return [
        Repair(one.path, "let go: its traces are read from their own files where these are there")
        for one in findings
    ]


def _drop_orphans(catalog: Path, findings: Sequence[Finding]) -> list[Repair]:
    root = catalog_root(catalog)
    with writing(catalog) as con, transaction(con):
        _give_roots(con, root)
        lost = con.execute(statement("select_lost_traces"), {"root": root}).fetchall()
        there = _there(con, dict(lost))
        con.execute(statement("delete_traces"), {"trace_ids": list(there)})
        refresh_views(con, root)
    # While it is still known which sweep file made their runs.
    _register(catalog, there.values())
    with writing(catalog) as con, transaction(con):
        _delete_orphans(con)
        refresh_views(con, root)
        left = {name for _, name, _ in orphans(con)}
    return [
        Repair(one.path, f"dropped {one.key}")
        for one in findings
        if one.key not in left and one.path == os.path.abspath(catalog)
    ]


def _there(con: DuckDBPyConnection, traces: Mapping[str, str]) -> dict[str, str]:
    """
    Return those of some traces, paths by ids, which can be registered from their files anew.

    What is in a pack is dropped for no file that is another one by now.
    """
    rows = con.execute(statement("select_packed_digests"), {"trace_ids": list(traces)}).fetchall()
    packed = dict(rows)
    return {
        trace_id: path
        for trace_id, path in traces.items()
        if _is_there(path) and (trace_id not in packed or _has(path, packed[trace_id]))
    }


def _has(path: str, digest: str | None) -> bool:
    try:
        if is_url(path):
            now = objects_now([path]).get(path)
            return now is not None and now.digest == digest
        return digest_of(path)[1] == digest
    except OSError:
        return False


def _is_there(path: str) -> bool:
    return exists(path) if is_url(path) else os.path.exists(path)


def _give_roots(con: DuckDBPyConnection, root: str) -> None:
    """Let folders whose root is gone have the innermost folder above them all for one."""
    rootless: dict[int, list[str]] = {}
    for root_id, path in con.execute(statement("select_rootless"), {"root": root}).fetchall():
        rootless.setdefault(root_id, []).append(path.rstrip("/"))
    for paths in rootless.values():
        above = _above(paths)
        record_folders(con, root, [SeenFolder(path, above) for path in paths])


def _above(paths: Sequence[str]) -> str:
    scheme, _, first = paths[0].partition("://")
    if not first:
        return os.path.commonpath(paths)
    return f"{scheme}://" + os.path.commonpath([path.partition("://")[2] for path in paths])


def _delete_orphans(con: DuckDBPyConnection) -> None:
    for name in ("delete_orphans", "delete_unused_strategies"):
        for part in con.extract_statements(statement(name)):
            con.execute(part)


def _register_anew(catalog: Path, findings: Sequence[Finding]) -> list[Repair]:
    """Drop rows that are wrong, and register the files that they are of."""
    root = catalog_root(catalog)
    with writing(catalog) as con:
        wrong = {trace_id: path for path, trace_id, _ in wrong_traces(con, catalog)}
        # What deep reading found is wrong only by what the files say.
        rows = [one for one in findings if one.finding == f.WRONG_ROW]
        wrong |= {one.key: one.path for one in rows if one.key is not None}
        keys = [key for key, _ in wrong_strategies(con, deep=True)]
        keys += [key for (key,) in con.execute(statement("select_dangling")).fetchall()]
        values = {"keys": keys, "root": root}
        made_with = dict(con.execute(statement("select_traces_of"), values).fetchall())
        there = _there(con, made_with | wrong)
        with transaction(con):
            con.execute(statement("delete_traces"), {"trace_ids": list(there)})
            if made_with.keys() <= there.keys():
                con.execute(statement("delete_strategies"), {"keys": keys})
            _delete_orphans(con)
            refresh_views(con, root)
    return _register(catalog, list(there.values()), "registered anew")


def _settle_latest(catalog: Path, findings: Sequence[Finding]) -> list[Repair]:
    with writing(catalog) as con, transaction(con):
        settle_latest(con)
    return [Repair(one.path, "said anew which trace is the latest") for one in findings]


def _mark_missing(catalog: Path, findings: Sequence[Finding]) -> list[Repair]:
    there = stored_now([one.path for one in findings if is_url(one.path)])
    gone = [
        one.path
        for one in findings
        if not (one.path in there if is_url(one.path) else os.path.lexists(one.path))
    ]
    batch = Batch(gone=[(path.rpartition("/")[0], path.rpartition("/")[2]) for path in gone])
    with writing(catalog) as con:
        record(con, catalog_root(catalog), batch)
    return [Repair(path, "marked missing") for path in gone]


def _remake_views(catalog: Path, findings: Sequence[Finding]) -> list[Repair]:
    try:
        with writing(catalog) as con, transaction(con):
            con.execute(statement("void_view_signatures"))
            refresh_views(con, catalog_root(catalog))
    except duckdb.Error:  # What it reads is damaged, and is a finding of its own.
        return []
    return [Repair(one.path, f"made anew: {one.key}") for one in findings]


def _register(catalog: Path, paths: Iterable[str], how: str = "registered again") -> list[Repair]:
    """Register the folders of files; what cannot be registered goes to quarantine."""
    by_folder: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        by_folder.setdefault(path.rpartition("/")[0], []).append(path)
    folders = sorted(folder for folder in by_folder if is_url(folder) or os.path.isdir(folder))
    if not folders:
        return []
    report = register(catalog, folders)
    # A scan may take a forgotten file whose time of change is another for a new one.
    forget_again(catalog)
    refused = {problem.path for problem in report.quarantined}
    return [
        Repair(path, "put in quarantine" if path in refused else how)
        for folder in folders
        for path in by_folder[folder]
    ]


_Mend = Callable[[Path, Sequence[Finding]], list[Repair]]
_MENDS: tuple[tuple[tuple[str, ...], _Mend], ...] = (
    ((f.UNFINISHED,), _remove_unfinished),
    ((f.LEFT_OVER,), _remove_left_over),
    ((f.MISSING_PACK,), _release_packs),
    ((f.DAMAGED_FACTS,), _write_facts),
    ((f.LACKING_FACTS,), _write_lacking),
    ((f.ORPHAN,), _drop_orphans),
    ((f.NOTE,), _take_in_notes),
    ((f.WRONG_ROW, f.WRONG_CONFIG, f.DANGLING), _register_anew),
    ((f.MISSING,), _mark_missing),
    ((f.WRONG_LATEST,), _settle_latest),
    ((f.BROKEN_VIEW,), _remake_views),
)
"""What mends which findings, in an order in which nothing is in the way of the next."""
