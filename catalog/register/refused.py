"""Tell objects that may not be read from a store that lets none be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from catalog.errors import ObjectStoreError
from catalog.objects import is_url
from catalog.register.files import NO_PERMISSION, FileToRead, Outcome, Problem
from catalog.register.known import Known

ENOUGH: Final = 1_000
"""So many objects of a bucket are refused before any was read: no more are asked for."""


def unless_all_refused(
    files: Iterable[FileToRead], outcomes: Iterator[Outcome], known: Known
) -> Iterator[Outcome]:
    """
    Yield what files came to; of a bucket nothing before one of its objects could be read.

    Where one could, or could before and is unchanged, those that the store refuses are problems
    of their own. Where none could, it is the credentials or a policy, and no object's property.

    Raises:
        ObjectStoreError: all objects of a bucket that were asked for are refused.
    """
    for bucket, some in groupby(zip(files, outcomes, strict=True), key=lambda pair: _bucket(*pair)):
        of_bucket = (outcome for _, outcome in some)
        if bucket is not None:
            yield from _first_of(bucket, of_bucket, known)
        yield from of_bucket


def _first_of(bucket: str, outcomes: Iterator[Outcome], known: Known) -> Iterator[Outcome]:
    """Yield the outcomes up to the first that says that a bucket can be read."""
    held: list[Outcome] = []
    refused: list[Problem] = []
    for outcome in outcomes:
        held.append(outcome)
        if isinstance(outcome, Problem) and outcome.reason == NO_PERMISSION:
            refused.append(outcome)
        elif outcome is not None:  # one that vanished says nothing
            break
        if len(refused) == ENOUGH:
            raise _refusal(bucket, refused)
    else:
        if refused and not _was_readable(bucket, known, {one.path for one in refused}):
            raise _refusal(bucket, refused)
    yield from held


def _bucket(file: FileToRead, _: Outcome) -> str | None:
    return "/".join(file.folder.split("/")[:3]) if is_url(file.folder) else None


def _was_readable(bucket: str, known: Known, refused: set[str]) -> bool:
    """Say whether a bucket has a file that was read before, and need not be read now."""
    return any(
        seen.status == "registered" and f"{folder}/{name}" not in refused
        for folder, files in known.files.items()
        if f"{folder}/".startswith(f"{bucket}/")
        for name, seen in files.items()
    )


def _refusal(bucket: str, refused: list[Problem]) -> ObjectStoreError:
    which = f"all {len(refused):,} objects that were" if len(refused) > 1 else "the only object"
    return ObjectStoreError(
        f"{bucket} refuses {which} asked for: {refused[0].error}",
        hint="Check what these credentials may do there (s3:GetObject), and register again: none "
        "of them was registered or put in quarantine. Folders of which only some may be read are "
        "registered apart",
    )
