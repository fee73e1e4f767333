"""Publish what the catalog knows to a lake, which any engine reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.lake.publish import Published

A_DAY = timedelta(days=1)


class Publishing(Located):
    """Publish what the catalog knows to a lake, which any engine reads."""

    def publish(
        self,
        dest: PathLike,
        *,
        where: str | None = None,
        writer: str | None = None,
        collect_garbage: bool = False,
        garbage_age: timedelta = A_DAY,
        dry_run: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Published:
        """
        Write to a lake, plain Parquet in a folder or a store, what it lacks of this catalog.

        Readers see the lake as it was before or as it is after, whenever this is killed; run
        again, it goes on where it stopped. Several machines may publish into one lake at once:
        each catalog is a writer of its own.

        Args:
            dest: a folder, or a URL such as `s3://bucket/lake`.
            where: only signal traces that meet a condition on the columns of `strategy_index`,
                and what belongs to them; what was published before stays. Without it, what was
                forgotten since leaves the lake.
            writer: publish under this id, 12 hex digits, and not under the catalog's own.
            collect_garbage: then remove files of this writer that no reader needs any more.
            garbage_age: only those that were written so long ago.
            dry_run: say what would be written, and write nothing.
            progress: called with how many entries of a table are written, and how many are to be.

        Returns:
            What was written, and which traces could not be read.

        Raises:
            QueryError: the condition is none, or nothing meets it.
            UsageError: the writer's id is none.
            LakeError: a file or manifest of the lake is damaged, or somebody else published as
                the same writer meanwhile.
            StoreError: the catalog cannot be used, or the lake not be written.
            ObjectStoreError: the store cannot be reached, or says no.
        """
        from catalog.lake.publish import publish

        return publish(
            self.path,
            dest,
            where=where,
            writer=writer,
            garbage_after=garbage_age if collect_garbage else None,
            dry_run=dry_run,
            **({} if progress is None else {"progress": progress}),
        )
