"""Compare what lies on disk with what the catalog knows, without opening a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from catalog.errors import UsageError
from catalog.objects import is_url, look_at
from catalog.register.files import FileToRead, Problem
from catalog.register.folders import SeenFolder
from catalog.register.known import Known, KnownFile
from catalog.register.listed import NOTHING_LISTED, Listed, folders_of
from catalog.register.runs import record_paths, run_folder, stamp_of
from catalog.register.walk import NO_STAMP, NOT_UTF_8, Folder, Stamp, walk
from catalog.sweeps.grid import Sweep
from catalog.traces.format import kind_of_folder


@dataclass
class RunToRead:
    """The files of a run: their names all, and those that are to be read."""

    folder: str
    records: list[str]
    records_stamp: str
    names: set[tuple[str, str]] = field(default_factory=set)
    files: list[FileToRead] = field(default_factory=list)
    from_sweep: list[FileToRead] = field(default_factory=list)
    """Unchanged files whose configuration came from a sweep file."""
    listed: Listed = NOTHING_LISTED
    """What lies around it."""


@dataclass
class Plan:
    """What a registration has to do. Counts are of files."""

    runs: list[RunToRead] = field(default_factory=list)
    folders: list[SeenFolder] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)
    missing: int = 0
    unchanged: int = 0
    still_quarantined: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    unfinished: list[str] = field(default_factory=list)

    @property
    def to_read(self) -> int:
        """How many files are to be read."""
        return sum(len(run.files) for run in self.runs)


def make_plan(
    roots: Sequence[str], known: Known, *, skip: frozenset[str], sweeps: Sequence[Sweep] = ()
) -> Plan:
    """
    Walk the roots and say what is new, what has changed and what is gone.

    Args:
        skip: folders not to enter.
        sweeps: also read files anew whose configuration is unknown so far, or came from
            another sweep file than these of which one knows the run.
    """
    plan = Plan()
    visited: set[str] = set()
    unlisted: list[str] = []
    runs: dict[str, RunToRead] = {}
    listed = Listed()
    for root in roots:
        found = _listed(root, listed, known) if is_url(root) else walk(root, skip=skip)
        folders = {folder.path: folder for folder in found}
        visited.update(folders)
        for path, folder in folders.items():
            if folder.error is not None:
                unlisted.append(f"{path}/")
                _note_unlisted(folder, folders)
        for folder in folders.values():
            if folder.error is None:
                _compare(plan, runs, root, folder, known, listed, reread_unknown=bool(sweeps))
        _count_folders_without_traces(plan, folders.values(), runs)
    for run in runs.values():
        if run.from_sweep and _has_another_sweep(run, known, sweeps):
            run.files += run.from_sweep
            plan.unchanged -= len(run.from_sweep)
    plan.runs = [runs[path] for path in sorted(runs) if runs[path].files]
    for path, files in known.files.items():
        # What cannot be listed is not gone.
        if path not in visited and not path.startswith(tuple(unlisted)):
            _all_gone(plan, path, files, kept=())
    return plan


def _listed(root: str, listed: Listed, known: Known) -> list[Folder]:
    """Return the folders below a URL; a store knows no empty ones, and so no wrong names."""
    objects = listed.objects(root)
    if not objects and not known.files:
        if look_at(root) is not None:
            above = root.rpartition("/")[0]
            raise UsageError(f"{root} is an object", hint=f"Register its folder: {above}")
        raise UsageError(f"There is nothing below {root}", hint="Check the URL")
    return folders_of(root, objects)


def _has_another_sweep(run: RunToRead, known: Known, sweeps: Sequence[Sweep]) -> bool:
    """Say whether a sweep file is given that knows a run, and is not the one it came from."""
    before = known.runs.get(run.folder)
    used = None if before is None else before.sweep_digest
    others = [sweep for sweep in sweeps if sweep.digest != used]
    return len(others) == len(sweeps) and any(
        not sweep.names.keys().isdisjoint(run.names) for sweep in others
    )


def _note_unlisted(folder: Folder, folders: Mapping[str, Folder]) -> None:
    """Let the folder above name one that cannot be listed."""
    above, _, name = folder.path.rpartition("/")
    if above not in folders:
        raise UsageError(
            f"{folder.path} cannot be listed: {folder.error}", hint="Check its permissions"
        )
    folders[above].broken[name] = f"it cannot be listed: {folder.error}"


def _compare(
    plan: Plan,
    runs: dict[str, RunToRead],
    root: str,
    folder: Folder,
    known: Known,
    listed: Listed,
    *,
    reread_unknown: bool,
) -> None:
    before = known.files.get(folder.path, {})
    _compare_oddities(plan, folder, before)
    problems = len(plan.problems)
    run = _run_of(runs, folder.path, listed) if folder.files else None
    todo = 0
    if run is not None:
        run_before = known.runs.get(run.folder)
        # What a run says about itself concerns every trace of it.
        reread = run_before is not None and run_before.records_stamp != run.records_stamp
        kind = kind_of_path(folder.path)
        for name in sorted(folder.files):
            seen = before.get(name)
            run.names.add((kind or "signal", name.removesuffix(".parquet")))
            file = FileToRead(folder.path, name, kind, folder.files[name])
            if (
                seen is None
                or (reread and seen.status != "forgotten")
                or seen.stamp != folder.files[name]
                or seen.status == "missing"
                or (reread_unknown and seen.lacks_config)
            ):
                run.files.append(file)
                todo += 1
            else:
                _count_known(plan, seen)
                if seen.from_sweep:
                    run.from_sweep.append(file)
    records = {name for name in folder.records if _is_known(before, name, folder.records[name])}
    plan.still_quarantined += len(records)
    kept = {*folder.files, *folder.hidden_files, *folder.hidden_folders, *folder.broken, *records}
    _all_gone(plan, folder.path, before, kept=kept)
    if todo or len(plan.problems) > problems or (kept and folder.path not in known.files):
        plan.folders.append(SeenFolder(folder.path, root, folder.is_linked))


def _compare_oddities(plan: Plan, folder: Folder, before: dict[str, KnownFile]) -> None:
    """Note what is no trace file by its name alone."""
    plan.unfinished.extend(f"{folder.path}/{name}" for name in folder.unfinished)
    if folder.others and (folder.files or "/traces/" in folder.path + "/"):
        plan.ignored["file that is no Parquet"] += folder.others
    odd = [
        (name, stamp, "ignored", "hidden file", "its name begins with a dot")
        for name, stamp in folder.hidden_files.items()
    ]
    odd += [
        (name, NO_STAMP, "hidden", "hidden folder", "its name begins with a dot")
        for name in folder.hidden_folders
    ]
    odd += [
        (name, NO_STAMP, "quarantined", why if why == NOT_UTF_8 else "unreadable", why)
        for name, why in folder.broken.items()
    ]
    for name, stamp, status, reason, why in odd:
        if status == "ignored":
            plan.ignored[reason] += 1
        seen = before.get(name)
        if seen is None or seen.stamp != stamp or seen.status != status:
            path = f"{folder.path}/{name}"
            plan.problems.append(Problem(path, reason, f"{path}: {why}", None, stamp, status))
        elif status == "quarantined":
            plan.still_quarantined += 1


def _count_known(plan: Plan, seen: KnownFile) -> None:
    if seen.status == "quarantined":
        plan.still_quarantined += 1
    elif seen.status == "forgotten":
        plan.ignored["forgotten"] += 1
    elif seen.status == "ignored":
        plan.ignored["file that is no trace"] += 1
    else:
        plan.unchanged += 1


def _is_known(before: dict[str, KnownFile], name: str, stamp: Stamp) -> bool:
    return name in before and before[name].stamp == stamp


def _all_gone(plan: Plan, path: str, files: dict[str, KnownFile], *, kept: Iterable[str]) -> None:
    for name, seen in files.items():
        if name in kept or seen.status == "missing":
            continue
        plan.gone.append((path, name))
        plan.missing += seen.status == "registered"


def _run_of(runs: dict[str, RunToRead], folder: str, listed: Listed) -> RunToRead:
    path = run_folder(folder)
    if path not in runs:
        records = record_paths(path, listed)
        runs[path] = RunToRead(path, records, stamp_of(records, listed), listed=listed)
    return runs[path]


def kind_of_path(folder: str) -> str | None:
    """Return the kind that the innermost telling folder of a path stands for."""
    for part in reversed(folder.split("/")):
        if (kind := kind_of_folder(part)) is not None:
            return kind
    return None


def _count_folders_without_traces(
    plan: Plan, folders: Collection[Folder], runs: Mapping[str, RunToRead]
) -> None:
    """Count what looks like a run (it has records, or a folder `traces`) and holds no trace."""
    parents = {
        folder.path.rpartition("/")[0] for folder in folders if folder.path.endswith("/traces")
    }
    looks_like_run = {folder.path for folder in folders if folder.records} | parents
    without = len(looks_like_run - runs.keys())
    if without:
        plan.ignored["folder without traces"] += without
