"""Make the catalog anew, back it up, and make its file smaller."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from catalog.facade.located import Located, PathLike

if TYPE_CHECKING:
    from catalog.upkeep.rebuild import Rebuild


class Rebuilding(Located):
    """Make the catalog anew, back it up, and make its file smaller."""

    def rebuild(
        self,
        *folders: PathLike,
        metrics: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Rebuild:
        """
        Make the catalog anew from trace files, packs, and what lies beside it.

        What was registered, said and computed comes back, whatever became of catalog.duckdb, and
        is compared with the old one where that can be read. The old one is kept under another
        name. Other writers wait, or leave notes in the inbox.

        Args:
            folders: to be registered too, beside those that are known to have been.
            metrics: compute the figures of all metric sets again.
            progress: called with how many files were read or traces measured, and how many are
                to be.

        Raises:
            UsageError: a folder does not exist, or nothing is known to make it from.
            CatalogBusyError: another process has the catalog.
            StoreError: the disk is full, or the folder cannot be written.
        """
        from catalog.upkeep.rebuild import rebuild

        return rebuild(
            self.path,
            folders,
            metrics=metrics,
            **({} if progress is None else {"progress": progress}),
        )
