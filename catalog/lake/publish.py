"""
Publish a catalog: bring one writer's part of a lake up to what the catalog says.

Files are written under names that nobody reads yet. The manifest that names them is replaced at
the end, whole: whoever is killed at any moment, readers see the lake as it was before or as it is
after, and the next publish takes what was written for what it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from catalog.errors import LakeError
from catalog.lake.garbage import Garbage, collect
from catalog.lake.layout import TABLES, Table, manifest_path
from catalog.lake.manifest import Manifest, ManifestFile, place_of_lake, read_manifest
from catalog.lake.own_writer import check_writer, own_writer, publishing
from catalog.lake.plan import TablePlan, plan_table
from catalog.lake.snapshot import Snapshot, snapshot, temporary_errors
from catalog.lake.trace_rows import Failure
from catalog.lake.whole import whole
from catalog.lake.write import LakeWriter
from catalog.places import join, write_bytes
from catalog.query.chosen import chosen_ids
from catalog.statements import statement

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PublishedTable:
    """
    What became of a table: files written and their rows, entries (strategies, traces, series) and
    bytes; `reused` of these files were there from a publish that did not end; `kept` files, with
    `kept_rows` rows, stayed as they were, and `replaced` are no longer named.
    """

    name: str
    files: int = 0
    rows: int = 0
    entries: int = 0
    size: int = 0
    reused: int = 0
    kept: int = 0
    kept_rows: int = 0
    replaced: int = 0


@dataclass
class Published:
    """
    What a publish did.

    `sequence` is that of the manifest now. `left` says, by trace, what could not be read and why;
    of those that the lake had, it has what it had.
    """

    place: str
    writer: str
    sequence: int = 0
    is_changed: bool = False
    tables: list[PublishedTable] = field(default_factory=list)
    left: dict[str, Failure] = field(default_factory=dict)
    garbage: Garbage | None = None

    @property
    def needs_attention(self) -> bool:
        """Whether something that was meant could not be published."""
        return bool(self.left)

    def table(self, name: str) -> PublishedTable:
        """Return what became of a table."""
        return next(one for one in self.tables if one.name == name)


def publish(
    catalog: Path,
    dest: str | os.PathLike[str],
    *,
    where: str | None = None,
    writer: str | None = None,
    garbage_after: timedelta | None = None,
    dry_run: bool = False,
    progress: Progress = lambda done, total: None,
) -> Published:
    """
    Write to a lake what it lacks of a catalog.

    Args:
        dest: a folder, or a URL such as s3://bucket/lake.
        where: only signal traces that meet a condition on the columns of `strategy_index`, and
            what belongs to them; what was published before stays. Without it what the catalog
            has no more leaves the lake.
        writer: publish under this id, and not under the catalog's own.
        garbage_after: also remove files of this writer that are not read any more and are older.
        dry_run: say what would be written, and write nothing.
        progress: called with how many entries of a table are written, and how many are to be.

    Raises:
        QueryError: the condition is none, or nothing meets it.
        UsageError: the writer's id is none.
        LakeError: a file or manifest of the lake is damaged, or somebody else published as the
            same writer meanwhile.
        StoreError: the catalog cannot be used, or the lake not be written.
        ObjectStoreError: the store cannot be reached, or says no.
    """
    if writer is not None:
        check_writer(writer)
    place = place_of_lake(dest)
    trace_ids = chosen_ids(catalog, run=None, where=where)
    if dry_run:
        named = writer or own_writer(catalog, remember=False)
        return _publish(catalog, place, named, trace_ids, writes=False, progress=progress)
    with publishing(catalog):
        named = writer or own_writer(catalog)
        report = _publish(catalog, place, named, trace_ids, writes=True, progress=progress)
        if garbage_after is not None:
            report.garbage = collect(place, named, older=garbage_after)
        return report


def _publish(
    catalog: Path,
    place: str,
    writer: str,
    trace_ids: list[str] | None,
    *,
    writes: bool,
    progress: Progress,
) -> Published:
    former = read_manifest(place, writer) or Manifest(writer)
    report = Published(place, writer, former.sequence)
    tables: dict[str, tuple[ManifestFile, ...]] = {}
    with (
        TemporaryDirectory(prefix="catalog-") as folder,
        temporary_errors(Path(folder)),
        snapshot(catalog, Path(folder), trace_ids) as moment,
    ):
        work = _Work(
            moment, place, former, whole(former, place), report, trace_ids is not None, progress
        )
        # Rows first: of what cannot be read the other tables say nothing new either.
        for table in sorted(TABLES.values(), key=lambda one: not one.has_folders):
            tables[table.name] = work.bring_up(table, writes=writes)
    report.tables.sort(key=lambda one: list(TABLES).index(one.name))
    report.is_changed = any(one.files for one in report.tables) or any(
        files != former.tables.get(name, ()) for name, files in tables.items()
    )
    if writes and report.is_changed:
        named = {name: files for name in TABLES if (files := tables[name])}
        _replace_manifest(place, former, named)
        report.sequence = former.sequence + 1
    return report


@dataclass(frozen=True)
class _Work:
    moment: Snapshot
    place: str
    former: Manifest
    whole: Mapping[str, tuple[ManifestFile, ...]]
    report: Published
    keep_all: bool
    progress: Progress

    def bring_up(self, table: Table, *, writes: bool) -> tuple[ManifestFile, ...]:
        """Write what is lacking in a table, and return its files."""
        # What the lake has lost is written once more.
        files = self.whole.get(table.name, ())
        plan = plan_table(
            self.moment, table, self.place, files, keep_all=self.keep_all, left=self.report.left
        )
        if table.name == "trace_files" and not self.keep_all:
            # What the lake has of a trace stays; of those that it has not, somebody should know.
            gone = self.moment.con.execute(statement("publish_gone")).fetchall()
            self.report.left |= {one: Failure("its file is gone", path) for one, path in gone}
        done = PublishedTable(
            table.name,
            kept=len(plan.kept),
            kept_rows=sum(one.rows for one in plan.kept),
            replaced=len(self.former.tables.get(table.name, ())) - len(plan.kept),
        )
        if not writes:
            rows = sum(sum(part.entries["rows"].to_pylist()) for part in plan.parts)
            planned = replace(done, files=len(plan.parts), rows=rows, entries=plan.entries)
            self.report.tables.append(planned)
            return plan.kept
        made = self._write(plan, done)
        # In one order, whatever was written when: the same files are the same manifest.
        return tuple(sorted((*plan.kept, *made), key=lambda one: one.path))

    def _write(self, plan: TablePlan, done: PublishedTable) -> list[ManifestFile]:
        digests = {one.path: one.digest for one in self.former.tables.get(plan.table.name, ())}
        lake = LakeWriter(self.place, self.former.writer, self.moment, digests)
        made: list[ManifestFile] = []
        so_far = 0
        self.progress(so_far, plan.entries)
        for part in plan.parts:
            written = lake.write(plan.table, part)
            self.report.left.update(written.failed)
            so_far += part.entries.num_rows
            self.progress(so_far, plan.entries)
            if written.file is None:
                continue
            made.append(written.file)
            done = replace(
                done,
                files=done.files + 1,
                rows=done.rows + written.file.rows,
                entries=done.entries + written.file.keys,
                size=done.size + written.file.size,
                reused=done.reused + written.was_there,
            )
        self.report.tables.append(done)
        return made


def _replace_manifest(
    place: str, former: Manifest, tables: dict[str, tuple[ManifestFile, ...]]
) -> None:
    now = read_manifest(place, former.writer)
    if (now.sequence if now is not None else 0) != former.sequence:
        raise LakeError(
            f"Somebody else published to {place} as writer {former.writer} meanwhile",
            hint="Publish again: what was written is taken from there. Let only one catalog "
            "publish under one name",
        )
    manifest = Manifest(
        former.writer,
        former.sequence + 1,
        datetime.now(UTC).isoformat(timespec="seconds"),
        f"strategy-trace-catalog {version('strategy-trace-catalog')}",
        tables,
    )
    path = join(place, manifest_path(former.writer))
    write_bytes(path, manifest.as_text().encode())
